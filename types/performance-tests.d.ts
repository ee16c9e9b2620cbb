import type { Intent } from './batch-intents.js';
import type { DataProvider } from './batch-data.js';
import type { LoadResult } from './http-load.js';
import type { MultiLevelMetrics } from './multi-level-cache.js';

/** Options of {@link PerformanceTests}. */
export interface PerformanceTestsOptions {
  /** Operations of the cache test. @default 10000 */
  operations?: number;
  /** Objects of the data service test. @default 1000 */
  objectCount?: number;
  /** A second level for the cache test, such as a {@link RedisCache}. It is written to, and stays open. */
  l2Cache?: unknown;
  /** Where the data service test stores. By default a {@link MemoryDataProvider}. */
  provider?: DataProvider;
}

/** Two short tests of throughput. Both check what they read, and reject with {@link HotpathLoadTestError} if it is wrong. */
export class PerformanceTests {
  constructor(options?: PerformanceTestsOptions);
  /** 1,000 values first; then, all at once, two reads for each write. `duration` in milliseconds. */
  runCachePerformanceTest(): Promise<{
    operations: number;
    duration: number;
    opsPerSecond: number;
    metrics: MultiLevelMetrics;
  }>;
  /** Objects in and out again, in batches. `duration` in milliseconds. */
  runDataServicePerformanceTest(): Promise<{ objectCount: number; duration: number; opsPerSecond: number }>;
}

/** Options of {@link PerformanceTestSuite}. */
export interface PerformanceTestSuiteOptions {
  /** What is put under load, on this machine. By default a small application that the suite starts itself. */
  url?: string | URL;
  /** Multiplies the durations of the load and stress tests: 0.01 makes seconds of minutes. @default 1 */
  durationScale?: number;
  /** What the unit test matches with. */
  intents?: Intent[];
  /** What it matches. @default 'test message' */
  message?: string;
  /** Limits: milliseconds for a match and for percentiles of the load test, percent for errors. */
  targets?: { match?: number; p50?: number; p95?: number; p99?: number; errorRate?: number };
  /** Ends load tests early. */
  signal?: AbortSignal;
  /** @default console */
  logger?: { log(...values: unknown[]): void } | false;
}

/**
 * Unit, integration, load and stress tests, with limits that are asserted: whatever is slower, or fails more often, rejects
 * with {@link HotpathLoadTestError} and its `reasons`.
 */
export class PerformanceTestSuite {
  constructor(options?: PerformanceTestSuiteOptions);
  /** One after the other. With `durationScale: 1` this takes nearly seven minutes. */
  runAllTests(): Promise<{
    unit: { matches: number; matched: number; averageMs: number };
    integration: LoadResult;
    load: Array<LoadResult & { name: string; rps: number }>;
    stress: Array<LoadResult & { concurrency: number }>;
    duration: number;
  }>;
  /** 10,000 matches, at most `targets.match` milliseconds each on average. */
  runUnitPerformanceTests(): Promise<{ matches: number; matched: number; averageMs: number }>;
  /** 500 requests, ten at a time. */
  runIntegrationPerformanceTests(): Promise<LoadResult>;
  /** 100 requests a second for 60 s, 500 for 120 s, 1,000 for 180 s; open loops. */
  runLoadTests(): Promise<Array<LoadResult & { name: string; rps: number }>>;
  /** 50, 100, 200 and 400 requests at a time for 10 s each, as fast as they are answered. Errors count, latencies do not. */
  runStressTests(): Promise<Array<LoadResult & { concurrency: number }>>;
}

/** What {@link runMemoryTest} found, in bytes. */
export interface MemoryTestResult {
  iterations: number;
  dataSize: number;
  /** What is in use on the JavaScript heap after a collection, more than before. May be negative. */
  memoryIncrease: number;
  /** The most that was seen in between, garbage included. */
  peakIncrease: number;
  rssIncrease: number;
  externalIncrease: number;
  /** What the cache held at the end, outside the heap. */
  cacheBytes: number;
  /** Values that came back as they went in: all of them, or the test rejects. */
  checked: number;
  /** In milliseconds. */
  duration: number;
  before: NodeJS.MemoryUsage;
  after: NodeJS.MemoryUsage;
}

/**
 * Sends values through a cache and tells what they left behind on the heap. Collects garbage, twice; yields to the event
 * loop in between.
 */
export function runMemoryTest(options?: {
  /** Values. @default 1000 */
  iterations?: number;
  /** Numbers in each. @default 1000 */
  dataSize?: number;
}): Promise<MemoryTestResult>;
