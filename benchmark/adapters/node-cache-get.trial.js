const { timeMeasures } = require('../harness/timing.js');
const { evenly } = require('../workload/sequences.js');
const { reading } = require('../cache/reading.js');
const { hotpathNodeCache, nodeCache } = require('./contenders.js');

const FLOOR = { measure: 'time', against: 'node-cache', atLeast: 1.5, moonshot: 4 };

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'node-cache-get',
  title: 'NodeCache: reads',
  description:
    'The drop-in beside the package whose name it has, both as they come: callers get copies. 2,000 hot users fit near; of ' +
    '100,000, read evenly, most reads cross into native code.',
  settings: {
    smoke: { rounds: 1, entries: 2_000, operations: 5_000 },
    quick: { rounds: 5, entries: 100_000, operations: 200_000 },
    full: { rounds: 11, entries: 100_000, operations: 1_000_000 },
  },
  cases: {
    hot: { title: '2,000 hot users', settings: { hot: 2_000 } },
    even: { title: 'all users evenly' },
  },
  measures: timeMeasures('get'),
  floors: [
    { case: 'hot', ...FLOOR, headline: 'NodeCache `get`, 2,000 hot users' },
    { case: 'even', ...FLOOR, headline: 'NodeCache `get`, 100,000 users evenly' },
  ],
  contenders: { hotpath: hotpathNodeCache, 'node-cache': nodeCache },
  ...reading(evenly),
};
