'use strict';

// What caches of this package know of each other beyond their public methods.

/** `cache[TIER]()` says what native code knows the cache as: `{ kind, handle }`. */
const TIER = Symbol('tier');

/** `cache[FIND](key)` is `get` with an answer of its own for a miss: `MISSING`. */
const FIND = Symbol('find');

/** `cache[FIND_MANY](keys)` is `getMany` in the same manner. */
const FIND_MANY = Symbol('findMany');

/** `cache[DECODE](kind, payload)` makes a value, or a promise of one, of bytes that are in this cache's own words. */
const DECODE = Symbol('decode');

/** `cache[MEMORY]()` is the memory cache that a face stands on, whose limits can be tuned; undefined where there is none. */
const MEMORY = Symbol('memory');

/** `cache[LEND](make)` gives values made of stored bytes without copying them, see lent-values.js. */
const LEND = Symbol('lend');

module.exports = { MEMORY, TIER, FIND, FIND_MANY, DECODE, LEND };
