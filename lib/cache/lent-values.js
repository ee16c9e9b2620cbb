'use strict';

// Values made of stored bytes that stay where they are: large ones are read from the engine's own memory. Beside the
// decoded values of the cache itself, because nobody else may get hold of such bytes: writing to them would change what
// other threads read.

const native = require('../native.js');
const { clock } = require('../environment.js');
const { ANSWER, checkOpen } = require('./native-reads.js');
const { NearCache } = require('./near-cache.js');

/**
 * @template T
 */
class LentValues {
  #handle;
  #make;
  /** @type {NearCache | undefined} */
  #near;
  #closed = false;

  /**
   * @param {number} handle
   * @param {(bytes: Buffer) => T | undefined} make must not change the bytes,
   *   nor hand them to anybody who might, nor use the cache: what describes the bytes stands in shared memory
   * @param {{ maxEntries: number, maxBytes: number } | undefined} bounds of what is kept near; undefined for nothing
   */
  constructor(handle, make, bounds) {
    this.#handle = handle;
    this.#make = make;
    if (bounds === undefined || clock === undefined) return;
    const versions = native.versionWords(handle);
    if (versions !== null) this.#near = new NearCache(handle, new Int32Array(versions), bounds);
  }

  /** What is made of the bytes under a key; the same again while they are current. @param {string} key @returns {T | undefined} */
  get(key) {
    const entry = this.#near?.find(key);
    return entry === undefined ? this.#read(key) : entry.value;
  }

  /** @param {string} key @returns {T | undefined} */
  #read(key) {
    if (this.#closed) return checkOpen(/** @type {any} */ (ANSWER.CLOSED));
    const answer = native.lend(this.#handle, key);
    const near = this.#near;
    if (typeof answer !== 'object') {
      checkOpen(answer);
      near?.forget(key);
      return undefined;
    }
    const value = this.#make(answer);
    if (near !== undefined) {
      near.fill(key, value, 0);
      near.reportIfDue();
    }
    return value;
  }

  close() {
    this.#closed = true;
    this.#near?.report();
    this.#near?.clear();
  }
}

module.exports = { LentValues };
