const { setTimeout: wait } = require('node:timers/promises');
const { digestOf } = require('../harness/digest.js');

// What it costs to watch an idle process: processor time of all its threads, sampled at the default intervals.

const hotpath = {
  package: 'hotpath',
  options: () => ({ watched: true }),
  open() {
    const { performanceMonitor, metricsService, PerformanceMonitoringEngine } = require('../..');
    performanceMonitor.start();
    metricsService.getSystemMetrics();
    return {
      engine: new PerformanceMonitoringEngine(),
      looks: () => performanceMonitor.getMetrics('system.cpu.percent').length,
    };
  },
};

/** The same package, loaded, with nothing that monitors. */
const nothing = {
  package: 'hotpath',
  options: () => ({ watched: false }),
  open: () => ({ package: require('../..'), looks: () => 1 }),
};

/** Percent of one core that all threads take for so long. @param {number} ms */
async function processorShare(ms) {
  const before = process.cpuUsage();
  const begin = performance.now();
  await wait(ms);
  const elapsed = performance.now() - begin;
  const { user, system } = process.cpuUsage(before);
  return ((user + system) / 1_000 / elapsed) * 100;
}

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'sampling',
  title: 'Watching an idle process',
  description:
    'A PerformanceMonitor, a MetricsService and a PerformanceMonitoringEngine watch a process that does nothing else, at ' +
    'their default intervals: the system every five seconds, services every ten, alerts every thirty, the event loop five ' +
    'times a second. The measure is the processor time of all threads, as a share of one core.',
  settings: {
    smoke: { rounds: 1, operations: 200 },
    quick: { rounds: 2, operations: 10_000 },
    full: { rounds: 3, operations: 60_000 },
  },
  cases: { idle: { title: 'default intervals' } },
  measures: { processor: { label: 'processor time', unit: 'percent', better: 'lower', chart: true } },
  floors: [{ measure: 'processor', atMost: 0.5, headline: 'watching a process, of a core' }],
  contenders: /** @type {any} */ ({ hotpath, nothing }),

  async check({ open }) {
    const { looks } = open();
    return digestOf([looks() > 0]);
  },

  /** `operations` are milliseconds here. @param {any} context */
  async run({ open, settings }) {
    // What loading and starting cost is not what watching costs: V8 collects what loading has left some seconds later.
    require('../..');
    await wait(Math.min(12_000, settings.operations));
    const watched = open();
    await wait(Math.min(2_000, settings.operations));
    const processor = await processorShare(settings.operations);
    return { measures: { processor }, checksum: Number(watched.looks() > 0) };
  },
};
