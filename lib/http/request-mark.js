'use strict';

// What caches say to each other about a request that passes several of them.

/** @typedef {import('./response-cache.js').ResponseCache} ResponseCache */

/**
 * What a cache has to say about a request: that it takes care of it already, or what it was made for. One property,
 * because looking for one that is not there costs as much as the rest.
 * @typedef {{ handled: Set<ResponseCache>, cache?: ResponseCache, renewal?: (next: () => unknown) => unknown }} Mark
 */
const MARK = Symbol('hotpath.responses');

/** @param {any} request @returns {Mark} */
function markOf(request) {
  request[MARK] ??= { handled: new Set() };
  return request[MARK];
}

module.exports = { MARK, markOf };
