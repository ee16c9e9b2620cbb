'use strict';

// Every public member of the classes that monitor, and a use of each that says whether it worked.

const assert = require('node:assert/strict');
const hotpath = require('../..');

const quiet = { warn() {}, log() {} };

/** @typedef {{ make(): any, uses: Record<string, (it: any) => any>, always: string[], end: string, fill(it: any): void }} Kind */

const PerformanceMonitor = {
  make: () => new hotpath.PerformanceMonitor({ logger: quiet, options: { enabled: false } }),
  uses: {
    thresholds: (it) => assert.equal(it.thresholds.errorRate, 0.05),
    closed: (it) => assert.equal(typeof it.closed, 'boolean'),
    monitoring: (it) => assert.equal(typeof it.monitoring, 'boolean'),
    startMonitoring: (it) => it.startMonitoring(),
    stopMonitoring: (it) => it.stopMonitoring(),
    start: (it) => it.start(),
    stop: (it) => it.stop(),
    collectSystemMetrics: (it) => it.collectSystemMetrics(),
    collectServiceMetrics: (it) => it.collectServiceMetrics(),
    recordServiceMetrics: (it) => it.recordServiceMetrics('service', { figure: 1 }),
    registerService: (it) => it.registerService('registered', () => ({ figure: 2 })),
    unregisterService: (it) => assert.equal(it.unregisterService('never-there'), false),
    recordMetric: (it) => it.recordMetric('one', 1),
    getMetrics: (it) => assert.equal(it.getMetrics().window, '60s'),
    calculateStats: (it) => assert.equal(it.calculateStats('never-there'), null),
    metrics: (it) => assert.ok(it.metrics instanceof Map),
    trackRequest: (it) => it.trackRequest(1, true, 'GET /'),
    stats: (it) => assert.equal(it.stats.windowMs, 60_000),
    getEndpointStats: (it) => assert.equal(typeof it.getEndpointStats(), 'object'),
    generateReport: (it) => assert.equal(typeof it.generateReport().timestamp, 'string'),
    alerts: (it) => assert.ok(it.alerts instanceof Map),
    checkAlerts: (it) => it.checkAlerts(),
    triggerAlert: (it) => it.triggerAlert('BY_HAND'),
    resolveAlert: (it) => assert.equal(it.resolveAlert('alert_999999'), false),
    getAlertSeverity: (it) => assert.equal(it.getAlertSeverity('SERVICE_DOWN'), 'critical'),
    close: (it) => it.close(),
  },
  always: ['thresholds', 'closed', 'monitoring', 'stopMonitoring', 'stop', 'getAlertSeverity', 'close'].concat(
    'collectServiceMetrics',
    'registerService',
    'unregisterService',
  ),
  end: 'close',
  /** More names than it keeps. */
  fill(it) {
    for (let number = 0; number < 10_100; number += 1) it.recordMetric(`name ${number}`, number);
  },
};

const PerformanceCollector = {
  make: () => new hotpath.PerformanceCollector(),
  uses: {
    recordMetric: (it) => it.recordMetric('one', 1),
    getStats: (it) => assert.equal(it.getStats('never-there'), null),
    names: (it) => assert.ok(Array.isArray(it.names)),
    reset: (it) => it.reset(),
    closed: (it) => assert.equal(typeof it.closed, 'boolean'),
    close: (it) => it.close(),
  },
  always: ['closed', 'close'],
  end: 'close',
  fill: PerformanceMonitor.fill,
};

const PerformanceMonitoringEngine = {
  make: () => new hotpath.PerformanceMonitoringEngine({ monitoringInterval: 60_000 }),
  uses: {
    monitoring: (it) => assert.equal(typeof it.monitoring, 'boolean'),
    closed: (it) => assert.equal(typeof it.closed, 'boolean'),
    alertThresholds: (it) => assert.equal(it.alertThresholds.cpu, 80),
    start: (it) => it.start(),
    stop: (it) => it.stop(),
    recordRequest: (it) => it.recordRequest(5, true),
    recordCacheOperation: (it) => it.recordCacheOperation(true),
    recordDatabaseQuery: (it) => it.recordDatabaseQuery(5),
    recordPrediction: (it) => it.recordPrediction(0.5),
    recordTraining: (it) => it.recordTraining(5),
    collectMetrics: (it) => it.collectMetrics(),
    checkAlerts: (it) => it.checkAlerts(),
    getSummary: (it) => assert.equal(typeof it.getSummary().application.requests, 'number'),
    stats: (it) => assert.equal(typeof it.stats.requests.count, 'number'),
    getAlerts: (it) => assert.ok(Array.isArray(it.getAlerts())),
    resolveAlert: (it) => assert.equal(it.resolveAlert('alert_999999'), false),
    exportMetrics: async (it) => assert.equal(typeof JSON.parse(await it.exportMetrics()).summary, 'object'),
    exportStream: async (it) => {
      let text = '';
      for await (const piece of it.exportStream('csv')) text += piece;
      assert.match(text, /^timestamp,/);
    },
    close: (it) => it.close(),
  },
  always: ['monitoring', 'closed', 'alertThresholds', 'stop', 'close'],
  end: 'close',
  /** More points than a ring of records has places. */
  fill(it) {
    for (let count = 0; count < 40_000; count += 1) it.recordRequest(count % 100, count % 50 > 0);
  },
};

const MemoryMonitor = {
  make: () => new hotpath.MemoryMonitor({ logger: quiet }),
  uses: {
    monitoring: (it) => assert.equal(typeof it.monitoring, 'boolean'),
    state: (it) => assert.match(it.state, /^(normal|warning|critical)$/),
    startMonitoring: (it) => it.startMonitoring(),
    stopMonitoring: (it) => it.stopMonitoring(),
    stats: (it) => assert.ok(it.stats.usage > 0),
    checkMemoryUsage: (it) => assert.ok(it.checkMemoryUsage().heapUsed > 0),
    close: (it) => it.close(),
  },
  // It holds nothing that could be closed: close() stops its timer, and it may be started again.
  always: ['monitoring', 'state', 'startMonitoring', 'stopMonitoring', 'stats', 'checkMemoryUsage', 'close'],
  end: 'close',
  fill: () => {},
};

/** @type {Record<string, Kind>} */
const MONITORS = { MemoryMonitor, PerformanceCollector, PerformanceMonitor, PerformanceMonitoringEngine };

module.exports = { MONITORS };
