// Part of `npm run typecheck`: what lib/ exports, as tsc infers it from the JavaScript, must be what the typings promise.

import type { EventEmitter } from 'node:events';
import type * as declaredErrors from '../../types/errors.js';
import type * as declaredBatch from '../../types/batch.js';
import type * as declaredCache from '../../types/cache.js';
import type * as declaredMonitor from '../../types/monitor.js';
import errors = require('../../lib/errors.js');
import batch = require('../../lib/batch/index.js');
import cache = require('../../lib/cache/index.js');
import monitor = require('../../lib/monitor/index.js');

export const HotpathError: typeof declaredErrors.HotpathError = errors.HotpathError;
export const HotpathClosedError: typeof declaredErrors.HotpathClosedError = errors.HotpathClosedError;
export const HotpathValueError: typeof declaredErrors.HotpathValueError = errors.HotpathValueError;
// tsc does not see the aliases, which are made at run time; __test__/package/declared-members.test.js does.
type Aliases = 'put' | 'del' | 'mset' | 'addListener' | 'off' | typeof Symbol.iterator | typeof Symbol.dispose;
type Visible = Omit<declaredCache.MemoryCache<any>, Aliases | keyof EventEmitter>;
export const MemoryCache: new (options?: declaredCache.MemoryCacheOptions) => Visible = cache.MemoryCache;
type MultiLevelAliases = 'put' | 'del' | 'mset' | typeof Symbol.asyncDispose;
export const MultiLevelCache: new (
  ...args: any[]
) => Omit<declaredCache.MultiLevelCache<any>, MultiLevelAliases | keyof EventEmitter> = cache.MultiLevelCache;
export const MemoryOptimizedCache: typeof declaredCache.MemoryOptimizedCache = cache.MemoryOptimizedCache;
export const OptimizedIntentMatcher: new (
  intents: readonly declaredBatch.Intent[],
  options?: declaredBatch.IntentMatcherOptions,
) => Omit<declaredBatch.OptimizedIntentMatcher<any>, typeof Symbol.dispose> = batch.OptimizedIntentMatcher;
export const ParallelIntentProcessor: new (processor: any) => declaredBatch.ParallelIntentProcessor<any, any> =
  batch.ParallelIntentProcessor;
type RedisAliases = 'put' | 'del' | 'mset' | 'addListener' | 'off' | typeof Symbol.asyncDispose;
type VisibleRedis = Omit<declaredCache.RedisCache<any>, RedisAliases | 'lease' | keyof EventEmitter>;
export const RedisCache: new (options?: declaredCache.RedisCacheOptions) => VisibleRedis = cache.RedisCache;
type Disposal = typeof Symbol.dispose;
type MonitorAliases = 'start' | 'stop' | Disposal | keyof EventEmitter;
export const MetricsService: new () => Omit<
  declaredMonitor.MetricsService,
  Disposal | 'counter' | 'gauge' | 'histogram'
> = monitor.MetricsService;
export const PerformanceCollector: new (options?: {
  name?: string;
}) => Omit<declaredMonitor.PerformanceCollector, Disposal> = monitor.PerformanceCollector;
export const PerformanceMonitor: new (
  options?: declaredMonitor.PerformanceMonitorOptions,
) => Omit<declaredMonitor.PerformanceMonitor, MonitorAliases> = monitor.PerformanceMonitor;
export const PerformanceMonitoringEngine: new (
  options?: declaredMonitor.PerformanceMonitoringEngineOptions,
) => Omit<
  declaredMonitor.PerformanceMonitoringEngine,
  Disposal | 'alertThresholds' | 'getAlerts' | keyof EventEmitter
> = monitor.PerformanceMonitoringEngine;
export const MemoryMonitor: new (
  options?: declaredMonitor.MemoryMonitorOptions,
) => Omit<declaredMonitor.MemoryMonitor, Disposal | keyof EventEmitter> = monitor.MemoryMonitor;
export const createPerformanceLogger: typeof declaredMonitor.createPerformanceLogger = monitor.createPerformanceLogger;
export const profile: typeof declaredMonitor.profile = monitor.profile;
type WithoutDisposal<T> = Omit<T, typeof Symbol.asyncDispose>;
export const OptimizedDataService: new (
  provider: declaredBatch.DataProvider,
  options?: declaredBatch.DataServiceOptions,
) => WithoutDisposal<declaredBatch.OptimizedDataService> = batch.OptimizedDataService;
export const MemoryDataProvider: new () => WithoutDisposal<declaredBatch.MemoryDataProvider> = batch.MemoryDataProvider;
export const DiskDataProvider: new (
  options: declaredBatch.DiskDataProviderOptions | string,
) => WithoutDisposal<declaredBatch.DiskDataProvider> = batch.DiskDataProvider;
export const BatchProcessingEngine: new (
  options?: declaredBatch.BatchEngineOptions,
) => Omit<declaredBatch.BatchProcessingEngine, typeof Symbol.asyncDispose | keyof EventEmitter> =
  batch.BatchProcessingEngine;
