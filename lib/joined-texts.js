'use strict';

// Many strings in one call. An array costs the native side a look-up and a copy for each element; strings that are
// joined here cost one copy in all.

const { scratchWords } = require('./environment.js');

/** Strings of one call at most: each has its length in the shared memory. */
const MOST_TEXTS = 4096;

/** Length of what is joined at most, unless one string alone is longer. Far below what V8 makes a string of. */
const MOST_UNITS = 1 << 20;

/**
 * Hands strings over, in as few calls as they fit into. The native side reads their lengths before anything else.
 * @param {string[]} texts
 * @param {(joined: string, count: number, from: number) => number | void} call is given so many of them, from a place on;
 *   may answer that it took only the first of them
 * @param {number} [most] strings of one call
 */
function eachJoined(texts, call, most = MOST_TEXTS) {
  for (let from = 0; from < texts.length; ) {
    const count = measured(texts, from, Math.min(from + most, texts.length));
    const joined = (count === texts.length ? texts : texts.slice(from, from + count)).join('');
    from += call(joined, count, from) ?? count;
  }
}

/** Writes down the lengths of as many strings as go into one call. @param {string[]} texts @param {number} from @param {number} end */
function measured(texts, from, end) {
  let units = 0;
  for (let index = from; index < end; index++) {
    const { length } = texts[index];
    units += length;
    if (units > MOST_UNITS && index > from) return index - from;
    scratchWords[index - from] = length;
  }
  return end - from;
}

module.exports = { eachJoined };
