'use strict';

const { KeyvStore, NodeCache, SessionStore, createKeyv } = require('./lib/adapters/index.js');
const { OptimizedIntentMatcher, ParallelIntentProcessor } = require('./lib/batch/index.js');
const { CircuitBreaker, ConnectionPoolManager } = require('./lib/connections/index.js');
const { MemoryCache, MemoryOptimizedCache, MultiLevelCache, RedisCache } = require('./lib/cache/index.js');
const { MemoryBudget, MemoryCache, MemoryOptimizedCache } = require('./lib/cache/index.js');
const {
  BatchError,
  BatchProcessingEngine,
  DiskDataProvider,
  MemoryDataProvider,
  OptimizedDataService,
  OptimizedIntentMatcher,
  ParallelIntentProcessor,
} = require('./lib/batch/index.js');
const { ConnectionPoolManager } = require('./lib/connections/index.js');
const { ParallelProcessingEngine } = require('./lib/compute/index.js');
const { MemoryBudget, MemoryCache, MemoryOptimizedCache, RedisCache } = require('./lib/cache/index.js');
const { DiskCache, MemoryCache, MemoryOptimizedCache, RedisCache } = require('./lib/cache/index.js');
const { MemoryCache, MemoryOptimizedCache, RedisCache } = require('./lib/cache/index.js');
const { ComponentLoader, ObjectPool, WorkerPool } = require('./lib/workers/index.js');
const {
  BloomFilter,
  BufferPool,
  CircularBuffer,
  LRUCache,
  MemoryOptimizationEngine,
  SparseMatrix,
} = require('./lib/memory/index.js');
const {
  HotpathError,
  HotpathClosedError,
  HotpathAbortError,
  HotpathConflictError,
  HotpathDataError,
  HotpathLoadError,
  HotpathMatrixError,
  HotpathQueueFullError,
  HotpathStorageError,
  HotpathTierError,
  HotpathTimeoutError,
  HotpathValueError,
  HotpathWorkerError,
} = require('./lib/errors.js');
const {
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
} = require('./lib/monitor/index.js');

// Plain identifiers: cjs-module-lexer reads this literal to give ES modules their named imports.
module.exports = {
  MemoryBudget,
  DiskCache,
  MemoryCache,
  MemoryOptimizedCache,
  MultiLevelCache,
  KeyvStore,
  NodeCache,
  SessionStore,
  createKeyv,
  BatchError,
  BatchProcessingEngine,
  DiskDataProvider,
  MemoryDataProvider,
  OptimizedDataService,
  OptimizedIntentMatcher,
  ParallelIntentProcessor,
  CircuitBreaker,
  ConnectionPoolManager,
  ParallelProcessingEngine,
  RedisCache,
  MemoryOptimizationEngine,
  SparseMatrix,
  CircularBuffer,
  BloomFilter,
  BufferPool,
  LRUCache,
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
  WorkerPool,
  ObjectPool,
  ComponentLoader,
  HotpathError,
  HotpathClosedError,
  HotpathAbortError,
  HotpathConflictError,
  HotpathDataError,
  HotpathLoadError,
  HotpathMatrixError,
  HotpathQueueFullError,
  HotpathStorageError,
  HotpathTierError,
  HotpathTimeoutError,
  HotpathValueError,
  HotpathWorkerError,
};
