'use strict';

// What the three servers have in common: the engines, what may be done to them, and by whom.

const {
  AdvancedCacheManager,
  AsyncProcessingEngine,
  BatchProcessingEngine,
  MemoryOptimizationEngine,
  OptimizationService,
  ParallelProcessingEngine,
  PerformanceMonitoringEngine,
  PerformanceService,
  metricsService,
} = require('hotpath');

/** Engines, and the options of the router. */
function performance() {
  const services = {
    cache: new AdvancedCacheManager(),
    jobs: new AsyncProcessingEngine(),
    batch: new BatchProcessingEngine(),
    parallel: new ParallelProcessingEngine(),
    memory: new MemoryOptimizationEngine(),
    monitoring: new PerformanceMonitoringEngine(),
    metrics: metricsService,
    optimization: new OptimizationService(),
    performance: new PerformanceService(),
  };
  const { ADMIN_TOKEN } = process.env;
  const options = {
    // Figures are open; everything else is for those who know the token, and for nobody where there is none.
    authorize: (request) => ADMIN_TOKEN !== undefined && request.headers.authorization === `Bearer ${ADMIN_TOKEN}`,
    processors: {
      default: (items) => items.map((item) => ({ ...item, processed: true })),
    },
  };
  return { services, options };
}

/** Says where a server is, and ends it, its streams and its engines on a signal. */
function untilSignal(server, router, services) {
  const { port } = server.address();
  console.log(`http://localhost:${port}/api/performance/`);
  process.once('SIGTERM', end).once('SIGINT', end);
  async function end() {
    // Live streams would keep the server open.
    router.close();
    server.close();
    server.closeIdleConnections();
    for (const service of Object.values(services)) await service.close();
  }
}

module.exports = { performance, untilSignal };
