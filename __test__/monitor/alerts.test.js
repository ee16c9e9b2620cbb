'use strict';

// Every documented alert, by its real cause: it fires, fires once, and ends when the cause has gone.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { PerformanceMonitor, PerformanceMonitoringEngine, serviceRegistry } = require('hotpath');
const { spinUntil, waitFor } = require('../support');
const { collectGarbage } = require('../support/context').makeContext({});

/** A monitor that hears everything, and a short window, so that causes pass. */
function monitorOf(t, thresholds, metricsWindow = 500) {
  const warnings = [];
  const monitor = new PerformanceMonitor({
    logger: { warn: (...words) => warnings.push(words) },
    options: { enabled: false, metricsWindow, thresholds: { cpu: 100, memory: 100, ...thresholds } },
  });
  t.after(() => monitor.close());
  return { monitor, warnings, ...hear(monitor) };
}

function engineOf(t, alertThresholds) {
  const engine = new PerformanceMonitoringEngine({
    monitoringInterval: 1e9,
    alertThresholds: { cpu: 100, memory: 100, ...alertThresholds },
  });
  t.after(() => engine.close());
  return { engine, ...hear(engine) };
}

function hear(emitter) {
  const alerts = [];
  const resolved = [];
  emitter.on('alert', (alert) => alerts.push(alert));
  emitter.on('resolved', (alert) => resolved.push(alert));
  return { alerts, resolved };
}

/** Lets the processor rest between two looks, which cost something themselves. */
const rest = () => new Promise((resolve) => setTimeout(resolve, 50));

const spin = () => spinUntil(() => false, { timeoutMs: 300 });

describe('PerformanceMonitor', () => {
  it('HIGH_ERROR_RATE', async (t) => {
    const { monitor, warnings, alerts, resolved } = monitorOf(t, { errorRate: 5 });
    for (let count = 0; count < 20; count += 1) monitor.trackRequest(1, count > 1);
    monitor.checkAlerts();
    monitor.checkAlerts();
    assert.equal(alerts.length, 1);
    const { id, ...alert } = alerts[0];
    assert.deepEqual(alert, { type: 'HIGH_ERROR_RATE', value: 10, threshold: 5, severity: 'critical' });
    assert.equal(warnings[0][0], 'PERFORMANCE ALERT:');
    const [[key, incident]] = monitor.alerts;
    assert.equal(key, id);
    assert.deepEqual(Object.keys(incident).sort(), ['data', 'id', 'severity', 'timestamp', 'type']);
    assert.deepEqual(incident.data, { current: 10, threshold: 5 });
    assert.ok(Math.abs(Date.parse(incident.timestamp) - Date.now()) < 60_000);
    assert.deepEqual(monitor.getMetrics().alerts, { active: 1, types: ['HIGH_ERROR_RATE'] });
    assert.equal(monitor.getMetrics().recommendations[0].type, 'errors');
    for (let count = 0; count < 2_000; count += 1) monitor.trackRequest(1, true);
    monitor.checkAlerts();
    assert.deepEqual(
      resolved.map((end) => end.id),
      [id],
    );
    assert.equal(monitor.alerts.size, 0);
  });

  it('HIGH_RESPONSE_TIME, of requests', async (t) => {
    const { monitor, alerts, resolved } = monitorOf(t, { responseTime: 100 });
    monitor.trackRequest(500, true);
    monitor.checkAlerts();
    assert.deepEqual(
      alerts.map(({ type, severity }) => [type, severity]),
      [['HIGH_RESPONSE_TIME', 'warning']],
    );
    for (let count = 0; count < 1_000; count += 1) monitor.trackRequest(5, true);
    monitor.checkAlerts();
    assert.equal(resolved.length, 1);
  });

  it('HIGH_RESPONSE_TIME, of a service that tells its avgResponseTime', async (t) => {
    const { monitor, alerts, resolved } = monitorOf(t, { responseTime: 100 }, 100);
    let avgResponseTime = 2_000;
    monitor.registerService('caching', () => ({ avgResponseTime }));
    await monitor.collectServiceMetrics();
    monitor.checkAlerts();
    assert.equal(alerts[0].type, 'HIGH_RESPONSE_TIME');
    assert.equal(alerts[0].value, 2_000);
    avgResponseTime = 3;
    await waitFor(async () => {
      await monitor.collectServiceMetrics();
      monitor.checkAlerts();
      return resolved.length === 1;
    });
  });

  it('HIGH_MEMORY_USAGE', async (t) => {
    const { monitor, alerts, resolved } = monitorOf(t, {}, 200);
    collectGarbage();
    monitor.collectSystemMetrics();
    const before = monitor.calculateStats('system.memory.heapUsed').max;
    const limit = monitor.calculateStats('system.memory.heapLimit').max;
    monitor.thresholds.memoryUsage = (before + 150e6) / limit;
    const look = () => {
      monitor.collectSystemMetrics();
      monitor.checkAlerts();
    };
    look();
    assert.equal(alerts.length, 0);
    let held = Array.from({ length: 40 }, () => new Array(1_000_000).fill(0.5));
    await waitFor(() => {
      look();
      return alerts.length === 1;
    });
    assert.deepEqual([alerts[0].type, alerts[0].severity, held.length], ['HIGH_MEMORY_USAGE', 'critical', 40]);
    held = undefined;
    await waitFor(() => {
      collectGarbage();
      look();
      return resolved.length === 1;
    });
  });

  it('HIGH_CPU', async (t) => {
    const { monitor, alerts, resolved } = monitorOf(t, { cpu: 20 }, 1_000);
    await waitFor(() => {
      spin();
      monitor.collectSystemMetrics();
      monitor.checkAlerts();
      return alerts.some(({ type }) => type === 'HIGH_CPU');
    });
    await waitFor(async () => {
      await rest();
      monitor.collectSystemMetrics();
      monitor.checkAlerts();
      return resolved.some(({ type }) => type === 'HIGH_CPU');
    });
  });

  it('HIGH_QUEUE_DEPTH', async (t) => {
    const { monitor, alerts, resolved } = monitorOf(t, { queueDepth: 10 });
    const queue = Array.from({ length: 50 });
    monitor.registerService('jobs', () => ({ queueDepth: queue.length }));
    const look = async () => {
      await monitor.collectServiceMetrics();
      monitor.checkAlerts();
    };
    await look();
    assert.deepEqual([alerts[0].type, alerts[0].value, alerts[0].threshold], ['HIGH_QUEUE_DEPTH', 50, 10]);
    queue.length = 0;
    await look();
    assert.equal(resolved.length, 1);
  });

  it('SERVICE_DOWN, for each service by itself', async (t) => {
    const { monitor, alerts, resolved } = monitorOf(t);
    const broken = new Set(['a', 'b']);
    for (const name of broken) {
      monitor.registerService(name, async () => {
        if (broken.has(name)) throw new Error('no connection');
        return {};
      });
    }
    monitor.registerService('says so', () => ({ status: broken.size > 0 ? 'down' : 'up' }));
    const look = async () => {
      await monitor.collectServiceMetrics();
      monitor.checkAlerts();
    };
    await look();
    await look();
    assert.deepEqual(
      alerts.map(({ type, severity }) => [type, severity]),
      Array(3).fill(['SERVICE_DOWN', 'critical']),
    );
    assert.deepEqual(
      [...monitor.alerts.values()].map(({ data }) => data.service),
      ['a', 'b', 'says so'],
    );
    assert.equal(monitor.getMetrics().recommendations[0].type, 'service');
    broken.clear();
    await look();
    assert.equal(resolved.length, 3);
  });

  it('SERVICE_DOWN, of a service of the registry', async (t) => {
    const { monitor, alerts, resolved } = monitorOf(t);
    let up = false;
    serviceRegistry.register('flaky', { getAnalytics: () => (up ? { ok: 1 } : Promise.reject(new Error('gone'))) });
    t.after(() => serviceRegistry.unregister('flaky'));
    await monitor.collectServiceMetrics();
    monitor.checkAlerts();
    assert.equal(alerts.length, 1);
    up = true;
    await monitor.collectServiceMetrics();
    monitor.checkAlerts();
    assert.equal(resolved.length, 1);
    assert.equal(monitor.calculateStats('service.flaky.ok').avg, 1);
  });

  it('alerts that are triggered by hand are one per type, and end by hand', (t) => {
    const { monitor, alerts, resolved } = monitorOf(t);
    monitor.triggerAlert('CUSTOM', { why: 'test' });
    monitor.triggerAlert('CUSTOM', { why: 'again' });
    assert.equal(alerts.length, 1);
    const [incident] = monitor.alerts.values();
    assert.deepEqual([incident.type, incident.severity, incident.data], ['CUSTOM', 'info', { why: 'test' }]);
    assert.equal(monitor.resolveAlert(incident.id), true);
    assert.equal(monitor.resolveAlert(incident.id), false);
    assert.equal(resolved.length, 1);
    assert.equal(monitor.alerts.size, 0);
  });

  it('has the documented severities', (t) => {
    const { monitor } = monitorOf(t);
    const types = ['HIGH_MEMORY_USAGE', 'HIGH_RESPONSE_TIME', 'HIGH_ERROR_RATE', 'SERVICE_DOWN', 'WHATEVER'];
    const severities = types.map((type) => monitor.getAlertSeverity(type));
    assert.deepEqual(severities, ['critical', 'warning', 'critical', 'critical', 'info']);
  });
});

describe('PerformanceMonitoringEngine', () => {
  it('HIGH_ERROR_RATE', (t) => {
    const { engine, alerts, resolved } = engineOf(t);
    for (let count = 0; count < 10; count += 1) engine.recordRequest(5, count > 0);
    engine.checkAlerts();
    engine.checkAlerts();
    assert.equal(alerts.length, 1);
    const { id, timestamp, ...alert } = alerts[0];
    assert.deepEqual(alert, {
      type: 'HIGH_ERROR_RATE',
      severity: 'critical',
      message: 'Error rate is 10.00%, above the threshold of 5%',
      value: 10,
      threshold: 5,
      resolved: false,
    });
    assert.ok(Math.abs(timestamp - Date.now()) < 60_000);
    assert.deepEqual(engine.getAlerts(), [{ id, timestamp, ...alert }]);
    for (let count = 0; count < 1_000; count += 1) engine.recordRequest(5, true);
    engine.checkAlerts();
    assert.deepEqual([resolved.length, resolved[0].resolved, engine.getAlerts().length], [1, true, 0]);
  });

  const dilution = {
    HIGH_RESPONSE_TIME: { slow: (engine) => engine.recordRequest(6_000), fast: (engine) => engine.recordRequest(1) },
    DATABASE_SLOW_QUERIES: {
      slow: (engine) => engine.recordDatabaseQuery(1_500),
      fast: (engine) => engine.recordDatabaseQuery(1),
    },
    CACHE_LOW_HIT_RATE: {
      slow: (engine) => engine.recordCacheOperation(false),
      fast: (engine) => engine.recordCacheOperation(true),
    },
  };
  for (const [type, { slow, fast }] of Object.entries(dilution)) {
    it(type, (t) => {
      const { engine, alerts, resolved } = engineOf(t);
      for (let count = 0; count < 10; count += 1) slow(engine);
      engine.checkAlerts();
      assert.deepEqual(
        alerts.map((alert) => alert.type),
        [type],
      );
      for (let count = 0; count < 1_000; count += 1) fast(engine);
      engine.checkAlerts();
      assert.deepEqual(
        resolved.map((alert) => alert.type),
        [type],
      );
    });
  }

  it('HIGH_CPU', async (t) => {
    const { engine, alerts, resolved } = engineOf(t, { cpu: 20 });
    const has = (list) => list.some(({ type }) => type === 'HIGH_CPU');
    await waitFor(() => {
      spin();
      engine.checkAlerts();
      return has(alerts);
    });
    await waitFor(async () => {
      await rest();
      engine.checkAlerts();
      return has(resolved);
    });
  });

  it('HIGH_MEMORY', async (t) => {
    const { engine, alerts, resolved } = engineOf(t);
    collectGarbage();
    const { heap_size_limit: limit } = require('node:v8').getHeapStatistics();
    engine.alertThresholds.memory = ((process.memoryUsage().heapUsed + 150e6) / limit) * 100;
    let held = Array.from({ length: 40 }, () => new Array(1_000_000).fill(0.5));
    engine.checkAlerts();
    assert.deepEqual([alerts[0].type, held.length], ['HIGH_MEMORY', 40]);
    held = undefined;
    await waitFor(() => {
      collectGarbage();
      engine.checkAlerts();
      return resolved.length === 1;
    });
  });

  it('does not repeat what was resolved by hand while its cause persists', (t) => {
    const { engine, alerts } = engineOf(t);
    engine.recordRequest(9_000, true);
    engine.checkAlerts();
    assert.equal(engine.resolveAlert(alerts[0].id), true);
    engine.checkAlerts();
    assert.equal(alerts.length, 1);
    assert.equal(engine.resolveAlert('alert_99'), false);
    assert.equal(engine.resolveAlert('nonsense'), false);
  });
});
