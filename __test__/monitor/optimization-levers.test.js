'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const hotpath = require('hotpath');
const { seededRandom, waitFor } = require('../support');
const { cacheOf, open, run, traffic } = require('../support/optimization');
const { openPool } = require('../support/pools');

const { OptimizationService } = hotpath;

describe('the memory of a cache', () => {
  it('grows where that helps, and stays', async (t) => {
    const cache = cacheOf(t, { maxEntries: 100 });
    const { clock, service } = open(t, { services: { cache } });
    const { actions, trigger, duration } = await run(service, clock, traffic(cache, 200));
    assert.deepEqual([trigger, duration], ['manual', 21_250]);
    const [record] = actions;
    assert.deepEqual([record.action, record.status, record.verdict], ['grow-cache', 'kept', 'improved']);
    assert.deepEqual(record.change, { maxEntries: [100, 150] });
    assert.ok(record.before.value > 0.4 && record.before.value < 0.6, JSON.stringify(record));
    assert.ok(record.after.value > 0.65 && record.pValue < 0.05);
    assert.equal(record.before.samples, 8 * 400);
    assert.match(record.reason, /^Hit rate \d+\.\d% is below 70\.0%, and the cache is full$/);
    assert.equal(cache.stats.maxEntries, 150);
    assert.deepEqual(service.getHistory(), [record]);
  });

  it('is put back where it does not help', async (t) => {
    const cache = cacheOf(t, { maxEntries: 100 });
    const { clock, service } = open(t, { services: { cache } });
    const between = traffic(cache, undefined);
    const { actions } = await run(service, clock, between);
    assert.deepEqual([actions[0].status, actions[0].verdict], ['undone', 'no difference']);
    assert.equal(cache.stats.maxEntries, 100);
    between();
    const advice = service.getRecommendations().map(({ message }) => message);
    assert.match(advice.join('\n'), /More memory did not help cache/);
  });

  it('is put back when too little was read to tell', async (t) => {
    const cache = cacheOf(t, { maxEntries: 100 });
    const { clock, service } = open(t, { services: { cache } });
    traffic(cache, 200)();
    const { actions } = await run(service, clock, () => {});
    assert.deepEqual([actions[0].status, actions[0].verdict], ['undone', 'too little to tell']);
    assert.equal(cache.stats.maxEntries, 100);
  });

  it('grows in bytes, and not beyond its bound', async (t) => {
    const cache = cacheOf(t, { maxBytes: 100_000 });
    const { clock, service } = open(t, {
      services: { cache },
      cacheOptimization: { maxGrowth: 1.5, hitRateThreshold: 0.99 },
    });
    const between = traffic(cache, 300, { value: 'v'.repeat(900) });
    const first = await run(service, clock, between);
    assert.deepEqual(first.actions[0].change, { maxBytes: [100_000, 150_000] });
    assert.equal(first.actions[0].status, 'kept');
    const second = await run(service, clock, between);
    assert.deepEqual(second.actions, [], 'one and a half times is all that is allowed');
  });

  it('is left alone while it is not full, or hits enough', async (t) => {
    const roomy = cacheOf(t, { maxEntries: 10_000 });
    const good = cacheOf(t, { maxEntries: 190 });
    const { clock, service } = open(t, { services: { cache: roomy, advancedCache: good } });
    const [first, second] = [traffic(roomy, 200), traffic(good, 200)];
    const { actions } = await run(service, clock, () => {
      first();
      second();
    });
    assert.deepEqual(actions, []);
    first();
    second();
    const running = service.forceOptimization();
    await clock.advance(60_000, () => {
      first();
      second();
    });
    const forced = await running;
    assert.deepEqual(
      [...new Set(forced.actions.map(({ target }) => target))],
      ['advancedCache'],
      'unless it is asked for',
    );
  });

  it('is reached through the faces', async (t) => {
    const faces = {
      AdvancedCacheManager: new hotpath.AdvancedCacheManager({ maxSize: 100 }),
      MemoryOptimizedCache: new hotpath.MemoryOptimizedCache({ maxEntries: 100 }),
      CacheService: new hotpath.CacheService({ maxMemoryMB: 1 }),
    };
    for (const [name, cache] of Object.entries(faces)) {
      t.after(() => cache.close());
      const { clock, service } = open(t, { services: { cache }, cacheOptimization: { hitRateThreshold: 1 } });
      const random = seededRandom(1);
      const value = 'x'.repeat(name === 'CacheService' ? 10_000 : 1);
      const between = async () => {
        for (let read = 0; read < 300; read += 1) {
          const key = `k${Math.floor(random() * 200)}`;
          if ((await cache.get(key)) === undefined) await cache.set(key, value);
        }
      };
      await between();
      await between();
      const running = service.runOptimization();
      await clock.advance(60_000, between);
      const { actions } = await running;
      const grown = actions.find(({ action }) => action === 'grow-cache');
      assert.ok(grown, `${name}: ${JSON.stringify(actions)}`);
      assert.deepEqual([grown.status, grown.verdict], ['kept', 'improved'], name);
    }
  });

  it('shrinks while memory is short: kept where no hits are lost, put back where they are', async (t) => {
    const idle = cacheOf(t, { maxBytes: 8 * 1024 * 1024 });
    const busy = cacheOf(t, { maxBytes: 4 * 1024 * 1024 });
    const services = { cache: idle, advancedCache: busy };
    const { clock, service } = open(t, {
      services,
      cacheOptimization: { memoryThreshold: 0 },
      memoryOptimization: { gcThreshold: 1 },
    });
    const value = 'v'.repeat(9_000);
    for (let index = 0; index < 700; index += 1) idle.set(`old-${index}`, value);
    const hot = traffic(idle, 50, { value });
    const all = traffic(busy, 400, { value });
    const { actions } = await run(service, clock, () => {
      hot();
      all();
    });
    const of = (target) => actions.find((record) => record.target === target && record.action === 'shrink-cache');
    assert.deepEqual([of('cache').status, of('cache').verdict], ['kept', 'no difference']);
    assert.ok(idle.stats.maxBytes < 8 * 1024 * 1024);
    assert.deepEqual([of('advancedCache').status, of('advancedCache').verdict], ['undone', 'worse']);
    assert.equal(busy.stats.maxBytes, 4 * 1024 * 1024);
  });
});

describe('other settings of a cache', () => {
  it('its near cache grows while near hits do', async (t) => {
    const cache = cacheOf(t, { nearCache: { maxEntries: 64, maxBytes: 1e6 } });
    const { clock, service } = open(t, { services: { cache } });
    const { actions } = await run(service, clock, traffic(cache, 256, { reads: 3_000 }));
    const record = actions.find(({ action }) => action === 'grow-near-cache');
    assert.deepEqual(
      [record.status, record.change],
      ['kept', { 'nearCache.maxEntries': [64, 128] }],
      JSON.stringify(record),
    );
    assert.ok(record.after.value > record.before.value);
    assert.equal(cache.stats.nearMaxEntries, 128);
  });

  it('smaller values are compressed while that saves', async (t) => {
    const compression = { algorithm: 'lz4', thresholdBytes: 1024 };
    const cache = cacheOf(t, { maxBytes: 200_000, compression });
    const { clock, service } = open(t, { services: { cache }, cacheOptimization: { hitRateThreshold: 0 } });
    const { actions } = await run(service, clock, traffic(cache, 2_000, { value: 'again and '.repeat(60) }));
    const record = actions.find(({ action }) => action === 'lower-compression-threshold');
    assert.deepEqual(
      [record.status, record.verdict, record.unit],
      ['kept', 'improved', 'bytes'],
      JSON.stringify(record),
    );
    assert.equal(cache.stats.compression.thresholdBytes, 512);
    assert.ok(record.after.value < record.before.value);
  });

  it('hot keys live longer only where that is allowed', async (t) => {
    const cache = cacheOf(t, { ttlMs: 25 });
    const service = new OptimizationService({ services: { cache }, trialMs: 300, minSamples: 10 });
    t.after(() => service.close());
    const readers = setInterval(() => {
      for (const key of ['a', 'b', 'c']) if (cache.get(key) === undefined) cache.set(key, 1, { ttlMs: 25 });
    }, 5);
    t.after(() => clearInterval(readers));
    await waitFor(() => cache.stats.expirations >= 10);
    const advice = service.getRecommendations().find(({ action }) => action === 'extend-ttl') ?? { automatic: 'none' };
    // Below the threshold or not, as the machine has it.
    if (advice.automatic !== 'none') assert.equal(advice.automatic, false);
    const { actions: none } = await service.forceOptimization({ areas: ['cache'] });
    assert.deepEqual(
      none.filter(({ action }) => action === 'extend-ttl'),
      [],
    );
    service.updateConfig({ cacheOptimization: { extendTtl: true } });
    const { expirations } = cache.stats;
    await waitFor(() => cache.stats.expirations > expirations + 5);
    const forced = service.forceOptimization({ areas: ['cache'] });
    await waitFor(() => ['a', 'b', 'c'].some((key) => cache.getTtl(key) > 26));
    const { actions } = await forced;
    const record = actions.find(({ action }) => action === 'extend-ttl');
    assert.deepEqual(record.change, { ttlFactor: [1, 2] });
    assert.ok(['kept', 'undone'].includes(record.status));
  });

  it('counts of keys that are gone are cleaned up', async (t) => {
    const cache = new hotpath.CacheService({ maxMemoryMB: 1 });
    t.after(() => cache.close());
    const { clock, service } = open(t, { services: { cache } });
    for (let index = 0; index < 10; index += 1) {
      await cache.setWithIntelligentTTL(`k${index}`, 1);
      await cache.delete(`k${index}`);
    }
    const running = service.forceOptimization();
    await clock.advance(60_000);
    const record = (await running).actions.find(({ action }) => action === 'clean-cache');
    assert.deepEqual([record.status, record.verdict, record.unit], ['done', 'improved', 'bytes']);
    assert.ok(record.before.value > record.after.value);
  });
});

describe('memory', () => {
  it('is given back by caches first', async (t) => {
    const cache = cacheOf(t, { maxBytes: 16 * 1024 * 1024 });
    for (let index = 0; index < 1_000; index += 1) cache.set(`k${index}`, 'v'.repeat(8_000));
    const { bytes } = cache.stats;
    const { clock, service } = open(t, {
      services: { cache },
      memoryOptimization: { gcThreshold: 0, evictShare: 0.5 },
    });
    const { actions } = await run(service, clock, () => {}, { areas: ['memory'] });
    const [record] = actions;
    assert.deepEqual([record.action, record.status, record.verdict], ['free-memory', 'done', 'improved']);
    assert.ok(record.before.value - record.after.value > bytes / 3);
    assert.ok(cache.stats.bytes <= 0.6 * bytes);
  });
});

/** A pool that waits as a test says. */
function poolOf(waits) {
  const pool = {
    max: 2,
    waited: { count: 0, mean: 0 },
    execute() {},
    resize({ maxWorkers }) {
      pool.max = maxWorkers;
    },
    /** Tasks that begin after so long a wait. */
    begin(count) {
      const { count: before, mean } = pool.waited;
      const total = before * mean + count * waits(pool.max);
      pool.waited = { count: before + count, mean: total / (before + count) };
    },
    get stats() {
      return {
        workers: { max: pool.max, busy: pool.max, total: pool.max },
        queue: { pending: 9 },
        waitMs: pool.waited,
      };
    },
  };
  return pool;
}

describe('pools and queues', () => {
  it('a pool grows where that shortens the wait, and is put back where it does harm', async (t) => {
    const random = seededRandom(5);
    const good = poolOf((max) => 200 / max + random());
    const bad = poolOf((max) => 100 * max + random());
    const { clock, service } = open(t, {
      services: { pools: { good, bad } },
      queueOptimization: { maxWorkers: 8 },
    });
    const { actions } = await run(service, clock, () => {
      good.begin(50);
      bad.begin(50);
    });
    const of = (name) => actions.find(({ target }) => target === name);
    assert.deepEqual([of('good').status, of('good').verdict, good.max], ['kept', 'improved', 3]);
    assert.deepEqual(of('good').change, { maxWorkers: [2, 3] });
    assert.equal(of('good').unit, 'ms');
    assert.deepEqual([of('bad').status, of('bad').verdict, bad.max], ['undone', 'worse', 2]);
  });

  it('a pool of worker threads does', async (t) => {
    const pool = openPool(t, { maxWorkers: 1, minWorkers: 1 });
    const { clock, service } = open(t, {
      services: { pools: { workers: pool } },
      queueOptimization: { waitMs: 1, maxWorkers: 4 },
    });
    let going = true;
    const caller = async () => {
      while (going) await pool.execute({ do: 'sleep', ms: 10 });
    };
    const callers = Array.from({ length: 8 }, caller);
    await waitFor(() => pool.stats.waitMs.count > 10);
    const running = service.runOptimization();
    // A slice is over when so many tasks have begun in it, however long that takes on this machine.
    await clock.advance(60_000, async () => {
      const { count } = pool.stats.waitMs;
      await waitFor(() => pool.stats.waitMs.count >= count + 40);
    });
    const { actions } = await running;
    going = false;
    await Promise.all(callers);
    const [record] = actions;
    assert.equal(record.action, 'grow-pool');
    assert.ok(record.after.value < record.before.value, JSON.stringify(record));
    assert.equal(record.status, 'kept');
    assert.equal(pool.stats.workers.max, 2);
  });

  it('jobs run more at a time where that shortens the wait', async (t) => {
    const inner = poolOf((max) => 300 / max);
    const jobs = {
      resize: ({ maxConcurrentJobs }) => inner.resize({ maxWorkers: maxConcurrentJobs }),
      get stats() {
        return { maxConcurrentJobs: inner.max, waitMs: inner.waited, pending: 4 };
      },
    };
    const { clock, service } = open(t, { services: { jobs } });
    let noise = 0;
    const { actions } = await run(service, clock, () => inner.begin(20 + (noise++ % 3)));
    assert.deepEqual([actions[0].action, actions[0].status, inner.max], ['grow-job-concurrency', 'kept', 3]);
  });

  it('a pool of connections grows where callers wait', async (t) => {
    const state = { max: 5, acquires: 0, atOnce: 0 };
    const manager = {
      pools: new Map([['key', {}]]),
      poolSize: () => state.max,
      resizePool: (_key, max) => {
        state.max = max;
        return true;
      },
      getPoolMetrics: () => ({
        acquires: state.acquires,
        poolEfficiency: state.acquires ? state.atOnce / state.acquires : 1,
        waiting: 1,
      }),
    };
    const { clock, service } = open(t, { services: { pools: { sql: manager } } });
    let slice = 0;
    const { actions } = await run(service, clock, () => {
      state.acquires += 100;
      state.atOnce += (state.max > 5 ? 90 : 50) + (slice++ % 3);
    });
    const [record] = actions;
    assert.deepEqual([record.action, record.area, record.status], ['grow-connections', 'connections', 'kept']);
    assert.deepEqual(record.change, { max: [5, 7] });
    assert.equal(state.max, 7);
  });

  it('too many connections are cleaned up', async (t) => {
    const webSockets = {
      stats: { connections: 600 },
      cleanupInactiveConnections: () => {
        webSockets.stats.connections = 400;
      },
    };
    const { clock, service } = open(t, { services: { webSockets } });
    const { actions } = await run(service, clock, () => {});
    assert.deepEqual(
      [actions[0].action, actions[0].before.value, actions[0].after.value, actions[0].verdict],
      ['close-inactive', 600, 400, 'improved'],
    );
  });
});
