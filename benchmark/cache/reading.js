const { digestOf } = require('../harness/digest.js');
const { timedWarm } = require('../harness/timing.js');
const { MASK } = require('../workload/sequences.js');
const { user, userKey, userKeys } = require('../workload/users.js');

/** How many of the drawn reads are compared before the timing, after each entry has been read once. */
const COMPARED = 20_000;

/**
 * @param {any} cache
 * @param {string[]} keys of users 0, 1, 2, ...
 */
function fill(cache, keys) {
  for (let id = 0; id < keys.length; id += 1) cache.set(keys[id], user(id));
}

/**
 * `check` and `run` of the trials that read users one by one.
 *
 * @param {(settings: any) => Uint32Array} draw the ids that are read
 * @returns {Pick<import('../harness/types.js').Trial, 'check' | 'run'>}
 */
function reading(draw) {
  return {
    check({ open, settings }) {
      const cache = open();
      const keys = userKeys(settings.entries);
      fill(cache, keys);
      const drawn = Array.from(draw(settings).subarray(0, COMPARED), userKey);
      return digestOf([...keys, ...drawn].map((key) => cache.get(key)));
    },

    run({ open, settings }) {
      const cache = open();
      const keys = userKeys(settings.entries);
      fill(cache, keys);
      const ids = draw(settings);
      return timedWarm(settings, settings.interned ? readInterned(cache, ids, keys) : readBuilt(cache, ids));
    },
  };
}

/**
 * Reads with key strings that live as long as the cache: the best case of any map, since V8 compares pointers.
 *
 * @param {any} cache
 * @param {Uint32Array} ids
 * @param {string[]} keys
 */
function readInterned(cache, ids, keys) {
  return (/** @type {number} */ from, /** @type {number} */ to) => {
    let sum = 0;
    for (let index = from; index < to; index += 1) sum += cache.get(keys[ids[index & MASK]]).visits;
    return sum;
  };
}

/**
 * Reads with a key built at each call, as applications do.
 *
 * @param {any} cache
 * @param {Uint32Array} ids
 */
function readBuilt(cache, ids) {
  return (/** @type {number} */ from, /** @type {number} */ to) => {
    let sum = 0;
    for (let index = from; index < to; index += 1) sum += cache.get(userKey(ids[index & MASK])).visits;
    return sum;
  };
}

module.exports = { fill, reading, readBuilt };
