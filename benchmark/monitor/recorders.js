// The histograms that are compared. Each is a `record(value)` and, where there are labels, a `record(value, labels)`; `count()`
// says how many values arrived. Packages are loaded when a contender opens.

const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const LABEL_NAMES = ['method', 'route', 'status'];

/** Eight label sets, as a small service has. */
const LABELS = ['GET', 'POST'].flatMap((method) =>
  ['/users/:id', '/items'].flatMap((route) => ['200', '500'].map((status) => ({ method, route, status }))),
);

/** @param {any} settings */
const options = ({ labels = 'none' }) => ({ labels, buckets: BUCKETS });

const hotpath = {
  package: 'hotpath',
  options,
  /** @param {any} options */
  open({ labels, buckets }) {
    const { metricsService } = require('../..');
    const names = labels === 'none' ? [] : LABEL_NAMES;
    const histogram = metricsService.histogram('bench_seconds', { buckets, labelNames: names });
    const total = () => histogram.values.reduce((sum, { value }) => sum + /** @type {any} */ (value).count, 0);
    return open(labels, histogram, (given) => histogram.labels(given), total);
  },
};

const promClient = {
  package: 'prom-client',
  options,
  /** @param {any} options */
  open({ labels, buckets }) {
    const { Histogram } = require('prom-client');
    const names = labels === 'none' ? [] : LABEL_NAMES;
    const histogram = new Histogram({ name: 'bench_seconds', help: 'x', buckets, labelNames: names });
    const series = (/** @type {any} */ given) => {
      const child = histogram.labels(given);
      return { record: (/** @type {number} */ value) => child.observe(value) };
    };
    const total = async () => {
      const { values } = await histogram.get();
      const counts = values.filter(({ metricName }) => metricName === 'bench_seconds_count');
      return counts.reduce((sum, { value }) => sum + value, 0);
    };
    const recorder = open(labels, { record: (/** @type {number} */ value) => histogram.observe(value) }, series, total);
    if (labels !== 'call') return recorder;
    return {
      ...recorder,
      record: (/** @type {number} */ value, /** @type {number} */ index) =>
        histogram.observe(/** @type {any} */ (LABELS[index & 7]), value),
    };
  },
};

const openTelemetry = {
  package: '@opentelemetry/sdk-metrics',
  options,
  /** @param {any} options */
  open({ buckets }) {
    const sdk = require('@opentelemetry/sdk-metrics');
    const exporter = new sdk.InMemoryMetricExporter(sdk.AggregationTemporality.CUMULATIVE);
    const reader = new sdk.PeriodicExportingMetricReader({
      exporter,
      exportIntervalMillis: 2 ** 30,
      exportTimeoutMillis: 2 ** 20,
    });
    const provider = new sdk.MeterProvider({ readers: [reader] });
    const advice = { explicitBucketBoundaries: buckets };
    const histogram = provider.getMeter('bench').createHistogram('bench_seconds', { advice });
    return {
      // It has no handles: labels are given at each call.
      record: (/** @type {number} */ value, /** @type {number} */ index) => histogram.record(value, LABELS[index & 7]),
      async count() {
        await provider.forceFlush();
        const [{ scopeMetrics }] = exporter.getMetrics();
        const points = /** @type {any[]} */ (scopeMetrics[0].metrics[0].dataPoints);
        return points.reduce((sum, { value }) => sum + value.count, 0);
      },
    };
  },
};

const perfHooks = {
  package: 'node:perf_hooks',
  options,
  open() {
    const { createHistogram } = require('node:perf_hooks');
    const histogram = createHistogram({ figures: 3 });
    return {
      // It takes integers: nanoseconds.
      record: (/** @type {number} */ value) => histogram.record(Math.round(value * 1e9) + 1),
      count: () => histogram.count,
    };
  },
};

const hdrHistogram = {
  package: 'hdr-histogram-js',
  options,
  async open() {
    const hdr = require('hdr-histogram-js');
    await hdr.initWebAssembly();
    const histogram = hdr.build({ useWebAssembly: true, numberOfSignificantValueDigits: 3, bitBucketSize: 32 });
    return {
      record: (/** @type {number} */ value) => histogram.recordValue(Math.round(value * 1e6) + 1),
      count: () => histogram.totalCount,
    };
  },
};

/**
 * @param {'none' | 'handle' | 'call'} labels
 * @param {{ record(value: number): void }} plain
 * @param {(labels: any) => { record(value: number): void }} series
 * @param {() => number | Promise<number>} count
 */
function open(labels, plain, series, count) {
  if (labels === 'none') return { record: (/** @type {number} */ value) => plain.record(value), count };
  if (labels === 'call') {
    const record = (/** @type {number} */ value, /** @type {number} */ index) =>
      series(LABELS[index & 7]).record(value);
    return { record, count };
  }
  const handles = LABELS.map(series);
  const record = (/** @type {number} */ value, /** @type {number} */ index) => handles[index & 7].record(value);
  return { record, count };
}

module.exports = { hdrHistogram, hotpath, openTelemetry, perfHooks, promClient };
