'use strict';

// Headers repeat: what one means is worked out once.

/** Values kept at most; clients decide what headers say, so there is no end to them. */
const KEPT = 512;

/** Longer texts are not kept: few of them would take much. */
const KEPT_CHARACTERS = 512;

/**
 * @template T
 */
class Memo {
  /** @type {Map<string, T>} */
  #known = new Map();
  #make;

  /** @param {(text: string) => T} make */
  constructor(make) {
    this.#make = make;
  }

  /** @param {string} text @returns {T} */
  get(text) {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const made = this.#make(text);
    if (text.length <= KEPT_CHARACTERS) {
      // What is in use comes back at once.
      if (this.#known.size >= KEPT) this.#known.clear();
      this.#known.set(text, made);
    }
    return made;
  }
}

module.exports = { Memo };
