'use strict';

// Applications that were written against a cache of this name of their own, with the import changed and nothing else.

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { CacheWarmer, MemoryCache, MemoryOptimizedCache, MultiLevelCache, RedisCache } = require('../..');
const { uniqueName } = require('../support');
const { sharedRedis } = require('../support/redis');

const server = sharedRedis();

describe('MultiLevelCache in applications', () => {
  it('a load test that mixes writes and reads over memory and Redis', async (t) => {
    const l1Cache = new MemoryOptimizedCache();
    const l2Cache = new RedisCache({ url: server().url, keyPrefix: `${uniqueName('app')}:` });
    const cache = new MultiLevelCache({ l1Cache, l2Cache });
    t.after(async () => {
      await cache.close();
      await l2Cache.close();
      await l1Cache.close();
    });
    const operations = 3000;
    for (let i = 0; i < 300; i++) {
      await cache.put(`warmup:${i}`, { data: `value${i}` });
    }
    const promises = [];
    for (let i = 0; i < operations; i++) {
      if (i % 3 === 0) {
        promises.push(cache.put(`test:${i}`, { data: `value${i}` }));
      } else {
        promises.push(cache.get(`test:${i % 1000}`));
      }
    }
    const results = await Promise.all(promises);
    results.forEach((value, i) => {
      if (i % 3 !== 0 && value !== undefined) assert.deepEqual(value, { data: `value${i % 1000}` });
    });
    const metrics = cache.getMetrics();
    assert.equal(metrics.writes, 1300);
    assert.equal(metrics.totalRequests, 2000);
    assert.match(metrics.hitRate, /^\d+(\.\d\d)?%$/);
    assert.match(metrics.l1HitRate, /^\d+(\.\d\d)?%$/);
    assert.ok(metrics.l1Hits > 0);
    assert.deepEqual(Object.keys(metrics.latency.l1), ['avg', 'p50', 'p95', 'p99']);
    assert.deepEqual(await cache.get('test:999'), { data: 'value999' });
  });

  it('tiers of the application’s own, one of them the database', async (t) => {
    const made = () => {
      const rows = new Map();
      return {
        rows,
        get: async (key) => rows.get(key)?.value,
        put: async (key, value, ttl) => void rows.set(key, { value, ttl }),
      };
    };
    const [l1Cache, l2Cache, l3Cache] = [made(), made(), made()];
    const cache = new MultiLevelCache({ l1Cache, l2Cache, l3Cache, l1TTL: 60, l2TTL: 0 });
    t.after(() => cache.close());
    l3Cache.rows.set('order:1', { value: { id: 1 } });
    assert.deepEqual(await cache.get('order:1'), { id: 1 });
    await cache.put('order:2', { id: 2 });
    assert.equal(l1Cache.rows.get('order:2').ttl, 60);
    assert.equal(l2Cache.rows.get('order:2').ttl, 3600);
    assert.equal(l3Cache.rows.get('order:2').ttl, 86_400);
    await cache.warmup(['order:1', 'order:2', 'order:3']);
    assert.equal(cache.isWarmingUp, false);
    const { l3Hits, misses } = cache.getMetrics();
    assert.deepEqual({ l3Hits, misses }, { l3Hits: 1, misses: 0 });
    assert.equal(await cache.get('order:3'), undefined);
  });

  it('memory and Redis by position, with null for a miss, and a warmer over it', async (t) => {
    const memoryCache = new MemoryCache();
    const redisCache = new RedisCache({ url: server().url, keyPrefix: `${uniqueName('app')}:` });
    const cache = new MultiLevelCache(memoryCache, redisCache);
    t.after(async () => {
      await cache.close();
      await redisCache.close();
      memoryCache.close();
    });
    assert.equal(await cache.get('user:1'), null);
    const dataService = {
      getActiveUsers: async () => [{ id: 1, name: 'Ada' }],
      getAllIntents: async () => [{ id: 'greet' }],
    };
    const warmer = new CacheWarmer(cache, dataService);
    warmer.add('users', () => dataService.getActiveUsers(), { key: (user) => `user:${user.id}`, ttlMs: 3_600_000 });
    await warmer.warmCache();
    await cache.set('intents:all', await dataService.getAllIntents(), 7200);
    assert.deepEqual(await cache.get('user:1'), { id: 1, name: 'Ada' });
    assert.deepEqual(await cache.get('intents:all'), [{ id: 'greet' }]);
    assert.ok(memoryCache.getTtl('intents:all') <= 300_000);
    assert.ok((await redisCache.getTtl('intents:all')) > 7_000_000);
    memoryCache.clear();
    assert.deepEqual(await cache.get('user:1'), { id: 1, name: 'Ada' });
    assert.ok(memoryCache.getTtl('user:1') <= 300_000);
  });
});
