'use strict';

// Options of the response cache, checked.

const { invalidArgType } = require('../errors.js');
const check = require('../validate.js');
const { ENCODINGS } = require('./encodings.js');

/**
 * Statuses that may be stored for the default time: those that HTTP calls cacheable by default (RFC 9110, 15.1), but
 * for parts of answers.
 */
const STATUSES = Object.freeze([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501]);

const MIB = 1024 * 1024;

/** Longer than any time that HTTP can say. */
const FOREVER_MS = 2 ** 31 * 1000;

const OPTIONS = Object.freeze([
  'cache',
  'name',
  'maxMemoryMB',
  'ttlMs',
  'staleWhileRevalidateMs',
  'staleIfErrorMs',
  'statuses',
  'maxBodyBytes',
  'compression',
  'key',
  'identity',
  'tags',
  'filter',
  'storable',
  'ignoreCookies',
  'ignoreAuthorization',
  'storeSetCookie',
  'storePrivate',
  'requestDirectives',
  'coalesce',
  'coalesceTimeoutMs',
  'cacheStatus',
  'app',
  'onError',
]);

/**
 * @typedef {object} CompressionSettings
 * @property {number} level
 * @property {number} brotliLevel
 * @property {number} zstdLevel
 * @property {number} threshold
 * @property {readonly import('./encodings.js').Encoding[]} encodings
 */

/**
 * @typedef {object} Settings
 * @property {any} cache
 * @property {string | undefined} name
 * @property {number | undefined} maxMemoryMB
 * @property {number | undefined} ttlMs
 * @property {number} staleWhileRevalidateMs
 * @property {number} staleIfErrorMs
 * @property {Set<number>} statuses
 * @property {number} maxBodyBytes
 * @property {CompressionSettings | undefined} compression
 * @property {((request: any) => string | undefined) | undefined} key
 * @property {((request: any) => string | number | null | undefined) | undefined} identity
 * @property {(request: any, response: any) => Iterable<string> | undefined} tags
 * @property {((request: any) => boolean) | undefined} filter
 * @property {((request: any, response: any) => boolean) | undefined} storable
 * @property {boolean} ignoreCookies
 * @property {boolean} ignoreAuthorization
 * @property {boolean} storeSetCookie
 * @property {boolean} storePrivate
 * @property {boolean} requestDirectives
 * @property {boolean} coalesce
 * @property {number} coalesceTimeoutMs
 * @property {boolean} cacheStatus
 * @property {((request: any, response: any) => unknown) | undefined} app
 * @property {((error: unknown) => void) | undefined} onError
 */

/** @param {Record<string, any>} given @param {string} path @returns {Pick<CompressionSettings, 'level' | 'brotliLevel' | 'zstdLevel'>} */
function levels(given, path) {
  const level = (
    /** @type {string} */ name,
    /** @type {number} */ usual,
    /** @type {number} */ least,
    /** @type {number} */ most,
  ) => (given[name] === undefined ? usual : check.integerBetween(given[name], `${path}.${name}`, least, most));
  return {
    level: level('level', 6, 0, 9),
    brotliLevel: level('brotliLevel', 4, 0, 11),
    // Beyond 19 the window is larger than HTTP allows (RFC 9659).
    zstdLevel: level('zstdLevel', 3, 1, 19),
  };
}

/** @param {unknown} value @param {string} path @returns {readonly import('./encodings.js').Encoding[]} */
function encodingList(value, path) {
  if (value === undefined) return ENCODINGS;
  if (!Array.isArray(value)) throw invalidArgType('an array of codings', path, value);
  const encodings = value.map((encoding, index) => check.oneOf(encoding, `${path}[${index}]`, ENCODINGS));
  return [...new Set(encodings)];
}

/** @param {unknown} value @param {string} path @returns {CompressionSettings | undefined} */
function compressionSettings(value, path) {
  if (value === false) return undefined;
  if (value !== undefined && value !== true && !check.isPlainObject(value)) {
    throw invalidArgType('a boolean or an object', path, value);
  }
  const known = ['level', 'brotliLevel', 'zstdLevel', 'threshold', 'encodings'];
  const given = check.options(value === true ? {} : value, path, known);
  return {
    ...levels(given, path),
    threshold: given.threshold === undefined ? 1024 : check.nonNegativeInteger(given.threshold, `${path}.threshold`),
    encodings: encodingList(given.encodings, `${path}.encodings`),
  };
}

/** @param {unknown} tags @param {string} path @returns {Settings['tags']} */
function tagsOption(tags, path) {
  if (tags === undefined) return () => undefined;
  if (typeof tags === 'function') return /** @type {Settings['tags']} */ (tags);
  if (!Array.isArray(tags)) throw invalidArgType('an array of strings or a function', path, tags);
  const list = tags.map((tag, index) => check.string(tag, `${path}[${index}]`));
  return () => list;
}

/** @param {unknown} statuses @param {string} path */
function statusSet(statuses, path) {
  if (statuses === undefined) return new Set(STATUSES);
  if (!Array.isArray(statuses)) throw invalidArgType('an array of statuses', path, statuses);
  return new Set(statuses.map((status, index) => check.integerBetween(status, `${path}[${index}]`, 200, 599)));
}

/** @param {unknown} options @returns {Settings} */
function responseCacheOptions(options) {
  const path = 'options';
  const given = check.options(options, path, OPTIONS);
  /** @type {<T>(name: string, parse: (value: unknown, path: string) => T, usual: T) => T} */
  const option = (name, parse, usual) => (given[name] === undefined ? usual : parse(given[name], `${path}.${name}`));
  const none = /** @type {any} */ (undefined);
  if (given.cache !== undefined && (given.name !== undefined || given.maxMemoryMB !== undefined)) {
    const name = given.name === undefined ? 'maxMemoryMB' : 'name';
    throw invalidArgType('nothing, as the cache has it', `${path}.${name}`, given[name]);
  }
  return {
    cache: option('cache', check.cache, none),
    name: option('name', check.nonEmptyString, none),
    maxMemoryMB: option('maxMemoryMB', check.positiveFiniteNumber, none),
    ttlMs: option('ttlMs', (value, at) => Math.min(check.positiveNumber(value, at), FOREVER_MS), none),
    staleWhileRevalidateMs: option(
      'staleWhileRevalidateMs',
      (value, at) => Math.min(check.nonNegativeNumber(value, at), FOREVER_MS),
      0,
    ),
    staleIfErrorMs: option(
      'staleIfErrorMs',
      (value, at) => Math.min(check.nonNegativeNumber(value, at), FOREVER_MS),
      0,
    ),
    statuses: statusSet(given.statuses, `${path}.statuses`),
    maxBodyBytes: option('maxBodyBytes', check.positiveInteger, 4 * MIB),
    compression: compressionSettings(given.compression, `${path}.compression`),
    key: option('key', check.function_, none),
    identity: option('identity', check.function_, none),
    tags: tagsOption(given.tags, `${path}.tags`),
    filter: option('filter', check.function_, none),
    storable: option('storable', check.function_, none),
    ignoreCookies: option('ignoreCookies', check.boolean, false),
    ignoreAuthorization: option('ignoreAuthorization', check.boolean, false),
    storeSetCookie: option('storeSetCookie', check.boolean, false),
    storePrivate: option('storePrivate', check.boolean, false),
    requestDirectives: option('requestDirectives', check.boolean, true),
    coalesce: option('coalesce', check.boolean, true),
    coalesceTimeoutMs: option('coalesceTimeoutMs', check.positiveNumber, 10_000),
    cacheStatus: option('cacheStatus', check.boolean, false),
    app: option('app', check.function_, none),
    onError: option('onError', check.function_, none),
  };
}

module.exports = { encodingList, levels, responseCacheOptions };
