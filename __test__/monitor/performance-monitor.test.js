'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { MemoryCache, PerformanceCollector, PerformanceMonitor, performanceMonitor } = require('hotpath');
const { errors, runInWorker, uniqueName } = require('../support');

/** A private monitor that does nothing by itself. */
function monitorOf(t, options = {}, rest = {}) {
  const monitor = new PerformanceMonitor({ logger: { warn() {} }, options: { enabled: false, ...options }, ...rest });
  t.after(() => monitor.close());
  return monitor;
}

describe('values', () => {
  it('are those that were recorded, with time and tags', (t) => {
    const monitor = monitorOf(t);
    const before = Date.now();
    monitor.recordMetric('a', 1);
    monitor.recordMetric('a', 2, { host: 'x', n: 1 });
    monitor.recordMetric('a', 3, {});
    const after = Date.now();
    const points = monitor.getMetrics('a');
    assert.deepEqual(
      points.map(({ value, tags }) => ({ value, tags })),
      [
        { value: 1, tags: {} },
        { value: 2, tags: { host: 'x', n: 1 } },
        { value: 3, tags: {} },
      ],
    );
    for (const { timestamp } of points) assert.ok(timestamp >= before && timestamp <= after);
    assert.deepEqual(monitor.getMetrics('nothing'), []);
    assert.deepEqual([...monitor.metrics.keys()], ['a']);
  });

  it('are the last thousand, and those of the time range', (t) => {
    const monitor = monitorOf(t);
    t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 });
    for (let value = 0; value < 1_500; value += 1) {
      t.mock.timers.setTime(1_000_000 + value * 100);
      monitor.recordMetric('a', value);
    }
    assert.equal(monitor.getMetrics('a', 1e9).length, 1_000);
    assert.deepEqual(
      monitor.getMetrics('a', 300).map(({ value }) => value),
      [1_497, 1_498, 1_499],
      'after the cutoff, not at it',
    );
    t.mock.timers.setTime(2_000_000);
    assert.deepEqual(monitor.getMetrics('a'), []);
    assert.equal(monitor.calculateStats('a'), null);
  });

  it('have the documented statistics', (t) => {
    const monitor = monitorOf(t);
    assert.equal(monitor.calculateStats('a'), null);
    for (let value = 1; value <= 100; value += 1) monitor.recordMetric('a', 101 - value);
    assert.deepEqual(monitor.calculateStats('a'), {
      count: 100,
      min: 1,
      max: 100,
      avg: 50.5,
      p50: 51,
      p95: 96,
      p99: 100,
    });
  });

  it('keep flat memory over simulated hours', (t) => {
    const monitor = monitorOf(t);
    t.mock.timers.enable({ apis: ['Date'], now: 0 });
    for (let tick = 0; tick < 17_280; tick += 1) {
      t.mock.timers.setTime(tick * 5_000);
      monitor.recordMetric('a', tick);
    }
    assert.equal(monitor.getMetrics('a', 1e12).length, 1_000);
  });
});

describe('the default store', () => {
  it('is what every monitor without options sees', () => {
    const name = uniqueName('metric');
    performanceMonitor.recordMetric(name, 5);
    const dashboard = new PerformanceMonitor();
    assert.equal(dashboard.calculateStats(name, 300_000).avg, 5);
    dashboard.recordMetric(name, 7);
    assert.equal(performanceMonitor.getMetrics(name).length, 2);
    assert.deepEqual(performanceMonitor.thresholds, {
      responseTime: 1_000,
      errorRate: 0.05,
      memoryUsage: 0.8,
      cpuUsage: 0.7,
      queueDepth: 100,
    });
    assert.equal(performanceMonitor.monitoring, false, 'nothing starts by itself');
  });

  it('is the same in every thread', async () => {
    const name = uniqueName('metric');
    await runInWorker(({ load }, metric) => load().performanceMonitor.recordMetric(metric, 42), name);
    assert.equal(performanceMonitor.getMetrics(name)[0].value, 42);
  });
});

describe('named monitors', () => {
  it('are shared; explicit options must agree', async (t) => {
    const name = uniqueName('monitor');
    const first = monitorOf(t, { metricsWindow: 1_000 }, { name });
    const second = monitorOf(t, {}, { name });
    first.trackRequest(10, true, 'GET /');
    assert.equal(second.getEndpointStats()['GET /'].requests, 1);
    assert.throws(() => monitorOf(t, { metricsWindow: 2_000 }, { name }), {
      code: 'ERR_HOTPATH_OPTION_CONFLICT',
      engine: name,
      option: 'metricsWindow',
      existing: 1_000,
      requested: 2_000,
    });
    const collector = uniqueName('collector');
    const own = new PerformanceCollector({ name: collector });
    await runInWorker(({ load }, shared) => {
      const { PerformanceCollector: Collector } = load();
      new Collector({ name: shared }).recordMetric('a', 3);
    }, collector);
    assert.equal(own.getStats('a').avg, 3);
    own.close();
  });
});

describe('a handle that gives no window', () => {
  it('has that of the monitor, whose default counts as given', (t) => {
    const name = uniqueName('monitor');
    const first = monitorOf(t, { metricsWindow: 2_000 }, { name });
    const second = monitorOf(t, {}, { name });
    first.trackRequest(10);
    assert.equal(second.getMetrics().window, '2s');
    assert.equal(second.stats.requests.throughput, 0.5);
    const other = uniqueName('monitor');
    monitorOf(t, {}, { name: other });
    const conflict = { code: 'ERR_HOTPATH_OPTION_CONFLICT', existing: 60_000, requested: 2_000 };
    assert.throws(() => monitorOf(t, { metricsWindow: 2_000 }, { name: other }), conflict);
  });
});

describe('handles on a named monitor', () => {
  it('have one set of thresholds, as they have one set of alerts', (t) => {
    const name = uniqueName('monitor');
    monitorOf(t, { thresholds: { cpu: 70, errorRate: 2 } }, { name });
    assert.deepEqual(monitorOf(t, { thresholds: { cpu: 70 } }, { name }).thresholds, {
      responseTime: 1_000,
      errorRate: 0.02,
      memoryUsage: 0.85,
      cpuUsage: 0.7,
      queueDepth: 100,
    });
    const conflict = { code: 'ERR_HOTPATH_OPTION_CONFLICT', engine: name };
    const open = (thresholds) => () => monitorOf(t, { thresholds }, { name });
    assert.throws(open({ cpu: 71 }), { ...conflict, option: 'cpu', existing: 70, requested: 71 });
    assert.throws(open({ queueDepth: 5 }), { ...conflict, option: 'queueDepth', existing: 100, requested: 5 });
  });
});

describe('requests', () => {
  it('make the documented figures', (t) => {
    const monitor = monitorOf(t, { thresholds: { errorRate: 50 } });
    for (let ms = 1; ms <= 100; ms += 1) monitor.trackRequest(ms, ms > 2, ms % 2 ? 'GET /a' : 'GET /b');
    const metrics = monitor.getMetrics();
    assert.deepEqual(Object.keys(metrics), ['window', 'requests', 'latency', 'system', 'alerts', 'recommendations']);
    assert.equal(metrics.window, '60s');
    assert.deepEqual(metrics.requests, {
      total: 100,
      successful: 98,
      failed: 2,
      errorRate: '2.00%',
      throughput: '1.67 req/s',
    });
    assert.deepEqual(Object.keys(metrics.latency), ['avg', 'p95', 'p99', 'min', 'max']);
    const { avg, min, max } = metrics.latency;
    assert.deepEqual({ avg, min, max }, { avg: '50.50ms', min: '1.00ms', max: '100.00ms' });
    assert.match(metrics.latency.p95, /^9[45]\.\d\dms$/);
    assert.match(metrics.system.cpu, /^\d+\.\d\d%$/);
    assert.match(metrics.system.memory, /^\d+\.\d\d%$/);
    assert.match(metrics.system.uptime, /^\d+d \d+h \d+m$/);
    assert.ok(metrics.system.cpuCount >= 1);
    assert.deepEqual(metrics.alerts, { active: 0, types: [] });
    assert.deepEqual(metrics.recommendations, [
      { type: 'health', severity: 'info', message: 'System operating within normal parameters' },
    ]);
    const endpoints = monitor.getEndpointStats();
    assert.deepEqual(Object.keys(endpoints).sort(), ['GET /a', 'GET /b']);
    assert.equal(endpoints['GET /a'].successRate, '98.00%');
    const report = monitor.generateReport();
    assert.equal(report.performance.responseTime, 50.5);
    assert.equal(report.endpoints['GET /b'].requests, 50);
    assert.equal(monitor.stats.requests.errorRate, 2);
  });

  it('are none in the beginning', (t) => {
    const { requests, latency } = monitorOf(t).getMetrics();
    assert.deepEqual(requests, { total: 0, successful: 0, failed: 0, errorRate: '0.00%', throughput: '0.00 req/s' });
    assert.deepEqual(latency, { avg: '0.00ms', p95: '0.00ms', p99: '0.00ms', min: '0.00ms', max: '0.00ms' });
  });

  it('flood no memory with endpoints', (t) => {
    const monitor = monitorOf(t);
    for (let id = 0; id < 10_100; id += 1) monitor.trackRequest(1, true, `GET /${id}`);
    const endpoints = Object.keys(monitor.getEndpointStats());
    assert.ok(endpoints.length <= 10_001, `${endpoints.length} endpoints`);
    assert.equal(monitor.stats.requests.total, 10_100);
  });
});

describe('services', () => {
  it('tell their figures under their names', async (t) => {
    const monitor = monitorOf(t);
    monitor.registerService('database', async () => ({ connections: 5, status: 'up', nested: {} }));
    await monitor.collectServiceMetrics();
    assert.equal(monitor.calculateStats('service.database.connections').avg, 5);
    assert.equal(monitor.generateReport().performance.dbConnections, 5);
    assert.equal(monitor.calculateStats('service.database.status'), null);
    assert.equal(monitor.unregisterService('database'), true);
    assert.equal(monitor.unregisterService('database'), false);
  });

  it('watch themselves: a cache is there by its name', async (t) => {
    const monitor = monitorOf(t);
    const name = uniqueName('users');
    const cache = new MemoryCache({ name });
    t.after(() => cache.close());
    cache.set('a', 1);
    cache.get('a');
    cache.get('b');
    await monitor.collectServiceMetrics();
    assert.equal(monitor.calculateStats(`service.${name}.entries`).max, 1);
    assert.equal(monitor.calculateStats(`service.${name}.hitRatio`).max, 0.5);
  });
});

describe('the system', () => {
  it('is sampled under the documented names', (t) => {
    const monitor = monitorOf(t);
    monitor.collectSystemMetrics();
    for (const name of ['heapUsed', 'heapTotal', 'external']) {
      assert.ok(monitor.calculateStats(`system.memory.${name}`).max > 0, name);
    }
    for (const name of ['user', 'system']) assert.ok(monitor.calculateStats(`system.cpu.${name}`).max >= 0, name);
  });
});

describe('every method', () => {
  const calls = {
    recordMetric: (monitor) => monitor.recordMetric('a', 1),
    getMetrics: (monitor) => monitor.getMetrics('a'),
    'getMetrics without a name': (monitor) => monitor.getMetrics(),
    calculateStats: (monitor) => monitor.calculateStats('a'),
    metrics: (monitor) => monitor.metrics,
    trackRequest: (monitor) => monitor.trackRequest(1, true, 'GET /'),
    getEndpointStats: (monitor) => monitor.getEndpointStats(),
    generateReport: (monitor) => monitor.generateReport(),
    stats: (monitor) => monitor.stats,
    alerts: (monitor) => monitor.alerts,
    checkAlerts: (monitor) => monitor.checkAlerts(),
    triggerAlert: (monitor) => monitor.triggerAlert('X'),
    resolveAlert: (monitor) => monitor.resolveAlert('alert_1'),
    collectSystemMetrics: (monitor) => monitor.collectSystemMetrics(),
    recordServiceMetrics: (monitor) => monitor.recordServiceMetrics('a', { b: 1 }),
    startMonitoring: (monitor) => monitor.startMonitoring(),
    start: (monitor) => monitor.start(),
  };

  for (const [name, call] of Object.entries(calls)) {
    it(`${name} refuses after close`, (t) => {
      const monitor = monitorOf(t);
      call(monitor);
      monitor.stop();
      monitor.close();
      assert.equal(monitor.closed, true);
      assert.throws(() => call(monitor), errors.closed);
      monitor.close();
    });
  }

  it('may be called from its own listeners', (t) => {
    const monitor = monitorOf(t);
    let heard = 0;
    monitor.on('alert', ({ type }) => {
      heard += 1;
      if (type === 'A') monitor.triggerAlert('B');
      monitor.checkAlerts();
    });
    monitor.triggerAlert('A');
    assert.equal(heard, 2);
    assert.equal(monitor.alerts.size, 2);
  });

  it('checks what it is given', (t) => {
    const monitor = monitorOf(t);
    for (const value of ['1', null, undefined]) {
      assert.throws(() => monitor.recordMetric('a', value), errors.invalidType('value'));
      if (value !== undefined) assert.throws(() => monitor.getMetrics('a', value), errors.invalidType('timeRange'));
    }
    assert.throws(() => monitor.recordMetric('a', Number.NaN), errors.outOfRange('value'));
    assert.throws(() => monitor.recordMetric('', 1), errors.outOfRange('name'));
    assert.throws(() => monitor.recordMetric(5, 1), errors.invalidType('name'));
    assert.throws(() => monitor.recordMetric('a', 1, 'tags'), errors.invalidType('tags'));
    assert.throws(() => monitor.trackRequest(-1), errors.outOfRange('duration'));
    assert.throws(() => monitor.trackRequest('1'), errors.invalidType('duration'));
    assert.throws(() => monitor.trackRequest(1, true, 5), errors.invalidType('endpoint'));
    assert.throws(() => monitor.registerService('a', 5), errors.invalidType('getAnalytics'));
    assert.throws(() => new PerformanceMonitor({ option: {} }), errors.unknownOption('option', 'options'));
    assert.throws(
      () => new PerformanceMonitor({ options: { metricWindow: 1 } }),
      errors.unknownOption('metricWindow', 'metricsWindow'),
    );
    assert.throws(
      () => new PerformanceMonitor({ options: { thresholds: { cpus: 1 } } }),
      errors.unknownOption('cpus', 'cpu'),
    );
    assert.throws(() => new PerformanceMonitor({ logger: {} }), errors.invalidType('options.logger'));
    assert.throws(() => new PerformanceMonitor({ options: { metricsWindow: 0 } }), errors.outOfRange('metricsWindow'));
  });
});

describe('PerformanceCollector', () => {
  it('keeps the last thousand values of each name', (t) => {
    const collector = new PerformanceCollector();
    t.after(() => collector.close());
    assert.equal(collector.getStats('a'), null);
    for (let value = 1; value <= 1_500; value += 1) collector.recordMetric('a', value);
    assert.deepEqual(collector.getStats('a'), {
      count: 1_000,
      min: 501,
      max: 1_500,
      avg: 1_000.5,
      p50: 1_001,
      p95: 1_451,
      p99: 1_491,
    });
    collector.recordMetric('b', -1.5);
    assert.deepEqual(collector.names, ['a', 'b']);
    collector.reset();
    assert.equal(collector.getStats('a'), null);
  });

  it('checks what it is given, and refuses after close', () => {
    const collector = new PerformanceCollector();
    assert.throws(() => collector.recordMetric('a', '1'), errors.invalidType('value'));
    assert.throws(() => collector.recordMetric('a', Number.NaN), errors.outOfRange('value'));
    assert.throws(() => collector.recordMetric('', 1), errors.outOfRange('name'));
    assert.throws(() => collector.getStats(5), errors.invalidType('name'));
    assert.throws(() => new PerformanceCollector({ names: 'a' }), errors.unknownOption('names', 'name'));
    collector.recordMetric('a', 1);
    collector.close();
    collector.close();
    assert.throws(() => collector.recordMetric('a', 1), errors.closed);
    assert.throws(() => collector.getStats('a'), errors.closed);
  });
});
