'use strict';

// Buffers of one size that are used again and again.

const { DISPOSE, addAliases } = require('../aliases.js');
const { HotpathError, invalidArgType, outOfRange } = require('../errors.js');
const check = require('../validate.js');

const MAX_BYTES = require('node:buffer').constants.MAX_LENGTH;

class BufferPool {
  #size;
  #count;
  #zeroFill;
  /** @type {Buffer[]} */
  #idle = [];
  /** @type {Set<Buffer>} */
  #lent = new Set();
  #created = 0;
  #reused = 0;
  #discarded = 0;

  /** @param {number} size @param {number} count @param {unknown} [options] */
  constructor(size, count, options) {
    this.#size = check.positiveInteger(size, 'size');
    if (size > MAX_BYTES) throw outOfRange(`at most ${MAX_BYTES}`, 'size', size);
    this.#count = check.nonNegativeInteger(count, 'count');
    const { zeroFill = false } = check.options(options, 'options', ['zeroFill']);
    this.#zeroFill = check.boolean(zeroFill, 'options.zeroFill');
    while (this.#idle.length < count) this.#idle.push(this.#make());
  }

  #make() {
    this.#created += 1;
    // A buffer of its own: a slice of Node's pool would keep all of that alive, and be found by others in it.
    return Buffer.allocUnsafeSlow(this.#size);
  }

  acquire() {
    const idle = this.#idle.pop();
    if (idle !== undefined) this.#reused += 1;
    const buffer = idle ?? this.#make();
    this.#lent.add(buffer);
    return this.#zeroFill ? buffer.fill(0) : buffer;
  }

  /** @param {Buffer} buffer */
  release(buffer) {
    if (!Buffer.isBuffer(buffer)) throw invalidArgType('a Buffer', 'buffer', buffer);
    if (!this.#lent.delete(buffer)) {
      throw new HotpathError('The buffer was released before, or does not come from this pool', {
        code: 'ERR_HOTPATH_NOT_ACQUIRED',
      });
    }
    // A buffer whose memory was transferred away is of no use any more.
    if (this.#idle.length < this.#count && buffer.length === this.#size) this.#idle.push(buffer);
    else this.#discarded += 1;
  }

  /**
   * @template R
   * @param {(buffer: Buffer) => R | Promise<R>} use
   * @returns {Promise<R>}
   */
  async use(use) {
    check.function_(use, 'use');
    const buffer = this.acquire();
    try {
      return await use(buffer);
    } finally {
      this.release(buffer);
    }
  }

  trim() {
    const freed = this.#idle.length;
    this.#idle = [];
    this.#discarded += freed;
    return freed;
  }

  get stats() {
    return {
      size: this.#size,
      count: this.#count,
      available: this.#idle.length,
      inUse: this.#lent.size,
      created: this.#created,
      reused: this.#reused,
      discarded: this.#discarded,
      bytes: (this.#idle.length + this.#lent.size) * this.#size,
    };
  }
}

addAliases(BufferPool, { [DISPOSE]: 'trim' });

module.exports = { BufferPool };
