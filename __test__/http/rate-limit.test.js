'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { inspect } = require('node:util');
const { MemoryCache, RedisCache, compression, rateLimit } = require('hotpath');
const { runInWorker } = require('../support');
const { EXPRESS, ask, before, listen, text } = require('../support/http');

const WINDOW = 60_000;

/** A limiter on a clock of its own, behind a server. */
async function setUp(t, options) {
  const clock = { time: 1_700_000_040_000 };
  const limiter = rateLimit({ windowMs: WINDOW, now: () => clock.time, ...options });
  t.after(() => limiter.close());
  const url = await listen(
    t,
    before(limiter, (request, response) => response.end(JSON.stringify(request.rateLimit ?? {}))),
  );
  clock.status = async (headers) => (await ask(url, { headers })).status;
  return { clock, limiter, url };
}

/** How many of a number of requests pass. */
async function passing(clock, count, headers) {
  let passed = 0;
  for (let turn = 0; turn < count; turn++) if ((await clock.status(headers)) === 200) passed++;
  return passed;
}

describe('the window', () => {
  it('slides', async (t) => {
    const { clock } = await setUp(t, { limit: 10 });
    clock.time -= clock.time % WINDOW;
    clock.time += WINDOW - 1;
    assert.equal(await passing(clock, 15), 10);
    // A window that does not slide would let ten more pass at once.
    clock.time += 1;
    assert.equal(await passing(clock, 5), 0);
    clock.time += WINDOW / 2;
    assert.equal(await passing(clock, 10), 5);
    clock.time += 10 * WINDOW;
    assert.equal(await passing(clock, 15), 10);
  });

  it('does not count what it refuses', async (t) => {
    const { clock } = await setUp(t, { limit: 2 });
    clock.time -= clock.time % WINDOW;
    assert.equal(await passing(clock, 50), 2);
    clock.time += 2 * WINDOW;
    assert.equal(await passing(clock, 3), 2);
  });

  it('says exactly when one more may pass', async (t) => {
    for (const start of [0, 1, 20_000, 59_999]) {
      const { clock, url } = await setUp(t, { limit: 7 });
      clock.time += start - (clock.time % WINDOW);
      await passing(clock, 7);
      clock.time += 21_000;
      await passing(clock, 7);
      const refused = await ask(url);
      assert.equal(refused.status, 429);
      const seconds = Number(refused.headers['retry-after']);
      assert.ok(seconds > 0);
      clock.time += 1000 * seconds;
      assert.equal(await clock.status(), 200, `from ${start}`);
    }
  });
});

describe('the answer', () => {
  it('has the fields of the draft', async (t) => {
    const { clock, url } = await setUp(t, { limit: 2 });
    clock.time -= clock.time % WINDOW;
    clock.time += 500;
    const first = await ask(url);
    assert.equal(first.headers['ratelimit-policy'], '"default";q=2;w=60');
    assert.equal(first.headers.ratelimit, '"default";r=1;t=60');
    const { key, limit, used, remaining, isAllowed } = JSON.parse(text(first));
    assert.deepEqual(
      { key, limit, used, remaining, isAllowed },
      { key: '127.0.0.1', limit: 2, used: 1, remaining: 1, isAllowed: true },
    );
    await ask(url);
    const refused = await ask(url);
    assert.equal(refused.status, 429);
    assert.match(refused.headers.ratelimit, /^"default";r=0;t=\d+$/);
    assert.equal(refused.headers['cache-control'], 'no-store');
    assert.match(refused.headers['content-type'], /^text\/plain/);
    assert.ok(Number(refused.headers['retry-after']) >= 60);
    assert.match(text(refused), /Too many requests/);
  });

  it('has those of older drafts, or none', async (t) => {
    const draft = await ask((await setUp(t, { limit: 5, headers: 'draft-6' })).url);
    assert.equal(draft.headers['ratelimit-limit'], '5');
    assert.equal(draft.headers['ratelimit-remaining'], '4');
    assert.equal(draft.headers['ratelimit-policy'], '5;w=60');
    const legacy = await ask((await setUp(t, { limit: 5, headers: 'legacy' })).url);
    assert.equal(legacy.headers['x-ratelimit-limit'], '5');
    const none = await ask((await setUp(t, { limit: 5, headers: false })).url);
    assert.deepEqual(
      Object.keys(none.headers).filter((name) => name.includes('ratelimit')),
      [],
    );
  });

  it('is what the options say', async (t) => {
    const json = await setUp(t, { limit: 0, message: { error: 'slow down' }, statusCode: 503 });
    const answer = await ask(json.url);
    assert.equal(answer.status, 503);
    assert.deepEqual(JSON.parse(text(answer)), { error: 'slow down' });
    const handler = (_request, response, _next, info) => response.writeHead(418).end(String(info.limit));
    const own = await ask((await setUp(t, { limit: 0, handler })).url);
    assert.equal(own.status, 418);
    assert.equal(text(own), '0');
    assert.ok(own.headers['retry-after'] !== undefined);
  });
});

describe('who asks', () => {
  it('is counted apart', async (t) => {
    const key = (request) => request.headers['x-user'];
    const { clock, limiter } = await setUp(t, { limit: 3, key });
    assert.equal(await passing(clock, 5, { 'x-user': 'ann' }), 3);
    assert.equal(await passing(clock, 5, { 'x-user': 'bob' }), 3);
    await limiter.reset('ann');
    assert.equal(await passing(clock, 5, { 'x-user': 'ann' }), 3);
    assert.equal(await passing(clock, 5, { 'x-user': 'bob' }), 0);
  });

  it('may have a limit of its own, or none', async (t) => {
    const { clock, limiter } = await setUp(t, {
      limit: (request) => Number(request.headers['x-limit']),
      key: (request) => request.headers['x-limit'],
      skip: (request) => request.headers['x-limit'] === '9',
    });
    assert.equal(await passing(clock, 6, { 'x-limit': '2' }), 2);
    assert.equal(await passing(clock, 6, { 'x-limit': '4' }), 4);
    assert.equal(await passing(clock, 12, { 'x-limit': '9' }), 12);
    assert.deepEqual(limiter.stats, { allowed: 6, limited: 6, skipped: 12, errors: 0 });
  });

  it('cannot get more by saying to be another', async (t) => {
    const { clock } = await setUp(t, { limit: 2 });
    assert.equal(await passing(clock, 1, { 'x-forwarded-for': '1.1.1.1' }), 1);
    assert.equal(await passing(clock, 3, { 'x-forwarded-for': '2.2.2.2' }), 1);
  });

  it('has a whole network of IPv6 addresses', () => {
    const { networkOf } = require('../../lib/http/rate-limit.js');
    const same = (one, other, prefix = 64) => networkOf(one, prefix) === networkOf(other, prefix);
    assert.ok(same('2001:db8:1:2::1', '2001:db8:1:2:ffff:ffff:ffff:ffff'));
    assert.ok(same('2001:db8:1:2::1', '2001:0db8:0001:0002:0:0:0:9'));
    assert.ok(!same('2001:db8:1:2::1', '2001:db8:1:3::1'));
    assert.ok(same('2001:db8:1:2::1', '2001:db8:1:3::1', 56));
    assert.ok(!same('::1', '1::'));
    assert.ok(!same('2001:db8::1', '2001:db8::2', 128));
    assert.equal(networkOf('::ffff:10.0.0.1', 64), '10.0.0.1');
    assert.equal(networkOf('10.0.0.1', 64), '10.0.0.1');
    assert.ok(same('fe80::1%eth0', 'fe80::2%eth1'));
    assert.equal(networkOf('unknown', 64), 'unknown');
  });
});

describe('counts', () => {
  it('are exact for requests at the same time', async (t) => {
    const { url } = await setUp(t, { limit: 20 });
    const answers = await Promise.all(Array.from({ length: 60 }, () => ask(url)));
    assert.equal(answers.filter(({ status }) => status === 200).length, 20);
  });

  it('are shared by handles of one name, and by a cache that is given', async (t) => {
    const cache = new MemoryCache();
    t.after(() => cache.close());
    for (const options of [{ name: 'rate-limit-shared' }, { store: cache }]) {
      const [one, two] = [await setUp(t, { limit: 4, ...options }), await setUp(t, { limit: 4, ...options })];
      assert.equal(await passing(one.clock, 3), 3);
      assert.equal(await passing(two.clock, 3), 1);
    }
  });

  it('are shared by threads', async (t) => {
    const name = `limits-of-threads-${process.pid}`;
    const time = 1_700_000_040_000;
    const here = rateLimit({ name, limit: 100, now: () => time, windowMs: WINDOW, key: () => 'all' });
    t.after(() => here.close());
    const body = async ({ require }, { name, time, windowMs }) => {
      const { rateLimit } = require('hotpath');
      const limiter = rateLimit({ name, limit: 100, now: () => time, windowMs, key: () => 'all' });
      let passed = 0;
      const response = { setHeader() {}, end() {} };
      for (let turn = 0; turn < 80; turn++) await limiter({}, response, () => passed++);
      limiter.close();
      return passed;
    };
    const passed = await Promise.all([1, 2, 3].map(() => runInWorker(body, { name, time, windowMs: WINDOW })));
    assert.equal(
      passed.reduce((sum, one) => sum + one),
      100,
    );
  });

  it('are in Redis for all machines', async (t) => {
    const { startRedis } = require('../support/redis');
    const redis = await startRedis(t);
    const stores = [0, 1].map(() => new RedisCache({ url: redis.url, keyPrefix: 'limits:' }));
    t.after(() => Promise.all(stores.map((store) => store.close())));
    const [one, two] = await Promise.all(stores.map((store) => setUp(t, { limit: 4, store })));
    assert.equal(await passing(one.clock, 3), 3);
    assert.equal(await passing(two.clock, 3), 1);
  });

  it('that fail let requests pass, or not', async (t) => {
    const errors = [];
    const store = {
      increment: () => Promise.reject(new Error('no store')),
      get: () => Promise.reject(new Error('no store')),
      delete: () => {},
    };
    const onError = (error) => errors.push(error.message);
    const open = await setUp(t, { store, onError });
    assert.equal(await passing(open.clock, 2), 2);
    const shut = await setUp(t, { store, onError, failOpen: false });
    assert.equal(await shut.clock.status(), 500);
    assert.deepEqual(errors, ['no store', 'no store', 'no store']);
    assert.equal(open.limiter.stats.errors, 2);
  });
});

describe('options’ functions', () => {
  for (const [version, framework] of EXPRESS) {
    it(`${version}: that fail let nobody pass`, async (t) => {
      const fail = () => {
        throw new Error('option');
      };
      const nothing = () => Promise.reject(undefined);
      for (const options of [
        { key: fail },
        { key: nothing },
        { skip: fail },
        { limit: fail },
        { limit: () => 'many' },
      ]) {
        const app = require(framework)();
        const told = [];
        const limiter = rateLimit({ ...options, onError: (error) => told.push(error) });
        t.after(() => limiter.close());
        app.use(limiter);
        app.get('/', (_request, response) => response.send('inside'));
        app.use((_error, _request, response, _next) => response.status(500).send('outside'));
        const url = await listen(t, app);
        assert.equal(text(await ask(url)), 'outside', Object.keys(options)[0]);
        assert.equal(told.length, 1);
        assert.equal(limiter.stats.errors, 1);
      }
    });

    it(`${version}: that fail to refuse hand their error on`, async (t) => {
      const handlers = [
        () => {
          throw new Error('handler');
        },
        async () => {
          throw new Error('handler');
        },
      ];
      for (const handler of handlers) {
        const app = require(framework)();
        const limiter = rateLimit({ limit: 0, handler });
        t.after(() => limiter.close());
        app.use(limiter);
        app.use((error, _request, response, _next) => response.status(500).send(error.message));
        assert.equal(text(await ask(await listen(t, app))), 'handler');
      }
    });
  }
});

describe('the handler', () => {
  for (const [version, framework] of EXPRESS) {
    it(`works in ${version}, and hands errors of others on`, async (t) => {
      const express = require(framework);
      const app = express();
      app.set('env', 'test');
      const limiter = rateLimit({ limit: 2 });
      t.after(() => limiter.close());
      app.use(limiter);
      app.get('/', (_request, response) => response.send('fine'));
      app.get('/throws', () => {
        throw new Error('thrown behind the limiter');
      });
      app.use((error, _request, response, _next) => response.status(500).send(error.message));
      const url = await listen(t, app);
      assert.equal(text(await ask(url)), 'fine');
      assert.equal(text(await ask(`${url}/throws`)), 'thrown behind the limiter');
      assert.equal((await ask(url)).status, 429);
    });
  }

  it('works in Fastify, beside compression', async (t) => {
    const fastify = require('fastify')();
    await fastify.register(require('@fastify/middie'));
    const limiter = rateLimit({ limit: 2 });
    fastify.use(limiter);
    fastify.use(compression());
    fastify.get('/', async () => ({ text: 'fastify '.repeat(1000) }));
    await fastify.listen({ port: 0, host: '127.0.0.1' });
    t.after(async () => {
      limiter.close();
      await fastify.close();
    });
    const url = `http://127.0.0.1:${fastify.server.address().port}`;
    for (const [encoding, status] of [
      ['br', 200],
      ['gzip', 200],
      ['gzip', 429],
    ]) {
      const answer = await ask(url, { headers: { 'accept-encoding': encoding } });
      assert.equal(answer.status, status);
      if (status !== 200) continue;
      assert.equal(answer.headers['content-encoding'], encoding);
      assert.equal(JSON.parse(text(answer)).text, 'fastify '.repeat(1000));
    }
  });

  it('lets all pass once it is closed', async (t) => {
    const { clock, limiter } = await setUp(t, { limit: 1 });
    assert.equal(await passing(clock, 3), 1);
    limiter.close();
    limiter.close();
    assert.equal(limiter.closed, true);
    assert.equal(await passing(clock, 3), 3);
    await assert.rejects(limiter.reset('x'), { code: 'ERR_HOTPATH_CLOSED' });
  });

  it('has its options checked', () => {
    for (const [options, code] of [
      [{ max: 5 }, 'ERR_HOTPATH_UNKNOWN_OPTION'],
      [{ limit: -1 }, 'ERR_OUT_OF_RANGE'],
      [{ limit: Number.NaN }, 'ERR_OUT_OF_RANGE'],
      [{ windowMs: 0 }, 'ERR_OUT_OF_RANGE'],
      [{ windowMs: 1.5 }, 'ERR_OUT_OF_RANGE'],
      [{ store: {} }, 'ERR_INVALID_ARG_TYPE'],
      [{ headers: true }, 'ERR_INVALID_ARG_TYPE'],
      [{ headers: 'draft-1' }, 'ERR_OUT_OF_RANGE'],
      [{ policyName: 'a"b' }, 'ERR_INVALID_ARG_TYPE'],
      [{ statusCode: 200 }, 'ERR_OUT_OF_RANGE'],
      [{ message: () => 'later' }, 'ERR_INVALID_ARG_TYPE'],
      [{ message: 10n }, 'ERR_INVALID_ARG_TYPE'],
    ]) {
      assert.throws(() => rateLimit(options), { code }, inspect(options));
    }
  });
});
