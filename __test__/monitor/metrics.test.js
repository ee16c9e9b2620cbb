'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { MetricsService } = require('hotpath');
const { errors, runInWorker, startWorker, settled } = require('../support');
const { metric, service } = require('../support/metrics');

describe('counters, gauges and histograms', () => {
  it('say what was recorded', (t) => {
    const metrics = service(t);
    const counter = metrics.counter(metric('count_total'));
    counter.inc();
    counter.inc(2.5);
    assert.equal(counter.value, 3.5);
    const gauge = metrics.gauge(metric('level'));
    gauge.set(10);
    gauge.inc();
    gauge.dec(4);
    assert.equal(gauge.value, 7);
    gauge.set(-0.5);
    assert.equal(gauge.value, -0.5);
    const histogram = metrics.histogram(metric('time_seconds'));
    for (const value of [0.1, 0.2, 0.3, 0.4]) histogram.record(value);
    const { count, sum, min, max, avg, p50, p99 } = histogram.value;
    assert.deepEqual({ count, min, max }, { count: 4, min: 0.1, max: 0.4 });
    assert.ok(Math.abs(sum - 1) < 1e-12 && Math.abs(avg - 0.25) < 1e-12);
    assert.ok(Math.abs(p50 - 0.2) < 0.0002 && Math.abs(p99 - 0.4) < 0.0004);
  });

  it('are empty before anything was recorded', (t) => {
    const metrics = service(t);
    assert.equal(metrics.counter(metric('none_total')).value, 0);
    const empty = { count: 0, sum: 0, min: 0, max: 0, avg: 0, p50: 0, p95: 0, p99: 0 };
    assert.deepEqual(metrics.histogram(metric('none_seconds')).value, empty);
  });

  it('keep more records than a ring has places, each of them', (t) => {
    const counter = service(t).counter(metric('flood_total'));
    for (let value = 1; value <= 200_000; value += 1) counter.inc(value);
    assert.equal(counter.value, (200_000 * 200_001) / 2);
  });

  it('time what happens between two calls', (t) => {
    const histogram = service(t).histogram(metric('timer_seconds'));
    const seconds = histogram.startTimer()();
    assert.ok(seconds >= 0);
    assert.equal(histogram.value.count, 1);
    assert.equal(histogram.value.sum, seconds);
  });

  it('are the same for every instance, and conflict with another definition', (t) => {
    const [first, second] = [service(t), service(t)];
    const name = metric('shared_total');
    first
      .counter(name, { help: 'x', labelNames: ['a'] })
      .labels({ a: 1 })
      .inc();
    assert.equal(second.counter(name, { labelNames: ['a'] }).labels({ a: '1' }).value, 1);
    const conflict = { name: 'HotpathConflictError', code: 'ERR_HOTPATH_OPTION_CONFLICT', engine: name };
    assert.throws(() => second.gauge(name, { labelNames: ['a'] }), {
      ...conflict,
      option: 'type',
      existing: 'counter',
    });
    assert.throws(() => second.counter(name, { labelNames: ['b'] }), { ...conflict, option: 'labelNames' });
    const buckets = metric('buckets_seconds');
    first.histogram(buckets, { buckets: [1, 2] });
    assert.throws(() => second.histogram(buckets, { buckets: [1, 3] }), { option: 'buckets', existing: '1,2' });
    assert.equal(first.counter(name), first.counter(name), 'by name alone: the one that was made');
  });
});

describe('labels', () => {
  it('tell series apart, whatever the type of a value', (t) => {
    const counter = service(t).counter(metric('labelled_total'), { labelNames: ['method', 'status'] });
    counter.labels({ method: 'GET', status: 200 }).inc();
    counter.labels({ status: '200', method: 'GET' }).inc();
    counter.labels({ method: 'GET', status: true }).inc(5);
    assert.deepEqual(counter.values, [
      { labels: { method: 'GET', status: '200' }, value: 2 },
      { labels: { method: 'GET', status: 'true' }, value: 5 },
    ]);
    assert.equal(counter.labels({ method: 'GET', status: 200 }), counter.labels({ method: 'GET', status: 200 }));
  });

  it('must be all there, and no others', (t) => {
    const counter = service(t).counter(metric('strict_total'), { labelNames: ['a', 'b'] });
    counter.labels({ a: 1, b: 2 }).inc();
    for (const labels of [{ a: 1 }, { a: 1, b: null }, { a: 1, b: {} }, { a: 1, b: Symbol('x') }]) {
      assert.throws(() => counter.labels(labels), errors.invalidType('labels.b'));
    }
    assert.throws(() => counter.labels({ a: 1, b: 2, c: 3 }), errors.outOfRange('labels'));
    for (const labels of [undefined, null, 'a', 1])
      assert.throws(() => counter.labels(labels), errors.invalidType('labels'));
    assert.throws(() => counter.inc(), errors.invalidType());
    assert.equal(counter.values.length, 1);
  });

  it('beyond the cap go to one series, and are counted', async (t) => {
    const metrics = service(t);
    const name = metric('capped_total');
    const counter = metrics.counter(name, { labelNames: ['id'], maxSeries: 3 });
    for (let id = 0; id < 10; id += 1) counter.labels({ id }).inc();
    assert.equal(counter.values.length, 4);
    assert.deepEqual(counter.values.at(-1), { labels: { id: '__overflow__' }, value: 7 });
    const text = await metrics.getPrometheusMetrics();
    assert.match(text, new RegExp(`hotpath_metrics_refused_series_total\\{metric="${name}"\\} 7`));
  });

  it('can be dropped, and come again at zero', (t) => {
    const gauge = service(t).gauge(metric('dropped'), { labelNames: ['a'] });
    const old = gauge.labels({ a: 1 });
    old.set(5);
    assert.equal(gauge.remove({ a: '1' }), true);
    assert.equal(gauge.remove({ a: '1' }), false);
    old.set(6);
    assert.equal(gauge.labels({ a: 1 }).value, 0, 'a late record of the old series does not reach the new one');
  });
});

describe('what cannot be recorded', () => {
  it('is refused with the place', (t) => {
    const metrics = service(t);
    const counter = metrics.counter(metric('refusing_total'));
    const gauge = metrics.gauge(metric('refusing'));
    const histogram = metrics.histogram(metric('refusing_seconds'));
    for (const value of ['1', null, {}, 1n]) {
      assert.throws(() => counter.inc(value), errors.invalidType('by'));
      assert.throws(() => gauge.set(value), errors.invalidType('value'));
      assert.throws(() => histogram.record(value), errors.invalidType('value'));
    }
    for (const value of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => counter.inc(value), errors.outOfRange('by'));
      assert.throws(() => histogram.record(value), errors.outOfRange('value'));
    }
    assert.deepEqual([counter.value, gauge.value, histogram.value.count], [0, 0, 0]);
  });

  it('nor defined', (t) => {
    const metrics = service(t);
    for (const name of ['', '1a', 'a-b', 'a b', 'é'])
      assert.throws(() => metrics.counter(name), errors.outOfRange('name'));
    assert.throws(() => metrics.counter(5), errors.invalidType('name'));
    const define = (options) => () => metrics.histogram(metric('bad'), options);
    assert.throws(define({ labelNames: ['le'] }), errors.outOfRange('options.labelNames[0]'));
    assert.throws(define({ labelNames: ['__x'] }), errors.outOfRange('options.labelNames[0]'));
    assert.throws(define({ labelNames: ['a', 'a'] }), errors.outOfRange('options.labelNames'));
    assert.throws(define({ labelNames: 'a' }), errors.invalidType('options.labelNames'));
    assert.throws(define({ buckets: [2, 1] }), errors.outOfRange('options.buckets[1]'));
    assert.throws(define({ buckets: [Number.NaN] }), errors.outOfRange('options.buckets[0]'));
    assert.throws(define({ maxSeries: 0 }), errors.outOfRange('options.maxSeries'));
    assert.throws(define({ bucket: [1] }), errors.unknownOption('bucket', 'buckets'));
    assert.throws(() => metrics.counter(metric('bad'), { buckets: [1] }), { code: 'ERR_HOTPATH_UNKNOWN_OPTION' });
  });
});

describe('threads', () => {
  it('record into the same series, and what they recorded outlives them', async (t) => {
    const counter = service(t).counter(metric('threads_total'));
    await Promise.all(
      [1, 2, 3, 4].map(() =>
        runInWorker(
          ({ load }, name) => {
            const own = load().metricsService.counter(name);
            for (let value = 0; value < 300_000; value += 1) own.inc(value);
          },
          counter.name,
          { timeoutMs: 60_000 },
        ),
      ),
    );
    assert.equal(counter.value, 4 * ((300_000 * 299_999) / 2));
  });

  it('lose nothing that they recorded before they are terminated', async (t) => {
    const counter = service(t).counter(metric('terminated_total'));
    const thread = startWorker(async ({ load, say }, name) => {
      const own = load().metricsService.counter(name);
      for (let count = 0; count < 1_000; count += 1) own.inc();
      say('recorded');
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    }, counter.name);
    await thread.said('recorded');
    await settled(thread.terminate());
    assert.equal(counter.value, 1_000);
  });
});

describe('the service', () => {
  it('takes no options', () => {
    assert.throws(() => new MetricsService({ prefix: 'a' }), { code: 'ERR_HOTPATH_UNKNOWN_OPTION' });
  });

  it('refuses to work after close, and may be closed twice', async () => {
    const metrics = new MetricsService();
    metrics.recordRequest(1);
    metrics.close();
    metrics.close();
    assert.equal(metrics.closed, true);
    assert.throws(() => metrics.recordRequest(1), errors.closed);
    assert.throws(() => metrics.counter(metric('closed')), errors.closed);
    assert.throws(() => metrics.getApplicationMetrics(), errors.closed);
    await assert.rejects(metrics.getPrometheusMetrics(), errors.closed);
  });

  it('checks what it is told', (t) => {
    const metrics = service(t);
    for (const method of ['recordRequest', 'recordDatabaseQuery']) {
      assert.throws(() => metrics[method]('5'), errors.invalidType());
      assert.throws(() => metrics[method](-5), errors.outOfRange());
      assert.throws(() => metrics[method](Number.NaN), errors.outOfRange());
    }
    for (const method of ['recordWebSocketConnection', 'recordCacheOperation']) {
      assert.throws(() => metrics[method](1), errors.invalidType());
    }
    assert.throws(() => metrics.recordError(''), errors.outOfRange('type'));
  });
});
