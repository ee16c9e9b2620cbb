'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const http2 = require('node:http2');
const https = require('node:https');
const os = require('node:os');
const path = require('node:path');
const { before: beforeAll, describe, it } = require('node:test');
const { compression, createHttp2Server, rateLimit, responseCache, tuneServer } = require('hotpath');
const { EXPRESS } = require('../support/http');

/** A certificate of a server on this machine. */
let identity;
beforeAll(() => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hotpath-tls-'));
  const [key, cert] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
  const words = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', [...words, '-subj', '/CN=localhost', '-keyout', key, '-out', cert], { stdio: 'ignore' });
  identity = { key: fs.readFileSync(key), cert: fs.readFileSync(cert) };
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
});

/** A client of HTTP/2 for one server. */
async function connect(t, server) {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const scheme = server instanceof require('node:tls').Server ? 'https' : 'http';
  const client = http2.connect(`${scheme}://localhost:${server.address().port}`, {
    rejectUnauthorized: false,
    lookup: (_host, options, callback) =>
      options.all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4),
  });
  t.after(() => {
    client.destroy();
    server.close();
  });
  return ({ body, ...headers }) =>
    new Promise((resolve, reject) => {
      const stream = client.request(headers);
      const chunks = [];
      let head;
      stream.on('response', (given) => {
        head = given;
      });
      stream.on('data', (chunk) => chunks.push(chunk));
      stream.on('error', reject);
      stream.on('end', () =>
        resolve({ status: head[':status'], headers: head, text: Buffer.concat(chunks).toString() }),
      );
      stream.end(body);
    });
}

describe('tuneServer', () => {
  it('sets both timeouts, by default for a balancer in front', () => {
    const server = http.createServer();
    assert.equal(tuneServer(server), server);
    assert.equal(server.keepAliveTimeout, 65_000);
    assert.equal(server.headersTimeout, 66_000);
    tuneServer(server, { keepAliveTimeout: 100_000 });
    assert.equal(server.headersTimeout, 101_000);
    tuneServer(server, { keepAliveTimeout: 5_000, headersTimeout: 0 });
    assert.equal(server.headersTimeout, 0);
  });

  it('checks what it is given', () => {
    const server = http.createServer();
    assert.throws(() => tuneServer({}), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => tuneServer(server, { keepAlive: 1 }), { code: 'ERR_HOTPATH_UNKNOWN_OPTION' });
    assert.throws(() => tuneServer(server, { keepAliveTimeout: -1 }), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => tuneServer(server, { keepAliveTimeout: 9, headersTimeout: 9 }), { code: 'ERR_OUT_OF_RANGE' });
  });
});

describe('createHttp2Server', () => {
  for (const [version, framework] of EXPRESS) {
    it(`serves ${version} over HTTP/2 and HTTP/1.1`, async (t) => {
      const express = require(framework);
      const app = express();
      app.set('env', 'test');
      const mounted = express();
      mounted.get('/there', (request, response) => response.send(`${request.baseUrl}${request.path}`));
      app.use('/mounted', mounted);
      app.use(express.json());
      app.get('/json', (request, response) => {
        response.cookie('a', 'b');
        response.json({
          version: request.httpVersion,
          host: request.hostname,
          secure: request.secure,
          q: request.query.q,
        });
      });
      app.post('/echo', (request, response) => response.status(201).set('Connection', 'close').send(request.body));
      app.get('/stream', (_request, response) => {
        response.type('text');
        response.write('one ');
        setImmediate(() => response.end('two'));
      });
      app.get('/file', (_request, response) => response.sendFile(__filename));
      app.get('/throws', () => {
        throw new Error('thrown in a handler');
      });
      app.get('/moved', (_request, response) => response.redirect('/json'));
      const server = createHttp2Server(identity, app);
      const ask = await connect(t, server);
      const json = await ask({ ':path': '/json?q=1' });
      assert.equal(json.status, 200);
      assert.deepEqual(JSON.parse(json.text), { version: '2.0', host: 'localhost', secure: true, q: '1' });
      assert.match(json.headers['content-type'], /^application\/json/);
      assert.deepEqual(json.headers['set-cookie'], ['a=b; Path=/']);
      const { headers } = json;
      assert.equal((await ask({ ':path': '/json?q=1', 'if-none-match': headers.etag })).status, 304);
      const echo = await ask({
        ':path': '/echo',
        ':method': 'POST',
        'content-type': 'application/json',
        body: '{"a":1}',
      });
      assert.equal(echo.status, 201);
      assert.equal(echo.text, '{"a":1}');
      assert.equal(echo.headers.connection, undefined);
      assert.equal((await ask({ ':path': '/stream' })).text, 'one two');
      assert.equal((await ask({ ':path': '/mounted/there' })).text, '/mounted/there');
      assert.equal((await ask({ ':path': '/file' })).text, fs.readFileSync(__filename, 'utf8'));
      assert.equal((await ask({ ':path': '/throws' })).status, 500);
      assert.equal((await ask({ ':path': '/nowhere' })).status, 404);
      assert.equal((await ask({ ':path': '/moved' })).headers.location, '/json');
      assert.equal((await ask({ ':path': '/json', ':method': 'HEAD' })).text, '');
      const together = await Promise.all(Array.from({ length: 50 }, (_, q) => ask({ ':path': `/json?q=${q}` })));
      for (const [q, answer] of together.entries()) assert.equal(JSON.parse(answer.text).q, String(q));

      const { port } = server.address();
      const old = await new Promise((resolve, reject) => {
        https
          .get({ port, path: '/json?q=1', rejectUnauthorized: false, agent: false }, (response) => {
            let text = '';
            response.on('data', (chunk) => {
              text += chunk;
            });
            response.on('end', () => resolve(JSON.parse(text)));
          })
          .on('error', reject);
      });
      assert.equal(old.version, '1.1');
    });
  }

  it('serves any listener in clear text, too', async (t) => {
    const ask = await connect(
      t,
      createHttp2Server((request, response) => response.end(request.headers.host)),
    );
    assert.match((await ask({ ':path': '/' })).text, /^localhost:\d+$/);
  });

  it('works with the other middlewares', async (t) => {
    const big = 'over two '.repeat(10_000);
    let calls = 0;
    const responses = responseCache({ ttlMs: 60_000 });
    const limiter = rateLimit({ limit: 8 });
    t.after(() => [responses, limiter].forEach((each) => each.close()));
    const express = require('express');
    const app = express();
    app.use(limiter);
    app.get('/cached', responses, (_request, response) => {
      calls++;
      response.type('text').send(big);
    });
    app.get('/streamed', responses, (_request, response) => {
      calls++;
      response.type('text').write(big);
      assert.equal(response.headersSent, true);
      response.end('end');
    });
    app.get('/compressed', compression(), (_request, response) => response.type('text').send(big));
    app.get('/pieces', compression(), (_request, response) => {
      response.type('text').write(big);
      response.end('end');
    });
    const ask = await connect(t, createHttp2Server(identity, app));
    for (let turn = 0; turn < 2; turn++) {
      assert.ok((await ask({ ':path': '/cached' })).text === big);
      assert.ok((await ask({ ':path': '/streamed' })).text === `${big}end`);
      const gzip = await ask({ ':path': turn === 0 ? '/compressed' : '/pieces', 'accept-encoding': 'gzip' });
      assert.equal(gzip.headers['content-encoding'], 'gzip');
    }
    assert.equal(calls, 2);
    assert.equal((await ask({ ':path': '/cached', 'if-none-match': '*' })).status, 304);
    assert.equal((await ask({ ':path': '/cached', ':method': 'HEAD' })).headers['content-length'], String(big.length));
    assert.equal((await ask({ ':path': '/cached' })).status, 429);
  });

  it('fronts one that believes either of two names for its host', async (t) => {
    const app = ({ headers }, response) => response.end(headers[':authority']);
    const front = responseCache.front(app, { ttlMs: 60_000 });
    t.after(() => front.responses.close());
    const ask = await connect(t, createHttp2Server(identity, front));
    for (const name of ['evil', 'shop']) {
      assert.equal((await ask({ ':path': '/', ':authority': name, host: 'shop' })).text, name);
    }
  });

  it('fronts an application, too', async (t) => {
    let calls = 0;
    const front = responseCache.front((_request, response) => response.end(`call ${++calls}`), { ttlMs: 60_000 });
    t.after(() => front.responses.close());
    const ask = await connect(t, createHttp2Server(identity, front));
    for (let turn = 0; turn < 3; turn++) assert.equal((await ask({ ':path': '/' })).text, 'call 1');
  });

  it('checks what it is given', () => {
    assert.throws(() => createHttp2Server(5), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => createHttp2Server({}, 5), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.equal(createHttp2Server(identity).keepAliveTimeout, 65_000);
  });
});
