const { digestOf } = require('../harness/digest.js');
const { timedWarm } = require('../harness/timing.js');
const { MASK, evenly } = require('../workload/sequences.js');
const { user, userKey, userKeys } = require('../workload/users.js');
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

/** `check` and `run` of the trials that write users one by one. @type {Pick<import('../harness/types.js').Trial, 'check' | 'run'>} */
const writing = {
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

module.exports = { writing };
