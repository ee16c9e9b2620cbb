'use strict';

// Entries that are written together. All of them are encoded before the first is stored: one that cannot be leaves
// everything as it was.

const { KIND } = require('./codec.js');

/** What most sets of entries fit into. */
const FIRST_BYTES = 16 * 1024;

/** Larger values are not worth moving when the memory grows. */
const LARGE_BYTES = 64 * 1024;

const IN_COMMON = Symbol('inCommon');

/**
 * @typedef {object} Encoded
 * @property {string} key
 * @property {number} kind
 * @property {any} payload IN_COMMON for bytes in the common memory
 * @property {number} start
 * @property {number} end
 * @property {number} number
 * @property {number} shapes
 */

class EncodedEntries {
  /** @type {Encoded[]} */
  #entries = [];
  /** One piece of memory for all: a buffer for each would take longer than encoding it. @type {Buffer | undefined} */
  #bytes;
  #used = 0;

  get count() {
    return this.#entries.length;
  }

  /**
   * Takes what the codec has just encoded.
   * @param {string} key
   * @param {number} kind
   * @param {import('./codec.js').Codec} codec
   * @param {number} [number] of the document that its shapes are in
   * @param {number} [shapes]
   */
  add(key, kind, codec, number = 0, shapes = 0) {
    const { payload, start, end } = codec;
    codec.payload = undefined;
    if (!Buffer.isBuffer(payload)) {
      this.#entries.push({ key, kind, payload, start: 0, end: 0, number, shapes });
    } else if (end - start > LARGE_BYTES) {
      const own = Buffer.from(payload.subarray(start, end));
      this.#entries.push({ key, kind, payload: own, start: 0, end: own.length, number, shapes });
    } else {
      const at = this.#keep(payload, start, end);
      this.#entries.push({ key, kind, payload: IN_COMMON, start: at, end: at + end - start, number, shapes });
    }
  }

  /** @param {string} key @param {string} text */
  addText(key, text) {
    this.#entries.push({ key, kind: KIND.STRING, payload: text, start: 0, end: 0, number: 0, shapes: 0 });
  }

  /** @param {Buffer} payload @param {number} start @param {number} end */
  #keep(payload, start, end) {
    const at = this.#used;
    this.#used += end - start;
    let bytes = this.#bytes;
    if (bytes === undefined || bytes.length < this.#used) {
      bytes = Buffer.allocUnsafe(Math.max(FIRST_BYTES, 2 * this.#used));
      this.#bytes?.copy(bytes, 0, 0, at);
      this.#bytes = bytes;
    }
    payload.copy(bytes, at, start, end);
    return at;
  }

  /**
   * @template T
   * @param {(key: string, kind: number, payload: any, start: number, end: number, entry: Encoded) => T} use
   * @returns {T[]}
   */
  map(use) {
    const bytes = this.#bytes;
    return this.#entries.map((entry) => {
      const { key, kind, payload, start, end } = entry;
      return use(key, kind, payload === IN_COMMON ? bytes : payload, start, end, entry);
    });
  }
}

/**
 * @param {[string, any][]} pairs
 * @param {import('./codec.js').Codec} codec
 */
function encodedEntries(pairs, codec) {
  const entries = new EncodedEntries();
  for (const [key, value] of pairs) entries.add(key, codec.encode(value), codec);
  return entries;
}

module.exports = { EncodedEntries, encodedEntries };
