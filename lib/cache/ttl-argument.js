'use strict';

// What `set` of a cache takes as a time to live: seconds for most, milliseconds for the classes of some documents and
// for a Keyv, an object for those that take options.

/** A cache that takes no seconds says under this name what it takes. */
const TTL_FORM = Symbol('ttlForm');

const FORMS = Object.freeze({
  s: (/** @type {number} */ ms) => ms / 1000,
  ms: (/** @type {number} */ ms) => ms,
  options: (/** @type {number} */ ms) => ({ ttl: ms }),
});

/** Recognised by what only a Keyv has: its class may come from any version and from any copy. @param {any} object */
function isKeyv(object) {
  const looksLikeOne = typeof object.opts === 'object' && 'store' in object.opts;
  return object.constructor?.name === 'Keyv' || (looksLikeOne && typeof object.deserialize === 'function');
}

/** @param {any} cache @returns {keyof typeof FORMS} */
function ttlForm(cache) {
  return cache[TTL_FORM] ?? (isKeyv(cache) ? 'ms' : 's');
}

/**
 * @param {any} cache
 * @param {number | undefined} ttlMs
 * @param {keyof typeof FORMS} [form]
 */
function ttlArgument(cache, ttlMs, form = ttlForm(cache)) {
  return ttlMs === undefined ? undefined : FORMS[form](ttlMs);
}

/** The same for caches of ours, all of which take options, but not all of them the same. @param {any} cache @param {number} ttlMs */
function lifeOptions(cache, ttlMs) {
  return ttlForm(cache) === 'options' ? { ttl: ttlMs } : { ttlMs };
}

module.exports = { TTL_FORM, isKeyv, lifeOptions, ttlArgument, ttlForm };
