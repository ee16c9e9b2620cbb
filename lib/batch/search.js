'use strict';

const { isDeepStrictEqual } = require('node:util');
const { invalidArgType } = require('../errors.js');

/**
 * What `find` looks for: a text or a number that occurs in any value of an object, an object whose properties it must
 * have, or a function that decides.
 * @param {unknown} term
 * @returns {(object: any) => boolean}
 */
function searchFor(term) {
  if (typeof term === 'function') return (object) => Boolean(term(object));
  if (typeof term === 'string' || typeof term === 'number') {
    const text = String(term).toLowerCase();
    return (object) => contains(object, text, new Set());
  }
  if (typeof term === 'object' && term !== null) {
    const wanted = Object.entries(term);
    return (object) =>
      typeof object === 'object' &&
      object !== null &&
      wanted.every(([name, value]) => isDeepStrictEqual(object[name], value));
  }
  throw invalidArgType('a string, a number, an object or a function', 'term', term);
}

/**
 * Whether a value, or one within it, contains the text without regard to case.
 * @param {any} value @param {string} text @param {Set<object>} seen
 * @returns {boolean}
 */
function contains(value, text, seen) {
  if (typeof value === 'string') return value.toLowerCase().includes(text);
  if (typeof value === 'number' || typeof value === 'bigint') return String(value).includes(text);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || seen.has(value)) return false;
  seen.add(value);
  if (value instanceof Map) return contains([...value], text, seen);
  if (value instanceof Set) return contains([...value], text, seen);
  return Object.values(value).some((inner) => contains(inner, text, seen));
}

module.exports = { searchFor };
