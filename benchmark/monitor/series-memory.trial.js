const { digestOf } = require('../harness/digest.js');
const { turn } = require('../harness/timing.js');

/** @param {any} settings */
const options = ({ entries }) => ({ series: entries });

/** Durations that a route has: a factor of a hundred between the fastest and the slowest. @param {number} index */
const duration = (index) => 0.002 * 100 ** ((index % 997) / 997);

const hotpath = {
  package: 'hotpath',
  options,
  open() {
    const { metricsService } = require('../..');
    const histogram = metricsService.histogram('bench_seconds', { labelNames: ['route', 'status'] });
    return {
      series: (/** @type {string} */ route) => histogram.labels({ route, status: '200' }),
      count: async () => histogram.values.length,
    };
  },
};

const promClient = {
  package: 'prom-client',
  options,
  open() {
    const { Histogram } = require('prom-client');
    const histogram = new Histogram({ name: 'bench_seconds', help: 'x', labelNames: ['route', 'status'] });
    return {
      series(/** @type {string} */ route) {
        const child = histogram.labels({ route, status: '200' });
        return { record: (/** @type {number} */ value) => child.observe(value) };
      },
      async count() {
        const { values } = await histogram.get();
        return values.filter(({ metricName }) => metricName === 'bench_seconds_count').length;
      },
    };
  },
};

/** @param {any} histogram @param {any} settings */
async function fill(histogram, settings) {
  const held = [];
  for (let number = 0; number < settings.entries; number += 1) {
    const series = histogram.series(`/route/${number}`);
    for (let index = 0; index < settings.operations; index += 1) series.record(duration(index + number));
    held.push(series);
    if (number % 100 === 0) await turn();
  }
  return held;
}

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'series-memory',
  title: 'Memory of labelled series',
  description:
    'Resident memory of 10,000 labelled histogram series, each with values over a factor of 100. prom-client keeps eleven ' +
    'buckets of each; hotpath keeps those, and what percentiles within about 1 % need.',
  settings: {
    smoke: { rounds: 1, operations: 50, entries: 100 },
    quick: { rounds: 3, operations: 1_000, entries: 10_000 },
    full: { rounds: 5, operations: 1_000, entries: 10_000 },
  },
  cases: { routes: { title: '10,000 series' } },
  measures: { memory: { label: 'resident memory', unit: 'bytes', better: 'lower', chart: true } },
  floors: [{ measure: 'memory', atMost: 60 * 1024 * 1024 }],
  contenders: /** @type {any} */ ({ hotpath, 'prom-client': promClient }),
  nodeOptions: ['--expose-gc'],

  async check(context) {
    const histogram = context.open();
    await fill(histogram, context.settings);
    return digestOf([await histogram.count()]);
  },

  async run(context) {
    // The packages are there before anything is measured.
    const histogram = context.open();
    globalThis.gc?.();
    const before = process.memoryUsage().rss;
    const held = await fill(histogram, context.settings);
    globalThis.gc?.();
    const memory = process.memoryUsage().rss - before;
    return { measures: { memory }, checksum: (await histogram.count()) + held.length };
  },
};
