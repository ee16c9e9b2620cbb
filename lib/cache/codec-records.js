'use strict';

// Plain data as msgpack records: the keys of a shape are written once, into a dictionary that all threads of a cache
// share, and a record is its number in there followed by the values.
//
// A dictionary only ever grows, by compare-and-set, so a record stays readable for good. A shape that is not in it is
// defined inside the value that uses it; such a value needs nothing but itself.

const { Packr, Unpackr, REUSE_BUFFER_MODE, RESET_BUFFER_MODE } = require('msgpackr');
const { isRecord, MAX_RECORD_KEYS } = require('./codec-walk.js');

/**
 * @typedef {object} Dictionary
 * @property {() => Uint8Array | undefined} load
 * @property {() => number} version changes with every save
 * @property {(bytes: Uint8Array, expectedVersion: number) => boolean} save false when the version is another one now
 */

/**
 * More than 32 would need msgpackr's two-byte record numbers, which it cannot read back next to shapes defined in the
 * value (2.1.3). And one less than 32: when the last shared number is given out in the middle of a value, the numbers
 * that follow collide with those of the shapes that this value defined before.
 */
const MAX_SHARED = 31;
const MSGPACKR_MAX = 32;
/** Longer lists of keys are not worth their place. */
const MAX_SIGNATURE = 2048;
/** So many shapes are remembered as seen, before all are forgotten. */
const DOORKEEPER_SIZE = 512;

const PACK_MODE = REUSE_BUFFER_MODE | RESET_BUFFER_MODE;

/** Objects with too many keys are maps on the wire; instances of Map never come here. */
const FORMAT = Object.freeze({
  useRecords: isRecord,
  mapsAsObjects: true,
  variableMapSize: true,
  moreTypes: true,
  copyBuffers: true,
  // Structured clone calls no toJSON.
  useToJSON: false,
  maxSharedStructures: MSGPACKR_MAX,
  maxOwnStructures: 32,
});

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
  /** How often a shape was met that is not in the dictionary. @type {Map<string, number>} */
  #doorkeeper = new Map();
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

  /**
   * Objects that are used as maps (keys made of ids, dates, names) must not fill the dictionary: a shape has to come
   * back, the more often the fuller the dictionary is and the more keys it has.
   * @param {string[]} keys
   */
  #admits(keys) {
    if (this.#shared >= MAX_SHARED || keys.length > MAX_RECORD_KEYS) return false;
    // Integers come first; an object that has one is a table.
    if (keys.length > 0 && /^\d+$/.test(keys[0])) return false;
    const signature = keys.join();
    if (signature.length > MAX_SIGNATURE) return false;
    const seen = this.#doorkeeper.get(signature) ?? 0;
    if (seen < ((keys.length >> 4) + 1) << (this.#shared >> 3)) {
      if (this.#doorkeeper.size >= DOORKEEPER_SIZE) this.#doorkeeper.clear();
      this.#doorkeeper.set(signature, seen + 1);
      return false;
    }
    // It stays in the doorkeeper: msgpackr asks again when the save is lost to another thread.
    this.#shared++;
    return true;
  }
}

module.exports = { Records };
