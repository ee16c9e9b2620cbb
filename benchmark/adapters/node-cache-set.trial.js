const { timeMeasures } = require('../harness/timing.js');
const { writing } = require('../cache/writing.js');
const { hotpathNodeCache, nodeCache } = require('./contenders.js');

const FLOOR = { measure: 'time', against: 'node-cache', atLeast: 1.5 };

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'node-cache-set',
  title: 'NodeCache: writes',
  description:
    'Keys, built at each call, are overwritten in random order with users made beforehand; both caches take a copy of each.',
  settings: {
    smoke: { rounds: 1, entries: 2_000, operations: 5_000 },
    quick: { rounds: 5, entries: 100_000, operations: 200_000 },
    full: { rounds: 11, entries: 100_000, operations: 1_000_000 },
  },
  cases: {
    many: { title: '100,000 users' },
    few: { title: '2,000 users', settings: { entries: 2_000 } },
  },
  measures: timeMeasures('set'),
  floors: [
    { case: 'few', ...FLOOR, headline: 'NodeCache `set`, 2,000 users' },
    { case: 'many', ...FLOOR, headline: 'NodeCache `set`, 100,000 users' },
  ],
  contenders: { hotpath: hotpathNodeCache, 'node-cache': nodeCache },
  ...writing,
};
