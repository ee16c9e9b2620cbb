'use strict';

// Every public member in every state: connected, connecting, busy, in a listener, without a server, closing, closed, and
// in another thread.

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { RedisCache } = require('../..');
const { errors, runInWorker, settled, uniqueName, waitFor } = require('../support');
const { openRedisCache, sharedRedis } = require('../support/redis');

const server = sharedRedis();

/** Each member once, over the content that `fill` makes. Takes nothing from outside: worker threads run it, too. */
const OPERATIONS = {
  get: (cache) => cache.get('a'),
  getWithTtl: (cache) => cache.getWithTtl('b'),
  has: (cache) => cache.has('a'),
  set: (cache) => cache.set('new', { fresh: true }),
  put: (cache) => cache.put('a', 'other'),
  delete: (cache) => cache.delete('a'),
  del: (cache) => cache.del('missing'),
  take: (cache) => cache.take('b'),
  getMany: (cache) => cache.getMany(['a', 'missing', 'b']),
  mget: (cache) => cache.mget(['a', 'missing', 'b']).then((hits) => ({ ...hits })),
  setMany: (cache) => cache.setMany({ x: 1, y: { z: 2 } }),
  mset: (cache) => cache.mset([['x', 1]], 1_000),
  deleteMany: (cache) => cache.deleteMany(['a', 'missing', 'n']),
  touch: (cache) => cache.touch('a', 1_000),
  getTtl: (cache) => cache.getTtl('b'),
  increment: (cache) => cache.increment('n', 2),
  keys: (cache) => cache.keys('?').then((keys) => keys.sort()),
  deletePattern: (cache) => cache.deletePattern('[ab]'),
  clear: (cache) => cache.clear(),
  lease: (cache) => cache.lease('job', 60_000).then((lease) => typeof lease.token),
  ping: (cache) => cache.ping().then((ms) => ms > 0),
};

const ANSWERS = {
  get: { n: 1 },
  getWithTtl: { value: 'text', ttlMs: Number.POSITIVE_INFINITY },
  has: true,
  set: true,
  put: true,
  delete: true,
  del: false,
  take: 'text',
  getMany: [{ n: 1 }, undefined, 'text'],
  mget: { a: { n: 1 }, b: 'text' },
  setMany: 2,
  mset: 1,
  deleteMany: 2,
  touch: true,
  getTtl: Number.POSITIVE_INFINITY,
  increment: 7,
  keys: ['a', 'b', 'n'],
  deletePattern: 2,
  clear: undefined,
  lease: 'number',
  ping: true,
};

/** What has tests of its own. */
const OTHERS = ['constructor', 'name', 'closed', 'stats', 'close'];
const EMITTER = ['on', 'addListener', 'prependListener', 'off', 'removeListener', 'removeAllListeners'];

const fill = (cache) => cache.setMany({ a: { n: 1 }, b: 'text', n: 5 });

async function filled(t, options) {
  const cache = openRedisCache(t, server(), { keyPrefix: `${uniqueName('m')}:`, ...options });
  await fill(cache);
  return cache;
}

it('the matrix knows every public member', () => {
  const members = Object.getOwnPropertyNames(RedisCache.prototype);
  assert.deepEqual(
    members.filter((name) => !(name in OPERATIONS) && !OTHERS.includes(name) && !EMITTER.includes(name)),
    [],
  );
  assert.deepEqual(Object.keys(OPERATIONS), Object.keys(ANSWERS));
});

describe('RedisCache: state matrix', () => {
  for (const [name, operate] of Object.entries(OPERATIONS)) {
    it(`${name} while idle`, async (t) => {
      assert.deepEqual(await operate(await filled(t)), ANSWERS[name]);
    });

    it(`${name} while still connecting`, async (t) => {
      const keyPrefix = `${uniqueName('m')}:`;
      await fill(openRedisCache(t, server(), { keyPrefix }));
      const cache = openRedisCache(t, server(), { keyPrefix });
      assert.deepEqual(await operate(cache), ANSWERS[name]);
    });

    it(`${name} while busy`, async (t) => {
      const cache = await filled(t);
      const others = Array.from({ length: 300 }, (_, i) => [
        cache.set(`other ${i}`, { i }),
        cache.get('other 5'),
      ]).flat();
      assert.deepEqual(await operate(cache), ANSWERS[name]);
      await Promise.all(others);
    });

    it(`${name} inside a listener`, async (t) => {
      const cache = await filled(t, { clientTracking: true });
      const answer = new Promise((resolve, reject) => {
        cache.on('invalidate', (keys) => {
          if (keys?.includes('signal')) operate(cache).then(resolve, reject);
        });
      });
      await waitFor(() => cache.stats.tracking, { what: 'tracking' });
      await server().command('SET', `${cache.stats.keyPrefix}signal`, '1');
      assert.deepEqual(await settled(answer, { what: name }), name === 'keys' ? ANSWERS.keys : ANSWERS[name]);
    });

    it(`${name} without a server`, async (t) => {
      const cache = openRedisCache(t, { url: 'redis://127.0.0.1:1' });
      await assert.rejects(operate(cache), { name: 'HotpathTierError', code: 'ERR_HOTPATH_TIER_UNAVAILABLE' });
    });

    it(`${name} while closing, and closed`, async (t) => {
      const cache = await filled(t);
      const before = operate(cache);
      const closing = cache.close();
      await assert.rejects(operate(cache), errors.closed);
      assert.deepEqual(await before, ANSWERS[name]);
      await closing;
      await assert.rejects(operate(cache), errors.closed);
    });
  }

  it('all of them in another thread', async (t) => {
    const keyPrefix = `${uniqueName('m')}:`;
    const cache = openRedisCache(t, server(), { keyPrefix });
    const source = Object.fromEntries(Object.entries(OPERATIONS).map(([name, operate]) => [name, String(operate)]));
    for (const name of Object.keys(OPERATIONS)) {
      await cache.clear();
      await fill(cache);
      await server().command(
        'EVAL',
        "for _, k in ipairs(redis.call('KEYS', '@hotpath/lease/*')) do redis.call('DEL', k) end return 1",
        '0',
      );
      const answer = await runInWorker(
        async ({ load, require }, { options, code }) => {
          const { RedisCache } = load();
          const operate = require('node:vm').runInThisContext(`(${code})`);
          const cache = new RedisCache(options);
          const result = await operate(cache);
          await cache.close();
          return result;
        },
        { options: { url: server().url, keyPrefix }, code: source[name] },
      );
      assert.deepEqual(answer, ANSWERS[name], name);
    }
  });

  it('the emitter’s own part, open and closed', async (t) => {
    const cache = await filled(t);
    const listener = () => {};
    for (const name of ['on', 'addListener', 'prependListener', 'off', 'removeListener']) {
      assert.equal(cache[name]('invalidate', listener), cache);
    }
    await cache.close();
    for (const name of ['on', 'addListener', 'prependListener', 'off', 'removeListener']) {
      assert.equal(cache[name]('invalidate', listener), cache);
    }
    assert.equal(cache.removeAllListeners(), cache);
    assert.equal(cache.listenerCount('invalidate'), 0);
  });
});
