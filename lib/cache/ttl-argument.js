'use strict';

// What `set` of a cache takes as a time to live: seconds for most, milliseconds for the classes of some documents.

/** A cache whose positional ttl is milliseconds says so under this name. */
const TTL_IN_MS = Symbol('ttlInMs');

/**
 * @param {any} cache
 * @param {number | undefined} ttlMs
 */
function ttlArgument(cache, ttlMs) {
  if (ttlMs === undefined) return undefined;
  return cache[TTL_IN_MS] === true ? ttlMs : ttlMs / 1000;
}

module.exports = { TTL_IN_MS, ttlArgument };
