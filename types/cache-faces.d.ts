import { EventEmitter } from 'node:events';
import type { Readable } from 'node:stream';
import type { Entries } from './cache.js';

/** Options of {@link AdvancedCache}. */
export interface AdvancedCacheOptions {
  /**
   * Handles of the same name, in any thread, share what is in memory. What is on disk is shared by its directory, and one
   * name is one directory.
   */
  name?: string | undefined;
  /**
   * Most bytes in memory. A positive integer.
   * @default 104857600
   */
  memoryLimit?: number | undefined;
  /**
   * Most bytes on disk. A positive integer.
   * @default 5368709120
   */
  diskLimit?: number | undefined;
  /**
   * How long entries live that are set without a `ttl`, in milliseconds.
   * @default 604800000
   */
  maxAge?: number | undefined;
  /** Where the files are; by default `hotpath/<name of the package>` in the system's folder for caches. */
  directory?: string | undefined;
  /**
   * A key on disk moves into memory when it is asked for more often than this.
   * @default 5
   */
  promotionThreshold?: number | undefined;
  /** Most bytes of streams; by default they count for `diskLimit`. */
  streamLimit?: number | undefined;
  /**
   * Whether to bring into memory what usually follows the key that is asked for.
   * @default false
   */
  predictiveLoading?: boolean | undefined;
}

/** What may be said of an entry of an {@link AdvancedCache}. */
export interface AdvancedCacheSetOptions {
  /** Whatever the application calls it. */
  type?: string | undefined;
  /** Time to live in milliseconds. */
  ttl?: number | undefined;
  /** Anything that structured clone takes. */
  metadata?: unknown;
}

export type AdvancedCacheLevel = 'memory' | 'disk' | 'stream';

/** What is known of an entry besides its value. */
export interface AdvancedCacheMetadata {
  type?: string;
  metadata?: unknown;
  /** Bytes of the encoded value, or of the stream. */
  size: number;
  /** Milliseconds since 1970. */
  created: number;
  level: AdvancedCacheLevel;
  /** What is left of its time to live, in milliseconds. */
  ttlMs: number | undefined;
  /** How often it was asked for since it is on disk only. */
  accesses?: number;
}

/** A level in the words of document 003. */
export interface AdvancedCacheLevelReport {
  entries: number;
  /** `'89.23 MB'`, from 1 GB on `'3.45 GB'` */
  size: string;
  /** `'89.23%'` of its limit */
  utilization: string;
  /** `'94.12%'` of what this level was asked for */
  hitRate: string;
}

export interface AdvancedCacheReport {
  memory: AdvancedCacheLevelReport;
  /** What is on disk only: what is in memory is on disk as well, and counts for memory. */
  disk: AdvancedCacheLevelReport;
  total: { entries: number; size: string; hits: number; misses: number };
}

/** A level in numbers. */
export interface AdvancedCacheLevelStats {
  entries: number;
  bytes: number;
  limit: number;
  hits: number;
  misses: number;
}

export interface AdvancedCacheStats {
  memory: AdvancedCacheLevelStats;
  disk: AdvancedCacheLevelStats;
  promotions: number;
  demotions: number;
  /** Keys that predictive loading has brought into memory, or tried to. */
  predictions: number;
  /** The share of them that was asked for afterwards. */
  predictionHitRatio: number;
}

/**
 * Memory in front of disk, with files of any size beside. What is set is written to disk, so it survives the process,
 * and is in memory too while it is hot.
 *
 * Events: `cacheHit` `{ key, level, size }`, `cacheMiss` `{ key }`, `cacheSet` `{ key, level, size, type }`,
 * `cachePromotion` and `cacheDemotion` `{ key, from, to }`, `cacheEviction` `{ key, level, size }`.
 *
 * @example
 * const cache = new AdvancedCache({ memoryLimit: 200 * 1024 * 1024 });
 * await cache.set('video_123', video, { type: 'processed-video', ttl: 86_400_000, metadata: { codec: 'h264' } });
 */
export class AdvancedCache<V = unknown> extends EventEmitter {
  constructor(options?: AdvancedCacheOptions);
  /** Opens the cache. Whatever is asked before waits for it, so it need not be called. */
  init(): Promise<void>;
  get<T extends V = V>(key: string): Promise<T | undefined>;
  /** @returns whether it was stored: what is larger than the whole disk is not */
  set(key: string, value: V, options?: AdvancedCacheSetOptions): Promise<boolean>;
  put(key: string, value: V, options?: AdvancedCacheSetOptions): Promise<boolean>;
  has(key: string): Promise<boolean>;
  delete(key: string): Promise<boolean>;
  del(key: string): Promise<boolean>;
  getMany(keys: readonly string[]): Promise<(V | undefined)[]>;
  /**
   * Stores bytes as they come. A stream that breaks leaves nothing behind.
   *
   * @returns how many bytes that were; 0 where there are more than the disk may hold, which are not stored
   */
  setStream(
    key: string,
    source: Readable | AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>,
    options?: AdvancedCacheSetOptions,
  ): Promise<number>;
  getStream(key: string): Promise<Readable | undefined>;
  /** Does not count as an access. */
  getMetadata(key: string): Promise<AdvancedCacheMetadata | undefined>;
  /** Brings keys into memory: from disk, or by a loader for those that are nowhere. */
  preload(
    keys: readonly string[],
    loader?: (key: string) => V | undefined | Promise<V | undefined>,
  ): Promise<{ memory: number; promoted: number; loaded: number; missing: number }>;
  /** In the words of document 003. */
  getStats(): AdvancedCacheReport;
  /** The same in numbers. */
  get stats(): AdvancedCacheStats;
  clear(): Promise<void>;
  /** Whether it was shut down. */
  get closed(): boolean;
  /** Closes the cache. What is on disk is there when it is opened again. */
  shutdown(): Promise<void>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The cache that everybody shares. Opened at its first use. */
// biome-ignore lint/suspicious/noExplicitAny: it holds whatever the application puts into it.
export const advancedCache: AdvancedCache<any>;

/** Options of {@link AdvancedCacheManager}. */
export interface AdvancedCacheManagerOptions {
  /** Managers of the same name, in any thread, share one cache. */
  name?: string | undefined;
  /**
   * Most entries in memory. A positive integer.
   * @default 10000
   */
  maxSize?: number | undefined;
  /**
   * Time to live of entries that are set without one, in milliseconds.
   * @default 3600000
   */
  defaultTTL?: number | undefined;
  /**
   * Accepted for the sake of existing configurations: expired entries leave by themselves, within 20 ms.
   * @default 300000
   */
  cleanupInterval?: number | undefined;
  /**
   * Whether hits and misses are reported.
   * @default true
   */
  enableMetrics?: boolean | undefined;
  /**
   * What stands behind the memory, shared with other processes: a URL, options of a {@link RedisCache} (here
   * `clientTracking` is on unless they say otherwise, so that memory follows what others change), or one that is open,
   * which is then not closed with the manager.
   */
  distributed?: string | object | undefined;
}

/** The statistics of document 002. */
export interface CacheUsage {
  hits: number;
  misses: number;
  /** 0 to 1 */
  hitRate: number;
  /** Entries in memory. */
  size: number;
  /** The most that there may be: entries of a manager, bytes of a service. */
  maxSize: number;
  /** The share of `maxSize` in use, 0 to 1. */
  utilization: number;
  /** Bytes in memory. */
  memoryUsage: number;
}

/** Keys that are to be loaded, and how. */
export interface WarmGroup<V = unknown> {
  keys: readonly string[];
  loader: (key: string) => V | Promise<V>;
  ttlMs?: number | undefined;
}

export interface WarmGroupReport {
  warmed: number;
  failed: number;
  errors: { key: string; error: unknown }[];
}

/** The cache manager of document 002: embedded, or with Redis behind it. A `ttl` is milliseconds. */
export class AdvancedCacheManager<V = unknown> {
  constructor(options?: AdvancedCacheManagerOptions);
  get<T extends V = V>(key: string): Promise<T | undefined>;
  set(key: string, value: V, ttl?: number | { ttlMs?: number; tags?: string[] }): Promise<boolean>;
  put(key: string, value: V, ttl?: number | { ttlMs?: number; tags?: string[] }): Promise<boolean>;
  has(key: string): Promise<boolean>;
  delete(key: string): Promise<boolean>;
  del(key: string): Promise<boolean>;
  getMany(keys: readonly string[]): Promise<(V | undefined)[]>;
  mget(keys: readonly string[]): Promise<Record<string, V>>;
  setMany(entries: Entries<V>, ttl?: number): Promise<number>;
  mset(entries: Entries<V>, ttl?: number): Promise<number>;
  deleteMany(keys: readonly string[]): Promise<number>;
  /** Deletes all keys that a glob (`*`, `?`, `[..]`) means. @returns how many that were */
  deletePattern(pattern: string): Promise<number>;
  /** Loads the keys of each group that are not there yet. */
  warm(groups: Record<string, WarmGroup<V>>): Promise<Record<string, WarmGroupReport>>;
  getStats(): CacheUsage;
  /** Those of the cache behind it. */
  get stats(): unknown;
  get closed(): boolean;
  clear(): Promise<void>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Options of {@link CacheService}. */
export interface CacheServiceOptions {
  /** Embedded services of the same name, in any thread, share one cache. */
  name?: string | undefined;
  /**
   * A URL, options of a {@link RedisCache}, or one that is open, which is then not closed with the service. Without it
   * the service is embedded.
   */
  redis?: string | object | undefined;
  /**
   * Before every key.
   * @default ''
   */
  prefix?: string | undefined;
  /**
   * Compression of an embedded service, as of a {@link MemoryCache}.
   * @default false
   */
  compression?: boolean | { algorithm?: 'lz4' | 'zstd'; thresholdBytes?: number } | undefined;
  /**
   * Memory of an embedded service in MiB.
   * @default 100
   */
  maxMemoryMB?: number | undefined;
}

/** What {@link CacheService.optimize} has done. */
export interface CacheOptimization {
  /** Access counts that were looked at. */
  examined: number;
  /** Those whose keys are gone, and that are gone now, too. */
  removed: number;
  freedBytes: number;
  memoryUsage: number;
}

/** The cache service of document 004: embedded, or on Redis where it is configured. A `ttl` is seconds. */
export class CacheService<V = unknown> {
  constructor(options?: CacheServiceOptions);
  get<T extends V = V>(key: string): Promise<T | undefined>;
  set(key: string, value: V, ttl?: number | { ttlMs?: number }): Promise<boolean>;
  put(key: string, value: V, ttl?: number | { ttlMs?: number }): Promise<boolean>;
  has(key: string): Promise<boolean>;
  delete(key: string): Promise<boolean>;
  del(key: string): Promise<boolean>;
  getMany(keys: readonly string[]): Promise<(V | undefined)[]>;
  mget(keys: readonly string[]): Promise<Record<string, V>>;
  setMany(entries: Entries<V>, ttl?: number): Promise<number>;
  mset(entries: Entries<V>, ttl?: number): Promise<number>;
  deleteMany(keys: readonly string[]): Promise<number>;
  /** Stores `pattern:id`. */
  setWithPattern(pattern: string, id: string | number, value: V, ttl?: number | { ttlMs?: number }): Promise<boolean>;
  getWithPattern<T extends V = V>(pattern: string, id: string | number): Promise<T | undefined>;
  /** Deletes what a glob means; without glob characters the key of that name and all of `pattern:*`. */
  delPattern(pattern: string): Promise<number>;
  /** Adds one. @param ttl seconds, for a counter that this call makes */
  increment(key: string, ttl?: number): Promise<number>;
  /** Stores a value for 300 s and 60 s more for each time that this was done before, at most 3600 s. */
  setWithIntelligentTTL(key: string, value: V): Promise<number>;
  /** Removes what nobody can need any more, and says what that was. */
  optimize(): Promise<CacheOptimization>;
  getStats(): CacheUsage;
  /** Those of the cache behind it. */
  get stats(): unknown;
  get closed(): boolean;
  /** Deletes all keys with the service's prefix. */
  clear(): Promise<void>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The service that everybody shares. Opened at its first use. */
// biome-ignore lint/suspicious/noExplicitAny: it holds whatever the application puts into it.
export const cacheService: CacheService<any>;

/** Where values come from: many, or one. */
export type WarmSource<T = unknown> =
  | Iterable<T>
  | AsyncIterable<T>
  | ((service: never) => T | Iterable<T> | AsyncIterable<T> | Promise<T | Iterable<T> | AsyncIterable<T>>);

export interface WarmSourceOptions<T = unknown> {
  /** The key of each item; or, as a text, the one key of everything that the source gives. */
  key: string | ((item: T) => string);
  /** Time to live in milliseconds. */
  ttlMs?: number | undefined;
}

export interface WarmOptions {
  /**
   * Values on their way into the cache at a time.
   * @default 10
   */
  concurrency?: number | undefined;
  onProgress?: ((progress: { source: string; warmed: number; failed: number }) => void) | undefined;
  signal?: AbortSignal | undefined;
}

export interface WarmReport {
  warmed: number;
  failed: number;
  /** The first 100. `key` is undefined where the source itself failed. */
  errors: { source: string; key?: string; error: unknown }[];
  sources: Record<string, { warmed: number; failed: number }>;
  aborted: boolean;
  durationMs: number;
}

/**
 * Fills a cache before anybody asks.
 *
 * @example
 * const warmer = new CacheWarmer(cache).add('users', () => db.activeUsers(), { key: (user) => `user:${user.id}` });
 * await warmer.warmCache();
 */
export class CacheWarmer {
  /**
   * @param cache anything with `set`
   * @param sources sources by name; or a data service, which sources that are functions get, and of which
   * `getActiveUsers` (`user:<id>`, 1 h) and `getAllIntents` (`intents:all`, 2 h) are known
   */
  constructor(cache: { set(key: string, value: unknown, ttl?: never): unknown }, sources?: object);
  add<T>(name: string, source: WarmSource<T>, options: WarmSourceOptions<T>): this;
  /** Runs all sources. While one run is under way, another call joins it. What fails is reported, and stops nothing. */
  warmCache(options?: WarmOptions): Promise<WarmReport>;
  /** Warms the cache again and again; keeps no process alive. @returns what ends it */
  schedule(intervalMs: number): () => void;
  /** Ends the schedule. */
  stop(): void;
  [Symbol.dispose](): void;
}
