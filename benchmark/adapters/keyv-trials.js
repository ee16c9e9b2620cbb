const { digestOf } = require('../harness/digest.js');
const { MASK, evenly } = require('../workload/sequences.js');
const { user, userKey, userKeys } = require('../workload/users.js');
const { inFlight } = require('../harness/in-flight.js');

/** @param {any} keyv @param {number} entries */
async function fill(keyv, entries) {
  for (let id = 0; id < entries; id += 1) await keyv.set(userKey(id), user(id));
}

/**
 * `check` and `run` of the trials that ask a Keyv, one call after the other.
 *
 * @param {(keyv: any, ids: Uint32Array, index: number) => Promise<number>} ask what was read goes into the number
 * @returns {Pick<import('../harness/types.js').Trial, 'check' | 'run'>}
 */
function askingKeyv(ask) {
  return {
    async check({ open, settings }) {
      const keyv = open();
      await fill(keyv, settings.entries);
      const keys = [...userKeys(settings.entries), 'missing'];
      const twice = [];
      for (const key of [...keys, ...keys]) twice.push(await keyv.get(key));
      return digestOf(twice);
    },

    async run({ open, settings }) {
      const keyv = open();
      await fill(keyv, settings.entries);
      const ids = evenly(settings);
      return inFlight({ ...settings, inFlight: 1 }, (index) => ask(keyv, ids, index & MASK));
    },
  };
}

module.exports = { askingKeyv };
