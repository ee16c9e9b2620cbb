// Caches of two levels that are compared: memory, and behind it a Redis of their own each. Every one as its documentation
// sets it up, with nothing switched off but what says otherwise.

const { startRedis } = require('../../__test__/support/redis.js');

/** @typedef {import('../harness/types.js').Contender} Contender */

/** Seconds; longer than any run. */
const TTL = 3600;

/** @type {Contender} */
const hotpath = {
  package: 'hotpath',
  options: ({ lock }) => (lock === undefined ? {} : { lock }),
  async open({ url, ...options }) {
    const { MemoryCache, MultiLevelCache, RedisCache } = require('../..');
    const l1Cache = new MemoryCache({ maxMemoryMB: 1024 });
    const l2Cache = new RedisCache({ url: String(url), commandTimeoutMs: 60_000 });
    await l2Cache.ping();
    const cache = new MultiLevelCache({ ...options, l1Cache, l2Cache, l1TTL: TTL, l2TTL: TTL });
    return {
      getOrSet: (/** @type {string} */ key, /** @type {any} */ loader) => cache.getOrSet(key, loader),
      async close() {
        await cache.close();
        await l2Cache.close();
        l1Cache.close();
      },
    };
  },
};

/** @type {Contender} */
const bentocache = {
  package: 'bentocache',
  options: () => ({}),
  async open({ url }) {
    const { BentoCache, bentostore } = await import('bentocache');
    const { memoryDriver } = await import('bentocache/drivers/memory');
    const { redisDriver } = await import('bentocache/drivers/redis');
    const { hostname: host, port } = new URL(String(url));
    const connection = { host, port: Number(port) };
    const levels = bentostore()
      .useL1Layer(memoryDriver({ maxItems: 1_000_000 }))
      .useL2Layer(redisDriver({ connection }));
    const cache = new BentoCache({ default: 'levels', stores: { levels }, ttl: TTL * 1000 });
    return {
      getOrSet: (/** @type {string} */ key, /** @type {any} */ factory) => cache.getOrSet({ key, factory }),
      close: () => cache.disconnectAll(),
    };
  },
};

/** @type {Contender} */
const cacheable = {
  package: 'cacheable',
  options: () => ({}),
  async open({ url }) {
    const { Cacheable } = require('cacheable');
    const { default: KeyvRedis } = require('@keyv/redis');
    const cache = new Cacheable({ secondary: new KeyvRedis(String(url)), ttl: TTL * 1000 });
    return {
      getOrSet: (/** @type {string} */ key, /** @type {any} */ loader) => cache.getOrSet(key, loader),
      close: () => cache.disconnect(),
    };
  },
};

/** @type {Contender} */
const cacheManager = {
  package: 'cache-manager',
  options: () => ({}),
  async open({ url }) {
    const { createCache } = require('cache-manager');
    const { CacheableMemory } = require('cacheable');
    const { Keyv } = require('keyv');
    const { default: KeyvRedis } = require('@keyv/redis');
    const stores = [new Keyv({ store: new CacheableMemory() }), new Keyv({ store: new KeyvRedis(String(url)) })];
    const cache = createCache({ stores, ttl: TTL * 1000 });
    return {
      getOrSet: (/** @type {string} */ key, /** @type {any} */ loader) => cache.wrap(key, loader),
      close: () => cache.disconnect(),
    };
  },
};

/**
 * Starts a server and ends it; `open` opens the contender on it, as often as it is called, each time with a memory of its
 * own that is empty.
 *
 * @template T
 * @param {import('../harness/types.js').Context} context
 * @param {(open: () => Promise<any>) => Promise<T>} use
 */
async function withServer({ contender, settings }, use) {
  /** @type {(() => unknown)[]} */
  const ends = [];
  try {
    const server = await startRedis({ after: (/** @type {() => unknown} */ end) => ends.push(end) });
    return await use(async () => {
      const cache = await contender.open({ ...contender.options(settings), url: server.url });
      ends.unshift(() => cache.close());
      return cache;
    });
  } finally {
    for (const end of ends) await end();
  }
}

module.exports = { hotpath, bentocache, cacheable, cacheManager, withServer };
