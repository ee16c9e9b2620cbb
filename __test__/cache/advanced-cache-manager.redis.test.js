'use strict';

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const Redis = require('ioredis');
const { AdvancedCacheManager, RedisCache } = require('../../index.js');
const { sharedRedis } = require('../support/redis.js');
const { waitFor } = require('../support/wait.js');

describe('distributed', () => {
  const server = sharedRedis();

  /** Each stands for a process: nothing is shared but the server. */
  function open(t, options, redis = {}) {
    const manager = new AdvancedCacheManager({ distributed: { url: server().url, ...redis }, ...options });
    t.after(() => manager.close());
    return manager;
  }

  test('what one process stores, others read', async (t) => {
    const [one, other] = [0, 1].map(() => open(t, {}, { keyPrefix: 'shared:' }));
    const user = { name: 'Ada', since: new Date(5) };
    assert.equal(await one.set('user:1', user), true);
    assert.deepEqual(await other.get('user:1'), user);
    assert.equal(await other.has('user:1'), true);
    await one.setMany({ a: 1, b: 2 }, 60_000);
    assert.deepEqual(await other.getMany(['a', 'b', 'c']), [1, 2, undefined]);
    assert.deepEqual(await other.mget(['a', 'c']), { a: 1 });
    assert.equal(await other.delete('user:1'), true);
    await waitFor(async () => (await one.get('user:1')) === undefined);
    assert.equal(await other.deleteMany(['a', 'b', 'c']), 2);
  });

  test('memory follows what other processes change', async (t) => {
    const [one, other] = [0, 1].map(() => open(t, {}, { keyPrefix: 'followed:' }));
    await one.set('k', 'old');
    assert.equal(await other.get('k'), 'old');
    await one.set('k', 'new');
    await waitFor(async () => (await other.get('k')) === 'new');
    await one.clear();
    await waitFor(async () => (await other.get('k')) === undefined);
  });

  test('entries live on the server as long as the caller says', async (t) => {
    const manager = open(t, { defaultTTL: 7_200_000 }, { keyPrefix: 'lives:' });
    const client = new Redis(server().url);
    t.after(() => client.disconnect());
    await manager.set('default', 1);
    await manager.set('day', 1, 86_400_000);
    await manager.setMany({ many: 1 }, 5_000);
    const left = async (key) => client.pttl(`lives:${key}`);
    assert.ok((await left('default')) > 7_100_000 && (await left('default')) <= 7_200_000);
    assert.ok((await left('day')) > 86_000_000);
    assert.ok((await left('many')) <= 5_000);
  });

  test('warm loads what is neither in memory nor on the server', async (t) => {
    const [one, other] = [0, 1].map(() => open(t, {}, { keyPrefix: 'warm:' }));
    let loads = 0;
    const groups = { users: { keys: ['u:1', 'u:2'], loader: (key) => `${++loads} ${key}` } };
    assert.deepEqual(await one.warm(groups), { users: { warmed: 2, failed: 0, errors: [] } });
    assert.deepEqual(await other.warm(groups), { users: { warmed: 2, failed: 0, errors: [] } });
    assert.equal(loads, 2);
  });

  test('statistics keep the shape of document 002', async (t) => {
    const manager = open(t, { maxSize: 50 }, { keyPrefix: 'stats:' });
    await manager.set('a', 1);
    await manager.get('a');
    const stats = manager.getStats();
    assert.deepEqual(Object.keys(stats), [
      ...['hits', 'misses', 'hitRate', 'size', 'maxSize', 'utilization', 'memoryUsage'],
    ]);
    assert.equal(stats.size, 1);
    assert.equal(stats.maxSize, 50);
    assert.equal(stats.utilization, 0.02);
  });

  test('what the server has is a hit', async (t) => {
    const [one, other] = [0, 1].map(() => open(t, {}, { keyPrefix: 'hits:' }));
    await one.setMany({ a: 1, b: 2 });
    await other.get('a');
    await other.getMany(['b', 'missing']);
    const { hits, misses, hitRate } = other.getStats();
    assert.deepEqual({ hits, misses, hitRate }, { hits: 2, misses: 1, hitRate: 2 / 3 });
  });

  test('closing ends its connections; a cache that was given stays open', async (t) => {
    const client = new Redis(server().url);
    t.after(() => client.disconnect());
    const connections = async () => (await client.client('LIST')).trim().split('\n').length;
    const before = await connections();
    for (let round = 0; round < 5; round++) {
      const manager = new AdvancedCacheManager({ distributed: { url: server().url } });
      await manager.set('a', 1);
      await manager.close();
      await manager.close();
      assert.equal(manager.closed, true);
      await assert.rejects(manager.get('a'), { code: 'ERR_HOTPATH_CLOSED' });
    }
    await waitFor(async () => (await connections()) <= before);

    const given = new RedisCache({ url: server().url, keyPrefix: 'given:' });
    t.after(() => given.close());
    const manager = new AdvancedCacheManager({ distributed: given });
    await manager.set('a', 1);
    await manager.close();
    assert.equal(await given.get('a'), 1);
  });
});
