'use strict';

// The public face: names only. An area is loaded when the first of its names is asked for, so that who wants a cache does
// not wait for the HTTP face.

/** @type {[() => any, string[]][]} */
const AREAS = [
  [() => require('./lib/adapters/index.js'), ['KeyvStore', 'NodeCache', 'SessionStore', 'createKeyv']],
  [
    () => require('./lib/batch/index.js'),
    [
      'BatchError',
      'BatchProcessingEngine',
      'DiskDataProvider',
      'MemoryDataProvider',
      'OptimizedDataService',
      'OptimizedIntentMatcher',
      'ParallelIntentProcessor',
    ],
  ],
  [
    () => require('./lib/cache/index.js'),
    [
      'AdvancedCache',
      'AdvancedCacheManager',
      'CacheService',
      'CacheWarmer',
      'DiskCache',
      'MemoryBudget',
      'MemoryCache',
      'MemoryOptimizedCache',
      'MultiLevelCache',
      'RedisCache',
      'advancedCache',
      'cacheService',
    ],
  ],
  [() => require('./lib/compute/index.js'), ['ParallelProcessingEngine']],
  [() => require('./lib/connections/index.js'), ['CircuitBreaker', 'ConnectionPoolManager']],
  [
    () => require('./lib/error-classes.js'),
    [
      'HotpathError',
      'HotpathClosedError',
      'HotpathAbortError',
      'HotpathConflictError',
      'HotpathDataError',
      'HotpathLoadError',
      'HotpathLoadTestError',
      'HotpathMatrixError',
      'HotpathQueueFullError',
      'HotpathStorageError',
      'HotpathTierError',
      'HotpathTimeoutError',
      'HotpathValueError',
      'HotpathWorkerError',
    ],
  ],
  [
    () => require('./lib/http/index.js'),
    [
      'LoadTester',
      'PerformanceTestSuite',
      'PerformanceTests',
      'legacyRoutes',
      'performanceRouter',
      'runMemoryTest',
      'WebSocketManager',
      'compression',
      'createHttp2Server',
      'rateLimit',
      'responseCache',
      'tuneServer',
    ],
  ],
  [
    () => require('./lib/memory/index.js'),
    ['BloomFilter', 'BufferPool', 'CircularBuffer', 'LRUCache', 'MemoryOptimizationEngine', 'SparseMatrix'],
  ],
  [
    () => require('./lib/monitor/index.js'),
    [
      'MemoryMonitor',
      'MetricsService',
      'OpenTelemetryProducer',
      'OptimizationService',
      'PerformanceCollector',
      'PerformanceMonitor',
      'PerformanceMonitoringEngine',
      'PerformanceService',
      'alertChannels',
      'createPerformanceLogger',
      'metricsService',
      'optimizationService',
      'performanceCollector',
      'performanceMonitor',
      'performanceService',
      'profile',
      'serviceRegistry',
      'timingMiddleware',
    ],
  ],
  [() => require('./lib/workers/index.js'), ['AsyncProcessingEngine', 'ComponentLoader', 'ObjectPool', 'WorkerPool']],
];

for (const [load, names] of AREAS) {
  for (const name of names) {
    Object.defineProperty(exports, name, { enumerable: true, get: () => load()[name] });
  }
}

// Never runs: cjs-module-lexer follows it to the names that ES modules can import.
0 &&
  // biome-ignore lint/suspicious/noAssignInExpressions: a statement would be found to be unreachable.
  (module.exports = {
    ...require('./lib/adapters/index.js'),
    ...require('./lib/batch/index.js'),
    ...require('./lib/cache/index.js'),
    ...require('./lib/compute/index.js'),
    ...require('./lib/connections/index.js'),
    ...require('./lib/error-classes.js'),
    ...require('./lib/http/index.js'),
    ...require('./lib/memory/index.js'),
    ...require('./lib/monitor/index.js'),
    ...require('./lib/workers/index.js'),
  });
