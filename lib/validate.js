'use strict';

// Each check returns what it was given, so that it can stand where the value is used, or throws an error that
// names `path`. None of them accepts undefined: `options` has dropped every option that was not really given.

const { invalidArgType, outOfRange, unknownOption } = require('./errors.js');

/** @param {unknown} value */
function isPlainObject(value) {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  // The second test also takes plain objects of another realm (a vm context, a jest sandbox).
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * A copy of the options that were given: later changes by the caller do not reach us, getters run once, and an
 * explicit `undefined` is the same as an option left out.
 * @param {unknown} value
 * @param {string} path
 * @param {readonly string[]} known
 * @returns {Record<string, any>}
 */
function options(value, path, known) {
  if (value === undefined) return {};
  plainObject(value, path);
  /** @type {Record<string, any>} */
  const given = {};
  for (const [name, option] of Object.entries(/** @type {object} */ (value))) {
    if (!known.includes(name)) throw unknownOption(path, name, known);
    if (option !== undefined) given[name] = option;
  }
  return given;
}

/** @param {unknown} value @param {string} path @returns {Record<string, any>} */
function plainObject(value, path) {
  if (!isPlainObject(value)) throw invalidArgType('a plain object', path, value);
  return /** @type {Record<string, any>} */ (value);
}

/** Anything that values can be put into. @param {any} value @param {string} path */
function settable(value, path) {
  if (typeof value?.set !== 'function') throw invalidArgType('a cache', path, value);
  return value;
}

/** Anything that works like one of our caches, synchronous or not. @param {any} value @param {string} path */
function cache(value, path) {
  const methods = ['get', 'set', 'has', 'delete', 'clear'];
  if (!methods.every((method) => typeof value?.[method] === 'function')) throw invalidArgType('a cache', path, value);
  return value;
}

/**
 * @param {unknown} value
 * @param {string} path
 * @param {string} what
 * @param {(value: number) => boolean} fits
 * @returns {number}
 */
function number(value, path, what, fits) {
  if (typeof value !== 'number') throw invalidArgType(what, path, value);
  if (!fits(value)) throw outOfRange(what, path, value);
  return value;
}

/** @param {unknown} value @param {string} path */
function positiveInteger(value, path) {
  return number(value, path, 'a positive integer', (n) => Number.isSafeInteger(n) && n > 0);
}

/** @param {unknown} value @param {string} path */
function nonNegativeInteger(value, path) {
  return number(value, path, 'a non-negative integer', (n) => Number.isSafeInteger(n) && n >= 0);
}

/** @param {unknown} value @param {string} path */
function integer(value, path) {
  return number(value, path, 'an integer', Number.isSafeInteger);
}

/** @param {unknown} value @param {string} path @param {number} least @param {number} most */
function integerBetween(value, path, least, most) {
  const fits = (/** @type {number} */ n) => Number.isSafeInteger(n) && n >= least && n <= most;
  return number(value, path, `an integer from ${least} to ${most}`, fits);
}

/** Infinity is a positive number here: it is how a duration says "never". @param {unknown} value @param {string} path */
function positiveNumber(value, path) {
  return number(value, path, 'a positive number', (n) => n > 0);
}

/** @param {unknown} value @param {string} path */
function positiveFiniteNumber(value, path) {
  return number(value, path, 'a positive finite number', (n) => n > 0 && Number.isFinite(n));
}

/** @param {unknown} value @param {string} path */
function nonNegativeNumber(value, path) {
  return number(value, path, 'a non-negative number', (n) => n >= 0);
}

/** @param {unknown} value @param {string} path */
function finiteNumber(value, path) {
  return number(value, path, 'a finite number', Number.isFinite);
}

/** @param {unknown} value @param {string} path @param {number} least @param {number} most */
function numberWithin(value, path, least, most) {
  return number(value, path, `a number from ${least} to ${most}`, (n) => n >= least && n <= most);
}

/** @param {unknown} value @param {string} path @returns {boolean} */
function boolean(value, path) {
  if (typeof value !== 'boolean') throw invalidArgType('a boolean', path, value);
  return value;
}

/** @param {unknown} value @param {string} path @returns {string} */
function string(value, path) {
  if (typeof value !== 'string') throw invalidArgType('a string', path, value);
  return value;
}

/** @param {unknown} value @param {string} path @returns {string} */
function nonEmptyString(value, path) {
  if (typeof value !== 'string') throw invalidArgType('a non-empty string', path, value);
  if (value === '') throw outOfRange('a non-empty string', path, value);
  return value;
}

/** @param {unknown} value @param {string} path @returns {(...args: any[]) => any} */
function function_(value, path) {
  if (typeof value !== 'function') throw invalidArgType('a function', path, value);
  return /** @type {(...args: any[]) => any} */ (value);
}

/**
 * @template {string} T
 * @param {unknown} value
 * @param {string} path
 * @param {readonly T[]} list
 * @returns {T}
 */
function oneOf(value, path, list) {
  const what = `one of ${list.map((item) => JSON.stringify(item)).join(', ')}`;
  if (typeof value !== 'string') throw invalidArgType(what, path, value);
  if (!list.includes(/** @type {T} */ (value))) throw outOfRange(what, path, value);
  return /** @type {T} */ (value);
}

module.exports = {
  isPlainObject,
  plainObject,
  cache,
  settable,
  options,
  positiveInteger,
  nonNegativeInteger,
  integer,
  integerBetween,
  positiveNumber,
  positiveFiniteNumber,
  nonNegativeNumber,
  finiteNumber,
  numberWithin,
  boolean,
  string,
  nonEmptyString,
  function_,
  oneOf,
};
