// A native server that load generators cannot saturate: nginx, from the distribution's package.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');

const PLACES = ['/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin'];

/** The path of a program of the system. @param {string} name */
function program(name) {
  const found = PLACES.map((folder) => path.join(folder, name)).find((file) => fs.existsSync(file));
  if (!found) throw new Error(`${name} is not installed: its distribution has a package of that name`);
  return found;
}

/** Starts nginx with one worker and gives its address. */
async function startNginx() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hotpath-nginx-'));
  const port = await freePort();
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder};`);
  const file = path.join(folder, 'nginx.conf');
  fs.writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
    events { worker_connections 4096; }
    http { access_log off; keepalive_requests 100000000; ${temporary.join(' ')}
      server { listen 127.0.0.1:${port}; location / { default_type text/plain; return 200 "hello from nginx\\n"; } } }`,
  );
  const args = ['-c', file, '-p', folder, '-e', path.join(folder, 'error.log')];
  const child = spawn(program('nginx'), args, { stdio: 'ignore' });
  while (!(await accepts(port))) if (child.exitCode !== null) throw new Error('nginx does not start');
  return {
    url: `http://127.0.0.1:${port}/`,
    stop() {
      child.kill('SIGQUIT');
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {net.AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}

/** @param {number} port @returns {Promise<boolean>} */
function accepts(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    const answer = (/** @type {boolean} */ yes) => {
      socket.destroy();
      setTimeout(resolve, yes ? 0 : 5, yes);
    };
    socket.once('connect', () => answer(true)).once('error', () => answer(false));
  });
}

module.exports = { program, startNginx };
