// The caches that are compared. What a trial's settings say means the same to each of them; packages are loaded when a
// contender opens, so that a process holds one of them only.

/** Far above what any trial stores: entries are counted, bytes never decide. */
const MEMORY_MB = 2048;

/** @typedef {import('../harness/types.js').Contender} Contender */

/** @type {Contender} */
const hotpath = {
  package: 'hotpath',
  options: ({ capacity, ttlMs, nearCache, name }) => ({
    maxEntries: capacity,
    maxMemoryMB: MEMORY_MB,
    ...given({ ttlMs, nearCache, name }),
  }),
  open(options) {
    const { MemoryCache } = require('../..');
    return new MemoryCache(options);
  },
};

/** @type {Contender} */
const lruCache = {
  package: 'lru-cache',
  options: ({ capacity, ttlMs }) => ({ max: capacity, ...given({ ttl: ttlMs }) }),
  open(options) {
    const { LRUCache } = require('lru-cache');
    return new LRUCache(/** @type {any} */ (options));
  },
};

/** Clones what goes in and out, its default, and never evicts. @type {Contender} */
const nodeCache = {
  package: 'node-cache',
  options: ({ ttlMs = 0 }) => ({ useClones: true, stdTTL: ttlMs / 1000 }),
  open(options) {
    const NodeCache = require('node-cache');
    return new NodeCache(options);
  },
};

/** Clones too, its default, and is unbounded unless told otherwise. @type {Contender} */
const cacheableMemory = {
  package: 'cacheable',
  options: ({ ttlMs }) => ({ useClone: true, ...given({ ttl: ttlMs }) }),
  open(options) {
    const { CacheableMemory } = require('cacheable');
    return new CacheableMemory(options);
  },
};

/** @param {Record<string, unknown>} options */
function given(options) {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

module.exports = { hotpath, lruCache, nodeCache, cacheableMemory };
