'use strict';

// Options of the memory cache: checked, and put into the form that the native side takes.

const native = require('../native.js');
const { HotpathConflictError, invalidArgType, outOfRange } = require('../errors.js');
const { namedConflict, translated } = require('../native-errors.js');
const check = require('../validate.js');
const { wellFormed } = require('./memory-arguments.js');
const { MemoryBudget, handleOf } = require('./memory-budget.js');
const { LIMITS, MIB, byteLimit } = require('./memory-limits.js');

/** What a near cache holds unless it is told otherwise; measured, see ARCHITECTURE.md. */
const NEAR_DEFAULTS = Object.freeze({ maxEntries: 65_536, maxBytes: 32 * MIB });

const POLICIES = Object.freeze(['adaptive', 'tinylfu', 'lru']);
const ALGORITHMS = Object.freeze(['lz4', 'zstd']);

/** With a dictionary short values compress too. */
const DICTIONARY_THRESHOLD = 64;

/** Key of an option that only classes of ours give: whose names these are, as each class has its own. */
const NAMESPACE = Symbol('namespace');
const DEFAULT_NAMESPACE = 'MemoryCache';

const OPTIONS = Object.freeze([
  'name',
  'maxEntries',
  'maxMemoryMB',
  'maxBytes',
  'maxMemory',
  'ttlMs',
  'idleMs',
  'evictionPolicy',
  'compression',
  'nearCache',
  'clone',
  'budget',
]);

/** The native number of the budget that a cache joins. @param {Record<string, any>} given @param {string} path */
function budgetHandle(given, path) {
  if (given.budget === undefined) return undefined;
  if (!(given.budget instanceof MemoryBudget)) throw invalidArgType('a MemoryBudget', `${path}.budget`, given.budget);
  const policy = given.evictionPolicy;
  if (typeof policy === 'string' && policy.toLowerCase() !== 'adaptive') {
    // The other two begin anew whenever their size changes.
    throw outOfRange("'adaptive' for a cache with a budget", `${path}.evictionPolicy`, policy);
  }
  return handleOf(given.budget);
}

/** @param {unknown} compression @param {string} path */
function compressionOptions(compression, path) {
  if (compression === undefined) return {};
  if (compression === false) return { compression: 'off' };
  if (compression === true) return { compression: 'lz4' };
  if (!check.isPlainObject(compression)) throw invalidArgType('a boolean or an object', path, compression);
  const given = check.options(compression, path, ['algorithm', 'thresholdBytes', 'dictionary']);
  const dictionary = optional(given.dictionary, (value) => check.boolean(value, `${path}.dictionary`));
  const { algorithm = dictionary ? 'zstd' : 'lz4', thresholdBytes = dictionary ? DICTIONARY_THRESHOLD : undefined } =
    given;
  check.oneOf(algorithm, `${path}.algorithm`, ALGORITHMS);
  if (dictionary && algorithm !== 'zstd') throw outOfRange("'zstd' with a dictionary", `${path}.algorithm`, algorithm);
  return {
    compression: algorithm,
    compressionDictionary: dictionary,
    compressionThreshold: optional(thresholdBytes, (value) =>
      check.nonNegativeInteger(value, `${path}.thresholdBytes`),
    ),
  };
}

/** @param {unknown} nearCache @param {string} path */
function nearOptions(nearCache, path) {
  if (nearCache === false) return undefined;
  if (nearCache === undefined || nearCache === true) return NEAR_DEFAULTS;
  if (!check.isPlainObject(nearCache)) throw invalidArgType('a boolean or an object', path, nearCache);
  const given = { ...NEAR_DEFAULTS, ...check.options(nearCache, path, ['maxEntries', 'maxBytes']) };
  return {
    maxEntries: check.positiveInteger(given.maxEntries, `${path}.maxEntries`),
    maxBytes: check.positiveInteger(given.maxBytes, `${path}.maxBytes`),
  };
}

/**
 * @template T
 * @param {unknown} value
 * @param {(value: unknown) => T} parse
 * @returns {T | undefined}
 */
function optional(value, parse) {
  return value === undefined ? undefined : parse(value);
}

/** Checks the constructor's options. @param {unknown} options */
function memoryCacheOptions(options) {
  const path = 'options';
  const given = check.options(options, path, OPTIONS);
  const duration = (/** @type {string} */ name) =>
    optional(given[name], (value) => check.positiveNumber(value, `${path}.${name}`));
  const policy = (/** @type {any} */ value) =>
    check.oneOf(typeof value === 'string' ? value.toLowerCase() : value, `${path}.evictionPolicy`, POLICIES);
  return {
    native: {
      namespace: /** @type {any} */ (options)?.[NAMESPACE] ?? DEFAULT_NAMESPACE,
      budget: budgetHandle(given, path),
      name: optional(given.name, (value) => wellFormed(check.nonEmptyString(value, `${path}.name`))),
      maxEntries: optional(given.maxEntries, (value) => check.positiveInteger(value, `${path}.maxEntries`)),
      maxBytes: byteLimit(given, path),
      ttlMs: duration('ttlMs'),
      idleMs: duration('idleMs'),
      evictionPolicy: optional(given.evictionPolicy, policy),
      ...compressionOptions(given.compression, `${path}.compression`),
    },
    nearCache: nearOptions(given.nearCache, `${path}.nearCache`),
    name: given.name,
    limit: LIMITS.find((name) => given[name] !== undefined),
    clone: given.clone === undefined ? false : check.boolean(given.clone, `${path}.clone`),
  };
}

/** New bounds of a near cache; what is left out stays. @param {unknown} value @param {string} path */
function nearBounds(value, path) {
  const given = check.options(value, path, ['maxEntries', 'maxBytes']);
  const bound = (/** @type {'maxEntries' | 'maxBytes'} */ name) =>
    optional(given[name], (number) => check.positiveInteger(number, `${path}.${name}`));
  return { maxEntries: bound('maxEntries'), maxBytes: bound('maxBytes') };
}

/** Checks the argument of `resize`. @param {unknown} options */
function resizeOptions(options) {
  const path = 'options';
  const given = check.options(options, path, ['maxEntries', ...LIMITS, 'nearCache', 'compressionThresholdBytes']);
  const maxEntries = optional(given.maxEntries, (value) => check.positiveInteger(value, `${path}.maxEntries`));
  const threshold = `${path}.compressionThresholdBytes`;
  return {
    maxEntries,
    maxBytes: byteLimit(given, path),
    near: optional(given.nearCache, (value) => nearBounds(value, `${path}.nearCache`)),
    compressFrom: optional(given.compressionThresholdBytes, (value) => check.nonNegativeInteger(value, threshold)),
  };
}

/**
 * Opens the native cache. The native side knows one limit of bytes: a conflict about it is told in the option that the
 * caller gave.
 * @param {ReturnType<typeof memoryCacheOptions>} checked
 * @returns {number} the handle
 */
function openMemoryCache({ native: options, limit }) {
  try {
    return translated(() => native.openMemoryCache(options));
  } catch (error) {
    if (!(error instanceof HotpathConflictError) || limit !== 'maxMemoryMB') throw error;
    const { engine, option, existing, requested } = /** @type {any} */ (error);
    throw option === 'maxBytes' ? namedConflict(engine, limit, existing / MIB, requested / MIB) : error;
  }
}

module.exports = { NAMESPACE, memoryCacheOptions, openMemoryCache, resizeOptions };
