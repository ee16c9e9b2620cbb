'use strict';

const { invalidArgType } = require('../errors.js');
const check = require('../validate.js');

const SLOW_MS = 1_000;
const MIB = 1024 * 1024;

/**
 * @param {{ warn(...args: unknown[]): void, log(...args: unknown[]): void }} [logger]
 * @param {{ slowMs?: number }} [options]
 */
function createPerformanceLogger(logger = console, options = undefined) {
  if (typeof logger?.warn !== 'function' || typeof logger.log !== 'function') {
    throw invalidArgType('a logger with methods warn and log', 'logger', logger);
  }
  const given = check.options(options, 'options', ['slowMs']);
  const slowMs = given.slowMs === undefined ? SLOW_MS : check.nonNegativeNumber(given.slowMs, 'options.slowMs');
  return {
    /** @param {string} operation @param {number} durationMs */
    logSlowOperation(operation, durationMs) {
      check.nonEmptyString(operation, 'operation');
      check.nonNegativeNumber(durationMs, 'duration');
      if (durationMs <= slowMs) return false;
      logger.warn(`Slow operation: ${operation} took ${durationMs}ms`);
      return true;
    },

    profileMemory() {
      const { rss, heapTotal, heapUsed } = process.memoryUsage();
      const shown = (/** @type {number} */ bytes) => `${Math.round(bytes / MIB)} MB`;
      const usage = { rss: shown(rss), heapTotal: shown(heapTotal), heapUsed: shown(heapUsed) };
      logger.log('Memory usage:', usage);
      return usage;
    },
  };
}

module.exports = { createPerformanceLogger };
