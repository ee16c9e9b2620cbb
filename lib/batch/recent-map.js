'use strict';

/**
 * A bounded map whose oldest entries go first. The keys stand in a ring beside it: asking a Map for its first key walks
 * over all places that deletions have left, thousands in a map that is always full.
 * @template V
 */
class RecentMap {
  /** @type {Map<string, V>} */
  #entries = new Map();
  /** @type {string[]} */
  #ring = [];
  #oldest = 0;
  #most;

  /** @param {number} most a positive integer */
  constructor(most) {
    this.#most = most;
  }

  get size() {
    return this.#entries.size;
  }

  /** @param {string} key */
  get(key) {
    return this.#entries.get(key);
  }

  /** Adds a key that is not there. @param {string} key @param {V} value */
  add(key, value) {
    if (this.#ring.length < this.#most) {
      this.#ring.push(key);
    } else {
      // Its entry may be gone, or be a newer one of the same key: that one only goes early.
      this.#entries.delete(this.#ring[this.#oldest]);
      this.#ring[this.#oldest] = key;
      this.#oldest = (this.#oldest + 1) % this.#most;
    }
    this.#entries.set(key, value);
  }

  /** @param {string} key */
  delete(key) {
    this.#entries.delete(key);
  }

  clear() {
    this.#entries.clear();
    this.#ring = [];
    this.#oldest = 0;
  }
}

module.exports = { RecentMap };
