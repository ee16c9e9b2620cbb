'use strict';

const { EventEmitter } = require('node:events');
const native = require('../native.js');
const { DISPOSE, addAliases } = require('../aliases.js');
const { invalidArgType } = require('../errors.js');
const { surfaceLater, tellListeners } = require('../listening.js');
const check = require('../validate.js');
const { AlertBook } = require('./alert-book.js');
const { MonitorHandle } = require('./monitor-handle.js');
const { fractions, monitorOptions } = require('./monitor-options.js');
const { describe, errorRate, latency, percent } = require('./monitor-report.js');
const { observeAll, severityOf } = require('./monitor-rules.js');
const { record } = require('./recorder.js');
const { ServiceWatch } = require('./service-watch.js');
const { threadWatch } = require('./thread-watch.js');

const SYSTEM_EVERY_MS = 5_000;
const SERVICES_EVERY_MS = 10_000;
const ALERTS_EVERY_MS = 30_000;

/** Samples that are kept of each name, and the default of `getMetrics`. */
const KEPT = 1_000;
const RANGE_MS = 300_000;

/** Endpoints that are found without a call; an application has fewer, a flood has more. */
const REMEMBERED_ENDPOINTS = 1_000;

/** How old the system's sample may be that a new one is recorded from. */
const FRESH_MS = 500;

/** Slices and binary digits of the window over all requests, and of those of endpoints. */
const ALL = /** @type {const} */ ([60, 10]);
const ENDPOINT = /** @type {const} */ ([12, 7]);

class PerformanceMonitor extends EventEmitter {
  #thresholds;
  #monitor;
  #alerts;
  #services;
  #logger;
  #requestSlot = -1;
  /** @type {Map<string, number>} */
  #endpointSlots = new Map();
  /** @type {NodeJS.Timeout[]} */
  #timers = [];
  #heardAll = false;

  /** @param {object} [options] */
  constructor(options) {
    super();
    const { shared, logger, enabled, settings, explicit, thresholds } = monitorOptions(options);
    this.#monitor = new MonitorHandle({
      label: 'performance monitor',
      name: shared,
      settings,
      explicit,
      capacity: KEPT,
    });
    this.#thresholds = thresholds ?? fractions(this.#monitor.settings);
    this.#alerts = new AlertBook(this.#monitor);
    this.#services = new ServiceWatch(shared);
    this.#logger = logger;
    if (enabled) this.startMonitoring();
  }

  /** What `checkAlerts` compares with; may be changed in place. @returns {Record<string, number>} */
  get thresholds() {
    return this.#thresholds;
  }

  get closed() {
    return this.#monitor.closed;
  }

  /** The rolling window: of all handles on this monitor. */
  get #windowMs() {
    return this.#monitor.settings.metricsWindow;
  }

  get monitoring() {
    return this.#timers.length > 0;
  }

  startMonitoring() {
    this.#monitor.open();
    if (this.#timers.length > 0) return;
    this.#hear();
    threadWatch.start();
    this.#timers = [
      setInterval(() => this.collectSystemMetrics(), SYSTEM_EVERY_MS),
      setInterval(() => this.collectServiceMetrics(), SERVICES_EVERY_MS),
      setInterval(() => this.checkAlerts(), ALERTS_EVERY_MS),
    ];
    for (const timer of this.#timers) timer.unref();
    this.collectSystemMetrics();
  }

  stopMonitoring() {
    if (this.#timers.length === 0) return;
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    threadWatch.stop();
  }

  /** Incidents from before this handle cared are not told to it. */
  #hear() {
    if (this.#heardAll) return;
    this.#heardAll = true;
    this.#alerts.skip();
  }

  collectSystemMetrics() {
    const sample = native.monitorSystem(FRESH_MS);
    const heap = threadWatch.sample();
    const { user, system } = process.cpuUsage();
    const now = Date.now();
    const figures = {
      'system.memory.heapUsed': heap.heapUsed,
      'system.memory.heapTotal': heap.heapTotal,
      'system.memory.heapLimit': heap.heapLimit,
      'system.memory.external': heap.external,
      'system.memory.rss': sample.resident,
      'system.memory.limit': sample.memoryLimit,
      'system.cpu.user': user,
      'system.cpu.system': system,
      'system.cpu.percent': Math.max(sample.processCpu, sample.threadCpu) * 100,
      'system.cpu.host': sample.hostCpu * 100,
      'system.eventLoop.utilization': heap.utilization,
      'system.eventLoop.delay': threadWatch.latest.delays.p99,
    };
    for (const [name, value] of Object.entries(figures)) this.#monitor.recordAt(name, value, now);
  }

  async collectServiceMetrics() {
    await this.#services.collect((name, analytics) => {
      if (!this.closed) this.recordServiceMetrics(name, analytics);
    });
  }

  /** @param {string} serviceName @param {Record<string, unknown>} analytics */
  recordServiceMetrics(serviceName, analytics) {
    const now = Date.now();
    for (const [key, value] of Object.entries(analytics)) {
      if (typeof value === 'number' && Number.isFinite(value)) {
        this.#monitor.recordAt(`service.${serviceName}.${key}`, value, now);
      }
    }
  }

  /** @param {string} name @param {() => unknown} getAnalytics */
  registerService(name, getAnalytics) {
    this.#services.register(check.nonEmptyString(name, 'name'), check.function_(getAnalytics, 'getAnalytics'));
  }

  /** @param {string} name */
  unregisterService(name) {
    return this.#services.unregister(check.nonEmptyString(name, 'name'));
  }

  /** @param {string} name @param {number} value @param {object} [tags] */
  recordMetric(name, value, tags) {
    if (typeof name !== 'string' || name === '') check.nonEmptyString(name, 'name');
    if (typeof value !== 'number' || !Number.isFinite(value)) check.finiteNumber(value, 'value');
    if (tags !== undefined && (typeof tags !== 'object' || tags === null)) {
      throw invalidArgType('an object', 'tags', tags);
    }
    const note = tags === undefined || Object.keys(tags).length === 0 ? undefined : JSON.stringify(tags);
    this.#monitor.recordAt(name, value, Date.now(), note);
  }

  /**
   * With a name: its values. Without: all figures, for people.
   * @param {string} [name]
   * @param {number} [timeRange]
   * @returns {any}
   */
  getMetrics(name, timeRange = RANGE_MS) {
    if (name === undefined) return describe(this.#figures());
    check.nonEmptyString(name, 'name');
    const since = Date.now() - check.nonNegativeNumber(timeRange, 'timeRange');
    return this.#monitor.points(name, since).map(({ value, time, note }) => ({
      value,
      timestamp: time,
      tags: note === undefined ? {} : JSON.parse(note),
    }));
  }

  /** @param {string} name @param {number} [timeRange] */
  calculateStats(name, timeRange = RANGE_MS) {
    check.nonEmptyString(name, 'name');
    return this.#monitor.stats(name, Date.now() - check.nonNegativeNumber(timeRange, 'timeRange'));
  }

  /** All values by name, as the monitor holds them now. */
  get metrics() {
    return new Map(this.#monitor.names().map((name) => [name, this.getMetrics(name, Number.POSITIVE_INFINITY)]));
  }

  /** @param {number} duration @param {boolean} [success] @param {string} [endpoint] */
  trackRequest(duration, success = true, endpoint) {
    if (typeof duration !== 'number' || !(duration >= 0 && duration < Number.POSITIVE_INFINITY)) {
      check.nonNegativeNumber(check.finiteNumber(duration, 'duration'), 'duration');
    }
    if (endpoint !== undefined && typeof endpoint !== 'string') check.string(endpoint, 'endpoint');
    if (this.#requestSlot < 0 || this.closed)
      this.#requestSlot = this.#monitor.windowSlot('requests', this.#windowMs, ...ALL);
    const failed = success ? 0 : 1;
    record(this.#requestSlot + failed, duration);
    if (endpoint !== undefined) record(this.#endpointSlot(endpoint) + failed, duration);
  }

  /** The slot of an endpoint's window, remembered: making its name costs more than recording. @param {string} endpoint */
  #endpointSlot(endpoint) {
    const known = this.#endpointSlots.get(endpoint);
    if (known !== undefined) return known;
    const slot = this.#monitor.windowSlot(`endpoint ${endpoint}`, this.#windowMs, ...ENDPOINT);
    if (this.#endpointSlots.size < REMEMBERED_ENDPOINTS) this.#endpointSlots.set(endpoint, slot);
    return slot;
  }

  #requests() {
    return this.#monitor.windowSummary('requests', this.#windowMs, ...ALL);
  }

  #figures() {
    const sample = native.monitorSystem(SYSTEM_EVERY_MS);
    const heap = threadWatch.latest;
    const shares = [heap.heapUsed / heap.heapLimit, sample.memoryLimit > 0 ? sample.resident / sample.memoryLimit : 0];
    return {
      windowMs: this.#windowMs,
      requests: this.#requests(),
      system: {
        cpu: Math.max(sample.processCpu, sample.threadCpu) * 100,
        memory: Math.max(...shares) * 100,
        uptime: process.uptime(),
        cpuCount: sample.cores,
        memoryBytes: sample.resident,
      },
      alerts: this.#alerts.open(),
      thresholds: this.thresholds,
    };
  }

  /** The same figures as plain numbers. */
  get stats() {
    const { requests, system, alerts, windowMs } = this.#figures();
    const { count, failures, avg, min, max, p50, p95, p99 } = requests;
    return {
      windowMs,
      requests: {
        total: count,
        successful: count - failures,
        failed: failures,
        errorRate: errorRate(requests),
        throughput: (count / windowMs) * 1000,
      },
      latency: { avg, p50, p95, p99, min, max },
      system: { cpu: system.cpu, memory: system.memory, uptime: system.uptime, cpuCount: system.cpuCount },
      alerts: alerts.length,
    };
  }

  /** @returns {Record<string, any>} */
  getEndpointStats() {
    const names = this.#monitor.windowNames().filter((name) => name.startsWith('endpoint '));
    const entries = names.map((name) => {
      const summary = this.#monitor.windowSummary(name, this.#windowMs, ...ENDPOINT);
      const { count, failures } = summary;
      const successRate = percent(count === 0 ? 100 : ((count - failures) / count) * 100);
      const figures = { requests: count, successful: count - failures, failed: failures, successRate };
      return [name.slice('endpoint '.length), { ...figures, ...latency(summary) }];
    });
    return Object.fromEntries(entries);
  }

  generateReport() {
    const figures = this.#figures();
    const described = describe(figures);
    const { requests, system, windowMs } = figures;
    return {
      timestamp: new Date().toISOString(),
      ...described,
      endpoints: this.getEndpointStats(),
      performance: {
        responseTime: requests.avg,
        throughput: (requests.count / windowMs) * 1000,
        errorRate: errorRate(requests),
        cpuUsage: system.cpu,
        memoryUsage: system.memoryBytes / (1024 * 1024),
        dbConnections: this.#monitor.points('service.database.connections', 0).at(-1)?.value ?? 0,
      },
    };
  }

  /** The incidents that have not ended, by id. */
  get alerts() {
    return new Map(this.#alerts.open().map((incident) => [incident.id, publicAlert(incident)]));
  }

  checkAlerts() {
    this.#hear();
    observeAll(this.#alerts, {
      monitor: this.#monitor,
      thresholds: this.thresholds,
      windowMs: this.#windowMs,
      requests: () => this.#requests(),
      services: this.#services.states,
    });
    this.#tell();
  }

  /** @param {string} type @param {any} [data] */
  triggerAlert(type, data = {}) {
    this.#hear();
    check.nonEmptyString(type, 'type');
    const { current = 1, threshold = 0 } = typeof data === 'object' && data !== null ? data : {};
    const numbers = typeof current === 'number' && typeof threshold === 'number' && current > threshold;
    const seen = { value: numbers ? current : 1, threshold: numbers ? threshold : 0, data };
    this.#alerts.observe({ type, severity: severityOf(type) }, seen);
    this.#tell();
  }

  /** @param {string} id */
  resolveAlert(id) {
    this.#hear();
    const resolved = this.#alerts.resolve(check.nonEmptyString(id, 'id'));
    this.#tell();
    return resolved;
  }

  /** @param {string} type */
  getAlertSeverity(type) {
    return severityOf(check.nonEmptyString(type, 'type'));
  }

  #tell() {
    for (const { began, incident } of this.#alerts.changes()) {
      const { id, type, value, threshold, severity } = incident;
      if (began) surfaceLater(() => this.#logger.warn('PERFORMANCE ALERT:', publicAlert(incident)));
      tellListeners(this, began ? 'alert' : 'resolved', [{ id, type, value, threshold, severity }]);
    }
  }

  close() {
    this.stopMonitoring();
    this.#monitor.close();
  }
}

/** @param {import('./alert-book.js').Incident} incident */
function publicAlert({ id, type, data, since, severity }) {
  return { id, type, data, timestamp: new Date(since).toISOString(), severity };
}

addAliases(PerformanceMonitor, { start: 'startMonitoring', stop: 'stopMonitoring', [DISPOSE]: 'close' });

module.exports = { PerformanceMonitor };
