const { timeMeasures } = require('../harness/timing.js');
const { zipf } = require('../workload/sequences.js');
const { hotpath, lruCache } = require('./contenders.js');
const { reading } = require('./reading.js');

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'zipf-get',
  title: 'Reads with a long tail',
  description:
    'Reads by Zipf’s law (s = 1) over all 100,000 users, which both caches hold; hotpath with its default near cache. ' +
    'Timed once the near cache has filled, which takes it a million reads or two. ' +
    'A few of a hundred reads fall outside it and pay for the crossing and the decoding, ' +
    'which lru-cache, holding live objects, never does.',
  settings: {
    smoke: { rounds: 1, entries: 2_000, capacity: 2_500, operations: 20_000 },
    quick: { rounds: 5, entries: 100_000, capacity: 125_000, operations: 1_000_000, warmUp: 2_000_000 },
    full: { rounds: 11, entries: 100_000, capacity: 125_000, operations: 8_000_000, warmUp: 4_000_000 },
  },
  cases: {
    interned: { title: 'interned keys', settings: { interned: true } },
    built: { title: 'built keys', settings: { interned: false } },
  },
  measures: timeMeasures('get'),
  floors: [
    { case: 'interned', measure: 'time', against: 'lru-cache', atLeast: 0.6, moonshot: 1 },
    {
      case: 'built',
      measure: 'time',
      against: 'lru-cache',
      atLeast: 0.6,
      moonshot: 1,
      headline: '`get` by Zipf’s law over 100,000 entries',
    },
  ],
  contenders: { hotpath, 'lru-cache': lruCache },
  ...reading(zipf),
};
