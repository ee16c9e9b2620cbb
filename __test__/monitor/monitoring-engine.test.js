'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { parse } = require('csv-parse/sync');
const { PerformanceMonitor, PerformanceMonitoringEngine } = require('hotpath');
const { errors, waitFor } = require('../support');
const { collectGarbage } = require('../support/context').makeContext({});
const { runInChild } = require('../support/processes');

function engineOf(t, options = { monitoringInterval: 1e9 }) {
  const engine = new PerformanceMonitoringEngine(options);
  t.after(() => engine.close());
  return engine;
}

describe('the summary', () => {
  it('has the documented shape', (t) => {
    const engine = engineOf(t);
    for (let count = 0; count < 300; count += 1) engine.recordRequest(125, count >= 1);
    for (let count = 0; count < 100; count += 1) engine.recordCacheOperation(count < 80);
    engine.recordDatabaseQuery(40);
    engine.recordDatabaseQuery(50);
    engine.recordPrediction(85);
    engine.recordPrediction(90);
    engine.recordTraining(5_000);
    const { timestamp, system, ...summary } = engine.getSummary();
    assert.ok(Math.abs(timestamp - Date.now()) < 60_000);
    assert.deepEqual(Object.keys(system), ['cpu', 'memory', 'uptime']);
    assert.ok(system.cpu >= 0 && system.cpu <= 100 && system.memory > 1e6 && system.uptime > 0);
    const { errorRate, ...application } = summary.application;
    assert.ok(Math.abs(errorRate - 0.3333) < 0.001, 'in percent');
    assert.deepEqual(
      { ...summary, application },
      {
        application: { requests: 300, responses: 299, errors: 1, responseTime: 125, throughput: 5 },
        database: { queries: 2, queryTime: 45 },
        cache: { hits: 80, misses: 20, hitRate: 80 },
        ml: { predictions: 2, accuracy: 87.5 },
        alerts: 0,
      },
    );
    assert.equal(engine.stats.trainings.avg, 5_000);
  });

  it('is all zeros in the beginning', (t) => {
    const { application, database, cache, ml } = engineOf(t).getSummary();
    assert.deepEqual(
      [...Object.values(application), ...Object.values(database), ...Object.values(cache), ...Object.values(ml)],
      Array(13).fill(0),
    );
  });
});

describe('history', () => {
  it('is recorded at every interval', async (t) => {
    const engine = engineOf(t, { monitoringInterval: 10 });
    await waitFor(async () => {
      const { metrics } = JSON.parse(await engine.exportMetrics('json'));
      return metrics['system.cpu'].length >= 3;
    });
  });

  it('is exported as JSON and as CSV', async (t) => {
    const engine = engineOf(t);
    engine.recordRequest(100, true);
    engine.collectMetrics();
    const { timestamp, summary, alerts, metrics } = JSON.parse(await engine.exportMetrics());
    assert.ok(timestamp > 0);
    assert.equal(summary.application.requests, 1);
    assert.deepEqual(alerts, []);
    assert.deepEqual(
      metrics['application.requests'].map(({ value }) => value),
      [0, 1],
    );
    const rows = parse(await engine.exportMetrics('csv'), { columns: true });
    assert.deepEqual(Object.keys(rows[0]), ['timestamp', 'metric', 'value']);
    assert.equal(rows.filter(({ metric }) => metric === 'application.requests').length, 2);
    let text = '';
    for await (const piece of engine.exportStream('csv')) text += piece;
    assert.equal(text, await engine.exportMetrics('csv'));
    await assert.rejects(engine.exportMetrics('xml'), errors.outOfRange('format'));
  });

  it('is bounded by the retention: a simulated day and more', async (t) => {
    t.mock.timers.enable({ apis: ['Date', 'setInterval'], now: 1e12 });
    const engine = engineOf(t, { monitoringInterval: 60_000, metricsRetention: 3_600_000 });
    for (let minute = 1; minute <= 1_500; minute += 1) {
      t.mock.timers.setTime(1e12 + minute * 60_000);
      engine.collectMetrics();
    }
    const { metrics } = JSON.parse(await engine.exportMetrics());
    for (const points of Object.values(metrics)) {
      assert.ok(points.length >= 60 && points.length <= 61, `${points.length} points`);
      assert.ok(points[0].timestamp >= 1e12 + 1_500 * 60_000 - 3_600_000);
    }
  });
});

describe('a day at the default retention', () => {
  it('fills the history once; after that memory is flat', async (t) => {
    const SECONDS = 60;
    t.mock.timers.enable({ apis: ['Date', 'setInterval'], now: 1e12 });
    const engine = engineOf(t, { monitoringInterval: SECONDS * 1_000, alertThresholds: { errorRate: 100 } });
    const monitor = new PerformanceMonitor({ logger: { warn() {} }, options: { enabled: false } });
    t.after(() => monitor.close());
    let tick = 0;
    const pass = (hours) => {
      for (const end = tick + (hours * 3_600) / SECONDS; tick < end; tick += 1) {
        t.mock.timers.setTime(1e12 + tick * SECONDS * 1_000);
        for (let request = 0; request < 10; request += 1) {
          engine.recordRequest(10 + (tick % 90), tick % 50 > 0);
          monitor.trackRequest(10 + (tick % 90), tick % 50 > 0, `GET /${tick % 30}`);
        }
        engine.recordCacheOperation(tick % 3 > 0);
        engine.recordDatabaseQuery(tick % 20);
        engine.collectMetrics();
        monitor.collectSystemMetrics();
        monitor.checkAlerts();
      }
      collectGarbage();
      const { rss, heapUsed } = process.memoryUsage();
      return { rss, heapUsed };
    };
    const day = pass(25);
    const later = pass(6);
    assert.ok(later.rss - day.rss < 16 * 2 ** 20, `${later.rss - day.rss} bytes in six more hours`);
    assert.ok(later.heapUsed - day.heapUsed < 4 * 2 ** 20, `${later.heapUsed - day.heapUsed} more bytes of heap`);
    assert.equal(engine.getSummary().application.requests, tick * 10);
    assert.equal(monitor.getMetrics('system.cpu.percent', 1e12).length, 1_000);
    const { metrics } = JSON.parse(await engine.exportMetrics());
    for (const [name, points] of Object.entries(metrics)) {
      assert.ok(points.length >= 1_440 && points.length <= 1_441, `${name}: ${points.length} points`);
      assert.ok(points[0].timestamp >= Date.now() - 86_400_000);
    }
  });
});

describe('the engine', () => {
  it('keeps no process alive', async () => {
    const { code } = await runInChild(({ load }) => {
      const { PerformanceMonitoringEngine: Engine, PerformanceMonitor, MemoryMonitor, metricsService } = load();
      new Engine();
      new PerformanceMonitor({ options: {} });
      new MemoryMonitor().startMonitoring();
      metricsService.recordRequest(1);
    });
    assert.equal(code, 0);
  });

  it('refuses after close', async (t) => {
    const engine = engineOf(t);
    engine.close();
    engine.close();
    assert.equal(engine.monitoring, false);
    const calls = ['getSummary', 'getAlerts', 'checkAlerts', 'collectMetrics', 'start', 'exportStream'];
    for (const call of calls) assert.throws(() => engine[call](), errors.closed, call);
    assert.throws(() => engine.recordRequest(1), errors.closed);
    assert.throws(() => engine.stats, errors.closed);
    await assert.rejects(engine.exportMetrics(), errors.closed);
  });

  it('checks what it is given', (t) => {
    const engine = engineOf(t);
    for (const method of ['recordRequest', 'recordDatabaseQuery', 'recordPrediction', 'recordTraining']) {
      assert.throws(() => engine[method]('1'), errors.invalidType(), method);
      assert.throws(() => engine[method](-1), errors.outOfRange(), method);
      assert.throws(() => engine[method](Number.NaN), errors.outOfRange(), method);
    }
    assert.throws(() => engine.recordCacheOperation(1), errors.invalidType('hit'));
    assert.throws(() => engine.resolveAlert(5), errors.invalidType('id'));
    const open = (options) => () => new PerformanceMonitoringEngine(options);
    assert.throws(open({ interval: 5 }), errors.unknownOption('interval', 'monitoringInterval'));
    assert.throws(open({ alertThresholds: { cpus: 5 } }), errors.unknownOption('cpus', 'cpu'));
    assert.throws(open({ alertThresholds: { cpu: -5 } }), errors.outOfRange('options.alertThresholds.cpu'));
    assert.throws(open({ monitoringInterval: 0 }), errors.outOfRange('options.monitoringInterval'));
    assert.throws(open({ metricsRetention: '1d' }), errors.invalidType('options.metricsRetention'));
  });
});
