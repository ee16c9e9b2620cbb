'use strict';

const { serviceRegistry } = require('../service-registry.js');
const { alertChannels } = require('./alert-channels.js');
const { MemoryMonitor } = require('./memory-monitor.js');
const { MetricsService } = require('./metrics-service.js');
const { OpenTelemetryProducer } = require('./open-telemetry.js');
const { PerformanceCollector } = require('./performance-collector.js');
const { createPerformanceLogger } = require('./performance-logger.js');
const { PerformanceMonitor } = require('./performance-monitor.js');
const { PerformanceMonitoringEngine } = require('./performance-monitoring-engine.js');
const { profile } = require('./profile.js');
const { metricsService, performanceCollector, performanceMonitor } = require('./singletons.js');
const { timingMiddleware } = require('./timing-middleware.js');

module.exports = {
  MemoryMonitor,
  MetricsService,
  OpenTelemetryProducer,
  PerformanceCollector,
  PerformanceMonitor,
  PerformanceMonitoringEngine,
  alertChannels,
  createPerformanceLogger,
  metricsService,
  performanceCollector,
  performanceMonitor,
  profile,
  serviceRegistry,
  timingMiddleware,
};
