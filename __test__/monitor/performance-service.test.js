'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { Worker } = require('node:worker_threads');
const hotpath = require('hotpath');
const { grade } = require('../../lib/monitor/performance-score.js');
const { errors } = require('../support');
const { FakeClock } = require('../support/clock');
const { runInChild } = require('../support/processes');

const { PerformanceService } = hotpath;

const quiet = { warn() {} };

/** Metrics that a test makes up, in the form of a MetricsService. */
function metricsOf(figures = {}) {
  const state = { perSecond: 0, avg: 0, rate: 0, hits: 0, misses: 0, connections: 0, ...figures };
  return {
    state,
    getApplicationMetrics: () => ({
      requests: { total: 1_000, perSecond: state.perSecond, perMinute: state.perSecond * 60 },
      responseTime: { avg: state.avg, min: 0, max: state.avg, p50: state.avg, p95: state.avg, p99: state.avg },
      errors: { total: 3, rate: state.rate, byType: {} },
      websocket: { connections: state.connections },
      cache: { hits: state.hits, misses: state.misses, hitRate: 0 },
    }),
  };
}

function open(t, options = {}) {
  const clock = new FakeClock();
  const service = new PerformanceService({ clock, logger: quiet, ...options });
  t.after(() => service.close());
  return { clock, service };
}

describe('the intervals', () => {
  it('are 30 seconds, 5 minutes and 15 minutes', async (t) => {
    const optimization = {
      runs: [],
      getConfig: () => ({ auto: true }),
      runOptimization: async (options) => optimization.runs.push(options),
      getRecommendations: () => [],
      getHistory: () => [],
    };
    const { clock, service } = open(t, { services: { optimization } });
    const heard = { metrics: 0, report: 0 };
    for (const event of Object.keys(heard)) service.on(event, () => heard[event]++);
    await clock.advance(29_999);
    assert.deepEqual(heard, { metrics: 0, report: 0 });
    await clock.advance(1);
    assert.deepEqual(heard, { metrics: 1, report: 0 });
    await clock.advance(270_000);
    assert.deepEqual(heard, { metrics: 10, report: 1 });
    assert.deepEqual(optimization.runs, []);
    await clock.advance(600_000);
    assert.deepEqual(heard, { metrics: 30, report: 3 });
    assert.deepEqual(optimization.runs, [{ trigger: 'scheduled' }]);
    optimization.getConfig = () => ({ auto: false });
    await clock.advance(900_000);
    assert.equal(optimization.runs.length, 1, 'not unless it is automatic');
    assert.equal(service.getHistory(1_000).length, 61, 'and one at the start');
    service.stopMonitoring();
    await clock.advance(900_000);
    assert.equal(service.getHistory(1_000).length, 61, 'and none once it was stopped');
    assert.equal(clock.pending, 0);
  });

  it('can be others', async (t) => {
    const { clock, service } = open(t, { metricsIntervalMs: 10, reportIntervalMs: 50, historySize: 3 });
    await clock.advance(100);
    const points = service.getHistory(10);
    assert.equal(points.length, 3, 'no more than there is room for');
    assert.equal(points[2].timestamp - points[0].timestamp, 20);
    assert.equal(service.getHistory(1)[0], points[2]);
    assert.equal(service.getReport().period.points, 3);
  });

  it('an optimization that fails is told, and stops nothing', async (t) => {
    const warnings = [];
    const optimization = {
      getConfig: () => ({ auto: true }),
      runOptimization: async () => {
        throw new Error('no');
      },
      getRecommendations: () => [],
      getHistory: () => [],
    };
    const { clock, service } = open(t, {
      services: { optimization },
      logger: { warn: (...words) => warnings.push(words) },
    });
    await clock.advance(900_000);
    assert.equal(service.stats.failedOptimizations, 1);
    assert.match(String(warnings[0]), /Optimization failed/);
  });
});

describe('the eight metrics', () => {
  it('come from the services', (t) => {
    const metrics = metricsOf({ perSecond: 20, avg: 50, rate: 0.02, connections: 7 });
    const cache = new hotpath.MemoryCache();
    t.after(() => cache.close());
    const pools = { stats: { workers: { busy: 1, total: 2, max: 4 }, queue: { pending: 5 } }, execute() {} };
    const jobs = { stats: { pending: 3, running: 1 } };
    const { service } = open(t, { services: { metrics, cache, pools, jobs } });
    cache.set('a', 1);
    for (let index = 0; index < 30; index += 1) cache.get(index < 24 ? 'a' : 'b');
    const { metrics: point } = service.collectMetrics();
    assert.deepEqual(
      { ...point, memoryUsage: 0, cpuUsage: 0 },
      {
        responseTime: 50,
        throughput: 20,
        errorRate: 0.02,
        cacheHitRate: 0.8,
        memoryUsage: 0,
        cpuUsage: 0,
        activeConnections: 7,
        queueLength: 8,
      },
    );
    assert.ok(point.memoryUsage > 0 && point.memoryUsage < 1);
    // Of the time since the collection before.
    for (let index = 0; index < 30; index += 1) cache.get('b');
    assert.equal(service.getSummary().metrics.cacheHitRate, 0);
    assert.equal(service.getSummary().metrics.cacheHitRate, 0, 'looking changes nothing');
    assert.equal(service.collectMetrics().metrics.cacheHitRate, 0);
  });

  it('take the hit rate from the metrics when there is no cache', (t) => {
    const metrics = metricsOf({ hits: 90, misses: 10 });
    const { service } = open(t, { services: { metrics } });
    assert.equal(service.getSummary().metrics.cacheHitRate, 0.9);
  });

  it('survive services that are closed', (t) => {
    const metrics = new hotpath.MetricsService();
    const cache = new hotpath.MemoryCache();
    const { service } = open(t, { services: { metrics, cache } });
    metrics.close();
    cache.close();
    const { metrics: point } = service.getSummary();
    assert.deepEqual([point.throughput, point.cacheHitRate], [0, 0]);
    const { status, reasons } = service.health();
    assert.notEqual(status, 'healthy');
    assert.deepEqual(reasons.slice(-2), ['metrics is closed', 'cache is closed']);
  });
});

describe('alerts', () => {
  it('begin and end once, with the documented thresholds and severities', (t) => {
    const metrics = metricsOf();
    const { service } = open(t, { services: { metrics } });
    const heard = [];
    for (const event of ['alert', 'resolved']) service.on(event, ({ type }) => heard.push([event, type]));
    Object.assign(metrics.state, { perSecond: 10, avg: 1_001, rate: 0.06, hits: 50, misses: 50 });
    service.collectMetrics();
    Object.assign(metrics.state, { hits: 100, misses: 100 });
    service.collectMetrics();
    const alerts = service.getAlerts().filter(({ metric }) => !['memoryUsage', 'cpuUsage'].includes(metric));
    assert.deepEqual(alerts.map(({ type, severity }) => [type, severity]).sort(), [
      ['HIGH_ERROR_RATE', 'critical'],
      ['HIGH_RESPONSE_TIME', 'high'],
      ['LOW_CACHE_HIT_RATE', 'low'],
    ]);
    const [{ id, message, value, threshold, timestamp }] = alerts.filter(({ metric }) => metric === 'responseTime');
    assert.match(id, /^performance:alert_\d+$/);
    assert.equal(message, 'Response time is 1001 ms, above 1000 ms');
    assert.deepEqual([value, threshold], [1_001, 1_000]);
    assert.ok(timestamp > 0);
    Object.assign(metrics.state, { avg: 10, rate: 0, hits: 1_100 });
    service.collectMetrics();
    const told = heard.filter(([, type]) => !/MEMORY|CPU/.test(type));
    assert.deepEqual(told.filter(([event]) => event === 'alert').length, 3);
    assert.deepEqual(told.filter(([event]) => event === 'resolved').length, 3);
  });

  it('do not begin where nothing is known', (t) => {
    const { service } = open(t, { services: { metrics: metricsOf({ hits: 0, misses: 10 }) } });
    service.collectMetrics();
    assert.deepEqual(
      service.getAlerts().filter(({ metric }) => metric === 'cacheHitRate'),
      [],
      'ten reads say little',
    );
  });

  it('are ended by hand, and come back when their cause has gone and come again', (t) => {
    const metrics = metricsOf({ perSecond: 10, avg: 2_000 });
    const { service } = open(t, { services: { metrics } });
    service.collectMetrics();
    const [{ id }] = service.getAlerts().filter(({ metric }) => metric === 'responseTime');
    assert.equal(service.resolveAlert(id), true);
    assert.equal(service.resolveAlert(id), false);
    const open_ = () => service.getAlerts().filter(({ metric }) => metric === 'responseTime').length;
    service.collectMetrics();
    assert.equal(open_(), 0);
    metrics.state.avg = 10;
    service.collectMetrics();
    metrics.state.avg = 2_000;
    service.collectMetrics();
    assert.equal(open_(), 1);
    assert.ok(service.clearAlerts().cleared >= 1);
    assert.deepEqual(service.getAlerts(), []);
  });

  it('have thresholds that can be changed, also in place', (t) => {
    const metrics = metricsOf({ perSecond: 10, avg: 300 });
    const { service } = open(t, { services: { metrics }, alertConfig: { responseTime: { threshold: 200 } } });
    assert.deepEqual(service.alertConfig.responseTime, { threshold: 200, severity: 'high' });
    assert.deepEqual(service.alertConfig.cacheHitRate, { threshold: 0.7, severity: 'low', reverse: true });
    service.collectMetrics();
    assert.equal(service.getAlerts()[0].type, 'HIGH_RESPONSE_TIME');
    service.alertConfig.responseTime.threshold = 1_000;
    service.collectMetrics();
    assert.deepEqual(
      service.getAlerts().filter(({ metric }) => metric === 'responseTime'),
      [],
    );
  });
});

describe('the score', () => {
  it('follows its formula', () => {
    const rule = { threshold: 1_000, severity: 'high' };
    for (const [value, expected] of [
      [0, 1],
      [500, 1],
      [750, 0.75],
      [1_000, 0.5],
      [1_500, 0.25],
      [2_000, 0],
      [9_000, 0],
    ]) {
      assert.equal(grade('responseTime', value, rule), expected, String(value));
    }
    for (const [value, expected] of [
      [0.4, 1],
      [0.8, 0.5],
      [0.9, 0.25],
      [1, 0],
    ]) {
      assert.ok(Math.abs(grade('memoryUsage', value, { threshold: 0.8, severity: 'medium' }) - expected) < 1e-9);
    }
    const low = { threshold: 0.7, severity: 'low', reverse: true };
    for (const [value, expected] of [
      [1, 1],
      [0.85, 1],
      [0.7, 0.5],
      [0.35, 0.25],
      [0, 0],
    ]) {
      assert.ok(Math.abs(grade('cacheHitRate', value, low) - expected) < 1e-9, String(value));
    }
  });

  it('weighs what is known, and is held down by a critical alert', (t) => {
    const metrics = metricsOf();
    const alertConfig = { memoryUsage: { threshold: 1 }, cpuUsage: { threshold: 1 } };
    const { service } = open(t, { services: { metrics }, alertConfig });
    const calm = service.getSummary();
    assert.ok(calm.score >= 50);
    Object.assign(metrics.state, { perSecond: 10, avg: 2_000 });
    const slow = service.collectMetrics();
    assert.ok(slow.score < calm.score);
    Object.assign(metrics.state, { avg: 1, rate: 1 });
    const failing = service.collectMetrics();
    assert.ok(failing.score <= 49);
    assert.equal(failing.status, 'poor');
  });
});

describe('trends', () => {
  it('tell a slope from noise', async (t) => {
    const metrics = metricsOf({ perSecond: 10 });
    const { clock, service } = open(t, { services: { metrics } });
    let index = 0;
    const noise = [3, -2, 1, 0, -3, 2, -1];
    await clock.advance(40 * 30_000, () => {
      index += 1;
      metrics.state.avg = 100 + 5 * index + noise[index % 7];
      metrics.state.perSecond = 10 + noise[(3 * index) % 7] / 10;
    });
    const trends = service.getTrends();
    assert.deepEqual(Object.keys(trends).length, 8);
    const { direction, perHour, good, pValue, points } = trends.responseTime;
    assert.deepEqual([direction, good], ['rising', false]);
    assert.ok(perHour > 450 && perHour < 750, String(perHour));
    assert.ok(pValue < 1e-6 && points === 41);
    assert.deepEqual([trends.throughput.direction, trends.throughput.good], ['steady', null]);
    assert.equal(service.getReport().trends.responseTime.direction, 'rising');
  });

  it('say nothing of a handful of points', (t) => {
    const metrics = metricsOf({ perSecond: 1 });
    const { service } = open(t, { services: { metrics } });
    for (const avg of [1, 2, 3]) {
      metrics.state.avg = avg;
      service.collectMetrics();
    }
    assert.equal(service.getTrends().responseTime.direction, 'steady');
  });
});

describe('reports and dashboards', () => {
  it('put together what is known', async (t) => {
    const monitor = new hotpath.PerformanceMonitor({ logger: quiet, options: { enabled: false } });
    t.after(() => monitor.close());
    monitor.trackRequest(10, true, 'GET /a');
    const metrics = metricsOf({ perSecond: 10, avg: 40 });
    const { clock, service } = open(t, { services: { metrics, monitor } });
    await clock.advance(60_000);
    metrics.state.avg = 60;
    await clock.advance(30_000);
    const report = service.getReport();
    const { avg, min, max } = report.averages.responseTime;
    assert.deepEqual([avg, min, max], [45, 40, 60]);
    assert.equal(report.endpoints['GET /a'].requests, 1);
    assert.deepEqual(report.optimizations, []);
    const dashboard = service.getDashboard();
    assert.equal(dashboard.optimization, null);
    assert.deepEqual(dashboard.history.series['latency.p95'], [40, 40, 40, 60]);
    assert.equal(dashboard.history.intervalMs, 30_000);
  });

  it('give recommendations with the worst first', (t) => {
    const metrics = metricsOf({ perSecond: 10, avg: 5_000, rate: 0.5 });
    const { service } = open(t, { services: { metrics } });
    service.collectMetrics();
    const severities = service.getSummary().recommendations.map(({ severity }) => severity);
    assert.deepEqual(severities.slice(0, 2), ['critical', 'high']);
  });
});

describe('health', () => {
  it('names its reasons', (t) => {
    const monitor = new hotpath.PerformanceMonitor({ logger: quiet, options: { enabled: false } });
    t.after(() => monitor.close());
    const down = { pools: new Map([['k', {}]]), getPoolMetrics: () => ({ healthy: false }) };
    const metrics = metricsOf({ perSecond: 10, rate: 0.5 });
    const { service } = open(t, { services: { metrics, monitor, pools: { database: down } } });
    monitor.triggerAlert('SERVICE_DOWN', { service: 'billing' });
    service.collectMetrics();
    const { status, reasons } = service.health();
    assert.equal(status, 'unhealthy');
    const all = reasons.join('\n');
    for (const reason of [
      /connection pool\(s\) of database do not answer/,
      /billing is down/,
      /Error rate is 50\.00%/,
    ]) {
      assert.match(all, reason);
    }
  });
});

describe('the singletons', () => {
  it('open nothing before they are used, and know each other', async () => {
    const { code, said } = await runInChild(({ load }) => {
      const { performanceService, optimizationService } = load();
      const before = performanceService.monitoring;
      const { score } = performanceService.getSummary();
      const { optimization } = performanceService.getDashboard();
      console.log(JSON.stringify([before, performanceService.monitoring, score >= 0, optimization.auto]));
      if (optimizationService.closed) process.exitCode = 2;
    });
    assert.equal(code, 0, 'and keep no process alive');
    assert.deepEqual(said, [[false, true, true, true]]);
  });
});

describe('state matrix', () => {
  const calls = {
    startMonitoring: (service) => service.startMonitoring(),
    start: (service) => service.start(),
    stopMonitoring: (service) => service.stopMonitoring(),
    stop: (service) => service.stop(),
    collectMetrics: (service) => service.collectMetrics(),
    getSummary: (service) => service.getSummary(),
    getReport: (service) => service.getReport(),
    getHistory: (service) => service.getHistory(),
    getSeries: (service) => service.getSeries(),
    getTrends: (service) => service.getTrends(),
    getDashboard: (service) => service.getDashboard(),
    sampler: (service) => service.sampler()(),
    getAlerts: (service) => service.getAlerts(),
    resolveAlert: (service) => service.resolveAlert('alert_9'),
    clearAlerts: (service) => service.clearAlerts(),
    health: (service) => service.health(),
    checkOptimization: (service) => service.checkOptimization(),
    attach: (service) => service.attach({}),
    stats: (service) => service.stats,
    closed: (service) => service.closed,
    monitoring: (service) => service.monitoring,
    alertConfig: (service) => service.alertConfig,
  };
  const stillFine = new Set([
    'stopMonitoring',
    'stop',
    'checkOptimization',
    'attach',
    'stats',
    'closed',
    'monitoring',
    'alertConfig',
  ]);

  it('while idle, collecting, and inside its own listener', async (t) => {
    for (const call of Object.values(calls)) {
      const { service } = open(t, { enabled: false });
      await call(service);
      service.startMonitoring();
      let inside = 0;
      service.once('metrics', () => {
        inside += 1;
        call(service);
      });
      service.collectMetrics();
      assert.equal(inside, 1);
      await call(service);
    }
  });

  it('closed', async (t) => {
    for (const [name, call] of Object.entries(calls)) {
      const { service } = open(t);
      service.close();
      service.close();
      assert.equal(service.closed, true);
      if (stillFine.has(name)) await call(service);
      else assert.throws(() => call(service), errors.closed, name);
    }
  });

  it('closed inside its own listener', (t) => {
    const { service } = open(t);
    service.on('metrics', () => service.close());
    service.collectMetrics();
    assert.equal(service.closed, true);
  });

  it('in a worker thread, which may exit in the middle', async () => {
    const source = `
      const { PerformanceService } = require(${JSON.stringify(require.resolve('../..'))});
      const service = new PerformanceService({ logger: { warn() {} }, metricsIntervalMs: 5 });
      require('node:worker_threads').parentPort.postMessage(service.getSummary().status);
      setInterval(() => {}, 1000);
    `;
    for (let round = 0; round < 3; round += 1) {
      const worker = new Worker(source, { eval: true });
      const status = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
      assert.match(status, /excellent|good|fair|poor/);
      await worker.terminate();
    }
  });

  it('checks its options', () => {
    assert.throws(() => new PerformanceService({ metricInterval: 1 }), { code: 'ERR_HOTPATH_UNKNOWN_OPTION' });
    assert.throws(() => new PerformanceService({ services: { chache: {} } }), errors.unknownOption('chache', 'cache'));
    assert.throws(
      () => new PerformanceService({ metricsIntervalMs: 0 }),
      errors.outOfRange('options.metricsIntervalMs'),
    );
    assert.throws(
      () => new PerformanceService({ metricsIntervalMs: Number.NaN }),
      errors.outOfRange('metricsIntervalMs'),
    );
    assert.throws(() => new PerformanceService({ historySize: 1.5 }), errors.outOfRange('options.historySize'));
    assert.throws(() => new PerformanceService({ clock: {} }), errors.invalidType('options.clock'));
    assert.throws(() => new PerformanceService({ logger: {} }), errors.invalidType('options.logger'));
    assert.throws(
      () => new PerformanceService({ alertConfig: { errorRate: { severity: 'dire' } } }),
      errors.outOfRange('severity'),
    );
    assert.throws(() => new PerformanceService({ alertConfig: { errors: {} } }), {
      code: 'ERR_HOTPATH_UNKNOWN_OPTION',
    });
  });
});
