'use strict';

// Collects the figures of a server, watches them, reports, and has them optimized.
//
// Timers (every 30 s, 5 min and 15 min) run by the clock that was given, and keep no process alive. A point of history has
// the eight metrics; the sample that it was made of is kept beside it for charts.

const { EventEmitter } = require('node:events');
const { invalidArgType } = require('../errors.js');
const check = require('../validate.js');
const { AlertBook } = require('./alert-book.js');
const { checkServices, told } = require('./attached-services.js');
const { checkClock, every } = require('./clock.js');
const { HitRates, asColumns, takeSample } = require('./live-sample.js');
const { MonitorHandle } = require('./monitor-handle.js');
const { healthOf } = require('./performance-health.js');
const {
  ALERT_CONFIG,
  SEVERITIES,
  WORDS,
  alertMessage,
  recommendationsOf,
  scoreOf,
  statusOf,
} = require('./performance-score.js');
const { trendsOf } = require('./performance-trends.js');
const { metricsService } = require('./singletons.js');
const { threadWatch } = require('./thread-watch.js');

const DEFAULTS = Object.freeze({
  metricsIntervalMs: 30_000,
  reportIntervalMs: 300_000,
  optimizationIntervalMs: 900_000,
  historySize: 1_000,
  enabled: true,
});
const OPTIONS = [...Object.keys(DEFAULTS), 'services', 'alertConfig', 'clock', 'logger'];
const RULE_OPTIONS = ['threshold', 'severity', 'reverse'];

const METRICS = Object.freeze([
  'responseTime',
  'throughput',
  'errorRate',
  'cacheHitRate',
  'memoryUsage',
  'cpuUsage',
  'activeConnections',
  'queueLength',
]);

/** Reads between two collections that a hit rate needs before it can be an alert. */
const LEAST_READS = 20;

/** What ids of alerts begin with, so that those of other monitors are told apart. */
const ID = 'performance:';

/** @param {unknown} value @param {string} path */
function alertConfigOf(value, path) {
  const given = check.options(value, path, Object.keys(ALERT_CONFIG));
  /** @type {Record<string, import('./performance-score.js').Rule>} */
  const config = {};
  for (const [metric, preset] of Object.entries(ALERT_CONFIG)) {
    const at = `${path}.${metric}`;
    const rule = { ...preset, ...check.options(given[metric], at, RULE_OPTIONS) };
    check.nonNegativeNumber(check.finiteNumber(rule.threshold, `${at}.threshold`), `${at}.threshold`);
    check.oneOf(rule.severity, `${at}.severity`, SEVERITIES);
    if (rule.reverse !== undefined) check.boolean(rule.reverse, `${at}.reverse`);
    config[metric] = rule;
  }
  return config;
}

/** @param {unknown} options */
function serviceOptions(options) {
  const path = 'options';
  const given = check.options(options, path, OPTIONS);
  const duration = (/** @type {'metricsIntervalMs' | 'reportIntervalMs' | 'optimizationIntervalMs'} */ name) =>
    check.positiveFiniteNumber(given[name] ?? DEFAULTS[name], `${path}.${name}`);
  const logger = given.logger ?? console;
  if (typeof logger.warn !== 'function') throw invalidArgType('a logger with a method warn', `${path}.logger`, logger);
  return {
    services: checkServices(given.services, `${path}.services`),
    alertConfig: alertConfigOf(given.alertConfig, `${path}.alertConfig`),
    metricsIntervalMs: duration('metricsIntervalMs'),
    reportIntervalMs: duration('reportIntervalMs'),
    optimizationIntervalMs: duration('optimizationIntervalMs'),
    historySize: check.positiveInteger(given.historySize ?? DEFAULTS.historySize, `${path}.historySize`),
    enabled: check.boolean(given.enabled ?? DEFAULTS.enabled, `${path}.enabled`),
    clock: checkClock(given.clock, `${path}.clock`),
    logger,
  };
}

/** @typedef {{ timestamp: number, score: number, status: string, metrics: Record<string, number> }} Point */

class PerformanceService extends EventEmitter {
  #options;
  #named;
  #clock;
  #monitor = new MonitorHandle({ label: 'performance service' });
  #alerts;
  #rates = new HitRates();
  /** @type {Point[]} */
  #history = [];
  /** @type {import('./live-sample.js').Sample[]} */
  #samples = [];
  /** @type {any[]} */
  #timers = [];
  #stopped = false;
  #failures = 0;

  /** @param {unknown} [options] */
  constructor(options) {
    super();
    this.#options = serviceOptions(options);
    this.#named = this.#options.services;
    this.#clock = this.#options.clock;
    this.#alerts = new AlertBook(this.#monitor, () => this.#clock.now());
    // One without options is a handle that somebody may use later; it begins at its first use.
    if (options !== undefined && this.#options.enabled) this.startMonitoring();
  }

  get closed() {
    return this.#monitor.closed;
  }

  get monitoring() {
    return this.#timers.length > 0;
  }

  /** What alerts compare with; may be changed in place. */
  get alertConfig() {
    return this.#options.alertConfig;
  }

  /** Adds services that are not there yet. @param {unknown} services */
  attach(services) {
    const others = checkServices(services, 'services');
    // Itself is none of them.
    delete others.performance;
    this.#named = { ...others, ...this.#named };
    return this;
  }

  /** Where no metrics are named, those of the process. @returns {Record<string, any>} */
  get #services() {
    return { metrics: metricsService, ...this.#named };
  }

  startMonitoring() {
    this.#monitor.open();
    if (this.#timers.length > 0) return;
    this.#stopped = false;
    threadWatch.start();
    const { metricsIntervalMs, reportIntervalMs, optimizationIntervalMs } = this.#options;
    this.#timers = [
      every(this.#clock, () => this.collectMetrics(), metricsIntervalMs),
      every(this.#clock, () => this.#report(), reportIntervalMs),
      every(this.#clock, () => this.checkOptimization(), optimizationIntervalMs),
    ];
    this.collectMetrics();
  }

  stopMonitoring() {
    this.#stopped = true;
    if (this.#timers.length === 0) return;
    for (const timer of this.#timers) this.#clock.clearInterval(timer);
    this.#timers = [];
    threadWatch.stop();
  }

  /** Begins what was not begun, unless it was stopped. */
  #wake() {
    this.#monitor.open();
    if (this.#timers.length === 0 && this.#options.enabled && !this.#stopped) this.startMonitoring();
  }

  /** Adds a point to the history, and checks the alerts. @returns {Point} */
  collectMetrics() {
    this.#monitor.open();
    const { sample, metrics, unknown } = this.#look(this.#rates, true);
    this.#observe(metrics, unknown);
    const alerts = this.#open();
    const score = scoreOf(metrics, unknown, this.alertConfig, alerts);
    const point = { timestamp: sample.timestamp, score, status: statusOf(score), metrics };
    this.#history.push(point);
    this.#samples.push({ ...sample, score, alerts: alerts.length });
    if (this.#history.length > this.#options.historySize) {
      this.#history.shift();
      this.#samples.shift();
    }
    this.#tell();
    this.emit('metrics', point);
    return point;
  }

  /** @param {HitRates} rates @param {boolean} keep */
  #look(rates, keep) {
    const sample = takeSample(this.#services, rates, this.#clock.now(), keep);
    const { latency, throughput, errorRate, cache, memory, cpu, connections, queueLength } = sample;
    /** @type {Set<string>} */
    const unknown = new Set();
    if (latency === null) unknown.add('responseTime').add('errorRate');
    if (cache.asked < LEAST_READS) unknown.add('cacheHitRate');
    const metrics = {
      responseTime: latency?.avg ?? 0,
      throughput: throughput ?? 0,
      errorRate: errorRate ?? 0,
      cacheHitRate: cache.hitRate ?? 0,
      memoryUsage: memory.usage,
      cpuUsage: cpu,
      activeConnections: connections,
      queueLength,
    };
    return { sample, metrics, unknown };
  }

  /** @param {Record<string, number>} metrics @param {ReadonlySet<string>} unknown */
  #observe(metrics, unknown) {
    for (const [metric, { threshold, severity, reverse = false }] of Object.entries(this.alertConfig)) {
      const value = unknown.has(metric) ? undefined : metrics[metric];
      const rule = { type: WORDS[metric].type, severity, above: !reverse };
      this.#alerts.observe(rule, { value, threshold, data: { metric } });
    }
  }

  /** The open alerts, as they are shown. */
  #open() {
    return this.#alerts.open().map((incident) => this.#shown(incident));
  }

  /** @param {import('./alert-book.js').Incident} incident */
  #shown({ id, type, severity, value, threshold, since, data: { metric } }) {
    const { reverse } = this.alertConfig[metric];
    const message = alertMessage(metric, value, { threshold, severity, reverse });
    return { id: ID + id, source: 'performance', type, metric, severity, message, value, threshold, timestamp: since };
  }

  #tell() {
    for (const { began, incident } of this.#alerts.changes()) {
      const alert = this.#shown(incident);
      if (began) this.#options.logger.warn('PERFORMANCE ALERT:', alert.message);
      this.emit(began ? 'alert' : 'resolved', alert);
    }
  }

  /** What is true now; the history does not grow. */
  #now() {
    this.#wake();
    const look = this.#look(this.#rates, false);
    const alerts = this.#open();
    const score = scoreOf(look.metrics, look.unknown, this.alertConfig, alerts);
    return { ...look, alerts, score, status: statusOf(score) };
  }

  getSummary() {
    const { sample, metrics, alerts, score, status } = this.#now();
    return {
      timestamp: sample.timestamp,
      score,
      status,
      metrics,
      alerts,
      recommendations: this.#recommendations(alerts),
    };
  }

  /** @param {ReturnType<PerformanceService['getAlerts']>} alerts */
  #recommendations(alerts) {
    const levers = told(() => this.#services.optimization?.getRecommendations()) ?? [];
    const others = levers.map((/** @type {any} */ { area, severity, message }) => ({ type: area, severity, message }));
    const own = recommendationsOf(alerts);
    // That all is well is not said beside advice.
    return others.length > 0 && alerts.length === 0 ? others : [...own, ...others];
  }

  /** The last five minutes, put together. */
  getReport() {
    const { sample, metrics, alerts, score, status } = this.#now();
    const from = sample.timestamp - this.#options.reportIntervalMs;
    const points = this.#history.filter(({ timestamp }) => timestamp > from);
    const history = told(() => this.#services.optimization?.getHistory(50)) ?? [];
    return {
      timestamp: sample.timestamp,
      period: { from, to: sample.timestamp, points: points.length },
      score,
      status,
      metrics,
      averages: averagesOf(points),
      latency: sample.latency,
      trends: this.getTrends(),
      endpoints: told(() => this.#services.monitor?.getEndpointStats()) ?? {},
      alerts,
      recommendations: this.#recommendations(alerts),
      optimizations: history.filter((/** @type {any} */ { timestamp }) => timestamp > from),
    };
  }

  #report() {
    this.emit('report', this.getReport());
  }

  getTrends() {
    this.#wake();
    return trendsOf(this.#history, METRICS);
  }

  /** The latest points, the oldest first. @param {number} [limit] @returns {Point[]} */
  getHistory(limit = 100) {
    const most = check.positiveInteger(limit, 'limit');
    this.#wake();
    return this.#history.slice(-most);
  }

  /** The same as columns with everything that charts show. @param {number} [limit] */
  getSeries(limit = this.#options.historySize) {
    const most = check.positiveInteger(limit, 'limit');
    this.#wake();
    return asColumns(this.#samples.slice(-most), this.#options.metricsIntervalMs);
  }

  /** Takes samples with hit rates of its own, from one call to the next. */
  sampler() {
    const rates = new HitRates();
    return () => {
      this.#wake();
      const { sample, metrics, unknown } = this.#look(rates, true);
      const alerts = this.#open();
      return { ...sample, score: scoreOf(metrics, unknown, this.alertConfig, alerts), alerts: alerts.length };
    };
  }

  getDashboard() {
    const summary = this.getSummary();
    const { optimization } = this.#services;
    return {
      timestamp: summary.timestamp,
      summary,
      health: this.health(),
      history: this.getSeries(),
      trends: this.getTrends(),
      alerts: summary.alerts,
      optimization: optimization === undefined ? null : (told(() => optimization.getDashboard()) ?? null),
    };
  }

  getAlerts() {
    this.#wake();
    return this.#open();
  }

  /** @param {string} id */
  resolveAlert(id) {
    check.nonEmptyString(id, 'id');
    this.#wake();
    const resolved = this.#alerts.resolve(id.startsWith(ID) ? id.slice(ID.length) : id);
    this.#tell();
    return resolved;
  }

  /** Ends all open alerts. They come again when their cause has gone and come back. */
  clearAlerts() {
    this.#wake();
    const open = this.#alerts.open();
    const cleared = open.filter(({ id }) => this.#alerts.resolve(id)).length;
    this.#tell();
    return { cleared };
  }

  health() {
    const { sample, alerts, score } = this.#now();
    return healthOf({ ...sample, score, alerts: alerts.length }, this.#services, alerts);
  }

  /** Has the optimization service look, where it may act by itself. */
  async checkOptimization() {
    const { optimization } = this.#services;
    try {
      if (optimization?.getConfig().auto !== true) return undefined;
      return await optimization.runOptimization({ trigger: 'scheduled' });
    } catch (error) {
      this.#failures += 1;
      this.#options.logger.warn('Optimization failed:', error);
      return undefined;
    }
  }

  get stats() {
    const last = this.#history.at(-1);
    return {
      points: this.#history.length,
      alerts: this.closed ? 0 : this.#alerts.open().length,
      score: last?.score ?? null,
      failedOptimizations: this.#failures,
    };
  }

  close() {
    if (this.closed) return;
    this.stopMonitoring();
    this.#monitor.close();
  }
}

/** @param {readonly Point[]} points */
function averagesOf(points) {
  if (points.length === 0) return {};
  return Object.fromEntries(
    METRICS.map((metric) => {
      const values = points.map(({ metrics }) => metrics[metric]);
      const sum = values.reduce((total, value) => total + value, 0);
      return [metric, { avg: sum / values.length, min: Math.min(...values), max: Math.max(...values) }];
    }),
  );
}

/** Other names of the same methods. */
const ALIASES = {
  start: 'startMonitoring',
  stop: 'stopMonitoring',
  [Symbol.dispose ?? Symbol.for('nodejs.dispose')]: 'close',
};
for (const alias of Reflect.ownKeys(ALIASES)) {
  const value = /** @type {any} */ (PerformanceService.prototype)[/** @type {any} */ (ALIASES)[alias]];
  Object.defineProperty(PerformanceService.prototype, alias, { value, writable: true, configurable: true });
}

module.exports = { PerformanceService };
