'use strict';

// The two services that everybody shares; each knows the other. Nothing is opened before one of them is used.

const { OptimizationService } = require('./optimization-service.js');
const { PerformanceService } = require('./performance-service.js');

const optimizationService = new OptimizationService();
const performanceService = new PerformanceService().attach({ optimization: optimizationService });

module.exports = { optimizationService, performanceService };
