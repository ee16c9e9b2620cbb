'use strict';

// Options of the compression middleware: our own, and those of the npm package `compression`, whose users only change
// an import.

const { constants } = require('node:zlib');
const { invalidArgType } = require('../errors.js');
const check = require('../validate.js');
const { Negotiator } = require('./encodings.js');
const { encodingList, levels } = require('./response-cache-options.js');

/** What zlib streams are tuned with. Our encoders choose these themselves; any value makes a valid stream. */
const TUNING = Object.freeze(['chunkSize', 'windowBits', 'memLevel', 'strategy', 'finishFlush']);

const OPTIONS = Object.freeze([
  'level',
  'brotliLevel',
  'zstdLevel',
  'threshold',
  'filter',
  'encodings',
  'enforceEncoding',
  'brotli',
  'flush',
  ...TUNING,
]);

/** Units of a threshold that is written as text, as the npm package takes it. @type {Record<string, number>} */
const UNITS = Object.freeze({ b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 });

/** @param {unknown} value @param {string} path */
function thresholdBytes(value, path) {
  if (typeof value !== 'string') return check.nonNegativeInteger(value, path);
  const [, number, unit = 'b'] = /^\s*(\d+(?:\.\d+)?)\s*([kmg]?b)?\s*$/i.exec(value) ?? [];
  if (number === undefined) throw invalidArgType("a number of bytes, or a text like '1kb'", path, value);
  return Math.floor(Number(number) * UNITS[unit.toLowerCase()]);
}

/** The level in options of zlib's brotli streams, which the npm package passes on. @param {unknown} value @param {string} path */
function brotliQuality(value, path) {
  if (value === undefined) return undefined;
  const { params } = check.plainObject(value, path);
  if (params === undefined) return undefined;
  return check.plainObject(params, `${path}.params`)[constants.BROTLI_PARAM_QUALITY];
}

/**
 * @typedef {object} Settings
 * @property {number} level
 * @property {number} brotliLevel
 * @property {number} zstdLevel
 * @property {number} threshold
 * @property {Function} filter
 * @property {Negotiator} negotiator
 * @property {import('./encodings.js').Encoding | undefined} enforced
 * @property {boolean} isImmediate whether every write goes to the client at once
 */

/** @param {unknown} options @param {Function} filter the usual one @returns {Settings} */
function compressionOptions(options, filter) {
  const path = 'options';
  const given = check.options(options ?? {}, path, OPTIONS);
  if (given.level === -1) delete given.level;
  given.brotliLevel ??= brotliQuality(given.brotli, `${path}.brotli`);
  const { flush = constants.Z_NO_FLUSH, enforceEncoding: enforced } = given;
  const encodings = encodingList(given.encodings, `${path}.encodings`);
  for (const name of TUNING) if (given[name] !== undefined) check.nonNegativeInteger(given[name], `${path}.${name}`);
  return {
    ...levels(given, path),
    threshold: given.threshold === undefined ? 1024 : thresholdBytes(given.threshold, `${path}.threshold`),
    filter: given.filter === undefined ? filter : check.function_(given.filter, `${path}.filter`),
    negotiator: new Negotiator(encodings),
    enforced:
      enforced === undefined || enforced === 'identity'
        ? undefined
        : check.oneOf(enforced, `${path}.enforceEncoding`, encodings),
    isImmediate: check.nonNegativeInteger(flush, `${path}.flush`) !== constants.Z_NO_FLUSH,
  };
}

module.exports = { compressionOptions };
