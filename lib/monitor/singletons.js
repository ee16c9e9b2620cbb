'use strict';

// The instances that everybody shares. Nothing is opened before one of them is used.

const { MetricsService } = require('./metrics-service.js');
const { PerformanceCollector } = require('./performance-collector.js');
const { PerformanceMonitor } = require('./performance-monitor.js');

const metricsService = new MetricsService();
const performanceCollector = new PerformanceCollector({ name: 'default' });
const performanceMonitor = new PerformanceMonitor();

module.exports = { metricsService, performanceCollector, performanceMonitor };
