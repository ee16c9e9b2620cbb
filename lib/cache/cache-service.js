'use strict';

// The cache service of an application: embedded in the process, or on Redis where it is configured, with one face.

const { ASYNC_DISPOSE, addAliases } = require('../aliases.js');
const { HotpathClosedError } = require('../errors.js');
const check = require('../validate.js');
const { openFaceMemory } = require('./face-memory.js');
const { isGlob, literally } = require('./globs.js');
const { MEMORY } = require('./internal.js');
const { checkKey, checkKeys, pairsOf } = require('./memory-arguments.js');

const MEMORY_DEFAULTS = { compression: false, maxMemoryMB: 100 };
const OPTIONS = ['redis', 'name', 'prefix', ...Object.keys(MEMORY_DEFAULTS)];

/** A value that nobody has asked for lives this long; each access adds a step, up to the limit. In seconds. */
const INTELLIGENT_TTL = { base: 300, step: 60, limit: 3600, countedFor: 86_400 };
const ACCESS_COUNT = ':access_count';

class CacheService {
  /** @type {any} */
  #opened;
  /** Options of an embedded service's memory. @type {Record<string, any>} */
  #memory;
  /** @type {any} */
  #redis;
  #prefix;
  #closed = false;

  /** @param {unknown} [options] */
  constructor(options) {
    const given = check.options(options, 'options', OPTIONS);
    const { redis, prefix = '', ...memory } = given;
    this.#redis = redis;
    this.#memory = memory;
    this.#prefix = check.string(prefix, 'options.prefix');
    // What may be wrong is found out now. The rest can wait for the first use, so that a service costs nothing before.
    const { name, ...others } = given;
    if (name !== undefined) check.nonEmptyString(name, 'options.name');
    if (Object.keys(others).length > 0) this.#open();
  }

  get closed() {
    return this.#closed;
  }

  #open() {
    if (this.#closed) throw new HotpathClosedError('The cache service is closed');
    this.#opened ??=
      this.#redis === undefined
        ? openFaceMemory('CacheService', MEMORY_DEFAULTS, this.#memory)
        : // Loaded when it is asked for: most services are embedded.
          require('./face-redis.js').openRedis(this.#redis);
    return this.#opened;
  }

  /** @param {string} key @returns {Promise<any>} */
  async get(key) {
    return this.#open().get(this.#full(key));
  }

  /** @param {string} key @param {any} value @param {unknown} [ttl] @returns {Promise<boolean>} */
  async set(key, value, ttl) {
    return this.#open().set(this.#full(key), value, ttl);
  }

  /** @param {string} key @returns {Promise<boolean>} */
  async has(key) {
    return this.#open().has(this.#full(key));
  }

  /** @param {string} key @returns {Promise<boolean>} */
  async delete(key) {
    return this.#open().delete(this.#full(key));
  }

  /** @param {string[]} keys @returns {Promise<any[]>} */
  async getMany(keys) {
    return this.#open().getMany(this.#fullKeys(keys));
  }

  /** @param {string[]} keys @returns {Promise<Record<string, any>>} */
  async mget(keys) {
    const hits = await this.#open().mget(this.#fullKeys(keys));
    if (this.#prefix === '') return hits;
    return Object.fromEntries(Object.entries(hits).map(([key, value]) => [key.slice(this.#prefix.length), value]));
  }

  /** @param {any} entries @param {unknown} [ttl] @returns {Promise<number>} */
  async setMany(entries, ttl) {
    if (this.#prefix === '') return this.#open().setMany(entries, ttl);
    const prefixed = pairsOf(entries).map(([key, value]) => [this.#prefix + key, value]);
    return this.#open().setMany(prefixed, ttl);
  }

  /** @param {string[]} keys @returns {Promise<number>} */
  async deleteMany(keys) {
    return this.#open().deleteMany(this.#fullKeys(keys));
  }

  /** @param {string} pattern @param {string | number} id @param {any} value @param {unknown} [ttl] */
  async setWithPattern(pattern, id, value, ttl) {
    return this.set(patternKey(pattern, id), value, ttl);
  }

  /** @param {string} pattern @param {string | number} id */
  async getWithPattern(pattern, id) {
    return this.get(patternKey(pattern, id));
  }

  /**
   * Without glob characters, a pattern means the key of that name and all keys that `setWithPattern` makes of it.
   * @param {string} pattern
   * @returns {Promise<number>}
   */
  async delPattern(pattern) {
    check.nonEmptyString(pattern, 'pattern');
    const prefix = literally(this.#prefix);
    if (isGlob(pattern)) return this.#open().deletePattern(prefix + pattern);
    const family = await this.#open().deletePattern(`${prefix}${literally(pattern)}:*`);
    return family + Number(await this.delete(pattern));
  }

  /** @param {string} key @param {unknown} [ttl] for a counter that this call makes @returns {Promise<number>} */
  async increment(key, ttl) {
    return this.#open().increment(this.#full(key), 1, ttl);
  }

  /**
   * Stores a value for as long as it deserves, and counts this as an access.
   * @param {string} key
   * @param {any} value
   * @returns {Promise<number>} the time to live, in seconds
   */
  async setWithIntelligentTTL(key, value) {
    const { base, step, limit, countedFor } = INTELLIGENT_TTL;
    const earlier = (await this.increment(checkKey(key) + ACCESS_COUNT, countedFor)) - 1;
    const ttl = Math.min(limit, base + earlier * step);
    await this.set(key, value, ttl);
    return ttl;
  }

  /** Removes what nobody can need any more: expired entries leave by themselves, counts of keys that are gone do not. */
  async optimize() {
    const before = this.getStats();
    const counters = await this.#open().keys(`${literally(this.#prefix)}*${ACCESS_COUNT}`);
    const counted = counters.map((/** @type {string} */ key) => key.slice(0, -ACCESS_COUNT.length));
    const present = await Promise.all(counted.map((/** @type {string} */ key) => this.#open().has(key)));
    const orphans = counters.filter((/** @type {string} */ _key, /** @type {number} */ index) => !present[index]);
    const removed = orphans.length === 0 ? 0 : await this.#open().deleteMany(orphans);
    const after = this.getStats();
    const freedBytes = Math.max(0, before.memoryUsage - after.memoryUsage);
    return { examined: counters.length, removed, freedBytes, memoryUsage: after.memoryUsage };
  }

  /** @returns {import('./memory-cache.js').MemoryCache | undefined} */
  [MEMORY]() {
    return this.#open()[MEMORY]?.();
  }

  getStats() {
    const { hits, misses, ...stats } = this.#open().stats;
    const reads = hits + misses;
    const { entries = 0, bytes = 0, maxBytes = 0 } = stats;
    return {
      hits,
      misses,
      hitRate: reads === 0 ? 0 : hits / reads,
      size: entries,
      maxSize: maxBytes,
      utilization: maxBytes === 0 ? 0 : bytes / maxBytes,
      memoryUsage: bytes,
    };
  }

  get stats() {
    return this.#open().stats;
  }

  async clear() {
    if (this.#prefix === '') await this.#open().clear();
    else await this.#open().deletePattern(`${literally(this.#prefix)}*`);
  }

  async close() {
    if (this.#closed) return;
    this.#closed = true;
    // A cache that was given may serve others.
    if (this.#opened !== this.#redis) await this.#opened.close();
  }

  /** @param {string} key */
  #full(key) {
    return this.#prefix + checkKey(key);
  }

  /** @param {string[]} keys */
  #fullKeys(keys) {
    checkKeys(keys);
    return this.#prefix === '' ? keys : keys.map((key) => this.#prefix + key);
  }
}

/** @param {string} pattern @param {string | number} id */
function patternKey(pattern, id) {
  return `${check.nonEmptyString(pattern, 'pattern')}:${id}`;
}

addAliases(CacheService, { put: 'set', del: 'delete', mset: 'setMany', [ASYNC_DISPOSE]: 'close' });

/** The service that everybody shares. */
const cacheService = new CacheService({ name: 'default' });

module.exports = { CacheService, cacheService };
