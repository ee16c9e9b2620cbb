'use strict';

// The name of a configuration: equal for equal configurations, and telling nothing of what is in it.

const { createHmac, randomBytes } = require('node:crypto');

/** Known to this process alone, so that nobody can try passwords against a key that got into a log. */
const secret = randomBytes(32);

/** @type {WeakMap<object, number>} */
const identities = new WeakMap();
let lastIdentity = 0;

/** @param {object} object */
function identity(object) {
  const known = identities.get(object) ?? ++lastIdentity;
  identities.set(object, known);
  return known;
}

/**
 * A configuration in one order of its properties. Functions and instances of classes (a retry strategy, a TLS context)
 * are told apart by who they are.
 * @param {any} value
 * @returns {any}
 */
function canonical(value) {
  if (typeof value === 'function') return { function: identity(value) };
  if (typeof value === 'bigint') return { bigint: `${value}` };
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(canonical);
  if (Buffer.isBuffer(value)) return { bytes: value.toString('base64') };
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return { instance: identity(value) };
  const given = Object.entries(value).filter(([, item]) => item !== undefined);
  return given.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, item]) => [name, canonical(item)]);
}

/**
 * @param {string} type
 * @param {unknown} config
 */
function poolKey(type, config) {
  return `${type}:${createHmac('sha256', secret)
    .update(JSON.stringify(canonical(config)) ?? '')
    .digest('hex')
    .slice(0, 32)}`;
}

module.exports = { poolKey };
