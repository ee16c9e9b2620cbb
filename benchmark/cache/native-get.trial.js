const { timeMeasures } = require('../harness/timing.js');
const { evenly } = require('../workload/sequences.js');
const { hotpath, lruCache, nodeCache, cacheableMemory } = require('./contenders.js');
const { reading } = require('./reading.js');

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'native-get',
  title: 'Reads that always cross into native code',
  description:
    'The near cache is off: every read of one of 100,000 users crosses, finds and decodes, and hands out an object of its ' +
    'own. The peers that also hand out copies are node-cache and CacheableMemory (of the package cacheable), both as they ' +
    'come; lru-cache hands out the one live object and stands beside them for orientation.',
  settings: {
    smoke: { rounds: 1, entries: 2_000, capacity: 2_500, operations: 5_000, nearCache: false },
    quick: { rounds: 5, entries: 100_000, capacity: 125_000, operations: 200_000, nearCache: false },
    full: { rounds: 11, entries: 100_000, capacity: 125_000, operations: 1_000_000, nearCache: false },
  },
  cases: { built: { title: 'built keys', settings: { interned: false } } },
  measures: timeMeasures('get'),
  floors: [
    { measure: 'time', against: 'node-cache', atLeast: 2, moonshot: 4, headline: '`get` of a copy' },
    { measure: 'time', against: 'CacheableMemory', atLeast: 5 },
  ],
  contenders: { hotpath, 'node-cache': nodeCache, CacheableMemory: cacheableMemory, 'lru-cache': lruCache },
  ...reading(evenly),
};
