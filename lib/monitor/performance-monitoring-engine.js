'use strict';

const { EventEmitter } = require('node:events');
const native = require('../native.js');
const { DISPOSE, addAliases } = require('../aliases.js');
const { tellListeners } = require('../listening.js');
const check = require('../validate.js');
const { AlertBook } = require('./alert-book.js');
const { MonitorHandle } = require('./monitor-handle.js');
const { record } = require('./recorder.js');
const { RenderingStream, checkFormat, whole } = require('./rendering.js');
const { threadWatch } = require('./thread-watch.js');

/** The window of rates and alerts, in slices of a second, to three digits. */
const WINDOW = /** @type {const} */ ([60_000, 60, 10]);
const SECONDS = WINDOW[0] / 1000;

const DEFAULTS = Object.freeze({ monitoringInterval: 5_000, metricsRetention: 86_400_000 });

/** Percent, and milliseconds for `responseTime` and `databaseQuery`. */
const THRESHOLDS = Object.freeze({
  cpu: 80,
  memory: 85,
  responseTime: 5_000,
  errorRate: 5,
  cacheHitRate: 70,
  databaseQuery: 1_000,
});

/** Cache operations that a hit rate needs to mean something: the first ones of a cold cache all miss. */
const LEAST_OPERATIONS = 5;

/** Points that a history holds at most, however short the interval and long the retention: some 16 MB. */
const MOST_POINTS = 1_000_000;

const MARK = 1;

/** The six kinds of alerts. */
const RULES = Object.freeze([
  { type: 'HIGH_CPU', severity: 'warning', threshold: 'cpu', unit: '%', what: 'Processor usage' },
  { type: 'HIGH_MEMORY', severity: 'critical', threshold: 'memory', unit: '%', what: 'Memory usage' },
  { type: 'HIGH_RESPONSE_TIME', severity: 'warning', threshold: 'responseTime', unit: ' ms', what: 'Response time' },
  { type: 'HIGH_ERROR_RATE', severity: 'critical', threshold: 'errorRate', unit: '%', what: 'Error rate' },
  {
    type: 'CACHE_LOW_HIT_RATE',
    severity: 'warning',
    threshold: 'cacheHitRate',
    unit: '%',
    what: 'Cache hit rate',
    above: false,
  },
  { type: 'DATABASE_SLOW_QUERIES', severity: 'warning', threshold: 'databaseQuery', unit: ' ms', what: 'Query time' },
]);

/** @param {unknown} options */
function engineOptions(options) {
  const path = 'options';
  const given = check.options(options, path, ['monitoringInterval', 'metricsRetention', 'alertThresholds']);
  const thresholds = {
    ...THRESHOLDS,
    ...check.options(given.alertThresholds, `${path}.alertThresholds`, Object.keys(THRESHOLDS)),
  };
  for (const [name, limit] of Object.entries(thresholds)) {
    check.nonNegativeNumber(limit, `${path}.alertThresholds.${name}`);
  }
  const duration = (/** @type {keyof typeof DEFAULTS} */ name) =>
    check.positiveFiniteNumber(given[name] ?? DEFAULTS[name], `${path}.${name}`);
  // Beyond this, timers fire at once.
  const interval = Math.min(duration('monitoringInterval'), 2 ** 31 - 1);
  return { interval, retention: duration('metricsRetention'), thresholds };
}

class PerformanceMonitoringEngine extends EventEmitter {
  #monitor;
  #alerts;
  #interval;
  #thresholds;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  #slots;

  /** @param {object} [options] */
  constructor(options) {
    super();
    const { interval, retention, thresholds } = engineOptions(options);
    this.#interval = interval;
    this.#thresholds = thresholds;
    const capacity = Math.min(Math.ceil(retention / interval) + 1, MOST_POINTS);
    this.#monitor = new MonitorHandle({ label: 'monitoring engine', capacity, retentionMs: retention });
    this.#alerts = new AlertBook(this.#monitor);
    const slot = (/** @type {string} */ name) => this.#monitor.windowSlot(name, ...WINDOW);
    this.#slots = {
      requests: slot('requests'),
      cache: slot('cache'),
      queries: slot('queries'),
      predictions: slot('predictions'),
      trainings: slot('trainings'),
    };
    this.start();
  }

  get monitoring() {
    return this.#timer !== undefined;
  }

  get closed() {
    return this.#monitor.closed;
  }

  /** What alerts compare with; may be changed in place. @returns {Record<string, number>} */
  get alertThresholds() {
    return this.#thresholds;
  }

  start() {
    this.#monitor.open();
    if (this.#timer !== undefined) return;
    threadWatch.start();
    this.#timer = setInterval(() => this.collectMetrics(), this.#interval);
    this.#timer.unref();
    this.collectMetrics();
  }

  stop() {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    threadWatch.stop();
  }

  /** @param {number} responseTimeMs @param {boolean} [success] */
  recordRequest(responseTimeMs, success = true) {
    record(this.#slot('requests') + (success ? 0 : MARK), duration(responseTimeMs, 'responseTime'));
  }

  /** @param {boolean} hit */
  recordCacheOperation(hit) {
    record(this.#slot('cache') + (check.boolean(hit, 'hit') ? 0 : MARK), 0);
  }

  /** @param {number} queryTimeMs */
  recordDatabaseQuery(queryTimeMs) {
    record(this.#slot('queries'), duration(queryTimeMs, 'queryTime'));
  }

  /** @param {number} accuracy */
  recordPrediction(accuracy) {
    record(this.#slot('predictions'), duration(accuracy, 'accuracy'));
  }

  /** @param {number} trainingTimeMs */
  recordTraining(trainingTimeMs) {
    record(this.#slot('trainings'), duration(trainingTimeMs, 'trainingTime'));
  }

  /** @param {'requests' | 'cache' | 'queries' | 'predictions' | 'trainings'} name */
  #slot(name) {
    if (this.#monitor.closed) this.#monitor.open();
    return this.#slots[name];
  }

  /** @param {string} name */
  #window(name) {
    return this.#monitor.windowSummary(name, ...WINDOW);
  }

  /** Records a point of history, and checks the alerts. */
  collectMetrics() {
    const { timestamp, system, application, database, cache, ml } = this.getSummary();
    const values = {
      'system.cpu': system.cpu,
      'system.memory': system.memory,
      'system.memoryPercent': memoryPercent(),
      'application.requests': application.requests,
      'application.errors': application.errors,
      'application.errorRate': application.errorRate,
      'application.responseTime': application.responseTime,
      'application.throughput': application.throughput,
      'database.queries': database.queries,
      'database.queryTime': database.queryTime,
      'cache.hits': cache.hits,
      'cache.misses': cache.misses,
      'cache.hitRate': cache.hitRate,
      'ml.predictions': ml.predictions,
      'ml.accuracy': ml.accuracy,
    };
    for (const [name, value] of Object.entries(values)) this.#monitor.recordAt(name, value, timestamp);
    this.checkAlerts();
  }

  checkAlerts() {
    const [requests, cache, queries] = ['requests', 'cache', 'queries'].map((name) => this.#window(name));
    const only = (/** @type {number} */ count, /** @type {number} */ value) => (count > 0 ? value : undefined);
    /** @type {Record<string, number | undefined>} */
    const figures = {
      HIGH_CPU: cpuPercent(),
      HIGH_MEMORY: memoryPercent(),
      HIGH_RESPONSE_TIME: only(requests.count, requests.avg),
      HIGH_ERROR_RATE: only(requests.count, share(requests.failures, requests.count)),
      CACHE_LOW_HIT_RATE: cache.count < LEAST_OPERATIONS ? undefined : share(cache.count - cache.failures, cache.count),
      DATABASE_SLOW_QUERIES: only(queries.count, queries.avg),
    };
    for (const { type, severity, threshold, above = true } of RULES) {
      this.#alerts.observe(
        { type, severity, above },
        { value: figures[type], threshold: this.#thresholds[/** @type {keyof typeof THRESHOLDS} */ (threshold)] },
      );
    }
    this.#tell();
  }

  #tell() {
    for (const { began, incident } of this.#alerts.changes()) {
      tellListeners(this, began ? 'alert' : 'resolved', [{ ...publicAlert(incident), resolved: !began }]);
    }
  }

  getSummary() {
    const { total, totalFailures, totalSum, count } = this.#window('requests');
    const queries = this.#window('queries');
    const cache = this.#window('cache');
    const predictions = this.#window('predictions');
    return {
      timestamp: Date.now(),
      system: { cpu: cpuPercent(), memory: process.memoryUsage().heapUsed, uptime: process.uptime() },
      application: {
        requests: total,
        responses: total - totalFailures,
        errors: totalFailures,
        errorRate: share(totalFailures, total),
        responseTime: mean(totalSum, total),
        throughput: count / SECONDS,
      },
      database: { queries: queries.total, queryTime: mean(queries.totalSum, queries.total) },
      cache: {
        hits: cache.total - cache.totalFailures,
        misses: cache.totalFailures,
        hitRate: share(cache.total - cache.totalFailures, cache.total),
      },
      ml: { predictions: predictions.total, accuracy: mean(predictions.totalSum, predictions.total) },
      alerts: this.#alerts.open().length,
    };
  }

  /** Plain numbers of the last minute, percentiles included. */
  get stats() {
    const [requests, queries, trainings] = ['requests', 'queries', 'trainings'].map((name) => this.#window(name));
    return { requests, queries, trainings };
  }

  getAlerts() {
    return this.#alerts.open().map((incident) => ({ ...publicAlert(incident), resolved: false }));
  }

  /** @param {string} id */
  resolveAlert(id) {
    const resolved = this.#alerts.resolve(check.nonEmptyString(id, 'id'));
    this.#tell();
    return resolved;
  }

  /** @param {'json' | 'csv'} [format] @returns {Promise<string>} */
  async exportMetrics(format = 'json') {
    const checked = checkFormat(format, ['json', 'csv']);
    const handle = this.#monitor.open();
    if (checked === 'csv') return whole(() => native.openHistory(handle, checked));
    const { timestamp, ...summary } = this.getSummary();
    const head = JSON.stringify({ timestamp, summary, alerts: this.getAlerts() });
    const history = await whole(() => native.openHistory(handle, checked));
    // The history was rendered natively, it may be long: it is put in as it is, not parsed.
    return `${head.slice(0, -1)},"metrics":${history.trimEnd()}}`;
  }

  /** @param {'json' | 'csv'} [format] */
  exportStream(format = 'json') {
    return new RenderingStream(native.openHistory(this.#monitor.open(), checkFormat(format, ['json', 'csv'])));
  }

  close() {
    this.stop();
    this.#monitor.close();
  }
}

addAliases(PerformanceMonitoringEngine, { [DISPOSE]: 'close' });

/** How old the system's sample may be. */
const FRESH_MS = 500;

function cpuPercent() {
  const { processCpu, threadCpu } = native.monitorSystem(FRESH_MS);
  return Math.max(processCpu, threadCpu) * 100;
}

function memoryPercent() {
  const { resident, memoryLimit } = native.monitorSystem(FRESH_MS);
  const { heapUsed, heapLimit } = threadWatch.sample();
  return Math.max(heapUsed / heapLimit, memoryLimit > 0 ? resident / memoryLimit : 0) * 100;
}

/** @param {number} value @param {string} path */
function duration(value, path) {
  if (typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY) return value;
  return check.nonNegativeNumber(check.finiteNumber(value, path), path);
}

/** @param {number} part @param {number} all */
function share(part, all) {
  return all === 0 ? 0 : (part / all) * 100;
}

/** @param {number} sum @param {number} count */
function mean(sum, count) {
  return count === 0 ? 0 : sum / count;
}

/** @param {import('./alert-book.js').Incident} incident */
function publicAlert({ id, type, severity, value, threshold, since }) {
  const {
    what,
    unit,
    above = true,
  } = /** @type {(typeof RULES)[number] & { above?: boolean }} */ (RULES.find((rule) => rule.type === type));
  const message = `${what} is ${value.toFixed(2)}${unit}, ${above ? 'above' : 'below'} the threshold of ${threshold}${unit}`;
  return { id, type, severity, message, value, threshold, timestamp: since };
}

module.exports = { PerformanceMonitoringEngine };
