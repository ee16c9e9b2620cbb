const { timeMeasures } = require('../harness/timing.js');
const { hotpath, lruCache, nodeCache, cacheableMemory } = require('./contenders.js');
const { writing } = require('./writing.js');

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'set',
  title: 'Writes',
  description:
    '100,000 keys, built at each call, are overwritten in random order with users made beforehand. hotpath encodes each ' +
    'value; node-cache and CacheableMemory copy it; lru-cache keeps a reference to the caller’s object.',
  settings: {
    smoke: { rounds: 1, entries: 2_000, capacity: 2_500, operations: 5_000 },
    quick: { rounds: 5, entries: 100_000, capacity: 125_000, operations: 200_000 },
    full: { rounds: 11, entries: 100_000, capacity: 125_000, operations: 1_000_000 },
  },
  cases: { built: { title: 'built keys' } },
  measures: timeMeasures('set'),
  floors: [{ measure: 'time', against: 'node-cache', atLeast: 1.3, headline: '`set`' }],
  contenders: { hotpath, 'node-cache': nodeCache, CacheableMemory: cacheableMemory, 'lru-cache': lruCache },
  ...writing,
};
