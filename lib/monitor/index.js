'use strict';

const { serviceRegistry } = require('../service-registry.js');
const { alertChannels } = require('./alert-channels.js');
const { MemoryMonitor } = require('./memory-monitor.js');
const { MetricsService } = require('./metrics-service.js');
const { OpenTelemetryProducer } = require('./open-telemetry.js');
const { OptimizationService } = require('./optimization-service.js');
const { PerformanceCollector } = require('./performance-collector.js');
const { createPerformanceLogger } = require('./performance-logger.js');
const { PerformanceMonitor } = require('./performance-monitor.js');
const { PerformanceMonitoringEngine } = require('./performance-monitoring-engine.js');
const { PerformanceService } = require('./performance-service.js');
const { profile } = require('./profile.js');
const { optimizationService, performanceService } = require('./service-singletons.js');
const { metricsService, performanceCollector, performanceMonitor } = require('./singletons.js');
const { timingMiddleware } = require('./timing-middleware.js');

module.exports = {
  MemoryMonitor,
  MetricsService,
  OpenTelemetryProducer,
  OptimizationService,
  PerformanceCollector,
  PerformanceMonitor,
  PerformanceMonitoringEngine,
  PerformanceService,
  alertChannels,
  createPerformanceLogger,
  metricsService,
  optimizationService,
  performanceCollector,
  performanceMonitor,
  performanceService,
  profile,
  serviceRegistry,
  timingMiddleware,
};
