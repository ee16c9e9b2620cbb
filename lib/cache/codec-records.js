'use strict';

// Plain data as msgpack records: the keys of a shape are written once, into a dictionary that all threads of a cache
// share, and a record is its number in there followed by the values.
//
// A dictionary only ever grows, by compare-and-set, so a record stays readable for good. A shape that is not in it is
// defined inside the value that uses it; such a value needs nothing but itself.

const { Packr, Unpackr, REUSE_BUFFER_MODE, RESET_BUFFER_MODE } = require('msgpackr');
const { Doorkeeper, FORMAT } = require('./codec-shapes.js');

/**
 * @typedef {object} Dictionary
 * @property {() => Uint8Array | undefined} load
 * @property {() => number} version changes with every save
 * @property {(bytes: Uint8Array, expectedVersion: number) => boolean} save false when the version is another one now
 * @property {boolean} [closed] true for one that takes no shapes
 */

const PACK_MODE = REUSE_BUFFER_MODE | RESET_BUFFER_MODE;

/** @param {Uint8Array | undefined} bytes */
function parse(bytes) {
  if (bytes === undefined || bytes.length === 0) return [];
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
}

class Records {
  #dictionary;
  #packr;
  #unpackr;
  /** The version that the packer's list of shapes came from. @type {number} */
  #packerVersion = -1;
  /** @type {number | undefined} */
  #unpackerVersion;
  #doorkeeper = new Doorkeeper();
  #shared = 0;
  /** Reused: an object a call would cost more than the call. */
  #range = { start: 0, end: 0 };

  /** @param {Dictionary} dictionary */
  constructor(dictionary) {
    this.#dictionary = dictionary;
    // Two instances with their own lists: a getter on a value that is being packed may read from the cache.
    this.#packr = new Packr({
      ...FORMAT,
      getStructures: () => this.#loadForPacking(),
      saveStructures: (shapes) => this.#save(/** @type {string[][]} */ (shapes)),
      shouldShareStructure: (keys) => this.#admits(keys),
      // A getter that answers with a function, after it had given the walk something else.
      writeFunction: () => {
        throw new TypeError('A getter returned a function');
      },
    });
    this.#unpackr = new Unpackr({ ...FORMAT, getStructures: () => this.#loadForUnpacking() });
  }

  /**
   * The result lies in a buffer that msgpackr shares with everybody else in the thread: copy it before anything else
   * can be packed. It has `start` and `end`, unless a shape was added to the dictionary; then it is all of the buffer.
   * @param {unknown} value
   * @returns {Buffer & { start?: number, end?: number }}
   */
  pack(value) {
    return this.#packr.pack(value, PACK_MODE);
  }

  /**
   * @param {Buffer} buffer
   * @param {number} start
   * @param {number} end
   * @returns {unknown}
   */
  unpack(buffer, start, end) {
    this.#range.start = start;
    this.#range.end = end;
    return this.#unpackr.unpack(buffer, this.#range);
  }

  #loadForPacking() {
    // The version first: an older version with newer shapes only makes the next save fail; the reverse would lose shapes.
    this.#packerVersion = this.#dictionary.version();
    const shapes = parse(this.#dictionary.load());
    this.#shared = shapes.length;
    return shapes;
  }

  /** msgpackr comes here for every number that it does not know. Loading the same version again would not help. */
  #loadForUnpacking() {
    const version = this.#dictionary.version();
    if (version === this.#unpackerVersion) throw new Error('Unknown record');
    const shapes = parse(this.#dictionary.load());
    this.#unpackerVersion = version;
    return shapes;
  }

  /**
   * @param {string[][]} shapes
   * @returns {boolean} false makes msgpackr load the dictionary and pack the value again
   */
  #save(shapes) {
    const bytes = Buffer.from(JSON.stringify(shapes));
    if (!this.#dictionary.save(bytes, this.#packerVersion)) return false;
    this.#shared = shapes.length;
    // Another thread may have saved since. The version counts as ours only if what is stored now is what we stored;
    // otherwise our next save fails, as it should.
    const version = this.#dictionary.version();
    const stored = this.#dictionary.load();
    if (stored !== undefined && bytes.equals(stored)) this.#packerVersion = version;
    return true;
  }

  /** @param {string[]} keys */
  #admits(keys) {
    if (this.#dictionary.closed || !this.#doorkeeper.admits(keys, this.#shared)) return false;
    // It stays in the doorkeeper: msgpackr asks again when the save is lost to another thread.
    this.#shared++;
    return true;
  }
}

module.exports = { PACK_MODE, Records };
