'use strict';

const assert = require('node:assert/strict');
const http = require('node:http');
const http2 = require('node:http2');
const { describe, it } = require('node:test');
const express5 = require('express');
const express4 = require('express4');
const compression = require('compression');
const hotpath = require('hotpath');
const { allServices, ask, listen, processors } = require('../support/router');

const options = { authorize: () => true, processors };

/** Each gives the address of the router. */
const hosts = {
  'node:http, below its base path': async (t, router) => `${await listen(t, router)}/api/performance`,
  'node:http, alone': async (t, router) => listen(t, router),
  'node:http with others': async (t, router) =>
    `${await listen(t, (request, response) => router(request, response, () => response.end('other')))}/api/performance`,
  'Express 4': async (t, router) => `${await listen(t, express4().use('/api/performance', router))}/api/performance`,
  'Express 5': async (t, router) => `${await listen(t, express5().use('/api/performance', router))}/api/performance`,
  'Express 5, with a parser, compression and another mount': async (t, router) => {
    const app = express5().use(compression(), express5.json()).use('/deep/er', express5.Router().use('/perf', router));
    return `${await listen(t, app)}/deep/er/perf`;
  },
  'Express 4, with a parser': async (t, router) =>
    `${await listen(t, express4().use(express4.json()).use('/p', router))}/p`,
  'Express, not mounted': async (t, router) => {
    const app = express5().use(router);
    app.get('/other', (_request, response) => response.send('other'));
    const origin = await listen(t, app);
    assert.equal((await ask(`${origin}/other`)).text, 'other', 'what is not below it goes on');
    return `${origin}/api/performance`;
  },
  'Fastify through middie': async (t, router) => {
    const fastify = require('fastify')();
    await fastify.register(require('@fastify/middie'));
    fastify.use('/api/performance', router);
    t.after(() => fastify.close());
    await fastify.listen({ port: 0, host: '127.0.0.1' });
    return `http://127.0.0.1:${fastify.server.address().port}/api/performance`;
  },
};

describe('the router', () => {
  for (const [name, host] of Object.entries(hosts)) {
    it(`works under ${name}`, async (t) => {
      const router = hotpath.performanceRouter(allServices(t), options);
      const base = await host(t, router);
      t.after(() => router.close());
      const set = await ask(`${base}/cache/set`, { method: 'POST', body: { key: 'a/b', value: { n: 1 } } });
      assert.equal(set.status, 200, set.text);
      assert.deepEqual((await ask(`${base}/cache/get/a%2Fb?x=1`)).body.data, { n: 1 });
      const wrong = await ask(`${base}/cache/set`, { method: 'POST', body: { key: 1 } });
      assert.equal(wrong.body.error.code, 'ERR_INVALID_ARG_TYPE');
      assert.equal(
        (await ask(`${base}/cache/pattern`, { method: 'DELETE', body: { pattern: 'a*' } })).body.data.deleted,
        1,
      );
      assert.equal((await ask(`${base}/history?limit=1`)).body.data.length, 1);
      assert.equal((await ask(`${base}/summary`, { method: 'HEAD' })).status, 200);
      assert.equal((await ask(`${base}/nothing`)).body.error.code, 'ERR_NOT_FOUND');
      assert.match((await ask(`${base}/metrics/prometheus`)).text, /^http_requests_total/m);
      assert.match((await ask(`${base}/`)).text, /<!doctype html>/i);
      const described = (await ask(`${base}/openapi.json`)).body.servers[0].url;
      assert.equal(described, new URL(base).pathname);
      const controller = new AbortController();
      const stream = await fetch(`${base}/stream`, { signal: controller.signal });
      const { value } = await stream.body.getReader().read();
      assert.match(Buffer.from(value).toString(), /^retry: 3000\nid: [0-9a-f]{8}-\d+\nevent: hello\n/);
      controller.abort();
    });
  }

  it('works over HTTP/2', async (t) => {
    const router = hotpath.performanceRouter(allServices(t), options);
    const server = http2.createServer(router);
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const session = http2.connect(`http://127.0.0.1:${server.address().port}`);
    t.after(() => {
      session.destroy();
      router.close();
      server.close();
    });
    const send = (headers, body) =>
      new Promise((resolve, reject) => {
        const stream = session.request(headers, { endStream: body === undefined });
        let text = '';
        let status;
        stream.on('response', (answer) => {
          status = answer[':status'];
        });
        stream.on('data', (piece) => {
          text += piece;
        });
        stream.on('end', () => resolve({ status, text }));
        stream.on('error', reject);
        if (body !== undefined) stream.end(body);
      });
    const path = '/api/performance/cache/set';
    const head = { ':path': path, ':method': 'POST', 'content-type': 'application/json' };
    assert.deepEqual(await send(head, '{"key":"a","value":1}'), {
      status: 200,
      text: '{"success":true,"data":{"key":"a","stored":true}}',
    });
    assert.equal((await send(head)).status, 400);
    const got = await send({ ':path': '/api/performance/cache/get/a' });
    assert.deepEqual([got.status, JSON.parse(got.text).data], [200, 1]);
    assert.equal((await send({ ':path': '/api/performance/' })).status, 200);
    assert.equal((await send({ ':path': '/api/performance/metrics/prometheus' })).status, 200);
  });

  it('describes itself where it was asked', async (t) => {
    const router = hotpath.performanceRouter(allServices(t), options);
    t.after(() => router.close());
    const app = express5();
    app.use('/of/:tenant', router);
    const origin = await listen(t, app);
    for (const mount of ['/of/one', '/of/two', '/OF/one']) {
      assert.equal((await ask(`${origin}${mount}/openapi.json`)).body.servers[0].url, mount);
    }
  });

  it('works behind code that takes a prefix off, and says nothing of it', async (t) => {
    const router = hotpath.performanceRouter(allServices(t), { ...options, basePath: '/' });
    t.after(() => router.close());
    const origin = await listen(t, (request, response) => {
      if (!request.url.startsWith('/inside/')) return response.end('outside');
      request.url = request.url.slice('/inside'.length);
      router(request, response, () => response.end('next'));
    });
    assert.equal((await ask(`${origin}/inside/health`)).body.success, true);
    assert.match((await ask(`${origin}/inside/`)).text, /<!doctype html>/i);
    assert.equal((await ask(`${origin}/inside/nothing`)).body.error.code, 'ERR_NOT_FOUND');
    assert.equal((await ask(`${origin}/other`)).text, 'outside');
  });

  it('leaves a server free to close', async (t) => {
    const services = allServices(t);
    const router = hotpath.performanceRouter(services, options);
    const server = http.createServer(router);
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const stream = await fetch(`http://127.0.0.1:${server.address().port}/api/performance/stream`);
    const closed = new Promise((resolve) => server.close(resolve));
    router.close();
    router.close();
    for await (const _piece of stream.body);
    await closed;
  });
});
