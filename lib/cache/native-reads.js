'use strict';

// Makes values of what native reads answer: a string as such, everything else from shared memory.

const native = require('../native.js');
const { BATCH, WORD, header, scratch, scratchDoubles } = require('../environment.js');
const { HotpathClosedError } = require('../errors.js');
const { eachJoined } = require('../joined-texts.js');
const { KIND } = require('./codec.js');

/** Without the checks that `toString` makes; the typings of Node leave these out. @type {any} */
const slices = scratch;

/** Answers of the native side that are no values. */
const ANSWER = Object.freeze({ HIT: 0, MISS: -1, CLOSED: -2, OTHER: -3 });

/** Nothing there, where `undefined` would be a value. */
const MISSING = Symbol('missing');

class NativeReads {
  #handle;
  #codec;

  /**
   * @param {number} handle
   * @param {import('./codec.js').Codec} codec
   */
  constructor(handle, codec) {
    this.#handle = handle;
    this.#codec = codec;
  }

  /** The value of an answer, or MISSING. @param {any} answer */
  receive(answer) {
    if (answer === ANSWER.HIT) {
      const kind = header[WORD.KIND];
      if (kind === KIND.NUMBER) return scratchDoubles[0];
      return this.#codec.decode(kind, scratch, 0, header[WORD.LENGTH]);
    }
    if (typeof answer === 'string') return answer;
    if (answer === ANSWER.MISS) return MISSING;
    return this.#codec.decodeOwned(header[WORD.KIND], checkOpen(answer));
  }

  /**
   * Reads many keys with few crossings: native code describes as many values as fit into the shared memory.
   * @param {string[]} keys
   * @param {any} absent stands for a key that is not there
   * @param {((key: string, value: any, base: number) => void) | undefined} observe is told of each value and where the
   *   header describes it, -1 for nowhere; must leave the shared memory alone
   * @returns {any[]}
   */
  receiveMany(keys, absent, observe) {
    const values = new Array(keys.length);
    const describe = observe === undefined ? 0 : 1;
    const take = (/** @type {string} */ joined, /** @type {number} */ count, /** @type {number} */ from) => {
      const done = checkOpen(native.getMany(this.#handle, joined, count, describe));
      let single = -1;
      for (let entry = 0, base = 0; entry < done; entry++, base += WORD.COUNT) {
        const place = from + entry;
        if (header[base + WORD.KIND] === ANSWER.OTHER) {
          single = place;
          break;
        }
        const value = this.#receiveAt(base);
        values[place] = value === MISSING ? absent : value;
        if (observe !== undefined) observe(keys[place], value, base);
      }
      // Too large for the shared memory, and the last of its batch.
      if (single !== -1) {
        const value = this.receive(native.get(this.#handle, keys[single]));
        values[single] = value === MISSING ? absent : value;
        if (observe !== undefined) observe(keys[single], value, -1);
      }
      return done;
    };
    eachJoined(keys, take, BATCH);
    return values;
  }

  /** @param {number} base */
  #receiveAt(base) {
    const kind = header[base + WORD.KIND];
    if (kind === ANSWER.MISS) return MISSING;
    const start = header[base + WORD.START];
    const end = start + header[base + WORD.LENGTH];
    // First the most common by far.
    if (kind === KIND.RECORD) return this.#codec.decode(kind, scratch, start, end);
    switch (kind) {
      case KIND.NUMBER:
        return scratch.readDoubleLE(start);
      case KIND.STRING:
        return slices.latin1Slice(start, end);
      case KIND.UTF8:
        return slices.utf8Slice(start, end);
      case KIND.UTF16:
        return slices.ucs2Slice(start, end);
      default:
        return this.#codec.decode(kind, scratch, start, end);
    }
  }
}

/**
 * Passes an answer on unless it says that the handle was closed.
 * @template T
 * @param {T} answer
 * @returns {T}
 */
function checkOpen(answer) {
  if (answer === ANSWER.CLOSED) throw new HotpathClosedError('The cache is closed');
  return answer;
}

module.exports = { ANSWER, MISSING, NativeReads, checkOpen };
