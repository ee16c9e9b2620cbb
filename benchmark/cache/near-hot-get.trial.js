const { timeMeasures } = require('../harness/timing.js');
const { evenly } = require('../workload/sequences.js');
const { hotpath, lruCache } = require('./contenders.js');
const { reading } = require('./reading.js');

const HOUR = 3_600_000;

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'near-hot-get',
  title: 'Hot reads',
  description:
    'Both caches hold 100,000 users (about 130 bytes of JSON each) with room for more; all reads go, evenly, to 5,000 of ' +
    'them. Keys are either strings that live as long as the cache ("interned") or built at each call (`user:` and an id), as ' +
    'applications do. At the end the same for caches that hold those 5,000 and nothing else: there parity is the aim.',
  settings: {
    smoke: { rounds: 1, entries: 2_000, hot: 500, operations: 20_000 },
    quick: { rounds: 5, entries: 100_000, hot: 5_000, operations: 3_000_000 },
    full: { rounds: 11, entries: 100_000, hot: 5_000, operations: 10_000_000 },
  },
  cases: {
    interned: { title: 'interned keys', settings: { capacity: 125_000, interned: true } },
    built: { title: 'built keys', settings: { capacity: 125_000, interned: false } },
    'interned-ttl': { title: 'interned keys, ttl', settings: { capacity: 125_000, interned: true, ttlMs: HOUR } },
    'built-ttl': { title: 'built keys, ttl', settings: { capacity: 125_000, interned: false, ttlMs: HOUR } },
    'small-interned': {
      title: '5,000 entries, interned keys',
      settings: { entries: 5_000, hot: 5_000, capacity: 6_250, interned: true },
    },
    'small-built': {
      title: '5,000 entries, built keys',
      settings: { entries: 5_000, hot: 5_000, capacity: 6_250, interned: false },
    },
  },
  measures: timeMeasures('get'),
  floors: [
    { case: 'interned', measure: 'time', against: 'lru-cache', atLeast: 1.2 },
    { case: 'built', measure: 'time', against: 'lru-cache', atLeast: 1.2, headline: 'hot `get`' },
    { case: 'interned-ttl', measure: 'time', against: 'lru-cache', atLeast: 1.5 },
    { case: 'built-ttl', measure: 'time', against: 'lru-cache', atLeast: 1.5, headline: 'hot `get`, with ttl' },
    // Parity, less what rounds differ by.
    { case: 'small-interned', measure: 'time', against: 'lru-cache', atLeast: 0.95, moonshot: 1 },
    { case: 'small-built', measure: 'time', against: 'lru-cache', atLeast: 0.95, moonshot: 1 },
  ],
  contenders: { hotpath, 'lru-cache': lruCache },
  ...reading(evenly),
};
