'use strict';

// The public form of the response cache: a handler with methods.

const { HotpathClosedError, invalidArgType } = require('../errors.js');
const check = require('../validate.js');
const { ResponseCache } = require('./response-cache.js');

/** @param {ResponseCache} cache */
function open(cache) {
  if (cache.closed) throw new HotpathClosedError('The response cache is closed');
}

/** @param {unknown} tags @returns {string[]} */
function tagList(tags) {
  const list = typeof tags === 'string' ? [tags] : tags;
  if (!Array.isArray(list)) throw invalidArgType('a string or an array of strings', 'tags', tags);
  return list.map((tag, index) => check.string(tag, `tags[${index}]`));
}

/** @param {unknown} app */
function application(app) {
  return /** @type {(request: any, response: any) => unknown} */ (check.function_(app, 'app'));
}

/** Members of the handler. @param {ResponseCache} cache */
function members(cache) {
  return {
    /** @param {unknown} app */
    front: (app) => cache.front(application(app)),
    /** @param {unknown} url */
    async delete(url) {
      open(cache);
      await cache.invalidation.deleteUrl(check.nonEmptyString(url, 'url'));
    },
    /** @param {unknown} key */
    async deleteKey(key) {
      open(cache);
      return cache.invalidation.deleteKey(check.string(key, 'key'));
    },
    /** @param {unknown} pattern */
    async deletePattern(pattern) {
      open(cache);
      return cache.invalidation.deletePattern(check.string(pattern, 'pattern'));
    },
    /** @param {unknown} tags */
    async invalidateTags(tags) {
      open(cache);
      return cache.invalidation.invalidateTags(tagList(tags));
    },
    async clear() {
      open(cache);
      await cache.invalidation.clear();
    },
    close: () => cache.close(),
    [Symbol.dispose ?? Symbol.for('nodejs.dispose')]: () => cache.close(),
  };
}

/** @param {unknown} [options] */
function responseCache(options) {
  const cache = new ResponseCache(options);
  const handler = (/** @type {any} */ request, /** @type {any} */ response, /** @type {any} */ next) =>
    cache.handle(request, response, next);
  return Object.defineProperties(Object.assign(handler, members(cache)), {
    cache: { get: () => cache.store.cache, enumerable: true },
    closed: { get: () => cache.closed, enumerable: true },
    stats: { get: () => ({ ...cache.counts }), enumerable: true },
  });
}

/**
 * @param {unknown} app
 * @param {unknown} [options]
 */
responseCache.front = (app, options) => {
  const handler = /** @type {any} */ (responseCache(options));
  return Object.assign(handler.front(app), { responses: handler });
};

module.exports = { responseCache };
