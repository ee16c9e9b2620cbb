'use strict';

// What the documents show of the caches' faces, as an application has it: only where the classes come from is different.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { describe, test } = require('node:test');
const express = require('express');
const {
  AdvancedCache,
  AdvancedCacheManager,
  CacheWarmer,
  MemoryCache,
  MultiLevelCache,
  WorkerPool,
  PerformanceMonitor,
  cacheService,
  serviceRegistry,
} = require('../../index.js');
const { sharedRedis } = require('../support/redis.js');
const { temporaryFolder } = require('../support/servers.js');

describe('document 000', () => {
  const server = sharedRedis();

  test('caches of the registry as levels of one, 10,000 mixed operations', async (t) => {
    const before = process.env.HOTPATH_REDIS_URL;
    process.env.HOTPATH_REDIS_URL = server().url;
    t.after(() => {
      if (before === undefined) delete process.env.HOTPATH_REDIS_URL;
      else process.env.HOTPATH_REDIS_URL = before;
    });
    const cache = new MultiLevelCache({
      l1Cache: serviceRegistry.cache('memory'),
      l2Cache: serviceRegistry.cache('redis'),
    });
    t.after(async () => {
      await cache.close();
      serviceRegistry.cache('memory').close();
      await serviceRegistry.cache('redis').close();
    });
    assert.equal(serviceRegistry.cache('redis'), serviceRegistry.cache('redis'));
    for (let i = 0; i < 1000; i++) await cache.put(`warmup:${i}`, { data: `value${i}` });
    const promises = [];
    for (let i = 0; i < 10_000; i++) {
      promises.push(i % 3 === 0 ? cache.put(`test:${i}`, { data: `value${i}` }) : cache.get(`test:${i % 1000}`));
    }
    await Promise.all(promises);
    assert.deepEqual(await serviceRegistry.cache('redis').get('warmup:7'), { data: 'value7' });
    assert.deepEqual(await cache.get('test:9'), { data: 'value9' });
    assert.ok(Object.keys(cache.getMetrics()).length > 0);
  });
});

describe('document 001', () => {
  test('warming a cache of two levels from a data service', async (t) => {
    const levels = [new MemoryCache(), new MemoryCache()];
    const cache = new MultiLevelCache(...levels);
    t.after(() => cache.close());
    const dataService = {
      getActiveUsers: async () => [{ id: 1 }, { id: 2 }],
      getAllIntents: async () => [{ id: 'greet', pattern: 'hello' }],
    };
    const warmer = new CacheWarmer(cache, dataService);
    await warmer.warmCache();
    assert.deepEqual(await cache.get('user:2'), { id: 2 });
    assert.deepEqual(levels[1].get('intents:all'), [{ id: 'greet', pattern: 'hello' }]);
  });
});

describe('document 002', () => {
  test('the configuration, and what the statistics look like', async (t) => {
    const cacheManager = new AdvancedCacheManager({
      maxSize: 10000,
      defaultTTL: 3600000,
      cleanupInterval: 300000,
      enableMetrics: true,
    });
    t.after(() => cacheManager.close());
    await cacheManager.set('user_preferences_123', { wine_types: ['red', 'white'], price_range: [25, 100] }, 3600000);
    await cacheManager.get('user_preferences_123');
    await cacheManager.get('nothing');
    const { memoryUsage, ...stats } = cacheManager.getStats();
    assert.deepEqual(stats, { hits: 1, misses: 1, hitRate: 0.5, size: 1, maxSize: 10000, utilization: 0.0001 });
    assert.ok(Number.isInteger(memoryUsage) && memoryUsage > 0);
  });
});

describe('document 003', () => {
  test('from the start of an application to its end', async (t) => {
    const advancedCache = new AdvancedCache({
      memoryLimit: 100 * 1024 * 1024,
      diskLimit: 5 * 1024 * 1024 * 1024,
      maxAge: 7 * 24 * 60 * 60 * 1000,
      directory: temporaryFolder(t),
    });
    const performanceMonitor = new PerformanceMonitor();
    const lines = [];
    await advancedCache.init();
    performanceMonitor.startMonitoring();
    const pool = new WorkerPool(require.resolve('../workers/fixtures/identity.js'), {
      maxWorkers: 2,
      minWorkers: 1,
      reuseWorkers: true,
    });
    advancedCache.on('cacheEviction', ({ key, level }) => lines.push(`Cache eviction: ${key} from ${level}`));
    advancedCache.on('cacheHit', ({ key, level, size }) => lines.push([key, level, size > 0]));
    advancedCache.on('cachePromotion', ({ key, from, to }) => lines.push(`Promoted ${key} from ${from} to ${to}`));

    const videoData = Buffer.from('frames');
    await advancedCache.set('video_123', videoData, {
      type: 'processed-video',
      ttl: 24 * 60 * 60 * 1000,
      metadata: { resolution: '1080p', codec: 'h264' },
    });
    assert.deepEqual(await advancedCache.get('video_123'), videoData);
    assert.deepEqual(lines, [['video_123', 'memory', true]]);
    const stats = advancedCache.getStats();
    assert.deepEqual(Object.keys(stats), ['memory', 'disk', 'total']);
    assert.deepEqual(Object.keys(stats.total), ['entries', 'size', 'hits', 'misses']);
    assert.equal(stats.memory.hitRate, '100.00%');

    await pool.terminate();
    await advancedCache.shutdown();
    performanceMonitor.stopMonitoring();
    performanceMonitor.close();
  });
});

describe('document 004', () => {
  test('an API with cached answers', async (t) => {
    t.after(() => cacheService.clear());
    let queries = 0;
    const postsService = {
      async getPosts({ page }) {
        queries++;
        return [{ id: 1, page, written: 'today' }];
      },
    };
    const app = express();
    app.get('/api/posts', async (req, res) => {
      const cacheKey = `posts:${req.query.page}:${req.query.limit}`;
      let posts = await cacheService.get(cacheKey);
      if (!posts) {
        posts = await postsService.getPosts(req.query);
        await cacheService.set(cacheKey, posts, 300);
      }
      res.json(posts);
    });
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const ask = async () => (await fetch(`http://127.0.0.1:${server.address().port}/api/posts?page=2&limit=10`)).json();
    assert.deepEqual(await ask(), [{ id: 1, page: '2', written: 'today' }]);
    assert.deepEqual(await ask(), await ask());
    assert.equal(queries, 1);
  });

  test('strategies of the service', async (t) => {
    t.after(() => cacheService.clear());
    await cacheService.set('user:123', { id: 123 }, 3600);
    await cacheService.setWithPattern('posts', 7, { id: 7 }, 1800);
    await cacheService.mset({ 'user:1': 1, 'user:2': 2, 'user:3': 3 }, 3600);
    await cacheService.optimize();
    assert.deepEqual(await cacheService.get('posts:7'), { id: 7 });

    const setWithIntelligentTTL = async (key, value) => {
      const accessCount = (await cacheService.get(`${key}:access_count`)) || 0;
      const ttl = Math.min(3600, 300 + accessCount * 60);
      await cacheService.set(key, value, ttl);
      await cacheService.increment(`${key}:access_count`, 86400);
    };
    for (let time = 0; time < 3; time++) await setWithIntelligentTTL('popular', time);
    assert.equal(await cacheService.get('popular:access_count'), 3);
    // The service's own goes on from there.
    assert.equal(await cacheService.setWithIntelligentTTL('popular', 'again'), 480);

    await cacheService.mset({ 'temp:1': 1, temp: 2, 'session:expired': 3, 'session:expired:x': 4, 'session:live': 5 });
    await cacheService.delPattern('temp');
    await cacheService.delPattern('session:expired');
    assert.deepEqual(await cacheService.mget(['temp:1', 'temp', 'session:expired:x', 'session:live']), {
      'session:live': 5,
    });
  });
});
