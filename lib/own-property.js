'use strict';

/**
 * Adds a property to an object that is made of foreign keys: also one called `__proto__`, which an assignment would
 * take for the prototype.
 * @param {object} target
 * @param {string} key
 * @param {unknown} value
 */
function addProperty(target, key, value) {
  // An assignment takes a fifth of the time, and means the same where nothing is inherited.
  if (!(key in target)) /** @type {any} */ (target)[key] = value;
  else Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}

module.exports = { addProperty };
