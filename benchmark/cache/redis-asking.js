const { inFlight } = require('../harness/in-flight.js');
const { digestOf } = require('../harness/digest.js');
const { user, userKeys } = require('../workload/users.js');
const { evenly, MASK } = require('../workload/sequences.js');
const { withServer } = require('./redis-contenders.js');

/** Users that are written with one request each while the server is filled. */
const FILL = 500;

/** @param {any} cache @param {string[]} keys of users 0, 1, 2, ... */
async function fill(cache, keys) {
  for (let from = 0; from < keys.length; from += FILL) {
    await Promise.all(keys.slice(from, from + FILL).map((key, index) => cache.set(key, user(from + index))));
  }
}

/**
 * `check` and `run` of the trials that ask a server.
 *
 * @param {(cache: any, keys: string[], id: number) => Promise<number>} ask asks once, about the user `id`; what was read
 *   goes into the number
 * @returns {Pick<import('../harness/types.js').Trial, 'check' | 'run'>}
 */
function asking(ask) {
  return {
    check: (context) =>
      withServer(context, async (cache) => {
        const keys = userKeys(context.settings.entries);
        await fill(cache, keys);
        const singly = await Promise.all(keys.map((key) => cache.get(key)));
        return digestOf([...singly, await cache.getMany([...keys.slice(0, 100), 'missing'])]);
      }),

    run: (context) =>
      withServer(context, async (cache) => {
        const { settings } = context;
        const keys = userKeys(settings.entries);
        await fill(cache, keys);
        const ids = evenly(settings);
        return inFlight(settings, (index) => ask(cache, keys, ids[index & MASK]));
      }),
  };
}

module.exports = { asking };
