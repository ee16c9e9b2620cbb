const { digestOf } = require('../harness/digest.js');
const { watchPauses, fullCollection } = require('../harness/memory.js');
const { timed, turn } = require('../harness/timing.js');
const { randomSource } = require('../workload/random.js');
const { user, userKey } = require('../workload/users.js');
const { hotpath, lruCache } = require('./contenders.js');

/** Operations between two turns of the event loop; the garbage collector's pauses are reported in between. */
const SLICE = 1_000;

/**
 * As many gets as sets, over keys drawn evenly.
 *
 * @param {any} cache
 * @param {number} keys
 * @param {(answer: any) => void} onAnswer
 */
function mixed(cache, keys, onAnswer) {
  const below = randomSource(17);
  return (/** @type {number} */ from, /** @type {number} */ to) => {
    for (let index = from; index < to; index += 1) {
      const id = below(keys);
      if (below(2) === 0) onAnswer(cache.get(userKey(id)));
      else cache.set(userKey(id), user(id));
    }
    return 0;
  };
}

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'million',
  title: 'A million entries',
  description:
    'Caches for 1,000,000 entries are filled with as many distinct users; then 3,000,000 operations, half of them gets, ' +
    'half sets, over 2,000,000 keys in random order. The resident set is read at the end of these, before any forced ' +
    'collection; then one full collection gives the heap that is really in use, and its pause. "Longest pause" covers the ' +
    'whole run with that full collection, which is what memory pressure, a heap near its limit or a heap snapshot ' +
    'brings about in a server; "longest pause, unforced" leaves it out. Making a user and its key is in the time per ' +
    'operation of both.',
  settings: {
    smoke: { rounds: 1, capacity: 2_000, keys: 4_000, operations: 6_000 },
    quick: { rounds: 5, capacity: 1_000_000, keys: 2_000_000, operations: 3_000_000 },
    full: { rounds: 7, capacity: 1_000_000, keys: 2_000_000, operations: 3_000_000 },
  },
  cases: { users: { title: '1,000,000 users' } },
  measures: {
    heap: { label: 'JavaScript heap in use', unit: 'bytes', better: 'lower', chart: true },
    residentSet: { label: 'resident set', unit: 'bytes', better: 'lower', chart: true },
    longestPause: { label: 'longest pause of the collector', unit: 'milliseconds', better: 'lower', chart: true },
    unforcedPause: { label: 'longest pause, unforced', unit: 'milliseconds', better: 'lower' },
    allPauses: { label: 'all pauses, unforced', unit: 'milliseconds', better: 'lower' },
    time: { label: 'time per operation', unit: 'nanoseconds', better: 'lower' },
    hitRatio: { label: 'hits among the gets', unit: 'percent', better: 'higher' },
  },
  floors: [
    { measure: 'heap', against: 'lru-cache', atLeast: 20, headline: '1,000,000 objects: JavaScript heap' },
    {
      measure: 'longestPause',
      against: 'lru-cache',
      atLeast: 15,
      headline: '1,000,000 objects: longest pause of the garbage collector',
    },
    { measure: 'residentSet', against: 'lru-cache', atLeast: 2.5, headline: '1,000,000 objects: resident set' },
  ],
  contenders: { hotpath, 'lru-cache': lruCache },
  nodeOptions: ['--expose-gc'],

  /** Caches differ in what they evict, so answers are compared over keys that all fit. */
  check({ open, settings }) {
    const cache = open();
    /** @type {unknown[]} */
    const answers = [];
    const keys = Math.min(settings.capacity / 2, 50_000);
    mixed(cache, keys, (answer) => answers.push(answer))(0, keys * 4);
    return digestOf(answers);
  },

  async run({ open, settings }) {
    const cache = open();
    const pauses = watchPauses();
    for (let id = 0; id < settings.capacity; id += 1) {
      cache.set(userKey(id), user(id));
      if (id % SLICE === 0) await turn();
    }
    let gets = 0;
    let hits = 0;
    const operations = mixed(cache, settings.keys, (answer) => {
      gets += 1;
      if (answer !== undefined) hits += 1;
    });
    const { measures } = await timed({ operations: settings.operations, slice: SLICE }, operations);
    const { longest, total } = await pauses.stop();
    const residentSet = process.memoryUsage.rss();
    const forced = fullCollection();
    return {
      measures: {
        heap: process.memoryUsage().heapUsed,
        residentSet,
        longestPause: Math.max(longest, forced),
        unforcedPause: longest,
        allPauses: total,
        time: measures.time,
        hitRatio: (100 * hits) / gets,
      },
    };
  },
};
