const { performance } = require('node:perf_hooks');
const { digestOf } = require('../harness/digest.js');
const { turn } = require('../harness/timing.js');

const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** @param {any} settings */
const options = ({ kind, entries }) => ({ kind, series: entries });

const hotpath = {
  package: 'hotpath',
  options,
  /** @param {any} options */
  open({ kind, series }) {
    const { metricsService } = require('../..');
    const labels = (/** @type {number} */ number) => ({ number: String(number) });
    if (kind === 'counter') {
      const counter = metricsService.counter('bench_total', { labelNames: ['number'] });
      for (let number = 0; number < series; number += 1) counter.labels(labels(number)).inc(number);
    } else {
      const histogram = metricsService.histogram('bench_seconds', { labelNames: ['number'], buckets: BUCKETS });
      for (let number = 0; number < series; number += 1) histogram.labels(labels(number)).record(number / series);
    }
    return { scrape: () => metricsService.getPrometheusMetrics() };
  },
};

const promClient = {
  package: 'prom-client',
  options,
  /** @param {any} options */
  open({ kind, series }) {
    const { Counter, Histogram, register } = require('prom-client');
    const labelNames = ['number'];
    if (kind === 'counter') {
      const counter = new Counter({ name: 'bench_total', help: 'bench_total', labelNames });
      for (let number = 0; number < series; number += 1) counter.labels(String(number)).inc(number);
    } else {
      const histogram = new Histogram({ name: 'bench_seconds', help: 'bench_seconds', labelNames, buckets: BUCKETS });
      for (let number = 0; number < series; number += 1) histogram.labels(String(number)).observe(number / series);
    }
    return { scrape: () => register.metrics() };
  },
};

/** How long the event loop was away at most, while `work` went on. @param {() => Promise<unknown>} work */
async function longestBlock(work) {
  let longest = 0;
  let last = performance.now();
  let done = false;
  const finished = work().finally(() => {
    done = true;
  });
  while (!done) {
    await turn();
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }
  await finished;
  return longest;
}

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'scrape',
  title: 'Scrapes',
  description:
    'The Prometheus text of 10,000 series, as one string: how long it takes, and how long the event loop was blocked at a stretch.',
  settings: {
    smoke: { rounds: 1, operations: 2, entries: 200 },
    quick: { rounds: 5, operations: 10, entries: 10_000 },
    full: { rounds: 11, operations: 50, entries: 10_000 },
  },
  cases: /** @type {any} */ ({
    counters: { title: 'counters', settings: { kind: 'counter' } },
    histograms: { title: 'histograms', settings: { kind: 'histogram' } },
  }),
  measures: {
    time: { label: 'time per scrape', unit: 'milliseconds', better: 'lower', chart: true },
    block: { label: 'longest block of the event loop', unit: 'milliseconds', better: 'lower', chart: true },
  },
  floors: [
    { case: 'counters', measure: 'time', against: 'prom-client', atLeast: 5, headline: 'a scrape of 10,000 counters' },
    {
      case: 'histograms',
      measure: 'time',
      against: 'prom-client',
      atLeast: 5,
      headline: 'a scrape of 10,000 histograms',
    },
    { measure: 'block', against: 'prom-client', atLeast: 20 },
  ],
  contenders: /** @type {any} */ ({ hotpath, 'prom-client': promClient }),

  async check({ open, settings }) {
    const text = await /** @type {any} */ (open()).scrape();
    const lines = text.split('\n').filter((/** @type {string} */ line) => line.startsWith('bench_'));
    // The order of labels is each one's own.
    const counts = lines.filter((/** @type {string} */ line) => /^bench_(total|seconds_count)/.test(line));
    return digestOf([lines.length, counts.length === settings.entries]);
  },

  async run({ open, settings }) {
    const subject = /** @type {any} */ (open());
    await subject.scrape();
    let block = 0;
    const begin = performance.now();
    for (let count = 0; count < settings.operations; count += 1) {
      block = Math.max(block, await longestBlock(subject.scrape));
    }
    return { measures: { time: (performance.now() - begin) / settings.operations, block } };
  },
};
