'use strict';

// Servers for load tests, on loopback, which end with the test that started them.

const { execFileSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const http2 = require('node:http2');
const https = require('node:https');
const path = require('node:path');
const { freePort, need, start, stop, temporaryFolder } = require('./servers');

/** @param {any} t */
async function listening(t, server, { scheme = 'http', host = '127.0.0.1' } = {}) {
  server.listen(0, host);
  await once(server, 'listening');
  const sessions = new Set();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  t.after(async () => {
    for (const session of sessions) session.destroy();
    server.closeAllConnections?.();
    await new Promise((resolve) => server.close(resolve));
  });
  const name = host.includes(':') ? `[${host}]` : host;
  return { server, url: `${scheme}://${name}:${server.address().port}` };
}

const httpServer = (t, handler, options) => listening(t, http.createServer(handler), options);

/** A key and a certificate of its own for localhost and 127.0.0.1. */
function certificate(t) {
  const folder = temporaryFolder(t);
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => path.join(folder, name));
  const openssl = need('openssl', { debian: 'openssl' });
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE';
  const make = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost -addext ${names}`;
  execFileSync(openssl, [...make.split(' '), '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { key: fs.readFileSync(key, 'utf8'), cert: fs.readFileSync(cert, 'utf8') };
}

const httpsServer = (t, keys, handler) => listening(t, https.createServer(keys, handler), { scheme: 'https' });
const http2Server = (t, handler) => listening(t, http2.createServer(handler));
const secureHttp2Server = (t, keys, handler) =>
  listening(t, http2.createSecureServer(keys, handler), { scheme: 'https' });

/** nginx with a configuration of its own. */
async function nginx(t, locations = '') {
  const program = need('nginx', { debian: 'nginx-light' });
  const folder = temporaryFolder(t);
  const port = await freePort();
  const file = path.join(folder, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder};`);
  fs.writeFileSync(
    file,
    `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
    events { worker_connections 4096; }
    http { access_log off; ${temporary.join(' ')}
      server { listen 127.0.0.1:${port}; keepalive_requests 1000; location = / { return 200 "hello from nginx\\n"; } ${locations} } }`,
  );
  const child = await start(program, ['-c', file, '-p', folder, '-e', path.join(folder, 'error.log')], { port });
  t.after(() => stop(child));
  return { url: `http://127.0.0.1:${port}`, child };
}

module.exports = { certificate, http2Server, httpServer, httpsServer, listening, nginx, secureHttp2Server };
