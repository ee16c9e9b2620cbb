'use strict';

// What an OptimizationService may do, and when.

const os = require('node:os');
const check = require('../validate.js');

/** @param {unknown} value @param {string} path */
const share = (value, path) => check.numberWithin(value, path, 0, 1);

/** @param {unknown} value @param {string} path */
const factor = (value, path) => check.numberWithin(value, path, 1, 100);

/**
 * Every setting: its default, and what checks it.
 * @type {Readonly<Record<string, Readonly<Record<string, { preset: any, check: (value: unknown, path: string) => any }>>>>}
 */
const SETTINGS = Object.freeze({
  cacheOptimization: {
    hitRateThreshold: { preset: 0.7, check: share },
    memoryThreshold: { preset: 0.8, check: share },
    maxGrowth: { preset: 4, check: factor },
    extendTtl: { preset: false, check: check.boolean },
    maxTtlFactor: { preset: 4, check: factor },
  },
  connectionOptimization: {
    maxConnections: { preset: 500, check: check.nonNegativeInteger },
    maxPoolSize: { preset: 50, check: check.positiveInteger },
    efficiencyThreshold: { preset: 0.9, check: share },
  },
  memoryOptimization: {
    gcThreshold: { preset: 0.8, check: share },
    evictShare: { preset: 0.2, check: share },
  },
  queueOptimization: {
    waitMs: { preset: 50, check: check.positiveFiniteNumber },
    maxWorkers: { preset: Math.max(2, 2 * os.availableParallelism()), check: check.positiveInteger },
    maxConcurrentJobs: { preset: 64, check: check.positiveInteger },
  },
  queryOptimization: {
    slowMs: { preset: 1_000, check: check.nonNegativeNumber },
    resultCaching: { preset: false, check: check.boolean },
    resultTtlMs: { preset: 60_000, check: check.positiveFiniteNumber },
  },
});

/** Settings that stand by themselves. */
const PLAIN = Object.freeze({
  auto: { preset: true, check: check.boolean },
  trialMs: { preset: 10_000, check: check.positiveFiniteNumber },
  slices: {
    preset: 8,
    check: (/** @type {unknown} */ value, /** @type {string} */ path) => check.integerBetween(value, path, 3, 100),
  },
  minSamples: { preset: 50, check: check.positiveInteger },
});

const NAMES = Object.freeze([...Object.keys(SETTINGS), ...Object.keys(PLAIN)]);

/** @typedef {Record<string, any>} Config */

/** @returns {Config} */
function defaultConfig() {
  const groups = Object.entries(SETTINGS).map(([group, settings]) => [
    group,
    Object.fromEntries(Object.entries(settings).map(([name, { preset }]) => [name, preset])),
  ]);
  return {
    ...Object.fromEntries(Object.entries(PLAIN).map(([name, { preset }]) => [name, preset])),
    ...Object.fromEntries(groups),
  };
}

/**
 * A configuration with some settings changed. Nothing is changed when one of them is wrong.
 * @param {Config} config
 * @param {unknown} changes
 * @param {string} path
 * @returns {Config}
 */
function changed(config, changes, path) {
  const given = check.options(changes, path, NAMES);
  const next = { ...config };
  for (const [name, value] of Object.entries(given)) {
    const plain = PLAIN[/** @type {keyof typeof PLAIN} */ (name)];
    next[name] =
      plain === undefined ? group(name, config[name], value, `${path}.${name}`) : plain.check(value, `${path}.${name}`);
  }
  return next;
}

/** @param {string} name @param {Config} current @param {unknown} changes @param {string} path */
function group(name, current, changes, path) {
  const settings = SETTINGS[name];
  const next = { ...current };
  for (const [key, value] of Object.entries(check.options(changes, path, Object.keys(settings)))) {
    next[key] = settings[key].check(value, `${path}.${key}`);
  }
  return next;
}

/** @param {Config} config */
function copyOf(config) {
  return structuredClone(config);
}

module.exports = { NAMES, changed, copyOf, defaultConfig };
