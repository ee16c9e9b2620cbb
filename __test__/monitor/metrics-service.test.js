'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { metricsService } = require('hotpath');
const { collectGarbage } = require('../support/context').makeContext({});
const { spinUntil, waitFor } = require('../support');

describe('application metrics', () => {
  it('have the documented parts, with the figures of what was recorded', () => {
    metricsService.reset();
    for (let ms = 1; ms <= 100; ms += 1) metricsService.recordRequest(ms);
    metricsService.recordError('500');
    metricsService.recordError(404);
    metricsService.recordError('500');
    metricsService.recordWebSocketConnection(true);
    metricsService.recordWebSocketConnection(true);
    metricsService.recordWebSocketConnection(false);
    metricsService.recordWebSocketMessage();
    metricsService.recordDatabaseQuery(20);
    for (const hit of [true, true, true, false]) metricsService.recordCacheOperation(hit);
    const { timestamp, responseTime, ...figures } = metricsService.getApplicationMetrics();
    assert.ok(Math.abs(timestamp - Date.now()) < 60_000);
    assert.deepEqual(figures, {
      requests: { total: 100, perSecond: 100 / 60, perMinute: (100 / 60) * 60 },
      errors: { total: 3, rate: 0.03, byType: { 404: 1, 500: 2 } },
      database: { queries: 1, queryTime: { avg: 20, min: 20, max: 20, p50: 20, p95: 20, p99: 20 } },
      websocket: { connections: 1, totalConnections: 2, messages: 1 },
      cache: { hits: 3, misses: 1, hitRate: 0.75 },
    });
    const { p50, p95, p99, ...exact } = responseTime;
    assert.deepEqual(exact, { avg: 50.5, min: 1, max: 100 });
    for (const [found, expected] of [
      [p50, 50],
      [p95, 95],
      [p99, 99],
    ]) {
      assert.ok(Math.abs(found - expected) <= expected * 0.001, `${found} for ${expected}`);
    }
  });

  it('keep the three documented names in the Prometheus text', async () => {
    metricsService.reset();
    for (let count = 0; count < 1_000; count += 1) metricsService.recordRequest(250.5);
    for (let count = 0; count < 20; count += 1) metricsService.recordCacheOperation(count < 17);
    const lines = (await metricsService.getPrometheusMetrics()).split('\n');
    const expected = [
      '# HELP http_requests_total Total number of HTTP requests',
      '# TYPE http_requests_total counter',
      'http_requests_total 1000',
      '# HELP http_request_duration_seconds HTTP request duration in seconds',
      '# TYPE http_request_duration_seconds histogram',
      'http_request_duration_seconds_count 1000',
      '# HELP cache_hit_rate Cache hit rate',
      '# TYPE cache_hit_rate gauge',
      'cache_hit_rate 0.85',
    ];
    for (const line of expected) assert.ok(lines.includes(line), line);
    const sum = lines.find((line) => line.startsWith('http_request_duration_seconds_sum '));
    assert.ok(Math.abs(Number(sum.split(' ')[1]) - 250.5) < 1e-9, sum);
  });

  it('start afresh after a reset', () => {
    metricsService.recordRequest(5);
    metricsService.recordError('x');
    metricsService.reset();
    const { requests, responseTime, errors } = metricsService.getApplicationMetrics();
    assert.deepEqual(requests, { total: 0, perSecond: 0, perMinute: 0 });
    assert.deepEqual(responseTime, { avg: 0, min: 0, max: 0, p50: 0, p95: 0, p99: 0 });
    assert.equal(errors.total, 0);
  });
});

describe('system metrics', () => {
  it('have all documented parts, with real figures', () => {
    const { cpu, memory, disk, network, uptime, handles } = metricsService.getSystemMetrics();
    assert.ok(cpu.cores >= 1 && cpu.usage >= 0 && cpu.usage <= 1 && cpu.loadAverage.length === 3);
    assert.ok(memory.total > memory.used && memory.rss > 10 * 2 ** 20 && memory.limit <= memory.total);
    assert.ok(memory.heapUsed > 0 && memory.heapLimit > memory.heapUsed);
    assert.ok(disk.total >= disk.free && disk.total > 0);
    assert.ok(network.receivedBytes >= 0 && network.sentBytes >= 0 && uptime > 0);
    if (process.platform === 'linux') assert.ok(handles.openFiles > 3);
  });

  it('see a thread that computes', {
    skip: process.platform !== 'linux' && 'threads are told apart on Linux',
  }, async () => {
    metricsService.getSystemMetrics();
    // A sample is at most a second old: what is computed in longer than that shows in a later one.
    await waitFor(() => {
      spinUntil(() => false, { timeoutMs: 400 });
      return metricsService.getSystemMetrics().cpu.thread > 0.2;
    });
  });

  it('see an event loop that is late, and collections', async () => {
    const delayed = () => metricsService.getSystemMetrics().eventLoop.delay.max;
    await waitFor(() => {
      spinUntil(() => false, { timeoutMs: 300 });
      return delayed() > 50;
    });
    await waitFor(() => {
      collectGarbage();
      return metricsService.getSystemMetrics().gc.major?.count > 0;
    });
    const text = await metricsService.getPrometheusMetrics();
    assert.match(text, /nodejs_gc_duration_seconds_count\{kind="major",thread="0"\} [1-9]/);
    assert.match(text, /nodejs_eventloop_delay_seconds_count\{thread="0"\} [1-9]/);
    assert.match(text, /process_resident_memory_bytes [1-9]/);
  });
});
