'use strict';

// Everything of hotpath that the demo uses, with embedded defaults: no server, no configuration, nothing left behind.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const hotpath = require('hotpath');
const places = require('./places.js');

const {
  AsyncProcessingEngine,
  BatchProcessingEngine,
  DiskCache,
  MemoryCache,
  MemoryOptimizationEngine,
  MultiLevelCache,
  OptimizedIntentMatcher,
  ParallelProcessingEngine,
  PerformanceMonitoringEngine,
  PerformanceService,
  WorkerPool,
  responseCache,
} = hotpath;

/** A quarter of a minute in memory, ten minutes on the disk: so that the dashboard has hits of both levels to show. */
const MEMORY_TTL_SECONDS = 15;

const GRACE_MS = 2000;

const INTENTS = [
  { id: 'search', pattern: '\\b(find|search|where is)\\b' },
  { id: 'nearby', pattern: '\\b(near|around|close to)\\b' },
  { id: 'population', pattern: '\\b(how many people|population)\\b' },
  { id: 'greeting', pattern: '^(hello|hi)\\b' },
];

function openServices() {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'hotpath-demo-'));
  const memory = new MemoryCache({ maxMemoryMB: 64 });
  const disk = new DiskCache({ directory, diskLimit: 64 * 2 ** 20 });
  const cache = new MultiLevelCache({ l1Cache: memory, l2Cache: disk, l1TTL: MEMORY_TTL_SECONDS });
  const responses = responseCache({ maxMemoryMB: 16 });
  const pool = new WorkerPool(path.join(__dirname, 'question.worker.js'), { minWorkers: 1, maxWorkers: 2 });
  const jobs = new AsyncProcessingEngine({ maxConcurrentJobs: 2 });
  jobs.registerProcessor('report', places.report);
  const batch = new BatchProcessingEngine({ batchSize: 500, maxConcurrency: 2 });
  const parallel = new ParallelProcessingEngine();
  const memoryEngine = new MemoryOptimizationEngine();
  const monitoring = new PerformanceMonitoringEngine({ alertThresholds: { cacheHitRate: 50 } });
  const matcher = new OptimizedIntentMatcher(INTENTS);
  const { metricsService, optimizationService, performanceMonitor } = hotpath;
  // The front takes the hottest questions away from the caches behind it: fewer hits than the usual 70 % are no alarm.
  const performanceService = new PerformanceService({ alertConfig: { cacheHitRate: { threshold: 0.5 } } });

  performanceMonitor.startMonitoring();
  performanceService.startMonitoring();

  return {
    memory,
    disk,
    cache,
    responses,
    pool,
    jobs,
    batch,
    parallel,
    matcher,
    monitoring,
    monitor: performanceMonitor,
    /** The share of questions that somebody knew the answer of: the front, memory or disk. */
    hitRatio() {
      const { hits, misses } = cache.stats;
      const answered = hits + responses.stats.hits;
      return answered + misses === 0 ? 0 : answered / (answered + misses);
    },
    /** What the dashboard is told of. */
    shown: {
      cache,
      jobs,
      batch,
      parallel,
      memory: memoryEngine,
      monitoring,
      metrics: metricsService,
      performance: performanceService,
      optimization: optimizationService,
      monitor: performanceMonitor,
      pools: { questions: pool },
    },
    /** Every worker has read its data set: the first questions shall not wait for that. */
    async warm() {
      await Promise.all([1, 2].map(() => pool.execute({ kind: 'report', question: { country: 'VA' } })));
    },
    /** What uses others goes before them. */
    async close() {
      performanceService.stopMonitoring();
      performanceMonitor.stopMonitoring();
      // What is under way may finish, but not for ever.
      const grace = setTimeout(() => pool.terminate(), GRACE_MS);
      await Promise.allSettled([jobs.destroy(), batch.close(), pool.drain(), parallel.destroy()]);
      clearTimeout(grace);
      responses.close();
      await cache.close();
      memory.close();
      await disk.close();
      fs.rmSync(directory, { recursive: true, force: true });
    },
  };
}

module.exports = { openServices };
