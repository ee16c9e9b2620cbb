'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { Worker } = require('node:worker_threads');
const hotpath = require('hotpath');
const { errors, seededRandom, turnOfTheLoop } = require('../support');
const { cacheOf, open, run, traffic } = require('../support/optimization');

const { OptimizationService } = hotpath;

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
