'use strict';

// Options of batches: checked, with the engine's own as defaults.

const { invalidArgType, outOfRange } = require('../errors.js');
const check = require('../validate.js');
const { normalizeFilter } = require('./record-filter.js');

const ENGINE = Object.freeze(['batchSize', 'maxConcurrency', 'processingTimeout', 'processors', 'keepFinished']);
const BATCH = Object.freeze([
  ...['batchSize', 'maxConcurrency', 'processingTimeout', 'retries', 'retryDelay', 'atomic', 'maxResults'],
  ...['signal', 'onProgress', 'checkpoint'],
]);
const FILE = Object.freeze([
  ...['format', 'fields', 'where', 'processor', 'delimiter', 'quote', 'columns', 'stopOnMalformed'],
]);

/** Results that are kept of a source without a known length. */
const MOST_RESULTS = 10_000;

/** @param {unknown} options */
function engineOptions(options) {
  const given = check.options(options, 'options', ENGINE);
  return {
    batchSize: check.positiveInteger(given.batchSize ?? 1_000, 'options.batchSize'),
    maxConcurrency: check.positiveInteger(given.maxConcurrency ?? 5, 'options.maxConcurrency'),
    processingTimeout: check.positiveNumber(given.processingTimeout ?? 1_800_000, 'options.processingTimeout'),
    keepFinished: check.nonNegativeInteger(given.keepFinished ?? 100, 'options.keepFinished'),
    processors: check.options(given.processors, 'options.processors', Object.keys(given.processors ?? {})),
  };
}

/**
 * @param {unknown} options
 * @param {ReturnType<typeof engineOptions>} engine
 * @param {{ endless: boolean, file?: boolean }} source whether its length is unknown, and it is a file
 */
function batchOptions(options, engine, { endless, file = false }) {
  const given = check.options(options, 'options', file ? [...BATCH, ...FILE] : BATCH);
  const concurrency = check.positiveInteger(given.maxConcurrency ?? engine.maxConcurrency, 'options.maxConcurrency');
  const timeout = given.processingTimeout ?? engine.processingTimeout;
  return {
    given,
    batchSize: check.positiveInteger(given.batchSize ?? engine.batchSize, 'options.batchSize'),
    maxConcurrency: Math.min(concurrency, engine.maxConcurrency),
    processingTimeout: check.positiveNumber(timeout, 'options.processingTimeout'),
    retries: check.nonNegativeInteger(given.retries ?? 0, 'options.retries'),
    retryDelay: check.nonNegativeNumber(given.retryDelay ?? 0, 'options.retryDelay'),
    atomic: check.boolean(given.atomic ?? false, 'options.atomic'),
    maxResults: check.nonNegativeNumber(
      given.maxResults ?? (endless ? MOST_RESULTS : Number.POSITIVE_INFINITY),
      'options.maxResults',
    ),
    stopOnMalformed: check.boolean(given.stopOnMalformed ?? false, 'options.stopOnMalformed'),
    signal: given.signal === undefined ? undefined : abortSignal(given.signal),
    onProgress: given.onProgress === undefined ? undefined : check.function_(given.onProgress, 'options.onProgress'),
    checkpoint:
      given.checkpoint === undefined ? undefined : check.nonEmptyString(given.checkpoint, 'options.checkpoint'),
  };
}

/** @param {any} signal @returns {AbortSignal} */
function abortSignal(signal) {
  if (!(signal instanceof AbortSignal)) throw invalidArgType('an AbortSignal', 'options.signal', signal);
  return signal;
}

/** What is read of a file. @param {Record<string, any>} given @param {string} path */
function fileOptions(given, path) {
  const guessed = /\.csv$/i.test(path) ? 'csv' : 'ndjson';
  const format = check.oneOf(given.format ?? guessed, 'options.format', /** @type {const} */ (['ndjson', 'csv']));
  const predicate = typeof given.where === 'function' ? given.where : undefined;
  return {
    format,
    fields: given.fields === undefined ? undefined : names(given.fields, 'options.fields'),
    filter: normalizeFilter(predicate === undefined ? (given.where ?? []) : [], 'options.where'),
    predicate,
    delimiter: character(given.delimiter ?? ',', 'options.delimiter'),
    quote: character(given.quote ?? '"', 'options.quote'),
    columns: given.columns === undefined ? undefined : names(given.columns, 'options.columns'),
  };
}

/** @param {any} value @param {string} path @returns {string[]} */
function names(value, path) {
  if (!Array.isArray(value)) throw invalidArgType('an array of strings', path, value);
  return value.map((name, index) => check.string(name, `${path}[${index}]`));
}

/** @param {any} value @param {string} path */
function character(value, path) {
  const text = check.string(value, path);
  if (text.length !== 1 || text.charCodeAt(0) > 0x7f || '\0\n\r'.includes(text)) {
    throw outOfRange('one ASCII character', path, value);
  }
  return text;
}

module.exports = { engineOptions, batchOptions, fileOptions };
