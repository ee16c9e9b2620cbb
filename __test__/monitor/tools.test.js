'use strict';

const assert = require('node:assert/strict');
const http = require('node:http');
const { describe, it } = require('node:test');
const { EventEmitter } = require('node:events');
const {
  MemoryMonitor,
  MetricsService,
  OpenTelemetryProducer,
  PerformanceMonitor,
  alertChannels,
  createPerformanceLogger,
  profile,
} = require('hotpath');
const { errors, settled, spinUntil, waitFor } = require('../support');
const { metric } = require('../support/metrics');
const { collectGarbage } = require('../support/context').makeContext({});

describe('MemoryMonitor', () => {
  function monitorOf(t, options) {
    const warnings = [];
    const logger = { warn: (...words) => warnings.push(words), log() {} };
    const monitor = new MemoryMonitor({ logger, ...options });
    const heard = [];
    for (const event of ['warning', 'critical', 'recovered']) monitor.on(event, (usage) => heard.push([event, usage]));
    t.after(() => monitor.close());
    return { monitor, heard, warnings };
  }

  it('warns of memory in use, and tells when it has recovered', async (t) => {
    collectGarbage();
    const { heapUsed, heapLimit } = new MemoryMonitor().stats;
    const { monitor, heard, warnings } = monitorOf(t, { threshold: (heapUsed + 150e6) / heapLimit });
    monitor.checkMemoryUsage();
    assert.deepEqual(heard, []);
    let held = Array.from({ length: 40 }, () => new Array(1_000_000).fill(0.5));
    monitor.checkMemoryUsage();
    monitor.checkMemoryUsage();
    assert.deepEqual([heard.length, heard[0][0], monitor.state, held.length], [1, 'warning', 'warning', 40]);
    const [, usage] = heard[0];
    assert.deepEqual(Object.keys(usage), ['heapUsed', 'heapTotal', 'external', 'usagePercent']);
    assert.ok(usage.heapUsed > 300 && Object.values(usage).every(Number.isInteger), 'whole MiB and percent');
    assert.deepEqual(warnings[0], ['High memory usage detected:', usage]);
    held = undefined;
    await waitFor(() => {
      collectGarbage();
      monitor.checkMemoryUsage();
      return monitor.state === 'normal';
    });
    assert.deepEqual(
      heard.map(([event]) => event),
      ['warning', 'recovered'],
    );
  });

  it('tells what is critical apart', (t) => {
    const { monitor, heard } = monitorOf(t, { threshold: 1e-6, criticalThreshold: 1e-6 });
    monitor.checkMemoryUsage();
    assert.equal(heard[0][0], 'critical');
    assert.equal(monitor.stats.state, 'critical');
  });

  it('looks by itself while it monitors', async (t) => {
    const { monitor, heard } = monitorOf(t, { threshold: 1e-6, criticalThreshold: 1, intervalMs: 5 });
    monitor.startMonitoring();
    monitor.startMonitoring();
    assert.equal(monitor.monitoring, true);
    await waitFor(() => heard.length > 0);
    monitor.stopMonitoring();
    monitor.stopMonitoring();
    assert.equal(monitor.monitoring, false);
  });

  it('checks its options', () => {
    assert.throws(() => new MemoryMonitor({ threshold: 80 }), errors.outOfRange('options.threshold'));
    assert.throws(() => new MemoryMonitor({ intervalMs: '5' }), errors.invalidType('options.intervalMs'));
    assert.throws(() => new MemoryMonitor({ logger: {} }), errors.invalidType('options.logger'));
    assert.throws(() => new MemoryMonitor({ limit: 1 }), { code: 'ERR_HOTPATH_UNKNOWN_OPTION' });
  });
});

describe('createPerformanceLogger', () => {
  it('logs slow operations and memory in the documented words', () => {
    const lines = [];
    const logger = { warn: (...words) => lines.push(words), log: (...words) => lines.push(words) };
    const { logSlowOperation, profileMemory } = createPerformanceLogger(logger);
    assert.equal(logSlowOperation('query', 1_000), false);
    assert.equal(logSlowOperation('query', 1_001), true);
    const usage = profileMemory();
    assert.deepEqual(Object.keys(usage), ['rss', 'heapTotal', 'heapUsed']);
    assert.match(usage.rss, /^\d+ MB$/);
    assert.deepEqual(lines, [['Slow operation: query took 1001ms'], ['Memory usage:', usage]]);
    assert.throws(() => logSlowOperation('', 5), errors.outOfRange('operation'));
    assert.throws(() => logSlowOperation('a', '5'), errors.invalidType('duration'));
    assert.throws(() => createPerformanceLogger({}), errors.invalidType('logger'));
  });
});

describe('alertChannels', () => {
  /** A server that answers with the next of these statuses, or 200, and keeps what it was sent. */
  async function receiver(t, statuses = []) {
    const received = [];
    const server = http.createServer(async (request, response) => {
      let body = '';
      for await (const piece of request) body += piece;
      received.push({ headers: request.headers, body: JSON.parse(body) });
      const status = statuses.shift() ?? 200;
      if (status === 'silence') return;
      response.writeHead(status).end();
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    return { received, url: `http://user:secret@127.0.0.1:${server.address().port}/hook`.replace('user:secret@', '') };
  }

  it('webhook: sends what a monitor says, from beginning to end', async (t) => {
    const { received, url } = await receiver(t);
    const monitor = new PerformanceMonitor({ logger: { warn() {} }, options: { enabled: false } });
    const channel = alertChannels.webhook(url, { headers: { 'x-team': 'a' } });
    t.after(() => [channel, monitor].forEach((each) => each.close()));
    const detach = channel.attach(monitor);
    monitor.triggerAlert('CUSTOM');
    const [id] = monitor.alerts.keys();
    monitor.resolveAlert(id);
    await waitFor(() => received.length === 2);
    assert.deepEqual(
      received.map(({ body }) => [body.state, body.alert.type, body.alert.id]),
      [
        ['alert', 'CUSTOM', id],
        ['resolved', 'CUSTOM', id],
      ],
    );
    assert.equal(received[0].headers['x-team'], 'a');
    assert.ok(Date.parse(received[0].body.timestamp) > 0);
    await waitFor(() => channel.stats.sent === 2);
    detach();
    monitor.triggerAlert('CUSTOM');
    assert.equal(channel.stats.waiting, 0);
  });

  it('tries again what failed, then gives up and says so without the URL', async (t) => {
    const { received, url } = await receiver(t, [500, 'silence', 200, 500, 500]);
    const channel = alertChannels.webhook(url, { retries: 2, backoffMs: 1, timeoutMs: 200 });
    t.after(() => channel.close());
    assert.equal(await channel.send({ type: 'A' }), true);
    assert.deepEqual(channel.stats, { sent: 1, failed: 0, retried: 2, dropped: 0, waiting: 0 });
    const strict = alertChannels.webhook(url, { retries: 1, backoffMs: 1 });
    t.after(() => strict.close());
    const failures = [];
    strict.on('failed', (error, alert) => failures.push([error, alert]));
    assert.equal(await strict.send({ type: 'B' }), false);
    const [[error, alert]] = failures;
    assert.deepEqual([error.code, error.status, alert], ['ERR_HOTPATH_ALERT_CHANNEL', 500, { type: 'B' }]);
    assert.ok(!error.message.includes('127.0.0.1'));
    assert.equal(received.length, 5);
  });

  it('drops what comes too often, and counts it', async (t) => {
    const { received, url } = await receiver(t);
    const channel = alertChannels.webhook(url, { maxPerMinute: 2 });
    t.after(() => channel.close());
    const sent = await Promise.all([1, 2, 3, 4].map((n) => channel.send({ type: `A${n}` })));
    assert.deepEqual(sent, [true, true, false, false]);
    assert.equal(channel.stats.dropped, 2);
    assert.deepEqual(
      received.map(({ body }) => body.alert.type),
      ['A1', 'A2'],
      'in order',
    );
  });

  it('slack: sends a line of text', async (t) => {
    const { received, url } = await receiver(t);
    const channel = alertChannels.slack(url);
    t.after(() => channel.close());
    const alert = { type: 'HIGH_CPU', severity: 'warning', value: 91.234, threshold: 80 };
    await channel.send(alert);
    await channel.send(alert, 'resolved');
    assert.deepEqual(
      received.map(({ body }) => body),
      [{ text: '[warning] HIGH_CPU: 91.23 (threshold 80)' }, { text: 'RESOLVED HIGH_CPU: 91.23 (threshold 80)' }],
    );
  });

  it('email: hands a message to the transport', async (t) => {
    const mails = [];
    const transport = { sendMail: async (mail) => mails.push(mail) };
    const channel = alertChannels.email({ from: 'a@example.org', to: ['b@example.org'], transport });
    t.after(() => channel.close());
    assert.equal(await channel.send({ type: 'SERVICE_DOWN', severity: 'critical' }), true);
    const [{ from, to, subject, text }] = mails;
    assert.deepEqual([from, to, subject], ['a@example.org', ['b@example.org'], '[critical] SERVICE_DOWN']);
    assert.ok(text.includes('SERVICE_DOWN'));
  });

  it('refuse after close, and end what they were sending', async (t) => {
    const { received, url } = await receiver(t, ['silence']);
    const channel = alertChannels.webhook(url);
    const sending = channel.send({ type: 'A' });
    await waitFor(() => received.length === 1);
    channel.close();
    channel.close();
    assert.equal(await settled(sending), false);
    await assert.rejects(channel.send({ type: 'B' }), errors.closed);
  });

  it('check what they are given, and show no URL', async () => {
    for (const url of ['', 'ftp://a', 'nonsense', 'file:///etc/passwd']) {
      assert.throws(
        () => alertChannels.webhook(url),
        (error) => error.code === 'ERR_OUT_OF_RANGE' && !error.message.includes('passwd'),
      );
    }
    assert.throws(() => alertChannels.webhook(5), errors.invalidType('url'));
    const url = 'http://127.0.0.1:1';
    assert.throws(() => alertChannels.webhook(url, { retry: 1 }), errors.unknownOption('retry', 'retries'));
    assert.throws(() => alertChannels.webhook(url, { retries: -1 }), errors.outOfRange('options.retries'));
    assert.throws(() => alertChannels.webhook(url, { headers: { a: 1 } }), errors.invalidType('options.headers.a'));
    assert.throws(() => alertChannels.email({ from: 'a', to: '' }), errors.outOfRange('smtp.to'));
    const channel = alertChannels.webhook(url);
    await assert.rejects(channel.send(null), errors.invalidType('alert'));
    await assert.rejects(channel.send({}, 'maybe'), errors.outOfRange('state'));
    assert.throws(() => channel.attach({}), errors.invalidType('monitor'));
    channel.close();
  });
});

describe('profile', () => {
  it('records what this thread computes', async () => {
    const recording = profile({ type: 'cpu', durationMs: 300 });
    function busyFunctionOfTheTest() {
      return spinUntil(() => false, { timeoutMs: 100 });
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    busyFunctionOfTheTest();
    const { nodes, samples, startTime, endTime } = await recording;
    assert.ok(samples.length > 0 && endTime > startTime);
    assert.ok(nodes.some(({ callFrame }) => callFrame.functionName === 'busyFunctionOfTheTest'));
  });

  it('records what is allocated, and can be ended early', async () => {
    const abort = new AbortController();
    const recording = profile({ type: 'heap', durationMs: 60_000, signal: abort.signal });
    await new Promise((resolve) => setImmediate(resolve));
    const held = Array.from({ length: 100_000 }, (_, index) => ({ index }));
    abort.abort();
    const { head, samples } = await settled(recording);
    assert.ok(head && Array.isArray(samples) && held.length > 0);
  });

  it('checks its options', async () => {
    await assert.rejects(profile({ type: 'gpu' }), errors.outOfRange('options.type'));
    await assert.rejects(profile({ durationMs: 0 }), errors.outOfRange('options.durationMs'));
    await assert.rejects(profile({ signal: {} }), errors.invalidType('options.signal'));
    await assert.rejects(profile({ ms: 5 }), { code: 'ERR_HOTPATH_UNKNOWN_OPTION' });
  });
});

describe('OpenTelemetryProducer', () => {
  it('is a source for any reader of the SDK', async (t) => {
    const sdk = require('@opentelemetry/sdk-metrics');
    const metrics = new MetricsService();
    t.after(() => metrics.close());
    const [counterName, histogramName] = [metric('otel_total'), metric('otel_seconds')];
    metrics
      .counter(counterName, { labelNames: ['a'] })
      .labels({ a: 'x' })
      .inc(5);
    const histogram = metrics.histogram(histogramName, { buckets: [1, 2] });
    for (const value of [0.5, 1.5, 3]) histogram.record(value);
    const exporter = new sdk.InMemoryMetricExporter(sdk.AggregationTemporality.CUMULATIVE);
    const reader = new sdk.PeriodicExportingMetricReader({
      exporter,
      exportIntervalMillis: 1e6,
      exportTimeoutMillis: 1e5,
      metricProducers: [new OpenTelemetryProducer()],
    });
    const provider = new sdk.MeterProvider({ readers: [reader] });
    t.after(() => provider.shutdown());
    await provider.forceFlush();
    const exported = exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
    const find = (name) => exported.find(({ descriptor }) => descriptor.name === name);
    const counter = find(counterName);
    assert.equal(counter.dataPointType, sdk.DataPointType.SUM);
    assert.equal(counter.isMonotonic, true);
    assert.deepEqual([counter.dataPoints[0].attributes, counter.dataPoints[0].value], [{ a: 'x' }, 5]);
    const found = find(histogramName);
    assert.equal(found.descriptor.unit, 's');
    assert.deepEqual(found.dataPoints[0].value, {
      count: 3,
      sum: 5,
      min: 0.5,
      max: 3,
      buckets: { boundaries: [1, 2], counts: [1, 1, 1] },
    });
  });
});

describe('events', () => {
  it('come from real emitters', () => {
    for (const Class of [PerformanceMonitor, MemoryMonitor]) assert.ok(Class.prototype instanceof EventEmitter);
  });
});
