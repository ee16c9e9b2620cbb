const { digestOf } = require('../harness/digest.js');
const { STEADY, collect, settledResidentSet } = require('../harness/memory.js');
const { timed } = require('../harness/timing.js');
const { randomSource } = require('../workload/random.js');
const { user, userKey } = require('../workload/users.js');
const { hotpath, lruCache } = require('./contenders.js');

/** A measurement after each of these parts. */
const PARTS = 10;

/**
 * @param {any} cache
 * @param {number} keys
 */
function writer(cache, keys) {
  const below = randomSource(19);
  const users = Array.from({ length: 10_000 }, (_, id) => user(id));
  return (/** @type {number} */ from, /** @type {number} */ to) => {
    for (let index = from; index < to; index += 1) cache.set(userKey(below(keys)), users[index % users.length]);
    return 0;
  };
}

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'churn',
  title: 'Ten million writes',
  description:
    '10,000,000 sets over 1,000,000 keys into caches bounded to 100,000 entries: nearly every set evicts. After each ' +
    'million, garbage is collected and memory is read; "growth" is the last reading over the first. It is a comparison ' +
    'of a process with itself, so the quick set runs it once. V8’s nursery is held at 1 MB, or its growth would count.',
  settings: {
    smoke: { rounds: 1, capacity: 1_000, keys: 10_000, operations: 20_000 },
    quick: { rounds: 1, capacity: 100_000, keys: 1_000_000, operations: 10_000_000 },
    full: { rounds: 5, capacity: 100_000, keys: 1_000_000, operations: 10_000_000 },
  },
  cases: { sets: { title: '10,000,000 sets' } },
  measures: {
    residentSetGrowth: { label: 'growth of the resident set', unit: 'ratio', better: 'lower' },
    heapGrowth: { label: 'growth of the JavaScript heap', unit: 'ratio', better: 'lower' },
    time: { label: 'time per set', unit: 'nanoseconds', better: 'lower', detail: true },
  },
  floors: [
    { measure: 'residentSetGrowth', atMost: 1.1 },
    { measure: 'heapGrowth', atMost: 1.1 },
  ],
  contenders: { hotpath, 'lru-cache': lruCache },
  nodeOptions: STEADY,
  lines: {
    x: 'million sets',
    series: {
      residentSet: { label: 'resident set', unit: 'bytes' },
      heap: { label: 'JavaScript heap', unit: 'bytes' },
    },
  },

  /** Caches differ in what they evict, so answers are compared over keys that all fit. */
  check({ open, settings }) {
    const cache = open();
    const keys = Math.min(settings.capacity / 2, 10_000);
    writer(cache, keys)(0, keys * 10);
    return digestOf(Array.from({ length: keys }, (_, id) => cache.get(userKey(id))));
  },

  async run({ open, settings }) {
    const write = writer(open(), settings.keys);
    const operations = settings.operations / PARTS;
    const residentSet = [];
    const heap = [];
    let time = 0;
    for (let part = 0; part < PARTS; part += 1) {
      time += (await timed({ operations }, write)).measures.time / PARTS;
      collect();
      residentSet.push(await settledResidentSet());
      heap.push(process.memoryUsage().heapUsed);
    }
    return {
      measures: {
        residentSetGrowth: residentSet[PARTS - 1] / residentSet[0],
        heapGrowth: heap[PARTS - 1] / heap[0],
        time,
      },
      series: { residentSet, heap },
    };
  },
};
