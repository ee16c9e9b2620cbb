'use strict';

const { EventEmitter } = require('node:events');
const v8 = require('node:v8');
const native = require('../native.js');
const { DISPOSE, addAliases } = require('../aliases.js');
const { invalidArgType, outOfRange } = require('../errors.js');
const check = require('../validate.js');

const MIB = 1024 * 1024;

const DEFAULTS = Object.freeze({ threshold: 0.8, criticalThreshold: 0.95, intervalMs: 30_000 });

/** How far below the threshold memory has to come to count as recovered. */
const RECOVERY = 0.95;

/** How old the native sample of the resident set may be. */
const FRESH_MS = 100;

/** @param {unknown} options */
function memoryMonitorOptions(options) {
  const path = 'options';
  const given = check.options(options, path, ['threshold', 'criticalThreshold', 'intervalMs', 'logger']);
  const share = (/** @type {'threshold' | 'criticalThreshold'} */ name) => {
    const value = check.positiveFiniteNumber(given[name] ?? DEFAULTS[name], `${path}.${name}`);
    if (value > 1) throw outOfRange('a share between 0 and 1', `${path}.${name}`, value);
    return value;
  };
  const { logger = console } = given;
  if (typeof logger?.warn !== 'function' || typeof logger.log !== 'function') {
    throw invalidArgType('a logger with methods warn and log', `${path}.logger`, logger);
  }
  const threshold = share('threshold');
  return {
    threshold,
    critical: Math.max(threshold, share('criticalThreshold')),
    intervalMs: check.positiveFiniteNumber(given.intervalMs ?? DEFAULTS.intervalMs, `${path}.intervalMs`),
    logger,
  };
}

class MemoryMonitor extends EventEmitter {
  #options;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  /** @type {'normal' | 'warning' | 'critical'} */
  #state = 'normal';

  /** @param {object} [options] */
  constructor(options) {
    super();
    this.#options = memoryMonitorOptions(options);
  }

  get monitoring() {
    return this.#timer !== undefined;
  }

  get state() {
    return this.#state;
  }

  startMonitoring() {
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.checkMemoryUsage(), Math.min(this.#options.intervalMs, 2 ** 31 - 1));
    this.#timer.unref();
  }

  stopMonitoring() {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** What the process uses: shares of what it may really use. */
  get stats() {
    const { heapUsed, heapTotal, external } = process.memoryUsage();
    const { resident, memoryLimit } = native.monitorSystem(FRESH_MS);
    const heapLimit = v8.getHeapStatistics().heap_size_limit;
    const usage = Math.max(heapUsed / heapLimit, memoryLimit > 0 ? resident / memoryLimit : 0);
    return { heapUsed, heapTotal, heapLimit, external, rss: resident, memoryLimit, usage, state: this.#state };
  }

  /** Looks now, and tells what has changed. */
  checkMemoryUsage() {
    const { usage, heapUsed, heapTotal, external } = this.stats;
    const { threshold, critical, logger } = this.#options;
    const payload = {
      heapUsed: Math.round(heapUsed / MIB),
      heapTotal: Math.round(heapTotal / MIB),
      external: Math.round(external / MIB),
      usagePercent: Math.round(usage * 100),
    };
    if (usage > threshold) {
      const state = usage > critical ? 'critical' : 'warning';
      logger.warn('High memory usage detected:', payload);
      this.#triggerGarbageCollection();
      if (state !== this.#state) {
        this.#state = state;
        this.emit(state, payload);
      }
    } else if (this.#state !== 'normal' && usage <= threshold * RECOVERY) {
      this.#state = 'normal';
      this.emit('recovered', payload);
    }
    return payload;
  }

  #triggerGarbageCollection() {
    if (typeof globalThis.gc !== 'function') return;
    globalThis.gc();
    this.#options.logger.log('Garbage collection triggered');
  }

  close() {
    this.stopMonitoring();
  }
}

addAliases(MemoryMonitor, { [DISPOSE]: 'close' });

module.exports = { MemoryMonitor };
