'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { MemoryCache, MultiLevelCache, RedisCache } = require('../..');
const { deferred, startChild, uniqueName, waitFor } = require('../support');
const { sharedRedis, startRedis } = require('../support/redis');

const server = sharedRedis();

/** Memory in front of Redis, closed when the test ends. */
function open(t, { redis = {}, at = server(), ...options } = {}) {
  const l1 = new MemoryCache();
  const l2 = new RedisCache({ url: at.url, keyPrefix: `${uniqueName('levels')}:`, ...redis });
  const cache = new MultiLevelCache({ l1Cache: l1, l2Cache: l2, ...options });
  t.after(async () => {
    await cache.close();
    await l2.close();
    l1.close();
  });
  return { cache, l1, l2 };
}

describe('MultiLevelCache with Redis', () => {
  it('values move between the caches in both directions, whatever they are', async (t) => {
    const { cache, l1, l2 } = open(t);
    const values = { text: 'ü', number: 1.5, date: new Date(5), list: [{ id: 1 }, { id: 2 }], bytes: Buffer.from('b') };
    await cache.setMany(values, 60);
    for (const [key, value] of Object.entries(values)) {
      assert.deepEqual(await l2.get(key), value);
      l1.clear();
      assert.deepEqual(await cache.get(key), value);
      assert.deepEqual(l1.get(key), value);
    }
    for (let n = 0; n < 50; n += 1) await l2.set(`direct ${n}`, { id: n, name: 'direct' });
    assert.deepEqual(await cache.get('direct 49'), { id: 49, name: 'direct' });
    assert.deepEqual(l1.get('direct 49'), { id: 49, name: 'direct' });
  });

  it('promotion keeps what remains of the ttl in Redis', async (t) => {
    const { cache, l1, l2 } = open(t);
    await l2.set('key', 'value', { ttlMs: 5000 });
    await cache.get('key');
    assert.ok(l1.getTtl('key') <= 5000);
  });

  it('another process’s write, deletion and invalidation reach memory here', async (t) => {
    const keyPrefix = `${uniqueName('shared')}:`;
    const redis = { keyPrefix, clientTracking: true };
    const here = open(t, { redis });
    const there = open(t, { redis });
    await waitFor(() => here.l2.stats.tracking && there.l2.stats.tracking);
    await here.cache.set('key', 'old', { tags: ['red'] });
    assert.equal(await there.cache.get('key'), 'old');
    await there.cache.set('key', 'new', { tags: ['red'] });
    await waitFor(async () => (await here.cache.get('key')) === 'new');
    await here.cache.invalidateTags('red');
    await waitFor(async () => (await there.cache.get('key')) === undefined);
    await here.cache.set('other', 1);
    await there.cache.get('other');
    await here.cache.delete('other');
    await waitFor(async () => (await there.cache.get('other')) === undefined);
  });

  it('two processes that miss one key: one loader call', async (t) => {
    const keyPrefix = `${uniqueName('lease')}:`;
    const { cache, l2 } = open(t, { redis: { keyPrefix } });
    const child = startChild(
      async ({ load, say }, { url, prefix }) => {
        const hotpath = load();
        const redis = new hotpath.RedisCache({ url, keyPrefix: prefix });
        const levels = new hotpath.MultiLevelCache({ l2Cache: redis });
        await redis.ping();
        const value = await levels.getOrSet('key', async () => {
          say('loading');
          await new Promise((resolve) => setTimeout(resolve, 300));
          return 'theirs';
        });
        say(value);
        await levels.close();
        await redis.close();
      },
      { url: server().url, prefix: keyPrefix },
    );
    t.after(() => child.child.kill('SIGKILL'));
    await child.hears('loading');
    let calls = 0;
    const value = await cache.getOrSet('key', () => (calls++, 'mine'));
    assert.equal(value, 'theirs');
    assert.equal(calls, 0);
    await child.ended;
    assert.equal(await l2.get('key'), 'theirs');
  });

  it('a lease that was lost keeps an older value out', async (t) => {
    const keyPrefix = `${uniqueName('fence')}:`;
    const one = open(t, { redis: { keyPrefix } });
    const other = open(t, { redis: { keyPrefix } });
    const gate = deferred();
    const began = deferred();
    const loading = one.cache.getOrSet('key', async () => {
      began.resolve();
      await gate.promise;
      return 'older';
    });
    await began.promise;
    await other.cache.set('key', 'newer');
    gate.resolve();
    assert.equal(await loading, 'older');
    assert.equal(await one.l2.get('key'), 'newer');
    assert.equal(await one.cache.get('key'), 'newer');
  });
});

describe('MultiLevelCache while Redis dies', () => {
  it('is killed and restarted 10 times under load: no failed get, writes recovered, levels agree', async (t) => {
    const redis = await startRedis(t);
    const { cache, l1, l2 } = open(t, { at: redis, graceMs: 60_000, tierTimeoutMs: 500 });
    cache.on('error', () => {});
    await l2.ping();
    const keys = Array.from({ length: 40 }, (_, index) => `key ${index}`);
    await cache.setMany(Object.fromEntries(keys.map((key) => [key, { version: 0 }])));
    const failures = [];
    let running = true;
    let version = 0;
    const load = async () => {
      while (running) {
        const key = keys[Math.floor(Math.random() * keys.length)];
        try {
          assert.ok(await cache.get(key), 'memory has every key');
          assert.ok(await cache.getOrSet(`${key} loaded`, () => ({ loaded: true }), { ttlMs: 20, graceMs: 60_000 }));
          if (Math.random() < 0.2) await cache.set(key, { version: ++version });
        } catch (error) {
          failures.push(error);
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const workers = [load(), load(), load()];
    for (let round = 0; round < 10; round += 1) {
      await redis.kill();
      const [missed] = keys;
      await cache.set(missed, { version: ++version });
      await redis.start();
      await waitFor(() => cache.stats.levels[1].missedWrites === 0, {
        timeoutMs: 2_000,
        what: 'missed writes to be sent again',
      });
    }
    running = false;
    await Promise.all(workers);
    assert.deepEqual(failures, []);
    await waitFor(() => cache.stats.levels[1].missedWrites === 0);
    await cache.set('last', 1);
    for (const key of keys) {
      const there = await l2.get(key);
      if (there !== undefined) assert.deepEqual(there, l1.get(key), key);
    }
    assert.equal(await l2.get('last'), 1);
  });

  it('a server that hangs delays nobody for longer than the tier may take, and then nobody at all', async (t) => {
    const redis = await startRedis(t);
    const { cache } = open(t, { at: redis, redis: { commandTimeoutMs: 50 } });
    await cache.set('warm', 1);
    const states = [];
    cache.on('breaker', ({ state }) => states.push(state));
    redis.pause();
    t.after(() => redis.resume());
    for (let n = 0; n < 8; n += 1) assert.equal(await cache.getOrSet(`key ${n}`, () => n), n);
    await waitFor(() => states.includes('open'));
    redis.resume();
    await waitFor(() => states.at(-1) === 'closed' || (cache.get('probe'), false));
  });
});
