// Clients of Redis that are compared, each with the work that an application leaves to it: objects in, objects out. A
// process has a server of its own, which starts empty.

const { startRedis } = require('../../__test__/support/redis.js');

/** @typedef {import('../harness/types.js').Contender} Contender */

/** JSON, as applications that use a bare client store objects. @param {string | null} text */
const parsed = (text) => (text === null ? undefined : JSON.parse(text));

/** Generous: on a busy machine a command may wait for its turn, and none shall be cut short. */
const LIMIT_MS = 60_000;

/** @type {Contender} */
const hotpath = {
  package: 'hotpath',
  options: ({ format = 'native' }) => ({ format, commandTimeoutMs: LIMIT_MS }),
  open(options) {
    const { RedisCache } = require('../..');
    return new RedisCache(options);
  },
};

/** Queues what is asked for before it is connected. @type {Contender} */
const nodeRedis = {
  package: 'redis',
  options: () => ({ socket: { noDelay: true } }),
  open(options) {
    const { createClient } = require('redis');
    const client = createClient(options);
    client.on('error', () => {});
    client.connect();
    return {
      get: async (/** @type {string} */ key) => parsed(await client.get(key)),
      set: (key, value) => client.set(key, JSON.stringify(value)),
      getMany: async (/** @type {string[]} */ keys) => (await client.mGet(keys)).map(parsed),
      close: () => client.destroy(),
    };
  },
};

/** With autopipelining, its quickest way. @type {Contender} */
const ioredis = {
  package: 'ioredis',
  options: () => ({ enableAutoPipelining: true }),
  open({ url, ...options }) {
    const { Redis } = require('ioredis');
    const client = new Redis(/** @type {string} */ (url), options);
    return {
      get: async (/** @type {string} */ key) => parsed(await client.get(key)),
      set: (key, value) => client.set(key, JSON.stringify(value)),
      getMany: async (/** @type {string[]} */ keys) => (await client.mget(keys)).map(parsed),
      close: () => client.disconnect(),
    };
  },
};

/**
 * Starts a server, opens the contender on it, and ends both.
 *
 * @template T
 * @param {import('../harness/types.js').Context} context
 * @param {(cache: any, server: any) => Promise<T>} use
 */
async function withServer({ contender, settings }, use) {
  /** @type {(() => unknown)[]} */
  const ends = [];
  try {
    const server = await startRedis({ after: (/** @type {() => unknown} */ end) => ends.push(end) });
    const cache = contender.open({ ...contender.options(settings), url: server.url });
    try {
      return await use(cache, server);
    } finally {
      await cache.close?.();
    }
  } finally {
    for (const end of ends) await end();
  }
}

module.exports = { hotpath, ioredis, nodeRedis, withServer };
