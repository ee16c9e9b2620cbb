'use strict';

// Patterns of keys. What they mean is the engines' business; here they are written.

const SPECIAL = /[*?[\]]/;

/** Whether a pattern is more than a text. @param {string} pattern */
function isGlob(pattern) {
  return SPECIAL.test(pattern);
}

/** The pattern that a text alone fits. @param {string} text */
function literally(text) {
  return text.replace(/[*?[\]\\]/g, '\\$&');
}

module.exports = { isGlob, literally };
