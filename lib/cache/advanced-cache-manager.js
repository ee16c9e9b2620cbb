'use strict';

// The cache manager of document 002: embedded, or with Redis behind it. A positional ttl is milliseconds here.

const { ASYNC_DISPOSE, addAliases } = require('../aliases.js');
const { invalidArgType } = require('../errors.js');
const check = require('../validate.js');
const { MEMORY } = require('./internal.js');
const { MemoryCache } = require('./memory-cache.js');
const { TTL_IN_MS } = require('./ttl-argument.js');

const DEFAULTS = { maxSize: 10_000, defaultTTL: 3_600_000, cleanupInterval: 300_000, enableMetrics: true };
const OPTIONS = ['distributed', 'name', ...Object.keys(DEFAULTS)];
const WARM_OPTIONS = ['keys', 'loader', 'ttlMs'];

class AdvancedCacheManager {
  #memory;
  /** What is asked: the memory cache, or one in front of Redis. @type {any} */
  #cache;
  #defaultTtlMs;
  #counts;

  [TTL_IN_MS] = true;

  /** @param {unknown} [options] */
  constructor(options) {
    /** @type {Record<string, any>} */
    const given = { ...DEFAULTS, ...check.options(options, 'options', OPTIONS) };
    const maxEntries = check.positiveInteger(given.maxSize, 'options.maxSize');
    const ttlMs = check.positiveNumber(given.defaultTTL, 'options.defaultTTL');
    // Expired entries leave by themselves; there is no sweep whose interval could be set.
    check.positiveNumber(given.cleanupInterval, 'options.cleanupInterval');
    this.#counts = check.boolean(given.enableMetrics, 'options.enableMetrics');
    this.#defaultTtlMs = ttlMs;
    const name = given.name && `AdvancedCacheManager/${check.nonEmptyString(given.name, 'options.name')}`;
    this.#memory = new MemoryCache({ name, maxEntries, ttlMs });
    this.#cache = given.distributed === undefined ? this.#memory : distribute(this.#memory, given.distributed);
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
    const reports = named.map(async ([name, group]) => [name, await this.#warmGroup(name, group)]);
    return Object.fromEntries(await Promise.all(reports));
  }

  /** @param {string} pattern a glob @returns {Promise<number>} */
  async deletePattern(pattern) {
    return this.#cache.deletePattern(pattern);
  }

  [MEMORY]() {
    return this.#memory;
  }

  getStats() {
    const { hits, misses, entries, bytes, maxEntries } = this.#memory.stats;
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

  async close() {
    await this.#cache.close();
  }

  /** @param {unknown} ttl milliseconds, or an object that says so */
  #life(ttl) {
    if (ttl === undefined) return { ttlMs: this.#defaultTtlMs };
    return typeof ttl === 'number' ? { ttlMs: check.positiveNumber(ttl, 'ttl') } : ttl;
  }

  /** @param {string} name @param {any} group */
  async #warmGroup(name, group) {
    const path = `groups.${name}`;
    const { keys, loader, ttlMs } = check.options(group, path, WARM_OPTIONS);
    if (!Array.isArray(keys)) throw invalidArgType('an array of strings', `${path}.keys`, keys);
    check.function_(loader, `${path}.loader`);
    const options = { ttlMs: ttlMs === undefined ? this.#defaultTtlMs : check.positiveNumber(ttlMs, `${path}.ttlMs`) };
    const outcomes = await Promise.allSettled(keys.map((key) => this.#cache.getOrSet(key, loader, options)));
    const errors = outcomes.flatMap((outcome, index) =>
      outcome.status === 'rejected' ? [{ key: keys[index], error: outcome.reason }] : [],
    );
    return { warmed: keys.length - errors.length, failed: errors.length, errors };
  }
}

/** Puts the memory cache in front of a Redis. @param {MemoryCache} memory @param {any} redis its options */
function distribute(memory, redis) {
  // Loaded when they are asked for: most managers are embedded.
  const { MultiLevelCache } = require('./multi-level-cache.js');
  const { RedisCache } = require('./redis-cache.js');
  return new MultiLevelCache({ l1Cache: memory, l2Cache: new RedisCache(redis) });
}

addAliases(AdvancedCacheManager, { put: 'set', del: 'delete', mset: 'setMany', [ASYNC_DISPOSE]: 'close' });

module.exports = { AdvancedCacheManager };
