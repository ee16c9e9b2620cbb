'use strict';

// Small results of compression, by what they came from: the same data need not be compressed twice.

const { createHash } = require('node:crypto');
const { LRUCache } = require('./lru-cache.js');

/** Data above this size are not remembered: to recognise them would take long on this thread. */
const MAX_BYTES = 64 * 1024;

class CompressionCache {
  #entries;

  /** @param {number} maxBytes of compressed data */
  constructor(maxBytes) {
    this.#entries = new LRUCache({
      maxBytes: Math.max(1, Math.floor(maxBytes)),
      sizeOf: (/** @type {Buffer} */ compressed) => compressed.length,
    });
  }

  get size() {
    return this.#entries.size;
  }

  get bytes() {
    return this.#entries.bytes;
  }

  get evictions() {
    return this.#entries.stats.evictions;
  }

  /**
   * A copy of what these bytes were compressed to, or of what they are compressed to now.
   * @param {string} how algorithm and level
   * @param {Buffer} bytes
   * @param {() => Promise<Buffer>} compress
   */
  async get(how, bytes, compress) {
    if (bytes.length > MAX_BYTES) return { data: await compress(), made: true };
    // Nobody can choose data that meet another's: what they get must not be somebody else's.
    const key = `${how}:${createHash('sha256').update(bytes).digest('base64')}`;
    const known = this.#entries.get(key);
    if (known !== undefined) return { data: Buffer.from(known), made: false };
    const data = await compress();
    this.#entries.set(key, Buffer.from(data));
    return { data, made: true };
  }

  /** Forgets everything, and says how many that were. */
  clear() {
    const { size } = this.#entries;
    this.#entries.clear();
    return size;
  }
}

module.exports = { CompressionCache };
