'use strict';

// What V8's serializer leaves out of an error: own properties (`code`), the errors of an AggregateError, in older
// versions the cause; and it picks the class by the name, which anybody may set.

/** @type {ErrorConstructor[]} */
const STANDARD = [
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
  /** @type {ErrorConstructor} */ (/** @type {unknown} */ (AggregateError)),
];

/**
 * @typedef {object} ErrorDetails
 * @property {number} type index in STANDARD, -1 for an error of another realm
 * @property {unknown[]} visible own enumerable properties: key, value, key, value
 * @property {unknown[]} hidden own properties that are not enumerable
 */

/**
 * The nearest standard class: structured clone knows no others.
 * @param {Error} error
 */
function standardType(error) {
  for (let prototype = Object.getPrototypeOf(error); prototype !== null; prototype = Object.getPrototypeOf(prototype)) {
    const type = STANDARD.findIndex((standard) => standard.prototype === prototype);
    if (type !== -1) return type;
  }
  return -1;
}

/**
 * Reads the properties, getters included, once.
 * @param {Error} error
 * @returns {ErrorDetails}
 */
function describeError(error) {
  const type = standardType(error);
  /** @type {ErrorDetails} */
  const details = { type, visible: [], hidden: [] };
  for (const key of Object.getOwnPropertyNames(error)) {
    if (key === 'stack') continue;
    const value = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (error))[key];
    const enumerable = Object.prototype.propertyIsEnumerable.call(error, key);
    // V8 keeps this one.
    if (key === 'message' && typeof value === 'string' && !enumerable) continue;
    (enumerable ? details.visible : details.hidden).push(key, value);
  }
  // Inherited from a class of the user's, which the copy will not have.
  for (const key of /** @type {const} */ (['name', 'message'])) {
    if (Object.hasOwn(error, key)) continue;
    const inherited = error[key];
    if (typeof inherited === 'string' && type >= 0 && inherited !== STANDARD[type].prototype[key]) {
      details.hidden.push(key, inherited);
    }
  }
  return details;
}

/**
 * @param {Error} error
 * @param {ErrorDetails} details
 */
function restoreError(error, { type, visible, hidden }) {
  const prototype = STANDARD[type]?.prototype;
  if (prototype !== undefined && Object.getPrototypeOf(error) !== prototype) Object.setPrototypeOf(error, prototype);
  define(error, hidden, false);
  define(error, visible, true);
}

/**
 * @param {Error} error
 * @param {unknown[]} properties
 * @param {boolean} enumerable
 */
function define(error, properties, enumerable) {
  for (let i = 0; i < properties.length; i += 2) {
    const key = /** @type {string} */ (properties[i]);
    Object.defineProperty(error, key, { value: properties[i + 1], writable: true, configurable: true, enumerable });
  }
}

module.exports = { describeError, restoreError };
