'use strict';

// Longer lives for hot keys: those that are written again after they have expired, because somebody asked for them.

/** Keys that are remembered; the oldest are forgotten first. */
const REMEMBERED = 10_000;

class TtlExtension {
  #cache;
  #factor;
  /** @type {Set<string>} */
  #expired = new Set();
  extended = 0;

  /** @param {any} cache a MemoryCache @param {number} factor */
  constructor(cache, factor) {
    this.#cache = cache;
    this.#factor = factor;
    cache.on('expire', this.#onExpire);
    cache.on('set', this.#onSet);
  }

  #onExpire = (/** @type {string} */ key) => {
    if (this.#expired.size >= REMEMBERED)
      this.#expired.delete(/** @type {string} */ (this.#expired.values().next().value));
    this.#expired.add(key);
  };

  #onSet = (/** @type {string} */ key) => {
    if (!this.#expired.has(key) || this.#cache.closed) return;
    const ttlMs = this.#cache.getTtl(key);
    if (ttlMs === undefined || !Number.isFinite(ttlMs)) return;
    // Written just now, so what is left is what was given. A touch is no write: this does not come back here.
    if (this.#cache.touch(key, { ttlMs: ttlMs * this.#factor })) this.extended += 1;
  };

  end() {
    this.#cache.off('expire', this.#onExpire);
    this.#cache.off('set', this.#onSet);
    this.#expired.clear();
  }
}

module.exports = { TtlExtension };
