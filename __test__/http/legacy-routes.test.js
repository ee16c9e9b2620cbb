'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const express = require('express');
const hotpath = require('hotpath');

const { ask, listen } = require('../support/router');
const { temporaryDirectory } = require('../support/disks');

function monitorOf(t) {
  const monitor = new hotpath.PerformanceMonitor({ logger: { warn() {} }, options: { enabled: false } });
  t.after(() => monitor.close());
  return monitor;
}

describe('GET /performance/metrics', () => {
  it('has the documented shape', async (t) => {
    const monitor = monitorOf(t);
    const advancedCache = new hotpath.AdvancedCache({ directory: temporaryDirectory(t) });
    t.after(() => advancedCache.shutdown());
    await advancedCache.set('video', { frames: 1 });
    await advancedCache.get('video');
    const pool = new hotpath.WorkerPool(require.resolve('../workers/fixtures/tasks.js'), { minWorkers: 1 });
    t.after(() => pool.terminate());
    monitor.trackRequest(45.23, true);
    monitor.trackRequest(120.45, false);
    const origin = await listen(t, express().use(hotpath.legacyRoutes({ monitor, advancedCache, pools: pool })));
    const { status, body } = await ask(`${origin}/performance/metrics`);
    assert.equal(status, 200);
    assert.equal(body.window, '60s');
    assert.deepEqual(body.requests, {
      total: 2,
      successful: 1,
      failed: 1,
      errorRate: '50.00%',
      throughput: '0.03 req/s',
    });
    assert.match(body.latency.p95, /^\d+\.\d\dms$/);
    assert.match(body.system.cpu, /^\d+\.\d\d%$/);
    assert.match(body.system.uptime, /^\d+d \d+h \d+m$/);
    assert.deepEqual(body.cache, {
      memory: { entries: 1, hitRate: '100.00%' },
      disk: { entries: 0, hitRate: body.cache.disk.hitRate },
    });
    assert.deepEqual(Object.keys(body.workers), ['idle', 'busy', 'queuePending']);
    assert.equal(body.recommendations[0].type, 'errors');
  });

  it('leaves out what is not there', async (t) => {
    const origin = await listen(t, hotpath.legacyRoutes({ monitor: monitorOf(t) }));
    const { body } = await ask(`${origin}/performance/metrics`);
    assert.equal('cache' in body || 'workers' in body, false);
    const without = await listen(t, hotpath.legacyRoutes({}));
    const refused = await ask(`${without}/performance/metrics`);
    assert.deepEqual([refused.status, refused.body.error.code], [404, 'ERR_SERVICE_MISSING']);
  });
});

describe('GET /services/performance/dashboard', () => {
  it('has the documented shape', async (t) => {
    const monitor = monitorOf(t);
    monitor.collectSystemMetrics();
    monitor.recordServiceMetrics('caching', { hitRate: 0.9 });
    monitor.recordServiceMetrics('dataservice', { avgResponseTime: 12 });
    for (let index = 0; index < 12; index += 1) monitor.triggerAlert(`TYPE_${index}`);
    const origin = await listen(t, express().use(hotpath.legacyRoutes({ monitor })));
    const { body } = await ask(`${origin}/services/performance/dashboard`);
    assert.ok(body.system.memory.avg > 1e6 && body.system.cpu.count === 1);
    assert.equal(body.services.caching.p95, 0.9);
    assert.equal(body.services.dataservice.avg, 12);
    assert.equal(body.alerts.length, 10);
    assert.deepEqual(Object.keys(body.alerts[0]), ['id', 'type', 'data', 'timestamp', 'severity']);
  });

  it('without a monitor looks at the default one', async (t) => {
    hotpath.performanceMonitor.recordServiceMetrics('caching', { hitRate: 0.5 });
    const origin = await listen(t, hotpath.legacyRoutes({}));
    const { body } = await ask(`${origin}/services/performance/dashboard`);
    assert.equal(body.services.caching.avg, 0.5);
  });
});

describe('other paths and methods', () => {
  it('go on, or are told', async (t) => {
    const app = express().use(hotpath.legacyRoutes({ monitor: monitorOf(t) }));
    app.get('/performance', (_request, response) => response.send('other'));
    const origin = await listen(t, app);
    assert.equal((await ask(`${origin}/performance`)).text, 'other');
    const post = await ask(`${origin}/performance/metrics`, { method: 'POST' });
    assert.deepEqual([post.status, post.headers.get('allow')], [405, 'GET, HEAD']);
    assert.equal((await ask(`${origin}/performance/metrics?x=1`, { method: 'HEAD' })).status, 200);
    const alone = await listen(t, hotpath.legacyRoutes({}));
    assert.equal((await ask(`${alone}/other`)).status, 404);
  });
});
