'use strict';

// A lease that was granted: the right to do something, among all processes, until it ends.

const native = require('../native.js');
const { pending } = require('../environment.js');
const { ASYNC_DISPOSE, addAliases } = require('../aliases.js');
const check = require('../validate.js');

class RedisLease {
  #handle;
  #owner;

  /**
   * @param {() => number} handle gives the cache's handle, if it is open
   * @param {string} key
   * @param {string} owner
   * @param {number} token
   */
  constructor(handle, key, owner, token) {
    this.#handle = handle;
    this.#owner = owner;
    this.key = key;
    this.token = token;
  }

  /** @param {number} ttlMs @returns {Promise<boolean>} */
  async extend(ttlMs) {
    return this.#change(check.positiveInteger(ttlMs, 'ttlMs'));
  }

  /** @returns {Promise<boolean>} */
  async release() {
    return this.#change(0);
  }

  /** @param {number} ttlMs 0 ends it @returns {Promise<boolean>} */
  #change(ttlMs) {
    const handle = this.#handle();
    return pending((operation) => native.redisChangeLease(handle, operation, this.key, this.#owner, ttlMs));
  }
}

addAliases(RedisLease, { [ASYNC_DISPOSE]: 'release' });

module.exports = { RedisLease };
