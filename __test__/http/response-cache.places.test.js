'use strict';

// Where the response cache may stand, and what it may store in.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const http = require('node:http');
const { describe, it } = require('node:test');
const { MemoryCache, MultiLevelCache, RedisCache, responseCache } = require('hotpath');
const { deferred, runInWorker, waitFor } = require('../support');
const { EXPRESS, ask, before, listen, serveCached, text } = require('../support/http');

const BIG = JSON.stringify(Array.from({ length: 3000 }, (_, id) => ({ id, name: `product ${id}` })));

/** A handler in front of an application that counts its calls; the answer depends on the URL. */
const setUp = (t, options) =>
  serveCached(t, options, (request, response) => {
    response.setHeader('Content-Type', 'application/json');
    response.setHeader('Cache-Tag', 'all');
    if (request.headers['x-vary']) response.setHeader('Vary', 'X-Vary');
    response.end(`["${request.url} ${request.headers['x-vary']}",${BIG}]`);
  });

/** What every store must do. */
async function works(t, options, { tags = true } = {}) {
  const server = await setUp(t, options);
  const get = async (path, headers) => text(await ask(server.url + path, { headers }));
  for (const headers of [{}, { 'accept-encoding': 'gzip' }, { 'accept-encoding': 'br' }, {}]) {
    assert.ok((await get('/a', headers)) === `["/a undefined",${BIG}]`);
  }
  assert.equal(server.calls, 1);
  for (const vary of ['one', 'two', 'one', 'two']) {
    assert.ok((await get('/b', { 'x-vary': vary })) === `["/b ${vary}",${BIG}]`);
  }
  assert.equal(server.calls, 3);
  if (tags) {
    await server.responses.delete('/a');
  } else {
    await assert.rejects(server.responses.delete('/a'), { code: 'ERR_HOTPATH_UNSUPPORTED' });
    await server.responses.deleteKey(`/a ${server.url}`);
  }
  await get('/a');
  assert.equal(server.calls, 4);
  await ask(`${server.url}/a`, { method: 'POST' });
  await waitFor(async () => (await get('/a')) && server.calls >= 6, { what: 'the POST to let go of the answer' });
  const { calls } = server;
  if (tags) {
    await server.responses.invalidateTags('all');
    await get('/a');
    assert.equal(server.calls, calls + 1);
  } else {
    await assert.rejects(server.responses.invalidateTags('all'), { code: 'ERR_HOTPATH_UNSUPPORTED' });
  }
  await server.responses.clear();
  const after = server.calls;
  await get('/a');
  assert.equal(server.calls, after + 1);
  return server;
}

describe('stores', () => {
  it('a memory cache of its own', async (t) => {
    await works(t, {});
  });

  it('a memory cache that holds other things', async (t) => {
    for (const options of [
      {},
      { nearCache: false },
      { compression: true },
      { clone: true },
      { evictionPolicy: 'lru' },
    ]) {
      const cache = new MemoryCache(options);
      t.after(() => cache.close());
      cache.set('mine', { a: 1 });
      const { responses } = await works(t, { cache });
      assert.deepEqual(cache.get('mine'), { a: 1 });
      responses.close();
      assert.equal(cache.closed, false);
      cache.validate();
    }
  });

  it('Redis', async (t) => {
    const { startRedis } = require('../support/redis');
    const redis = await startRedis(t);
    const cache = new RedisCache({ url: redis.url });
    t.after(() => cache.close());
    const plain = await setUp(t, { cache });
    for (let turn = 0; turn < 3; turn++) await ask(plain.url);
    assert.equal(plain.calls, 1);
    await plain.responses.delete('/');
    await ask(plain.url);
    assert.equal(plain.calls, 2);
    const caches = new MultiLevelCache({ l1Cache: new MemoryCache(), l2Cache: cache });
    t.after(() => caches.close?.());
    await works(t, { cache: caches });
  });

  it('anything with the methods of a cache', async (t) => {
    const values = new Map();
    const cache = {
      get: async (key) => values.get(key),
      set: async (key, value) => values.set(key, value),
      has: async (key) => values.has(key),
      delete: async (key) => values.delete(key),
      clear: async () => values.clear(),
    };
    await works(t, { cache }, { tags: false });
    const server = await setUp(t, { cache });
    values.set(`http:/x http://${new URL(server.url).host}`, 'what somebody else has put there');
    assert.ok(text(await ask(`${server.url}/x`)).endsWith(`${BIG}]`));
    await assert.rejects(server.responses.deletePattern('*'), { code: 'ERR_HOTPATH_UNSUPPORTED' });
  });

  it('one that fails, as if there were none', async (t) => {
    const errors = [];
    const fail = () => Promise.reject(new Error('the store failed'));
    const cache = { get: fail, set: fail, has: fail, delete: fail, clear: fail };
    const server = await setUp(t, { cache, onError: (error) => errors.push(error.message) });
    for (let turn = 0; turn < 3; turn++) assert.ok(text(await ask(server.url)).endsWith(`${BIG}]`));
    assert.equal(server.calls, 3);
    assert.ok(errors.length >= 3 && errors.every((message) => message === 'the store failed'));
  });

  it('one whose bytes are damaged', async (t) => {
    const server = await setUp(t, {});
    const { cache } = server.responses;
    await ask(server.url);
    const key = cache.keys('http:*')[0];
    const whole = cache.getBytes(key);
    const damages = [
      Buffer.alloc(0),
      Buffer.from([1]),
      Buffer.from([9, 0, 0, 0, 0]),
      Buffer.from([1, 255, 255, 255, 255, 1]),
      Buffer.concat([whole.subarray(0, 5), Buffer.from('x'), whole.subarray(6)]),
      'text',
      { an: 'object' },
      5,
    ];
    for (const damaged of damages) {
      cache.set(key, damaged);
      assert.ok(text(await ask(server.url)).endsWith(`${BIG}]`));
    }
    assert.equal(server.calls, 1 + damages.length);
  });

  it('a memory cache that is closed under it', async (t) => {
    const cache = new MemoryCache();
    const server = await setUp(t, { cache, onError: () => {} });
    await ask(server.url);
    cache.close();
    assert.equal((await ask(server.url)).status, 200);
  });
});

describe('large bodies', () => {
  it('are sent from native memory, and outlive what they were stored as', async (t) => {
    const body = Buffer.alloc(300_000, 'abcdefghij');
    const responses = responseCache({ ttlMs: 60_000, compression: false });
    t.after(() => responses.close());
    const url = await listen(
      t,
      before(responses, (_request, response) => response.end(body)),
    );
    await ask(url);
    const arrayBuffers = process.memoryUsage().arrayBuffers;
    const asked = Array.from({ length: 20 }, () => ask(url));
    await waitFor(() => responses.stats.hits > 0);
    // Others may still be on their way.
    await responses.clear();
    for (const answer of await Promise.all(asked)) assert.ok(answer.body.equals(body));
    assert.ok(arrayBuffers > 0);
  });

  it('are not copied for each answer', async (t) => {
    const { LEND } = require('../../lib/cache/internal.js');
    const cache = new MemoryCache({ nearCache: false });
    t.after(() => cache.close());
    const lent = cache[LEND]((bytes) => bytes);
    const put = Buffer.alloc(1 << 20, 1);
    cache.set('large', put);
    const [one, two] = [lent.get('large'), lent.get('large')];
    assert.ok(one.equals(put));
    assert.notEqual(one, two);
    const native = require('../../lib/native.js');
    assert.equal(typeof native.lend, 'function');
    // Two views of the same memory: what is written through one shows in the other. Nobody else may do this.
    one[0] = 77;
    assert.equal(two[0], 77);
    cache.delete('large');
    assert.equal(lent.get('large'), undefined);
    assert.equal(one.length, 1 << 20);
    assert.equal(one[1], 1);
    cache.close();
    assert.throws(() => lent.get('large'), { code: 'ERR_HOTPATH_CLOSED' });
    assert.equal(two[(1 << 20) - 1], 1);
  });
});

describe('places', () => {
  for (const [version, framework] of EXPRESS) {
    it(`${version}: an application, a router, a route`, async (t) => {
      const express = require(framework);
      const responses = responseCache({ ttlMs: 60_000 });
      t.after(() => responses.close());
      let calls = 0;
      const count = (_request, response) => response.json({ calls: ++calls });
      const app = express();
      app.use('/router', express.Router().use(responses).get('/:id', count));
      app.get('/route', responses, count);
      app.get('/twice', responses, responses, count);
      app.get('/throws', responses, () => {
        throw new Error('thrown');
      });
      app.use((error, _request, response, _next) => response.status(500).send(error.message));
      const url = await listen(t, app);
      for (const path of ['/router/1', '/router/2', '/route', '/twice']) {
        const first = await ask(url + path);
        const second = await ask(url + path);
        assert.equal(text(second), text(first), path);
        assert.equal(second.headers['content-type'], 'application/json; charset=utf-8');
        assert.equal(second.headers['x-powered-by'], 'Express');
        assert.equal((await ask(url + path, { headers: { 'if-none-match': first.headers.etag } })).status, 304);
      }
      assert.equal(calls, 4);
      for (let turn = 0; turn < 2; turn++) {
        const answer = await ask(`${url}/throws`);
        assert.equal(answer.status, 500);
        assert.equal(text(answer), 'thrown');
      }
    });

    it(`${version}: before the application, and in it at the same time`, async (t) => {
      const express = require(framework);
      let calls = 0;
      const responses = responseCache({ ttlMs: 60_000, staleWhileRevalidateMs: 1 });
      t.after(() => responses.close());
      const app = express();
      app.use(responses);
      app.get('/', (_request, response) => response.json({ calls: ++calls }));
      app.post('/', (_request, response) => response.json({}));
      const url = await listen(t, responses.front(app));
      for (let turn = 0; turn < 3; turn++) {
        const answer = await ask(url);
        assert.equal(JSON.parse(text(answer)).calls, 1);
        assert.equal(answer.headers['x-powered-by'], 'Express');
      }
      assert.equal(responses.stats.misses, 1);
      await ask(url, { method: 'POST' });
      assert.equal(JSON.parse(text(await ask(url))).calls, 2);
    });

    it(`${version}: with the compression of others around it`, async (t) => {
      const express = require(framework);
      const responses = responseCache({ ttlMs: 60_000 });
      t.after(() => responses.close());
      const app = express();
      app.use(require('compression')());
      app.get('/', responses, (_request, response) => response.type('text').send(BIG));
      const url = await listen(t, app);
      for (let turn = 0; turn < 3; turn++) {
        const answer = await ask(url, { headers: { 'accept-encoding': 'gzip' } });
        assert.equal(answer.headers['content-encoding'], 'gzip');
        assert.ok(text(answer) === BIG);
      }
    });
  }

  it('Fastify, with its plugin for middleware', async (t) => {
    const fastify = require('fastify')();
    await fastify.register(require('@fastify/middie'));
    const responses = responseCache({ ttlMs: 60_000 });
    let calls = 0;
    fastify.use(responses);
    fastify.get('/', async () => ({ calls: ++calls, big: BIG }));
    await fastify.listen({ port: 0, host: '127.0.0.1' });
    t.after(async () => {
      responses.close();
      await fastify.close();
    });
    const url = `http://127.0.0.1:${fastify.server.address().port}`;
    for (const headers of [{}, { 'accept-encoding': 'gzip' }, { 'accept-encoding': 'zstd' }]) {
      assert.equal(JSON.parse(text(await ask(url, { headers }))).calls, 1);
    }
    assert.equal(calls, 1);
  });

  it('a keep-alive connection with many requests', async (t) => {
    const server = await setUp(t, {});
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    const get = (path) =>
      new Promise((resolve, reject) => {
        http
          .get(server.url + path, { agent }, (response) => {
            const chunks = [];
            response.on('data', (chunk) => chunks.push(chunk));
            response.on('end', () => resolve(Buffer.concat(chunks).toString()));
          })
          .on('error', reject);
      });
    const paths = Array.from({ length: 200 }, (_, index) => `/${index % 7}`);
    const answers = await Promise.all(paths.map(get));
    for (const [index, answer] of answers.entries()) assert.ok(answer === `["${paths[index]} undefined",${BIG}]`);
    assert.equal(server.calls, 7);
  });

  it('several threads, which know of each other’s invalidations', async (t) => {
    const name = `invalidations-${process.pid}`;
    let gate;
    const responses = responseCache({ name, ttlMs: 60_000, tags: ['tag'] });
    t.after(() => responses.close());
    let calls = 0;
    const url = await listen(
      t,
      before(responses, async (_request, response) => {
        const call = ++calls;
        if (call % 2 === 1) await gate.promise;
        response.end(`call ${call}`);
      }),
    );
    for (const [index, how] of ['delete', 'invalidateTags', 'deletePattern', 'clear'].entries()) {
      gate = deferred();
      const begun = ask(`${url}/${how}`);
      await waitFor(() => calls === 2 * index + 1);
      await runInWorker(
        async ({ require }, { name, how }) => {
          const responses = require('hotpath').responseCache({ name, ttlMs: 60_000 });
          await responses[how]({ delete: '/delete', invalidateTags: 'tag', deletePattern: '/delete*' }[how]);
          responses.close();
        },
        { name, how },
      );
      gate.resolve();
      assert.equal(text(await begun), `call ${2 * index + 1}`);
      assert.equal(text(await ask(`${url}/${how}`)), `call ${2 * index + 2}`, how);
      assert.equal(text(await ask(`${url}/${how}`)), `call ${2 * index + 2}`, how);
      // The next round begins with an odd call again.
      assert.equal(calls, 2 * index + 2);
    }
  });

  it('a process that has nothing else to do, and ends', () => {
    const script = `
      const { compression, rateLimit, responseCache } = require(${JSON.stringify(require.resolve('hotpath'))});
      const handlers = [compression(), rateLimit(), responseCache({ ttlMs: 1000 })];
      const http = require('node:http');
      const app = (request, response) => response.setHeader('Content-Type', 'text/plain').end('x'.repeat(100000));
      const server = http.createServer((request, response) => {
        const next = (index) => (index < handlers.length ? handlers[index](request, response, () => next(index + 1)) : app(request, response));
        next(0);
      });
      server.listen(0, '127.0.0.1', () => {
        http.get({ port: server.address().port, headers: { 'accept-encoding': 'br' }, agent: false }, (response) => {
          response.resume().on('end', () => server.close(() => console.log(response.headers['content-encoding'])));
        });
      });`;
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['-e', script], { timeout: 60_000 });
    assert.equal(signal, null);
    assert.equal(status, 0, String(stderr));
    assert.equal(String(stdout).trim(), 'br');
  });

  it('several threads, which share one name', async (t) => {
    const name = `responses-${process.pid}`;
    const server = await setUp(t, { name });
    const first = text(await ask(server.url, { headers: { host: 'shared' } }));
    const other = await runInWorker(
      async ({ require }, { name }) => {
        const http = require('node:http');
        const { responseCache } = require('hotpath');
        const responses = responseCache({ name, ttlMs: 60_000 });
        const server = http.createServer((request, response) =>
          responses(request, response, () => response.end('asked')),
        );
        await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
        const body = await new Promise((resolve) =>
          http.get({ port: server.address().port, headers: { host: 'shared' }, agent: false }, (response) => {
            let text = '';
            response.on('data', (chunk) => {
              text += chunk;
            });
            response.on('end', () => resolve(text));
          }),
        );
        await responses.delete('/');
        responses.close();
        await new Promise((resolve) => server.close(resolve));
        return body;
      },
      { name },
    );
    assert.ok(other === first);
    const { calls } = server;
    await ask(server.url, { headers: { host: 'shared' } });
    assert.equal(server.calls, calls + 1, 'the other thread let go of it');
  });
});
