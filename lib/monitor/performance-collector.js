'use strict';

const { DISPOSE, addAliases } = require('../aliases.js');
const check = require('../validate.js');
const { MonitorHandle } = require('./monitor-handle.js');

/** Values that are kept of each name. */
const KEPT = 1_000;

class PerformanceCollector {
  #monitor;

  /** @param {{ name?: string }} [options] */
  constructor(options) {
    const { name } = check.options(options, 'options', ['name']);
    const shared = name === undefined ? undefined : `collector:${check.nonEmptyString(name, 'options.name')}`;
    this.#monitor = new MonitorHandle({ label: 'performance collector', name: shared, capacity: KEPT });
  }

  /** @param {string} name @param {number} value */
  recordMetric(name, value) {
    if (typeof name !== 'string' || name === '') check.nonEmptyString(name, 'name');
    if (typeof value !== 'number' || !Number.isFinite(value)) check.finiteNumber(value, 'value');
    this.#monitor.recordValue(name, value);
  }

  /** @param {string} name */
  getStats(name) {
    return this.#monitor.stats(check.nonEmptyString(name, 'name'), Number.NEGATIVE_INFINITY);
  }

  get names() {
    return this.#monitor.names();
  }

  reset() {
    this.#monitor.reset();
  }

  get closed() {
    return this.#monitor.closed;
  }

  close() {
    this.#monitor.close();
  }
}

addAliases(PerformanceCollector, { [DISPOSE]: 'close' });

module.exports = { PerformanceCollector };
