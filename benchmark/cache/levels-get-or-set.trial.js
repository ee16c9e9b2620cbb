const { digestOf } = require('../harness/digest.js');
const { inFlight, inFlightMeasures } = require('../harness/in-flight.js');
const { MASK, evenly } = require('../workload/sequences.js');
const { user, userKeys } = require('../workload/users.js');
const { bentocache, cacheManager, cacheable, hotpath, withServer } = require('./levels-contenders.js');

/** Users that are loaded at once while levels are filled. */
const FILL = 250;

/** @param {any} cache @param {string[]} keys @param {(id: number) => any} load */
async function fill(cache, keys, load) {
  for (let from = 0; from < keys.length; from += FILL) {
    await Promise.all(keys.slice(from, from + FILL).map((key, index) => cache.getOrSet(key, () => load(from + index))));
  }
}

/** An asynchronous source, as a database is. @param {number} id */
const source = async (id) => user(id);

const missing = async () => {
  throw new Error('A level that was filled has lost a user');
};

/**
 * How a case asks: which user with the `index`-th question, what loads it, and what is filled before.
 * @type {Record<string, { fill: boolean, again: boolean, load: (id: number) => Promise<any> }>}
 */
const CASES = {
  'l1-hit': { fill: true, again: false, load: missing },
  'l1-encoded': { fill: true, again: false, load: missing },
  'l2-hit': { fill: true, again: true, load: missing },
  miss: { fill: false, again: false, load: source },
  'miss-without-lease': { fill: false, again: false, load: source },
};

/** What the best of the peers is held against, case by case. */
const FLOORS = { 'l1-hit': 15, 'l2-hit': 3, miss: 2, 'miss-without-lease': 2 };

/** In memory any user is asked for at any time, elsewhere each once. */
const isInMemory = (/** @type {string} */ name) => name.startsWith('l1');

/** In memory calls are so much quicker that it takes more of them to time any. */
const MORE_IN_MEMORY = 10;

/** Users that are asked for again and again. */
const HOT = 2_000;

const peers = ['bentocache', 'cacheable', 'cache-manager'];

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'levels-get-or-set',
  title: 'Two levels: getOrSet, 64 in flight',
  description:
    'getOrSet over memory and Redis with 64 calls always under way: a few users that are in memory, asked for again and ' +
    'again; so many that are in memory that hotpath keeps most of them encoded, outside the heap; users that only Redis ' +
    'has, each asked for once by a cache whose memory was empty; users that nobody has, loaded and written to both levels. ' +
    'hotpath takes a lease in Redis for each load, so that of all processes one loads, which no peer does; the last case ' +
    'is without it (lock: false). Each process has a server of its own on the same machine, which takes its share of the ' +
    'two cores.',
  settings: {
    smoke: { rounds: 1, entries: 500, operations: 300, inFlight: 16 },
    quick: { rounds: 3, entries: 24_000, operations: 20_000, inFlight: 64 },
    full: { rounds: 7, entries: 120_000, operations: 100_000, inFlight: 64 },
  },
  cases: {
    'l1-hit': { title: 'in memory, hot' },
    'l1-encoded': { title: 'in memory, many' },
    'l2-hit': { title: 'in Redis' },
    miss: { title: 'nowhere' },
    'miss-without-lease': { title: 'nowhere, no lease', settings: { lock: false } },
  },
  measures: inFlightMeasures('getOrSet'),
  floors: Object.entries(FLOORS).flatMap(([name, atLeast]) =>
    peers.flatMap((against) => [
      { case: name, measure: 'time', against, atLeast },
      { case: name, measure: 'mainThread', against, atMost: 0.5 },
    ]),
  ),
  contenders: { hotpath, bentocache, cacheable, 'cache-manager': cacheManager },

  check: (context) =>
    withServer(context, async (open) => {
      const keys = userKeys(context.settings.entries);
      const first = await open();
      await fill(first, keys, source);
      const again = await open();
      const read = (/** @type {any} */ cache) => Promise.all(keys.map((key) => cache.getOrSet(key, missing)));
      return digestOf([...(await read(first)), ...(await read(again))]);
    }),

  run: (context) =>
    withServer(context, async (open) => {
      const { settings, job } = context;
      const { fill: isFilled, again, load } = CASES[job.case];
      const keys = userKeys(settings.entries);
      let cache = await open();
      if (isFilled) await fill(cache, keys, source);
      if (again) cache = await open();
      const hot = job.case === 'l1-hit' ? Math.min(HOT, settings.entries) : settings.entries;
      const ids = evenly({ ...settings, hot });
      let next = 0;
      const idOf = isInMemory(job.case) ? (/** @type {number} */ index) => ids[index & MASK] : () => next++;
      const operations = settings.operations * (isInMemory(job.case) ? MORE_IN_MEMORY : 1);
      return inFlight({ ...settings, operations }, async (index) => {
        const id = idOf(index);
        return (await cache.getOrSet(keys[id], () => load(id))).visits;
      });
    }),
};
