'use strict';

// Cache-Control, of requests and of answers (RFC 9111, 5.2).

const { Memo } = require('./memo.js');

/** The largest number of seconds that a directive may say (RFC 9111, 1.2.2). */
const MOST_SECONDS = 2 ** 31;

/**
 * @typedef {object} Directives
 * @property {boolean} noStore
 * @property {boolean} noCache
 * @property {boolean} isPrivate
 * @property {boolean} isPublic
 * @property {boolean} noTransform
 * @property {boolean} mustRevalidate or proxy-revalidate
 * @property {boolean} onlyIfCached
 * @property {number | undefined} maxAge seconds; 0 when it cannot be read
 * @property {number | undefined} sharedMaxAge
 * @property {number | undefined} minFresh
 * @property {number | undefined} maxStale Infinity without a value
 * @property {number | undefined} staleWhileRevalidate
 * @property {number | undefined} staleIfError
 */

/** @returns {Directives} */
function none() {
  return {
    noStore: false,
    noCache: false,
    isPrivate: false,
    isPublic: false,
    noTransform: false,
    mustRevalidate: false,
    onlyIfCached: false,
    maxAge: undefined,
    sharedMaxAge: undefined,
    minFresh: undefined,
    maxStale: undefined,
    staleWhileRevalidate: undefined,
    staleIfError: undefined,
  };
}

/** @type {Directives} */
const NONE = Object.freeze(none());

/** Directives that say seconds. @type {Record<string, keyof Directives>} */
const SECONDS = {
  'max-age': 'maxAge',
  's-maxage': 'sharedMaxAge',
  'min-fresh': 'minFresh',
  'stale-while-revalidate': 'staleWhileRevalidate',
  'stale-if-error': 'staleIfError',
};

/** Directives that say nothing more. One that names fields counts as one that does not. @type {Record<string, keyof Directives>} */
const FLAGS = {
  'no-store': 'noStore',
  'no-cache': 'noCache',
  private: 'isPrivate',
  public: 'isPublic',
  'no-transform': 'noTransform',
  'must-revalidate': 'mustRevalidate',
  'proxy-revalidate': 'mustRevalidate',
  'only-if-cached': 'onlyIfCached',
};

/** A name, and perhaps a value with or without quotes. */
const DIRECTIVE = /([^\s=,;"]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?/g;

/** @param {string} text @returns {Directives} */
function parse(text) {
  const directives = /** @type {any} */ (none());
  for (const [, name, quoted, bare] of text.matchAll(DIRECTIVE)) {
    const directive = name.toLowerCase();
    if (Object.hasOwn(FLAGS, directive)) {
      directives[FLAGS[directive]] = true;
    } else if (directive === 'max-stale') {
      const value = quoted ?? bare;
      directives.maxStale = value === undefined ? Infinity : seconds(value);
    } else if (Object.hasOwn(SECONDS, directive)) {
      const field = SECONDS[directive];
      // Said twice, the stricter counts.
      directives[field] = Math.min(directives[field] ?? Infinity, seconds(quoted ?? bare ?? ''));
    }
  }
  return Object.freeze(directives);
}

/** What cannot be read counts as nothing: rather asked again than stale. @param {string} text */
function seconds(text) {
  return /^\d+$/.test(text) ? Math.min(Number(text), MOST_SECONDS) : 0;
}

/** @type {Memo<Directives>} */
const memo = new Memo(parse);

/** @param {unknown} header the value of a Cache-Control, as Node.js gives it */
function cacheControl(header) {
  if (header === undefined) return NONE;
  return memo.get(Array.isArray(header) ? header.join(', ') : String(header));
}

/** What a request asks of caches. @param {Record<string, any>} headers */
function requestDirectives(headers) {
  const header = headers['cache-control'];
  if (header !== undefined) return memo.get(header);
  const pragma = headers.pragma;
  // RFC 9111, 5.4: for clients that know nothing else.
  return pragma !== undefined && /no-cache/i.test(pragma) ? memo.get('no-cache') : NONE;
}

module.exports = { NO_DIRECTIVES: NONE, cacheControl, requestDirectives };
