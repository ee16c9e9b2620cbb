'use strict';

// Options of PerformanceMonitor: percent where options say percent, fractions where the property `thresholds` does.

const { invalidArgType } = require('../errors.js');
const check = require('../validate.js');

const DEFAULT_WINDOW_MS = 60_000;

/** The thresholds of the default store. Shares are fractions; `responseTime` is in milliseconds. */
const THRESHOLDS = Object.freeze({
  responseTime: 1_000,
  errorRate: 0.05,
  memoryUsage: 0.8,
  cpuUsage: 0.7,
  queueDepth: 100,
});

/** Thresholds of monitors with options, in percent. */
const PERCENT = Object.freeze({ cpu: 80, memory: 85, errorRate: 5, queueDepth: 100, responseTime: 1_000 });

/** @param {unknown} value @param {string} path */
function logger(value, path) {
  const given = /** @type {any} */ (value);
  if (typeof given !== 'object' || given === null || typeof given.warn !== 'function') {
    throw invalidArgType('a logger with a method warn', path, value);
  }
  return given;
}

/** @param {unknown} value @param {string} path */
function thresholds(value, path) {
  const given = check.options(value, path, Object.keys(PERCENT));
  for (const [name, limit] of Object.entries(given)) check.nonNegativeNumber(limit, `${path}.${name}`);
  return given;
}

/** The thresholds of a monitor with options, as the property shows them. @param {Record<string, number>} settings */
function fractions({ responseTime, errorRate, memory, cpu, queueDepth }) {
  const [memoryUsage, cpuUsage] = [memory / 100, cpu / 100];
  return { responseTime, errorRate: errorRate / 100, memoryUsage, cpuUsage, queueDepth };
}

/** @param {unknown} argument of the constructor */
function monitorOptions(argument) {
  if (argument === undefined) {
    return {
      shared: 'monitor:default',
      logger: console,
      enabled: false,
      /** @type {Record<string, number>} */
      settings: { metricsWindow: DEFAULT_WINDOW_MS },
      explicit: [],
      /** Those of the settings, unless they are the default store's. */
      thresholds: { ...THRESHOLDS },
    };
  }
  const outer = check.options(argument, 'options', ['logger', 'name', 'options']);
  const inner = check.options(outer.options, 'options.options', ['enabled', 'metricsWindow', 'thresholds']);
  const windowMs =
    inner.metricsWindow === undefined
      ? DEFAULT_WINDOW_MS
      : check.positiveFiniteNumber(inner.metricsWindow, 'options.options.metricsWindow');
  const limits = thresholds(inner.thresholds, 'options.options.thresholds');
  const name = outer.name === undefined ? undefined : check.nonEmptyString(outer.name, 'options.name');
  return {
    shared: name === undefined ? undefined : `monitor:${name}`,
    logger: outer.logger === undefined ? console : logger(outer.logger, 'options.logger'),
    enabled: inner.enabled === undefined ? true : check.boolean(inner.enabled, 'options.options.enabled'),
    settings: { metricsWindow: windowMs, ...PERCENT, ...limits },
    explicit: [...(inner.metricsWindow === undefined ? [] : ['metricsWindow']), ...Object.keys(limits)],
    thresholds: undefined,
  };
}

module.exports = { fractions, monitorOptions };
