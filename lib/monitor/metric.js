'use strict';

// Metrics: families of series. Without labels a metric is its own only series.

const native = require('../native.js');
const { invalidArgType, outOfRange } = require('../errors.js');
const { translated } = require('../native-errors.js');
const { metricOptions } = require('./metric-options.js');
const { CounterSeries, GaugeSeries, HistogramSeries } = require('./series.js');

/** @typedef {Record<string, string | number | boolean>} Labels */

/** @template S */
class Metric {
  #options;
  #number;
  #Series;
  /** Series by the value of the first label, the second, and so on. @type {Map<any, any>} */
  #tree = new Map();
  /** @type {S | undefined} */
  #overflow;
  /** @type {S | undefined} */
  #only;

  /**
   * @param {'counter' | 'gauge' | 'histogram'} kind
   * @param {unknown} name
   * @param {unknown} options
   * @param {new (target: number) => S} Series
   */
  constructor(kind, name, options, Series) {
    this.#options = metricOptions(kind, name, options);
    this.#number = translated(() => native.defineMetric(this.#options));
    this.#Series = Series;
    if (this.#options.labelNames.length === 0) this.#only = new Series(native.metricSeries(this.#number, []));
  }

  get name() {
    return this.#options.name;
  }

  get labelNames() {
    return [...this.#options.labelNames];
  }

  /**
   * The series with these labels. Worth keeping where the labels are known beforehand.
   * @param {Labels} labels
   * @returns {S}
   */
  labels(labels) {
    if (typeof labels !== 'object' || labels === null) throw invalidArgType('an object', 'labels', labels);
    const names = this.#options.labelNames;
    /** @type {any} */
    let node = this.#tree;
    for (let index = 0; index < names.length; index += 1) {
      node = node.get(labels[names[index]]);
      if (node === undefined) return this.#resolve(labels);
    }
    let given = 0;
    for (const _ in labels) given += 1;
    return given === names.length && given > 0 ? node : this.#resolve(labels);
  }

  /** The series of a metric without labels. */
  get only() {
    if (this.#only === undefined) {
      throw invalidArgType(`labels (${this.#options.labelNames.join(', ')})`, this.name, undefined);
    }
    return this.#only;
  }

  /** @param {Labels} labels */
  #resolve(labels) {
    const values = this.#valuesOf(labels);
    if (values.length === 0) return this.only;
    const target = native.metricSeries(this.#number, values);
    if (target < 0) {
      // Not remembered: the labels that come too late may be without number.
      this.#overflow ??= new this.#Series(-target);
      return this.#overflow;
    }
    const names = this.#options.labelNames;
    let node = this.#tree;
    for (const name of names.slice(0, -1)) {
      const value = labels[name];
      if (!node.has(value)) node.set(value, new Map());
      node = node.get(value);
    }
    const last = labels[names[names.length - 1]];
    if (!node.has(last)) node.set(last, new this.#Series(target));
    return node.get(last);
  }

  /** @param {Labels} labels */
  #valuesOf(labels) {
    const names = this.#options.labelNames;
    for (const name in labels) {
      if (!names.includes(name)) throw outOfRange(`labels named ${names.join(', ') || 'nothing'}`, 'labels', name);
    }
    return names.map((name) => {
      const value = labels[name];
      if (!['string', 'number', 'boolean'].includes(typeof value)) {
        throw invalidArgType('a string, number or boolean', `labels.${name}`, value);
      }
      return String(value).toWellFormed?.() ?? String(value);
    });
  }

  /** @param {Labels} labels */
  remove(labels) {
    if (typeof labels !== 'object' || labels === null) throw invalidArgType('an object', 'labels', labels);
    const values = this.#valuesOf(labels);
    if (values.length === 0) return false;
    // Values of other types that mean the same stand elsewhere in the tree: all of it is made anew.
    this.#tree = new Map();
    return native.removeMetricSeries(this.#number, values);
  }

  /** What every series says now. */
  get values() {
    const names = this.#options.labelNames;
    return native.listMetricSeries(this.#number).map(([values, target]) => ({
      labels: Object.fromEntries(names.map((name, index) => [name, values[index]])),
      value: /** @type {any} */ (new this.#Series(target)).value,
    }));
  }
}

/** @extends {Metric<CounterSeries>} */
class Counter extends Metric {
  /** @param {string} name @param {object} [options] */
  constructor(name, options) {
    super('counter', name, options, CounterSeries);
  }

  /** @param {number} [by] */
  inc(by) {
    this.only.inc(by);
  }

  get value() {
    return this.only.value;
  }
}

/** @extends {Metric<GaugeSeries>} */
class Gauge extends Metric {
  /** @param {string} name @param {object} [options] */
  constructor(name, options) {
    super('gauge', name, options, GaugeSeries);
  }

  /** @param {number} value */
  set(value) {
    this.only.set(value);
  }

  /** @param {number} [by] */
  inc(by) {
    this.only.inc(by);
  }

  /** @param {number} [by] */
  dec(by) {
    this.only.dec(by);
  }

  get value() {
    return this.only.value;
  }
}

/** @extends {Metric<HistogramSeries>} */
class Histogram extends Metric {
  /** @param {string} name @param {object} [options] */
  constructor(name, options) {
    super('histogram', name, options, HistogramSeries);
  }

  /** @param {number} value */
  record(value) {
    this.only.record(value);
  }

  startTimer() {
    return this.only.startTimer();
  }

  get value() {
    return this.only.value;
  }
}

module.exports = { Counter, Gauge, Histogram };
