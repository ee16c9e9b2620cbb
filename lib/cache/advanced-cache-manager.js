'use strict';

// The cache manager of document 002: embedded, or with Redis behind it. A positional ttl is milliseconds here.

const { ASYNC_DISPOSE, addAliases } = require('../aliases.js');
const { HotpathClosedError, invalidArgType } = require('../errors.js');
const check = require('../validate.js');
const { openFaceMemory } = require('./face-memory.js');
const { MEMORY } = require('./internal.js');
const { TTL_FORM } = require('./ttl-argument.js');

const MEMORY_DEFAULTS = { maxEntries: 10_000, ttlMs: 3_600_000 };
/** What options of the memory are called here. */
const MEMORY_WORDS = { maxEntries: 'maxSize', ttlMs: 'defaultTTL' };
const OPTIONS = ['distributed', 'name', 'maxSize', 'defaultTTL', 'cleanupInterval', 'enableMetrics'];
const WARM_OPTIONS = ['keys', 'loader', 'ttlMs'];

class AdvancedCacheManager {
  #memory;
  /** What is asked: the memory cache, or one in front of Redis. @type {any} */
  #cache;
  /** A Redis cache of its own. @type {import('./redis-cache.js').RedisCache | undefined} */
  #shared;
  /** @type {Promise<void> | undefined} */
  #closing;
  /** What Redis is told; the memory has a default of its own. @type {number | undefined} */
  #defaultTtlMs;
  #counts;

  /** @param {unknown} [options] */
  constructor(options) {
    const given = check.options(options, 'options', OPTIONS);
    const { name, maxSize, defaultTTL, cleanupInterval, enableMetrics = true, distributed } = given;
    // Expired entries leave by themselves; there is no sweep whose interval could be set.
    if (cleanupInterval !== undefined) check.positiveNumber(cleanupInterval, 'options.cleanupInterval');
    this.#counts = check.boolean(enableMetrics, 'options.enableMetrics');
    /** @type {Record<string, any>} */
    const memory = {};
    if (name !== undefined) memory.name = check.nonEmptyString(name, 'options.name');
    if (maxSize !== undefined) memory.maxEntries = check.positiveInteger(maxSize, 'options.maxSize');
    if (defaultTTL !== undefined) memory.ttlMs = check.positiveNumber(defaultTTL, 'options.defaultTTL');
    this.#memory = openFaceMemory('AdvancedCacheManager', MEMORY_DEFAULTS, memory, MEMORY_WORDS);
    this.#cache = this.#memory;
    if (distributed !== undefined) {
      ({ cache: this.#cache, shared: this.#shared } = distribute(this.#memory, distributed));
      this.#defaultTtlMs = memory.ttlMs ?? MEMORY_DEFAULTS.ttlMs;
    }
  }

  /** @param {string} key @returns {Promise<any>} */
  async get(key) {
    return this.#cache.get(key);
  }

  /** @param {string} key @param {any} value @param {unknown} [ttl] @returns {Promise<boolean>} */
  async set(key, value, ttl) {
    return this.#cache.set(key, value, this.#life(ttl));
  }

  /** @param {string} key @returns {Promise<boolean>} */
  async has(key) {
    return this.#cache.has(key);
  }

  /** @param {string} key @returns {Promise<boolean>} */
  async delete(key) {
    return this.#cache.delete(key);
  }

  /** @param {string[]} keys @returns {Promise<any[]>} */
  async getMany(keys) {
    return this.#cache.getMany(keys);
  }

  /** @param {string[]} keys @returns {Promise<Record<string, any>>} */
  async mget(keys) {
    return this.#cache.mget(keys);
  }

  /** @param {any} entries @param {unknown} [ttl] @returns {Promise<number>} */
  async setMany(entries, ttl) {
    return this.#cache.setMany(entries, this.#life(ttl));
  }

  /** @param {string[]} keys @returns {Promise<number>} */
  async deleteMany(keys) {
    return this.#cache.deleteMany(keys);
  }

  /**
   * Loads keys that are not there yet.
   * @param {Record<string, any>} groups
   */
  async warm(groups) {
    const named = Object.entries(check.plainObject(groups, 'groups'));
    if (this.closed) throw new HotpathClosedError('The cache manager is closed');
    const reports = named.map(async ([name, group]) => [name, await this.#warmGroup(name, group)]);
    return Object.fromEntries(await Promise.all(reports));
  }

  /** @param {string} pattern a glob @returns {Promise<number>} */
  async deletePattern(pattern) {
    return this.#cache.deletePattern(pattern);
  }

  get [TTL_FORM]() {
    return 'ms';
  }

  [MEMORY]() {
    return this.#memory;
  }

  getStats() {
    const { entries, bytes, maxEntries } = this.#memory.stats;
    // What memory misses and Redis has is a hit.
    const { hits, misses } = this.#cache.stats;
    const counted = this.#counts ? { hits, misses } : { hits: 0, misses: 0 };
    const reads = counted.hits + counted.misses;
    return {
      ...counted,
      hitRate: reads === 0 ? 0 : counted.hits / reads,
      size: entries,
      maxSize: maxEntries,
      utilization: entries / maxEntries,
      memoryUsage: bytes,
    };
  }

  get stats() {
    return this.#cache.stats;
  }

  async clear() {
    await this.#cache.clear();
  }

  get closed() {
    return this.#memory.closed;
  }

  /** @returns {Promise<void>} */
  close() {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end() {
    try {
      // It may have something to hand on to the others.
      if (this.#cache !== this.#memory) await this.#cache.close();
    } finally {
      this.#memory.close();
      await this.#shared?.close();
    }
  }

  /** @param {unknown} ttl milliseconds, or an object that says so */
  #life(ttl) {
    if (ttl === undefined) return this.#defaultTtlMs === undefined ? undefined : { ttlMs: this.#defaultTtlMs };
    return typeof ttl === 'number' ? { ttlMs: check.positiveNumber(ttl, 'ttl') } : ttl;
  }

  /** @param {string} name @param {any} group */
  async #warmGroup(name, group) {
    const path = `groups.${name}`;
    const { keys, loader, ttlMs } = check.options(group, path, WARM_OPTIONS);
    if (!Array.isArray(keys)) throw invalidArgType('an array of strings', `${path}.keys`, keys);
    check.function_(loader, `${path}.loader`);
    const options = this.#life(ttlMs === undefined ? undefined : check.positiveNumber(ttlMs, `${path}.ttlMs`));
    const outcomes = await Promise.allSettled(keys.map((key) => this.#cache.getOrSet(key, loader, options)));
    const errors = outcomes.flatMap((outcome, index) =>
      outcome.status === 'rejected' ? [{ key: keys[index], error: outcome.reason }] : [],
    );
    return { warmed: keys.length - errors.length, failed: errors.length, errors };
  }
}

/**
 * Puts the memory cache in front of a Redis. What other processes change leaves it at once; its entries live as long as
 * the caller says, not as long as a level does by default.
 * @param {import('./memory-cache.js').MemoryCache} memory
 * @param {any} redis a URL, options, or a cache that is open already
 */
function distribute(memory, redis) {
  // Loaded when they are asked for: most managers are embedded.
  const { MultiLevelCache } = require('./multi-level-cache.js');
  const { openRedis } = require('./face-redis.js');
  const shared = openRedis(redis, { clientTracking: true });
  const cache = new MultiLevelCache({ l1Cache: memory, l2Cache: shared, l2TTL: Number.POSITIVE_INFINITY });
  // A cache that was given may serve others.
  return { cache, shared: shared === redis ? undefined : shared };
}

addAliases(AdvancedCacheManager, { put: 'set', del: 'delete', mset: 'setMany', [ASYNC_DISPOSE]: 'close' });

module.exports = { AdvancedCacheManager };
