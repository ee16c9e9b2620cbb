'use strict';

// Where in a value something is, as the programmer would write it: `value.user.onClick`, `value.list[2]`.

/** Keys longer than this are data more likely than names: error messages do not show them. */
const SHOWN_KEY = 64;

/**
 * One step of a path, as it would be written: `.name`, `["first name"]`, `[2]`.
 * @param {string | number} key
 */
function step(key) {
  if (typeof key === 'number' || /^(0|[1-9]\d{0,9})$/.test(key)) return `[${key}]`;
  if (key.length > SHOWN_KEY) return '[…]';
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

/**
 * @param {unknown} key of a Map
 */
function getter(key) {
  if (typeof key === 'number' || (typeof key === 'string' && key.length <= SHOWN_KEY))
    return `.get(${JSON.stringify(key)})`;
  return '.get(…)';
}

/**
 * @param {(string | number | (() => string))[]} keys a function puts a step into words when it is needed
 */
function pathOf(keys) {
  return `value${keys.map((key) => (typeof key === 'function' ? key() : step(key))).join('')}`;
}

module.exports = { pathOf, getter };
