const { timeMeasures } = require('../harness/timing.js');
const { hotpath, openTelemetry, promClient } = require('./recorders.js');
const recording = require('./recording.js');

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'record-labelled',
  title: 'Recording with labels',
  description:
    'A histogram with three labels and eight series takes durations: through handles that were made beforehand, and with the ' +
    'labels given at each call. OpenTelemetry has no handles.',
  settings: {
    smoke: { rounds: 1, operations: 20_000 },
    quick: { rounds: 5, operations: 1_000_000, slice: 50_000 },
    full: { rounds: 11, operations: 5_000_000, slice: 50_000 },
  },
  cases: /** @type {any} */ ({
    handle: { title: 'through handles', settings: { labels: 'handle' } },
    call: { title: 'labels at each call', settings: { labels: 'call' } },
  }),
  measures: timeMeasures('record'),
  floors: [
    { case: 'handle', measure: 'time', against: 'prom-client', atLeast: 30, headline: 'recording with three labels' },
    { case: 'call', measure: 'time', against: 'prom-client', atLeast: 6 },
  ],
  contenders: /** @type {any} */ ({ hotpath, 'prom-client': promClient, OpenTelemetry: openTelemetry }),
  ...recording,
};
