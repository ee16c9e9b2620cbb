'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { Worker } = require('node:worker_threads');
const hotpath = require('hotpath');
const { errors, seededRandom, turnOfTheLoop, waitFor } = require('../support');
const { FakeClock } = require('../support/clock');
const { openPool } = require('../support/pools');

const { MemoryCache, OptimizationService } = hotpath;

function open(t, options = {}) {
  const clock = new FakeClock();
  const service = new OptimizationService({ clock, ...options });
  t.after(async () => {
    const closing = service.close();
    await clock.advance(1);
    await closing;
  });
  return { clock, service };
}

function cacheOf(t, options) {
  const cache = new MemoryCache({ nearCache: false, ...options });
  t.after(() => cache.close());
  return cache;
}

/** Readers that ask for `keys` and load what they miss. */
function traffic(cache, keys, { reads = 400, value = 'x', seed = 3 } = {}) {
  const random = seededRandom(seed);
  let scanned = 0;
  return () => {
    for (let read = 0; read < reads; read += 1) {
      const key = keys === undefined ? `scan-${scanned++}` : `key-${Math.floor(random() * keys)}`;
      if (cache.get(key) === undefined) cache.set(key, value);
    }
  };
}

/** Runs with traffic in every slice of the measurements. */
async function run(service, clock, between, options = {}) {
  between();
  const running = service.runOptimization(options);
  await clock.advance(60_000, between);
  return running;
}

describe('the memory of a cache', () => {
  it('grows where that helps, and stays', async (t) => {
    const cache = cacheOf(t, { maxEntries: 100 });
    const { clock, service } = open(t, { services: { cache } });
    const { actions, trigger, duration } = await run(service, clock, traffic(cache, 200));
    assert.deepEqual([trigger, duration], ['manual', 20_000]);
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
    const service = new OptimizationService({
      services: { pools: { workers: pool } },
      trialMs: 1_200,
      slices: 6,
      minSamples: 20,
      queueOptimization: { waitMs: 1, maxWorkers: 4 },
    });
    t.after(() => service.close());
    let going = true;
    const caller = async () => {
      while (going) await pool.execute({ do: 'sleep', ms: 10 });
    };
    const callers = Array.from({ length: 8 }, caller);
    await waitFor(() => pool.stats.waitMs.count > 10);
    const { actions } = await service.runOptimization();
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

describe('slow queries', () => {
  it('are grouped without their literals, and recommended about', (t) => {
    const metrics = new hotpath.MetricsService();
    const { service } = open(t, { services: { metrics }, queryOptimization: { slowMs: 100 } });
    for (let id = 0; id < 20; id += 1) {
      service.recordQuery(
        `SELECT *  FROM users\n WHERE id = ${id} AND name = 'secret-${id}' AND age IN (${id}, 2, 3)`,
        50 + 10 * id,
      );
    }
    service.recordQuery('SELECT now()', 1);
    const [group, ...others] = service.getSlowQueries();
    assert.deepEqual(others, []);
    assert.equal(group.query, 'SELECT * FROM users WHERE id = ? AND name = ? AND age IN (?)');
    assert.deepEqual([group.count, group.slow, group.maxMs, group.avgMs], [20, 14, 240, 145]);
    const [advice] = service.getRecommendations();
    assert.equal(advice.area, 'queries');
    assert.match(advice.message, /^14 of 20 runs were slow \(145 ms on average\): SELECT \* FROM users/);
    assert.doesNotMatch(JSON.stringify(service.getRecommendations()), /secret/);
    assert.ok(metrics.getApplicationMetrics().database.queries >= 21);
  });

  it('have their results cached only where that is wanted', async (t) => {
    const cache = cacheOf(t, {});
    const { service } = open(t, { services: { cache } });
    let runs = 0;
    const ask = (id) => service.query('SELECT $1', [id], async () => ({ id, run: ++runs }));
    await ask(1);
    await ask(1);
    assert.equal(runs, 2);
    service.updateConfig({ queryOptimization: { resultCaching: true, slowMs: 0 } });
    assert.deepEqual(await ask(1), { id: 1, run: 3 });
    assert.deepEqual(await ask(1), { id: 1, run: 3 });
    assert.deepEqual(await ask(2), { id: 2, run: 4 });
    assert.equal(await service.query('SELECT nothing', [], () => undefined), undefined);
    assert.equal(await service.query('SELECT nothing', [], () => assert.fail('nothing is an answer, too')), undefined);
    assert.equal(service.getSlowQueries().find(({ query }) => query === 'SELECT ?').cached, 1);
    await assert.rejects(
      service.query('SELECT broken', [], async () => {
        throw new Error('broken');
      }),
      /broken/,
    );
  });

  it('take no time that grows with what stands in them', () => {
    const { fingerprint } = require('../../lib/monitor/slow-queries.js');
    for (const evil of [
      `'${"''".repeat(50_000)}`,
      '('.repeat(100_000),
      '?, '.repeat(50_000),
      ' '.repeat(100_000),
      '1'.repeat(100_000),
    ]) {
      assert.ok(fingerprint(evil).length <= 4_096);
    }
  });
});

describe('comparisons', () => {
  it('tell a difference from noise', async (t) => {
    const { service } = open(t);
    const random = seededRandom(9);
    let drift = 0;
    // Both get slower and slower; within a round they are alike.
    const measured = (level) => () => level + (drift += 0.5) + random() * 10;
    const different = await service.compare(
      { name: 'old', run: measured(100) },
      { name: 'new', run: measured(80) },
      { rounds: 20 },
    );
    assert.deepEqual([different.winner, different.significant], ['new', true], different.conclusion);
    assert.ok(different.difference.estimate < -10 && different.difference.high < 0 && different.pValue < 0.01);
    assert.match(different.conclusion, /^new is better by \d+\.\d% \(p = /);
    assert.equal(different.values.a.length, 20);
    const same = await service.compare(measured(100), measured(100), { rounds: 20 });
    assert.equal(same.winner, null, same.conclusion);
    const higher = await service.compare(measured(100), { name: 'more', run: measured(150) }, { better: 'higher' });
    assert.equal(higher.winner, 'more');
  });

  it('run in pairs, in changing order, with setup and teardown', async (t) => {
    const { service } = open(t);
    const calls = [];
    const variant = (name) => ({
      name,
      setup: () => calls.push(`+${name}`),
      run: async () => {
        calls.push(name);
        return 1;
      },
      teardown: () => calls.push(`-${name}`),
    });
    await service.compare(variant('a'), variant('b'), { rounds: 6, warmup: 0 });
    assert.deepEqual(calls.slice(0, 6), ['+a', 'a', '-a', '+b', 'b', '-b']);
    const order = calls.filter((call) => call.length === 1).join('');
    assert.equal(order, 'abbabaababba');
  });

  it('time what does not measure itself, and end when they are told', async (t) => {
    const { service } = open(t);
    const result = await service.compare(() => {}, turnOfTheLoop, { rounds: 6 });
    assert.ok(result.a.min >= 0 && result.b.min > 0);
    const controller = new AbortController();
    const rounds = service.compare(
      () => 1,
      () => controller.abort(new Error('enough')),
      { signal: controller.signal },
    );
    await assert.rejects(rounds, /enough/);
    await assert.rejects(
      service.compare(
        () => 1,
        () => Number.NaN,
      ),
      errors.outOfRange('measurement'),
    );
    let torn = 0;
    const failing = {
      run: () => {
        throw new Error('no');
      },
      teardown: () => torn++,
    };
    await assert.rejects(
      service.compare(failing, () => 1),
      /no/,
    );
    assert.equal(torn, 1);
    await assert.rejects(
      service.compare(7, () => 1),
      errors.invalidType('variantA'),
    );
    await assert.rejects(
      service.compare(() => 1, { rum: 1 }),
      { code: 'ERR_HOTPATH_UNKNOWN_OPTION' },
    );
    await assert.rejects(
      service.compare(
        () => 1,
        () => 1,
        { rounds: 5 },
      ),
      errors.outOfRange('options.rounds'),
    );
  });
});

describe('the configuration', () => {
  it('has the documented defaults, and is changed as a whole or not at all', (t) => {
    const { service } = open(t);
    const config = service.getConfig();
    assert.equal(config.cacheOptimization.hitRateThreshold, 0.7);
    assert.equal(config.cacheOptimization.memoryThreshold, 0.8);
    assert.equal(config.connectionOptimization.maxConnections, 500);
    assert.equal(config.memoryOptimization.gcThreshold, 0.8);
    config.cacheOptimization.hitRateThreshold = 0;
    assert.equal(service.getConfig().cacheOptimization.hitRateThreshold, 0.7, 'a copy');
    const heard = [];
    service.on('config', (changed) => heard.push(changed.auto));
    assert.equal(service.setAuto(false).auto, false);
    assert.deepEqual(heard, [false]);
    assert.throws(() => service.updateConfig({ trialMs: 5, slices: 2 }), errors.outOfRange('config.slices'));
    assert.equal(service.getConfig().trialMs, 10_000);
    assert.throws(
      () => service.updateConfig({ cacheOptimization: { hitRateTreshold: 1 } }),
      errors.unknownOption('hitRateTreshold', 'hitRateThreshold'),
    );
    assert.throws(() => service.updateConfig(7), errors.invalidType('config'));
    assert.throws(() => service.setAuto('yes'), errors.invalidType('enabled'));
    assert.throws(
      () => new OptimizationService({ cacheOptimization: { hitRateThreshold: 2 } }),
      errors.outOfRange('hitRateThreshold'),
    );
    assert.throws(
      () => new OptimizationService({ cacheOptimisation: {} }),
      errors.unknownOption('cacheOptimisation', 'cacheOptimization'),
    );
  });
});

describe('runs', () => {
  it('are one at a time, and say at once what they began', async (t) => {
    const cache = cacheOf(t, { maxEntries: 100 });
    const { clock, service } = open(t, { services: { cache } });
    const between = traffic(cache, 200);
    between();
    const told = [];
    service.on('action', ({ id, status }) => told.push([id, status]));
    service.on('run', ({ runId }) => told.push(['run', runId]));
    const begun = await service.runOptimization({ wait: false });
    assert.deepEqual([begun.actions[0].status, service.running], ['measuring', true]);
    const joined = service.runOptimization();
    await clock.advance(60_000, between);
    assert.equal((await joined).runId, begun.runId);
    assert.equal(service.running, false);
    assert.deepEqual(told, [
      ['opt_1', 'measuring'],
      ['opt_1', 'kept'],
      ['run', 'run_1'],
    ]);
    assert.deepEqual(service.stats, { runs: 1, running: false, actions: 1, kept: 1, undone: 0, done: 0, failed: 0 });
  });

  it('look at the areas that are asked for', async (t) => {
    const cache = cacheOf(t, { maxEntries: 100 });
    const { clock, service } = open(t, { services: { cache } });
    const { actions } = await run(service, clock, traffic(cache, 200), { areas: ['memory', 'queues'] });
    assert.deepEqual(actions, []);
    await assert.rejects(service.runOptimization({ areas: ['all'] }), errors.outOfRange('options.areas[0]'));
    await assert.rejects(service.runOptimization({ trigger: 'x' }), errors.outOfRange('options.trigger'));
    await assert.rejects(service.forceOptimization({ trigger: 'manual' }), { code: 'ERR_HOTPATH_UNKNOWN_OPTION' });
  });

  it('that are closed in the middle put back what is not decided', async (t) => {
    const cache = cacheOf(t, { maxEntries: 100 });
    const { clock, service } = open(t, { services: { cache } });
    const between = traffic(cache, 200);
    between();
    const running = service.runOptimization();
    await clock.advance(15_000, between);
    assert.equal(cache.stats.maxEntries, 150, 'on trial');
    await service.close();
    const { actions } = await running;
    assert.equal(actions[0].status, 'undone');
    assert.equal(cache.stats.maxEntries, 100);
  });

  it('whose cache is closed in the middle fail, and say so', async (t) => {
    const cache = cacheOf(t, { maxEntries: 100 });
    const { clock, service } = open(t, { services: { cache } });
    traffic(cache, 200)();
    const running = service.runOptimization();
    await clock.advance(2_000);
    cache.close();
    await clock.advance(60_000);
    const { actions } = await running;
    assert.equal(actions[0].status, 'failed');
    assert.match(actions[0].error, /closed/);
  });

  it('keep five hundred records', async (t) => {
    const webSockets = { stats: { connections: 600 }, cleanupInactiveConnections() {} };
    const { service } = open(t, { services: { webSockets } });
    for (let round = 0; round < 510; round += 1) await service.runOptimization();
    const history = service.getHistory(1_000);
    assert.equal(history.length, 500);
    assert.equal(history[0].id, 'opt_510');
    assert.equal(history[0].verdict, 'no difference');
  });
});

describe('state matrix', () => {
  const calls = {
    runOptimization: (service) => service.runOptimization({ wait: false }),
    forceOptimization: (service) => service.forceOptimization({ wait: false }),
    getRecommendations: (service) => service.getRecommendations(),
    getHistory: (service) => service.getHistory(),
    getConfig: (service) => service.getConfig(),
    updateConfig: (service) => service.updateConfig({}),
    setAuto: (service) => service.setAuto(true),
    getDashboard: (service) => service.getDashboard(),
    recordQuery: (service) => service.recordQuery('SELECT 1', 1),
    query: (service) => service.query('SELECT 1', [], () => 1),
    getSlowQueries: (service) => service.getSlowQueries(),
    compare: (service) =>
      service.compare(
        () => 1,
        () => 2,
        { rounds: 6 },
      ),
    attach: (service) => service.attach({}),
    stats: (service) => service.stats,
    running: (service) => service.running,
    closed: (service) => service.closed,
  };
  const stillFine = new Set(['getHistory', 'getConfig', 'getSlowQueries', 'attach', 'stats', 'running', 'closed']);
  const rejects = new Set(['runOptimization', 'forceOptimization', 'query', 'compare']);

  it('while idle, during a run, and inside its own listener', async (t) => {
    const cache = cacheOf(t, { maxEntries: 100 });
    for (const call of Object.values(calls)) {
      const { clock, service } = open(t, { services: { cache } });
      await call(service);
      await clock.advance(60_000);
      const between = traffic(cache, 200);
      between();
      let inside = 0;
      service.on('action', () => {
        inside += 1;
        Promise.resolve(call(service)).catch(() => {});
      });
      const running = service.runOptimization();
      await call(service);
      await clock.advance(60_000, between);
      await running;
      assert.ok(inside >= 0);
      cache.resize({ maxEntries: 100 });
    }
  });

  it('closing and closed', async (t) => {
    for (const [name, call] of Object.entries(calls)) {
      const { service } = open(t);
      const closing = service.close();
      for (const moment of [() => {}, () => closing]) {
        await moment();
        if (stillFine.has(name)) await call(service);
        else if (rejects.has(name)) await assert.rejects(call(service), errors.closed, name);
        else assert.throws(() => call(service), errors.closed, name);
      }
      await service.close();
    }
  });

  it('in a worker thread, which may exit in the middle', async () => {
    const source = `
      const { OptimizationService, MemoryCache } = require(${JSON.stringify(require.resolve('../..'))});
      const cache = new MemoryCache({ maxEntries: 10, nearCache: false });
      const service = new OptimizationService({ services: { cache }, trialMs: 50 });
      const read = () => { for (let i = 0; i < 100; i += 1) if (cache.get('k' + i % 20) === undefined) cache.set('k' + i % 20, 1); };
      read();
      setInterval(read, 1);
      service.runOptimization({ wait: false }).then(({ actions }) => require('node:worker_threads').parentPort.postMessage(actions[0].action));
    `;
    for (let round = 0; round < 3; round += 1) {
      const worker = new Worker(source, { eval: true });
      const action = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
      assert.equal(action, 'grow-cache');
      await worker.terminate();
    }
  });
});
