const { timeMeasures } = require('../harness/timing.js');
const { hdrHistogram, hotpath, perfHooks, promClient } = require('./recorders.js');
const recording = require('./recording.js');

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'record',
  title: 'Recording a value',
  description:
    'One histogram without labels takes durations. hotpath writes them to a ring, and counts them where it is half full; its ' +
    'processor time includes the native thread that does so otherwise.',
  settings: {
    smoke: { rounds: 1, operations: 20_000 },
    quick: { rounds: 5, operations: 5_000_000, slice: 100_000 },
    full: { rounds: 11, operations: 20_000_000, slice: 100_000 },
  },
  cases: { plain: { title: 'no labels' } },
  measures: timeMeasures('record'),
  floors: [
    { measure: 'time', against: 'prom-client', atLeast: 7, headline: 'recording into a histogram' },
    { measure: 'time', against: 'perf_hooks', atLeast: 1.5 },
    { measure: 'time', against: 'hdr-histogram-js', atLeast: 1 },
    { measure: 'time', atMost: 20 },
  ],
  contenders: /** @type {any} */ ({
    hotpath,
    'prom-client': promClient,
    perf_hooks: perfHooks,
    'hdr-histogram-js': hdrHistogram,
  }),
  ...recording,
};
