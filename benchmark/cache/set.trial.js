const { digestOf } = require('../harness/digest.js');
const { timedWarm, timeMeasures } = require('../harness/timing.js');
const { MASK, evenly } = require('../workload/sequences.js');
const { user, userKey, userKeys } = require('../workload/users.js');
const { hotpath, lruCache, nodeCache, cacheableMemory } = require('./contenders.js');
const { fill } = require('./reading.js');

/**
 * Overwrites drawn keys with drawn users, made beforehand.
 *
 * @param {any} cache
 * @param {any} settings
 */
function writer(cache, settings) {
  const users = Array.from({ length: settings.entries }, (_, id) => user(id));
  const ids = evenly(settings);
  return (/** @type {number} */ from, /** @type {number} */ to) => {
    for (let index = from; index < to; index += 1) {
      cache.set(userKey(ids[index & MASK]), users[ids[(index + 1) & MASK]]);
    }
    return 0;
  };
}

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

  check({ open, settings }) {
    const cache = open();
    const keys = userKeys(settings.entries);
    fill(cache, keys);
    writer(cache, settings)(0, settings.operations);
    return digestOf(keys.map((key) => cache.get(key)));
  },

  run({ open, settings }) {
    const cache = open();
    fill(cache, userKeys(settings.entries));
    return timedWarm(settings, writer(cache, settings));
  },
};
