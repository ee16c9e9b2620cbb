'use strict';

// What Keyv's own JSON means, found out once for each text instead of at each read.
//
// A Keyv parses every string that a store hands it, with a function called for each value within; it takes an object as
// it is. So objects that Keyv has turned into JSON are handed out parsed. Only where the meaning is certain: the text is
// exactly what JSON.stringify makes of its own result (which other formats and big numbers are not), holds no string that
// begins with a colon (Keyv's mark of bytes and the like), and is not what becomes of a compressor's bytes: a Keyv 5 that
// decompresses takes nothing but strings. Everything else stays a string, and is Keyv's to read.
// A text means the same for ever, so there is nothing here that could become stale.

const { RecentMap } = require('../batch/recent-map.js');
const { copyOf } = require('./copy.js');

/** Texts whose objects are kept. */
const MOST_TEXTS = 4096;
/** Longer ones are parsed at each read: keeping them would take much memory. */
const LONGEST_KEPT = 4096;

/** How Keyv begins what it makes of an object or a list. */
const OBJECT = /^\{"value":[{[]/;
/** How JSON of a Uint8Array begins, and of a list of bytes. */
const BYTES = /^\{"value":(?:\{"0":\d|\[\d{1,3}[,\]])/;
const MARKED_STRING = /[:[,]":/;

class KeyvTexts {
  /** `undefined` stands for a text that is Keyv's to read. @type {RecentMap<{ meaning: any }>} */
  #known = new RecentMap(MOST_TEXTS);

  /**
   * An object of the caller's own, or the text where it is not certain what it means.
   * @param {string} text
   */
  read(text) {
    if (!OBJECT.test(text) || BYTES.test(text)) return text;
    if (text.length > LONGEST_KEPT) return meaningOf(text) ?? text;
    let known = this.#known.get(text);
    if (known === undefined) {
      known = { meaning: meaningOf(text) };
      this.#known.add(text, known);
    }
    return known.meaning === undefined ? text : copyOf(known.meaning);
  }
}

/** @param {string} text */
function meaningOf(text) {
  if (MARKED_STRING.test(text)) return undefined;
  try {
    const meaning = JSON.parse(text);
    return JSON.stringify(meaning) === text ? meaning : undefined;
  } catch {
    return undefined;
  }
}

module.exports = { KeyvTexts };
