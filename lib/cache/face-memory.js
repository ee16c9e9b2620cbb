'use strict';

// The memory behind the classes that bring defaults of their own.

const { HotpathConflictError } = require('../errors.js');
const { MemoryCache } = require('./memory-cache.js');
const { NAMESPACE } = require('./memory-options.js');
const { namedConflict } = require('../native-errors.js');

/**
 * Opens a memory cache for a class. Names are per class: a MemoryCache of the same name is another cache. A class's
 * defaults count as explicit options to a MemoryCache, so a handle to a cache that exists and was made with others is
 * opened without them; what was given explicitly still has to agree.
 * @param {string} Class
 * @param {Record<string, any>} defaults
 * @param {Record<string, any>} given
 * @param {Readonly<Record<string, string>>} [words] what the class calls options of the memory
 */
function openFaceMemory(Class, defaults, given, words = {}) {
  const explicit = Object.entries(given).filter(([, value]) => value !== undefined);
  const named = { ...Object.fromEntries(explicit), [NAMESPACE]: Class };
  try {
    return new MemoryCache({ ...defaults, ...named });
  } catch (error) {
    if (!(error instanceof HotpathConflictError)) throw error;
    return inWordsOf(words, () => new MemoryCache(named));
  }
}

/**
 * Tells conflicts in the words of the caller's options.
 * @template T
 * @param {Readonly<Record<string, string>>} words
 * @param {() => T} open
 */
function inWordsOf(words, open) {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof HotpathConflictError)) throw error;
    const { engine, option, existing, requested } = /** @type {any} */ (error);
    throw namedConflict(engine, words[option] ?? option, existing, requested);
  }
}

module.exports = { openFaceMemory };
