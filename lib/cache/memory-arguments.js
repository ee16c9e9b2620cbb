'use strict';

// Arguments of the memory cache's methods: checked, and put into the form that the native side takes.

const { invalidArgType, outOfRange } = require('../errors.js');
const check = require('../validate.js');

/** Tells the native side to use the cache's own default. */
const DEFAULT = -1;

/** Begins the escaped form of a text; a code point that never stands for a character. */
const ESCAPE = '\u{10ffff}';

/**
 * @typedef {object} Lifetime
 * @property {number} ttlMs
 * @property {number} idleMs
 * @property {string[] | undefined} tags
 */

/** @type {Lifetime} */
const DEFAULT_LIFETIME = Object.freeze({ ttlMs: DEFAULT, idleMs: DEFAULT, tags: undefined });

/** @param {unknown} key @returns {string} */
function checkKey(key) {
  if (typeof key !== 'string') throw invalidArgType('a string', 'key', key);
  return key;
}

/** @param {unknown} pattern @returns {string} */
function checkPattern(pattern) {
  if (typeof pattern !== 'string') throw invalidArgType('a string', 'pattern', pattern);
  return pattern;
}

/** @param {unknown} keys @returns {string[]} */
function checkKeys(keys) {
  if (!Array.isArray(keys)) throw invalidArgType('an array of strings', 'keys', keys);
  for (let index = 0; index < keys.length; index++) {
    if (typeof keys[index] !== 'string') throw invalidArgType('a string', `keys[${index}]`, keys[index]);
  }
  return keys;
}

/**
 * The pairs of an object, a Map or an iterable, with all keys checked.
 * @param {any} entries
 * @returns {[string, any][]}
 */
function pairsOf(entries) {
  if (typeof entries !== 'object' || entries === null) {
    throw invalidArgType('an object, a Map or an iterable of pairs', 'entries', entries);
  }
  if (typeof entries[Symbol.iterator] !== 'function') return Object.entries(entries);
  return Array.from(entries, (pair, index) => {
    if (!Array.isArray(pair)) throw invalidArgType('a pair of key and value', `entries[${index}]`, pair);
    if (typeof pair[0] !== 'string') throw invalidArgType('a string', `entries[${index}].key`, pair[0]);
    return /** @type {[string, any]} */ (pair);
  });
}

/** Native code keeps names in UTF-8, where different lone surrogates would become one. @param {string} text */
function wellFormed(text) {
  return text.isWellFormed() && !text.startsWith(ESCAPE) ? text : ESCAPE + JSON.stringify(text);
}

/** @param {unknown} tags @param {string} path @returns {string[]} */
function tagList(tags, path) {
  if (!Array.isArray(tags)) throw invalidArgType('an array of strings', path, tags);
  return Array.from(tags, (tag, index) => wellFormed(check.string(tag, `${path}[${index}]`)));
}

/**
 * What may stand behind a value: seconds, or an object that says milliseconds.
 * @param {unknown} ttl
 * @param {readonly string[]} [known]
 * @returns {Lifetime}
 */
function lifetime(ttl, known = ['ttlMs', 'idleMs', 'tags']) {
  if (ttl === undefined) return DEFAULT_LIFETIME;
  if (typeof ttl === 'number') {
    return { ttlMs: check.positiveNumber(ttl, 'ttl') * 1000, idleMs: DEFAULT, tags: undefined };
  }
  if (!check.isPlainObject(ttl)) throw invalidArgType('seconds or an object', 'ttl', ttl);
  const { ttlMs, idleMs, tags } = check.options(ttl, 'ttl', known);
  return {
    ttlMs: ttlMs === undefined ? DEFAULT : check.positiveNumber(ttlMs, 'ttl.ttlMs'),
    idleMs: idleMs === undefined ? DEFAULT : check.positiveNumber(idleMs, 'ttl.idleMs'),
    tags: tags === undefined ? undefined : tagList(tags, 'ttl.tags'),
  };
}

/** @param {unknown} by @returns {number} */
function checkAmount(by) {
  if (typeof by !== 'number') throw invalidArgType('a finite number', 'by', by);
  if (!Number.isFinite(by)) throw outOfRange('a finite number', 'by', by);
  return by;
}

module.exports = { checkAmount, checkKey, checkKeys, checkPattern, lifetime, pairsOf, tagList, wellFormed };
