'use strict';

// What adapters need of a cache, of whichever class it is: what a cache has no method for is done with those that it
// has, or refused by name.

const { HotpathError } = require('../errors.js');
const { lifeOptions } = require('../cache/ttl-argument.js');

class AnyCache {
  #cache;

  /** @param {any} cache */
  constructor(cache) {
    this.#cache = cache;
  }

  /** @param {string} key @param {any} value @param {number | undefined} ttlMs */
  set(key, value, ttlMs) {
    return this.#cache.set(key, value, this.#life(ttlMs));
  }

  /** @param {string[]} keys @returns {Promise<any[]>} */
  async getMany(keys) {
    if (typeof this.#cache.getMany === 'function') return this.#cache.getMany(keys);
    return Promise.all(keys.map((key) => this.#cache.get(key)));
  }

  /** @param {string[]} keys @returns {Promise<number>} how many were there */
  async deleteMany(keys) {
    if (typeof this.#cache.deleteMany === 'function') return this.#cache.deleteMany(keys);
    const answers = await Promise.all(keys.map((key) => this.#cache.delete(key)));
    return answers.filter(Boolean).length;
  }

  /**
   * Where a cache cannot do it, the value is written again: what somebody else writes at the same moment may be lost.
   * @param {string} key
   * @param {number} ttlMs
   */
  async touch(key, ttlMs) {
    if (typeof this.#cache.touch === 'function') return this.#cache.touch(key, this.#life(ttlMs));
    const value = await this.#cache.get(key);
    return value !== undefined && value !== null && this.set(key, value, ttlMs);
  }

  /**
   * At once where the cache is in memory, later elsewhere.
   * @param {string} [pattern] a glob
   * @returns {Iterable<string> | Promise<string[]>}
   */
  keys(pattern) {
    if (typeof this.#cache.keys !== 'function') throw unsupported('name its keys');
    return this.#cache.keys(pattern);
  }

  /** @param {string} pattern a glob */
  async deletePattern(pattern) {
    const method = ['deletePattern', 'delPattern'].find((name) => typeof this.#cache[name] === 'function');
    if (method === undefined) throw unsupported('delete by pattern');
    return this.#cache[method](pattern);
  }

  /** @param {number | undefined} ttlMs */
  #life(ttlMs) {
    return ttlMs === undefined ? undefined : lifeOptions(this.#cache, ttlMs);
  }
}

/** @param {string} what */
function unsupported(what) {
  return new HotpathError(`The cache behind it cannot ${what}`, { code: 'ERR_HOTPATH_UNSUPPORTED' });
}

module.exports = { AnyCache };
