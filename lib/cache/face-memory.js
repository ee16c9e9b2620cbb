'use strict';

// The memory behind the classes that bring defaults of their own.

const { HotpathConflictError } = require('../errors.js');
const { MemoryCache } = require('./memory-cache.js');
const { NAMESPACE } = require('./memory-options.js');

/**
 * Opens a memory cache for a class. Names are per class: a MemoryCache of the same name is another cache. A class's
 * defaults count as explicit options to a MemoryCache, so a handle to a cache that exists and was made with others is
 * opened without them; what was given explicitly still has to agree.
 * @param {string} Class
 * @param {Record<string, any>} defaults
 * @param {Record<string, any>} given
 */
function openFaceMemory(Class, defaults, given) {
  const named = { ...given, [NAMESPACE]: Class };
  try {
    return new MemoryCache({ ...defaults, ...named });
  } catch (error) {
    if (!(error instanceof HotpathConflictError)) throw error;
    return new MemoryCache(named);
  }
}

module.exports = { openFaceMemory };
