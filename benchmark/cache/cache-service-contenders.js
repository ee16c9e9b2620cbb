// The cache service on Redis beside a bare client, which applications use with JSON. See redis-contenders.js.

const { ioredis } = require('./redis-contenders.js');

/** @typedef {import('../harness/types.js').Contender} Contender */

/** Generous: on a busy machine a command may wait for its turn, and none shall be cut short. */
const LIMIT_MS = 60_000;

/** @type {Contender} */
const cacheService = {
  package: 'hotpath',
  options: () => ({ commandTimeoutMs: LIMIT_MS, keyPrefix: '' }),
  open(redis) {
    const { CacheService } = require('../..');
    return new CacheService({ redis });
  },
};

/** @type {Contender} */
const bareIoredis = {
  ...ioredis,
  open({ url, ...options }) {
    const { Redis } = require('ioredis');
    const client = new Redis(/** @type {string} */ (url), options);
    const parsed = (/** @type {string | null} */ text) => (text === null ? undefined : JSON.parse(text));
    return {
      get: async (/** @type {string} */ key) => parsed(await client.get(key)),
      set: (key, value) => client.set(key, JSON.stringify(value)),
      getMany: async (/** @type {string[]} */ keys) => (await client.mget(keys)).map(parsed),
      async mget(/** @type {string[]} */ keys) {
        const texts = await client.mget(keys);
        /** @type {Record<string, unknown>} */
        const hits = {};
        texts.forEach((text, index) => {
          if (text !== null) hits[keys[index]] = JSON.parse(text);
        });
        return hits;
      },
      mset: (/** @type {Record<string, unknown>} */ entries) =>
        client.mset(Object.entries(entries).flatMap(([key, value]) => [key, JSON.stringify(value)])),
      close: () => client.disconnect(),
    };
  },
};

module.exports = { bareIoredis, cacheService };
