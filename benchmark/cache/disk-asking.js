const { digestOf } = require('../harness/digest.js');
const { inFlight } = require('../harness/in-flight.js');
const { MASK, evenly } = require('../workload/sequences.js');
const { userKeys } = require('../workload/users.js');
const { bytesFor, withDirectory } = require('./disk-contenders.js');

/** Values that are written at once while a cache is filled. */
const FILL = 256;

/** @param {any} cache @param {string[]} keys */
async function fill(cache, keys) {
  for (let from = 0; from < keys.length; from += FILL) {
    await Promise.all(keys.slice(from, from + FILL).map((key, index) => cache.set(key, bytesFor(from + index))));
  }
}

/**
 * `check` and `run` of the trials on disk.
 *
 * @param {(cache: any, keys: string[], id: number) => Promise<number>} ask asks once, about the key `id`
 * @returns {Pick<import('../harness/types.js').Trial, 'check' | 'run'>}
 */
function askingDisk(ask) {
  return {
    check: (context) =>
      withDirectory(context, async (cache) => {
        const keys = userKeys(context.settings.entries);
        await fill(cache, keys);
        const values = await Promise.all([...keys, 'missing'].map((key) => cache.get(key)));
        return digestOf(values.map((value) => (value === undefined ? null : value.toString('latin1'))));
      }),

    run: (context) =>
      withDirectory(context, async (cache) => {
        const { settings } = context;
        const keys = userKeys(settings.entries);
        await fill(cache, keys);
        const ids = evenly(settings);
        return inFlight(settings, (index) => ask(cache, keys, ids[index & MASK]));
      }),
  };
}

module.exports = { askingDisk };
