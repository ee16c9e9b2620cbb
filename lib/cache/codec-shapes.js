'use strict';

// Shapes of records, and which of them deserve a place in a dictionary.

const { isRecord, MAX_RECORD_KEYS } = require('./codec-walk.js');

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

/**
 * Objects that are used as maps (keys made of ids, dates, names) must not fill a dictionary: a shape has to come back,
 * the more often the fuller the dictionary is and the more keys it has.
 */
class Doorkeeper {
  /** How often a shape was met that is not in the dictionary. @type {Map<string, number>} */
  #seen = new Map();

  /**
   * @param {string[]} keys
   * @param {number} shared how many shapes the dictionary has
   */
  admits(keys, shared) {
    if (shared >= MAX_SHARED || keys.length > MAX_RECORD_KEYS) return false;
    // Integers come first; an object that has one is a table.
    if (keys.length > 0 && /^\d+$/.test(keys[0])) return false;
    const signature = keys.join();
    if (signature.length > MAX_SIGNATURE) return false;
    const seen = this.#seen.get(signature) ?? 0;
    if (seen < ((keys.length >> 4) + 1) << (shared >> 3)) {
      if (this.#seen.size >= DOORKEEPER_SIZE) this.#seen.clear();
      this.#seen.set(signature, seen + 1);
      return false;
    }
    // It is remembered further on: msgpackr asks again when the dictionary could not be extended.
    return true;
  }
}

module.exports = { Doorkeeper, FORMAT };
