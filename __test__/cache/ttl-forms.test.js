'use strict';

// Whoever writes to a cache that was given to it says how long in that cache's own terms: seconds, milliseconds, options.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const Keyv = require('keyv').default;
const hotpath = require('../../index.js');
const { MEMORY } = require('../../lib/cache/internal.js');
const { listen } = require('../support/router.js');
const { temporaryFolder } = require('../support/servers.js');
const { waitFor } = require('../support/wait.js');

const HOUR_MS = 3_600_000;

/** Caches, and how long a key of theirs has left in milliseconds. */
const caches = [
  ['MemoryCache', () => new hotpath.MemoryCache(), (cache, key) => cache.getTtl(key)],
  ['MemoryOptimizedCache', () => new hotpath.MemoryOptimizedCache(), (cache, key) => cache[MEMORY]().getTtl(key)],
  ['CacheService', () => new hotpath.CacheService({ maxMemoryMB: 1 }), (cache, key) => cache[MEMORY]().getTtl(key)],
  ['AdvancedCacheManager', () => new hotpath.AdvancedCacheManager(), (cache, key) => cache[MEMORY]().getTtl(key)],
  [
    'AdvancedCache',
    (t) => new hotpath.AdvancedCache({ directory: temporaryFolder(t), diskLimit: 2 ** 24 }),
    async (cache, key) => (await cache.getMetadata(key)).ttlMs,
  ],
  ['NodeCache', () => new hotpath.NodeCache(), (cache, key) => cache.getTtl(key) - Date.now()],
  ['Keyv', () => new Keyv(), async (cache, key) => (await cache.get(key, { raw: true })).expires - Date.now()],
];

const close = (cache) => cache.close?.() ?? cache.disconnect?.();

for (const [name, open, left] of caches) {
  describe(name, () => {
    const assertAnHour = async (cache, key) => {
      const ttlMs = await left(cache, key);
      assert.ok(ttlMs > HOUR_MS / 2 && ttlMs <= HOUR_MS, `${ttlMs} ms`);
    };

    it('is warmed for as long as was said', async (t) => {
      const cache = open(t);
      t.after(() => close(cache));
      const warmer = new hotpath.CacheWarmer(cache).add('a', [1], { key: () => 'a', ttlMs: HOUR_MS });
      assert.equal((await warmer.warmCache()).warmed, 1);
      await assertAnHour(cache, 'a');
    });

    it('is a tier that keeps values for as long as was said', async (t) => {
      const cache = open(t);
      t.after(() => close(cache));
      const levels = new hotpath.MultiLevelCache({ l2Cache: cache, l2TTL: 86_400 });
      t.after(() => levels.close());
      assert.equal(await levels.set('a', { n: 1 }, 3_600), true);
      assert.deepEqual(await cache.get('a'), { n: 1 });
      await assertAnHour(cache, 'a');
    });
  });
}

describe('LRUCache', () => {
  it('can be warmed, and be a tier', async (t) => {
    const cache = new hotpath.LRUCache({ max: 10 });
    const warmer = new hotpath.CacheWarmer(cache).add('a', [1], { key: () => 'a', ttlMs: HOUR_MS });
    assert.equal((await warmer.warmCache()).warmed, 1);
    const levels = new hotpath.MultiLevelCache({ l2Cache: cache });
    t.after(() => levels.close());
    await levels.set('b', 2, 3_600);
    assert.deepEqual([cache.get('a'), cache.get('b')], [1, 2]);
  });
});

describe('what is kept in an AdvancedCache by others', () => {
  const opened = (t) => {
    const cache = new hotpath.AdvancedCache({ directory: temporaryFolder(t), diskLimit: 2 ** 24 });
    t.after(() => cache.close());
    return cache;
  };

  it('answers of a response cache', async (t) => {
    const cache = opened(t);
    const handler = hotpath.responseCache({ cache, ttlMs: HOUR_MS, onError: assert.fail });
    let asked = 0;
    const base = await listen(t, (request, response) =>
      handler(request, response, () => {
        asked += 1;
        response.end('answer');
      }),
    );
    assert.equal(await (await fetch(base)).text(), 'answer');
    await waitFor(() => cache.stats.memory.entries > 0);
    assert.equal(await (await fetch(base)).text(), 'answer');
    assert.equal(asked, 1);
  });

  it('results of queries', async (t) => {
    const cache = opened(t);
    const optimization = new hotpath.OptimizationService({
      services: { cache },
      queryOptimization: { resultCaching: true },
    });
    t.after(() => optimization.close());
    let runs = 0;
    for (let time = 0; time < 2; time++) assert.equal(await optimization.query('SELECT 1', [], async () => ++runs), 1);
  });
});
