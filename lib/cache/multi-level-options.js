'use strict';

// Options of the multi-level cache, in both forms of its constructor, checked and put into the form that the native side
// takes.

const { invalidArgType } = require('../errors.js');
const check = require('../validate.js');
const { wellFormed } = require('./memory-arguments.js');
const { OPTIONS_MANNER, POSITIONAL_MANNER, describeTier, isCache } = require('./tier-adapters.js');

/** Seconds. */
const LEVEL_TTLS = Object.freeze({ l1TTL: 300, l2TTL: 3600, l3TTL: 86_400 });

const BREAKER_DEFAULTS = Object.freeze({
  failureThreshold: 5,
  failureRatio: 0.5,
  minimumCalls: 20,
  windowMs: 10_000,
  openMs: 500,
  probes: 1,
});

const DEFAULTS = Object.freeze({ tierTimeoutMs: 1000, graceMs: 0, lock: true });

const LOCK_DEFAULTS = Object.freeze({ holdMs: 5000, waitMs: 5000 });

/** Options that also a single call may give. */
const LOAD_OPTIONS = Object.freeze([
  'ttlMs',
  'graceMs',
  'softTimeoutMs',
  'hardTimeoutMs',
  'eagerRefresh',
  'jitter',
  'lock',
]);

const TIERS = Object.freeze(['l1Cache', 'l2Cache', 'l3Cache']);
const SETTINGS = Object.freeze(['name', 'tierTimeoutMs', 'breaker', ...LOAD_OPTIONS]);
const OPTIONS = Object.freeze([...TIERS, ...Object.keys(LEVEL_TTLS), ...SETTINGS]);

/**
 * How values are loaded and kept, all in milliseconds.
 * @typedef {object} LoadSettings
 * @property {number} [ttlMs]
 * @property {number} graceMs
 * @property {number} [softTimeoutMs]
 * @property {number} [hardTimeoutMs]
 * @property {number} [eagerRefresh] share of a ttl after which a value is loaded anew
 * @property {number} jitter share of a ttl that chance may take off
 * @property {{ holdMs: number, waitMs: number } | undefined} lock
 */

/** @param {unknown} value @param {string} path */
function share(value, path) {
  return check.numberWithin(value, path, 0, 1);
}

/** @param {unknown} value @param {string} path */
function lockOptions(value, path) {
  if (value === false) return undefined;
  if (value === true) return LOCK_DEFAULTS;
  if (!check.isPlainObject(value)) throw invalidArgType('a boolean or an object', path, value);
  const given = { ...LOCK_DEFAULTS, ...check.options(value, path, Object.keys(LOCK_DEFAULTS)) };
  return {
    holdMs: check.positiveFiniteNumber(given.holdMs, `${path}.holdMs`),
    waitMs: check.nonNegativeNumber(given.waitMs, `${path}.waitMs`),
  };
}

/**
 * The load options among those that were given, over those that hold without them.
 * @param {Record<string, any>} given
 * @param {string} path
 * @param {LoadSettings} base
 * @returns {LoadSettings}
 */
function loadSettings(given, path, base) {
  const settings = { ...base };
  if (given.ttlMs !== undefined) settings.ttlMs = check.positiveNumber(given.ttlMs, `${path}.ttlMs`);
  if (given.graceMs !== undefined) settings.graceMs = check.nonNegativeNumber(given.graceMs, `${path}.graceMs`);
  for (const name of /** @type {const} */ (['softTimeoutMs', 'hardTimeoutMs'])) {
    if (given[name] !== undefined) settings[name] = check.nonNegativeNumber(given[name], `${path}.${name}`);
  }
  if (given.eagerRefresh !== undefined) {
    settings.eagerRefresh =
      given.eagerRefresh === false ? undefined : share(given.eagerRefresh, `${path}.eagerRefresh`);
  }
  if (given.jitter !== undefined) settings.jitter = share(given.jitter, `${path}.jitter`);
  if (given.lock !== undefined) settings.lock = lockOptions(given.lock, `${path}.lock`);
  return settings;
}

/** @param {unknown} value @param {string} path @returns {Record<string, number> | undefined} */
function breakerOptions(value, path) {
  if (value === undefined || value === true) return BREAKER_DEFAULTS;
  if (value === false) return undefined;
  if (!check.isPlainObject(value)) throw invalidArgType('a boolean or an object', path, value);
  const given = { ...BREAKER_DEFAULTS, ...check.options(value, path, Object.keys(BREAKER_DEFAULTS)) };
  return {
    failureThreshold: check.positiveInteger(given.failureThreshold, `${path}.failureThreshold`),
    failureRatio: share(given.failureRatio, `${path}.failureRatio`),
    minimumCalls: check.positiveInteger(given.minimumCalls, `${path}.minimumCalls`),
    windowMs: check.positiveFiniteNumber(given.windowMs, `${path}.windowMs`),
    openMs: check.positiveFiniteNumber(given.openMs, `${path}.openMs`),
    probes: check.positiveInteger(given.probes, `${path}.probes`),
  };
}

/** The seconds of a level, in milliseconds; 0 and null mean the default, as they do in many an application. @param {Record<string, any>} given @param {keyof typeof LEVEL_TTLS} name */
function levelTtl(given, name) {
  const value = given[name];
  if (value === undefined || value === null || value === 0) return LEVEL_TTLS[name] * 1000;
  return check.positiveNumber(value, `options.${name}`) * 1000;
}

/** A cap for native code: a level that keeps values for ever has none. @param {number | undefined} ms */
function capOf(ms) {
  return ms === Number.POSITIVE_INFINITY ? undefined : ms;
}

/** @param {Record<string, any>} given */
function tiersOfOptions(given) {
  return TIERS.map((name, index) => {
    const tier = given[name];
    if (tier === undefined || tier === null) return undefined;
    const capMs = capOf(levelTtl(given, /** @type {any} */ (`l${index + 1}TTL`)));
    return { level: index + 1, capMs, ...describeTier(tier, `options.${name}`, OPTIONS_MANNER) };
  });
}

/** @param {unknown[]} caches */
function tiersOfPositions(caches) {
  const names = ['memoryCache', 'redisCache'];
  return caches.map((tier, index) => {
    if (index > 0 && (tier === undefined || tier === null)) return undefined;
    const capMs = index === 0 ? LEVEL_TTLS.l1TTL * 1000 : undefined;
    return { level: index + 1, capMs, ...describeTier(tier, names[index], POSITIONAL_MANNER) };
  });
}

/**
 * @param {unknown[]} args of the constructor
 */
function multiLevelOptions(args) {
  const positional = args.length > 1 || isCache(args[0]);
  const path = 'options';
  const given = positional ? check.options(args[2], path, SETTINGS) : check.options(args[0], path, OPTIONS);
  const tiers = positional ? tiersOfPositions(args.slice(0, 2)) : tiersOfOptions(given);
  const name = given.name === undefined ? undefined : check.nonEmptyString(given.name, `${path}.name`);
  const settings = loadSettings(given, path, { graceMs: DEFAULTS.graceMs, jitter: 0, lock: LOCK_DEFAULTS });
  const breaker = breakerOptions(given.breaker, `${path}.breaker`);
  const tierTimeoutMs =
    given.tierTimeoutMs === undefined
      ? DEFAULTS.tierTimeoutMs
      : check.positiveFiniteNumber(given.tierTimeoutMs, `${path}.tierTimeoutMs`);
  /** @type {Record<string, unknown>} */
  const effective = { ...settings, tierTimeoutMs, breaker: breaker ?? false };
  for (const level of /** @type {const} */ (['l1TTL', 'l2TTL', 'l3TTL']))
    effective[level] = levelTtl(given, level) / 1000;
  return {
    name,
    tiers,
    settings,
    /** What a miss is. */
    absent: positional ? null : undefined,
    native: {
      name: name === undefined ? undefined : wellFormed(name),
      tierTimeoutMs,
      breaker,
      shown: Object.entries(effective).flatMap(([option, value]) => [option, shown(value)]),
      explicit: Object.keys(given),
    },
  };
}

/** @param {unknown} value */
function shown(value) {
  return value === undefined ? 'none' : typeof value === 'object' ? JSON.stringify(value) : String(value);
}

module.exports = { LEVEL_TTLS, LOAD_OPTIONS, capOf, loadSettings, multiLevelOptions };
