// A native server that load generators cannot saturate: nginx, from the distribution's package.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { freePort, need, start, stop } = require('../../__test__/support/servers.js');

/** The path of wrk. */
const wrkProgram = () => need('wrk', { debian: 'wrk' });

/** Starts nginx in one process and gives its address. */
async function startNginx() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hotpath-nginx-'));
  const port = await freePort();
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder};`);
  const file = path.join(folder, 'nginx.conf');
  fs.writeFileSync(
    file,
    `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
    events { worker_connections 4096; }
    http { access_log off; keepalive_requests 100000000; ${temporary.join(' ')}
      server { listen 127.0.0.1:${port}; location / { default_type text/plain; return 200 "hello from nginx\\n"; } } }`,
  );
  const args = ['-c', file, '-p', folder, '-e', path.join(folder, 'error.log')];
  const child = await start(need('nginx', { debian: 'nginx-light' }), args, { port });
  return {
    url: `http://127.0.0.1:${port}/`,
    async stop() {
      await stop(child);
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

module.exports = { startNginx, wrkProgram };
