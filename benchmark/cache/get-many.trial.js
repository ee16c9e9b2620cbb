const { digestOf } = require('../harness/digest.js');
const { timedWarm, timeMeasures } = require('../harness/timing.js');
const { zipf } = require('../workload/sequences.js');
const { userKeys } = require('../workload/users.js');
const { hotpath } = require('./contenders.js');
const { fill } = require('./reading.js');

const BATCH = 100;

/** Distinct batches; the loop walks them again and again. */
const BATCHES = 2_048;

/**
 * @param {string[]} keys
 * @param {any} settings
 */
function drawBatches(keys, settings) {
  const ids = zipf(settings);
  return Array.from({ length: BATCHES }, (_, batch) =>
    Array.from(ids.subarray(batch * BATCH, (batch + 1) * BATCH), (id) => keys[id]),
  );
}

/** @typedef {(cache: any, keys: string[]) => any[]} Read */

/** @type {Read} */
const atOnce = (cache, keys) => cache.getMany(keys);

/** @type {Read} */
const oneByOne = (cache, keys) => keys.map((key) => cache.get(key));

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'get-many',
  title: 'Many keys at once',
  description:
    'Arrays of 100 keys, drawn by Zipf’s law from 100,000 users, read with one `getMany` or with one `get` for each key. ' +
    'Near hits have no crossing to save, so with the near cache on the two may well be equal.',
  settings: {
    smoke: { rounds: 1, entries: 2_000, capacity: 2_500, operations: 100, slice: 100 },
    quick: { rounds: 5, entries: 100_000, capacity: 125_000, operations: 4_000, slice: 100 },
    full: { rounds: 11, entries: 100_000, capacity: 125_000, operations: 20_000, slice: 100 },
  },
  cases: {
    native: { title: 'near cache off', settings: { nearCache: false } },
    default: { title: 'near cache on' },
  },
  measures: timeMeasures('100 keys'),
  floors: [
    { case: 'native', measure: 'time', against: 'get', atLeast: 1.3 },
    { case: 'default', measure: 'time', against: 'get', atLeast: 0.95 },
  ],
  contenders: {
    getMany: { ...hotpath, read: atOnce },
    get: { ...hotpath, read: oneByOne },
  },

  check({ open, contender, settings }) {
    const cache = open();
    const keys = userKeys(settings.entries);
    fill(cache, keys);
    return digestOf(drawBatches(keys, settings).flatMap((batch) => contender.read(cache, batch)));
  },

  run({ open, contender, settings }) {
    const cache = open();
    const keys = userKeys(settings.entries);
    fill(cache, keys);
    const batches = drawBatches(keys, settings);
    return timedWarm(settings, (from, to) => {
      let sum = 0;
      for (let index = from; index < to; index += 1) {
        for (const found of contender.read(cache, batches[index % BATCHES])) sum += found.visits;
      }
      return sum;
    });
  },
};
