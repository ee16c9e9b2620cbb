import { EventEmitter } from 'node:events';
import type { HotpathTierError, HotpathTimeoutError } from './errors.js';
import type { TierBreakerOptions } from './redis-cache.js';

/** What a tier may answer: a value, or a promise of it. */
type Awaitable<T> = T | PromiseLike<T>;

/**
 * A cache of any origin that can be a tier: a `Map` in a wrapper, a Keyv, a client of your own.
 *
 * It needs `get`, and `set` or `put`; to be deleted from, `delete`, `del` or `remove`; to be emptied, `clear`, `flushAll`
 * or `reset`. Methods may be synchronous or not. A method that throws or rejects counts as a failure of the tier.
 */
export interface ForeignTier {
  get(key: string): Awaitable<unknown>;
  /** @param ttl how long the value is to be kept, in seconds, or in milliseconds where that was asked for */
  set?(key: string, value: unknown, ttl?: unknown): Awaitable<unknown>;
  /** @param ttl see `set` */
  put?(key: string, value: unknown, ttl?: unknown): Awaitable<unknown>;
  delete?(key: string): Awaitable<unknown>;
  clear?(): Awaitable<unknown>;
  /** All keys, for `keys` and `deletePattern`. Gets `'*'`. */
  keys?(pattern?: string): unknown;
}

/**
 * A tier: a cache of this package, which native code uses without JavaScript, or a foreign one. A Keyv is recognised
 * and takes milliseconds; any other foreign tier takes seconds unless `ttlUnit` says otherwise.
 */
export type Tier = ForeignTier | { tier: ForeignTier; ttlUnit?: 's' | 'ms' };

/** Leases, by which of many processes one loads a value. They need a Redis tier. */
export interface LockOptions {
  /**
   * How long the lease of a process that died keeps the others waiting, in milliseconds. It is renewed while the loader
   * runs.
   * @default 5000
   */
  holdMs?: number;
  /** How long to wait for another process's value before loading without a lease, in milliseconds. @default 5000 */
  waitMs?: number;
}

/** How values are loaded and kept. Of the cache for all its calls, or of one call. */
export interface LoadOptions {
  /**
   * How long a value is fresh, in milliseconds. A positive number, `Infinity` for ever. Levels may keep it for less.
   * @default as long as each level allows
   */
  ttlMs?: number;
  /**
   * How much longer a value is kept, in milliseconds, to be served stale when the loader or a tier fails, or is slow.
   * @default 0
   */
  graceMs?: number;
  /**
   * After so many milliseconds of loading, a caller gets the stale value if there is one; the loader goes on.
   * @default no limit
   */
  softTimeoutMs?: number;
  /**
   * After so many milliseconds of loading, a caller gets a stale value or a {@link HotpathTimeoutError}; the loader goes
   * on, and its value is kept.
   * @default no limit
   */
  hardTimeoutMs?: number;
  /**
   * Share of the ttl (0 to 1) after which the next call is answered at once and has the value loaded anew in the
   * background. `0.8` of a ttl of 10 s: after 8 s.
   * @default off
   */
  eagerRefresh?: number | false;
  /** Share of the ttl (0 to 1) that chance may take off, so that values do not expire all at once. @default 0 */
  jitter?: number;
  /** Loads once for all processes where a tier has leases. @default true */
  lock?: boolean | LockOptions;
}

/** Options of one `getOrSet`. */
export interface GetOrSetOptions extends LoadOptions {
  /** What the value can be invalidated by. */
  tags?: string[];
}

/** Options of one `set`. */
export interface MultiLevelSetOptions {
  /** See {@link LoadOptions}. */
  ttlMs?: number;
  /** See {@link LoadOptions}. */
  graceMs?: number;
  /** See {@link LoadOptions}. */
  jitter?: number;
  /** What the value can be invalidated by. */
  tags?: string[];
}

/** Options of {@link MultiLevelCache} beside its tiers. */
export interface MultiLevelSettings extends LoadOptions {
  /**
   * Shares loads under way, stale values and counts with the other multi-level caches of this name, in any thread. Tiers
   * are shared if they are: give them names, too. Foreign tiers belong to the one that brings them.
   */
  name?: string;
  /** How long an operation of a tier may take, in milliseconds. @default 1000 */
  tierTimeoutMs?: number;
  /** The circuit breaker of each tier but memory; false for none. */
  breaker?: boolean | TierBreakerOptions;
}

/** Options of {@link MultiLevelCache}. */
export interface MultiLevelCacheOptions extends MultiLevelSettings {
  /** Usually memory. @default a `MemoryCache` of its own, which is closed with it */
  l1Cache?: Tier | null;
  /** Asked when the first has nothing. */
  l2Cache?: Tier | null;
  /** Asked when the second has nothing. */
  l3Cache?: Tier | null;
  /** Longest life of a value in the first level, in seconds. @default 300 */
  l1TTL?: number;
  /** Longest life of a value in the second level, in seconds. @default 3600 */
  l2TTL?: number;
  /** Longest life of a value in the third level, in seconds. @default 86400 */
  l3TTL?: number;
}

/** Options of {@link MultiLevelCache.warmup}. */
export interface WarmupOptions<V = unknown> {
  /** Makes the values that no level has. Without it, values are only moved up. */
  loader?: (key: string) => Awaitable<V>;
  /** Keys at a time. A positive integer. @default 10 */
  concurrency?: number;
  /** Called after each key. What it throws ends the warm-up. */
  onProgress?: (progress: WarmupProgress & { key: string }) => void;
  /** Ends the warm-up, which then rejects with the signal's reason. What is loaded by then stays. */
  signal?: AbortSignal;
}

/** How far a warm-up has come. */
export interface WarmupProgress {
  /** How many keys there are, if the keys have a length or a size. */
  total: number | undefined;
  /** Keys that are done. */
  done: number;
  /** Of them, those that a level had. */
  present: number;
  /** Those that the loader made. */
  loaded: number;
  /** Those that nobody had. */
  missing: number;
  /** Those whose loader failed. */
  failed: number;
}

/** What a warm-up came to. */
export interface WarmupReport extends WarmupProgress {
  total: number;
  durationMs: number;
}

/** Latencies of the last 1,000 hits of a level, in milliseconds; of hits in memory, one in 64 is measured. */
export interface LevelLatency {
  /** The mean, with two decimals. */
  avg: string;
  p50: number;
  p95: number;
  p99: number;
}

/** What {@link MultiLevelCache.getMetrics} gives. */
export interface MultiLevelMetrics {
  l1Hits: number;
  l2Hits: number;
  l3Hits: number;
  misses: number;
  writes: number;
  totalRequests: number;
  /** Percent with two decimals, `'96.67%'`; `'0%'` before the first request. */
  hitRate: string;
  /** The same for the first level. */
  l1HitRate: string;
  /** By `l1`, `l2` and `l3`, as far as they had hits. */
  latency: { l1?: LevelLatency; l2?: LevelLatency; l3?: LevelLatency };
}

/** What {@link MultiLevelCache.stats} gives. */
export interface MultiLevelStats {
  hits: number;
  l1Hits: number;
  l2Hits: number;
  l3Hits: number;
  misses: number;
  writes: number;
  /** Values put from one level into another. */
  promotions: number;
  /** Calls of loaders. */
  loads: number;
  /** Loaders that failed. */
  loadFailures: number;
  /** Stale values served. */
  stale: number;
  /** Values loaded anew while nobody waited. */
  refreshes: number;
  /** Operations that a tier failed in. */
  failures: number;
  /** Events that this handle could not take in time. */
  eventsDropped: number;
  /** 0 to 1. */
  hitRatio: number;
  levels: {
    level: number;
    /** `memory`, `disk`, `redis` or `foreign`. */
    tier: string;
    hits: number;
    /** Writes that wait for the tier to come back. */
    missedWrites: number;
    /** Null where there is none. */
    breaker: 'closed' | 'open' | 'half-open' | null;
    latencyMs: { mean: number; p50: number; p95: number; p99: number } | null;
  }[];
}

/** Events of {@link MultiLevelCache}, and what they tell. Only `hit`, `miss` and `set` are of this handle's calls alone. */
export interface MultiLevelEvents {
  /** A level had a value. */
  hit: [{ key: string; level: number }];
  /** No level had a value. */
  miss: [{ key: string }];
  /** A value was written. */
  set: [{ key: string }];
  /** A value was put into the levels before the one that had it. */
  promotion: [{ key: string; from: number }];
  /** A tier or a loader in the background failed, and the cache went on without it. Never thrown. */
  error: [HotpathTierError & { tier: string; level: number; operation: string; key: string | undefined }];
  /** A stale value was served, because of the loader, of a timeout, or of a tier. */
  stale: [{ key: string; reason: 'loader' | 'timeout' | 'tier' }];
  /** A value was loaded anew while nobody waited. */
  refresh: [{ key: string }];
  /** The breaker of a tier changed its state. */
  breaker: [{ level: number; tier: string; state: 'closed' | 'open' | 'half-open' }];
}

/**
 * A cache of several levels: memory, then disk, Redis, or whatever else keeps values.
 *
 * Reads answer from the first level that has a value and put it into those before it, for no longer than it still has to
 * live. Writes go to all levels, in one order for each key. A level that fails is left alone for a while and passed over;
 * what it missed is written when it is back. A hit in memory costs what it costs in `MemoryCache`; anything else is one
 * native operation.
 *
 * Two forms: with options, where the TTLs are caps and a miss is undefined; or `(memoryCache, redisCache)`, where memory
 * keeps values for 300 seconds at most and a miss is null: its type is `MultiLevelCache<V, null>`, which TypeScript cannot
 * see from the arguments.
 */
export class MultiLevelCache<
  V = unknown,
  Miss extends undefined | null = undefined,
> extends EventEmitter<MultiLevelEvents> {
  /**
   * @throws TypeError, RangeError for what cannot be a tier or an option
   * @throws HotpathConflictError a cache of this name has another value for an option
   */
  constructor(options?: MultiLevelCacheOptions);
  /** @param redisCache any second tier */
  constructor(memoryCache: Tier, redisCache?: Tier | null, settings?: MultiLevelSettings);

  /** The name that it was opened with. */
  get name(): string | undefined;
  /** Whether it was closed. */
  get closed(): boolean;
  /** Whether a warm-up is running. */
  get isWarmingUp(): boolean;
  /** All counts as numbers. */
  get stats(): MultiLevelStats;
  /** Counts and rates in print. Sorts up to 3,000 numbers. */
  getMetrics(): MultiLevelMetrics;

  /** The value, or undefined (null in the positional form). */
  get<T extends V = V>(key: string): Promise<T | Miss>;
  /** Whether some level has a fresh value. Counts neither as hit nor as miss. */
  has(key: string): Promise<boolean>;
  /** The values in the order of the keys. */
  getMany(keys: string[]): Promise<(V | Miss)[]>;
  /** The values of those keys that have one. */
  mget(keys: string[]): Promise<Record<string, V>>;

  /**
   * Writes a value to all levels.
   * @param ttl seconds, or options; left out, null or 0: as long as each level allows
   * @returns whether some level took it; what the others missed is written later
   */
  set(key: string, value: V, ttl?: number | null | MultiLevelSetOptions): Promise<boolean>;
  /** The same as `set`. */
  put(key: string, value: V, ttl?: number | null | MultiLevelSetOptions): Promise<boolean>;
  /** Writes many values. @returns how many some level took */
  setMany(
    entries: Record<string, V> | Iterable<readonly [string, V]>,
    ttl?: number | null | MultiLevelSetOptions,
  ): Promise<number>;
  /** The same as `setMany`. */
  mset(
    entries: Record<string, V> | Iterable<readonly [string, V]>,
    ttl?: number | null | MultiLevelSetOptions,
  ): Promise<number>;
  /** Deletes a key from all levels. @returns whether some level had it */
  delete(key: string): Promise<boolean>;
  /** The same as `delete`. */
  del(key: string): Promise<boolean>;
  /** Deletes keys from all levels. @returns how many some level had */
  deleteMany(keys: string[]): Promise<number>;
  /**
   * The keys that a glob (`*`, `?`, `[..]`) means, in any level, sorted by their bytes; all of them without one. Among them
   * may be some whose value is stale. Walks over all keys of all levels; foreign tiers need a method `keys`, or to be a Keyv
   * that can be iterated.
   * @throws HotpathTierError rejects when a level cannot name its keys
   */
  keys(pattern?: string): Promise<string[]>;
  /**
   * Deletes the keys that a glob means from all levels. What is being loaded under such a key gets into no level. Walks as
   * `keys` does.
   * @returns how many some level had
   * @throws HotpathTierError rejects when a level cannot name its keys; those of the others are deleted all the same
   */
  deletePattern(pattern: string): Promise<number>;
  /** Empties all levels. */
  clear(): Promise<void>;
  /** Makes a value stale: reads miss it, and it stays for those who find nothing better. @returns whether there was one */
  expire(key: string): Promise<boolean>;
  /** Makes all values with one of these tags stale, in all levels and all processes. @returns how many left memory */
  invalidateTags(tags: string | string[]): Promise<number>;

  /**
   * The value, or what the loader makes. Of all callers in all threads (with Redis, in all processes), one runs its
   * loader; the others wait. A loader that fails was called once, and its error rejects all of them.
   * @param options how to load and keep it, or seconds
   */
  getOrSet<T extends V = V>(
    key: string,
    loader: (key: string) => Awaitable<T>,
    options?: number | GetOrSetOptions,
  ): Promise<T>;

  /**
   * Brings values into the levels before anybody asks for them. No value reaches the JavaScript heap but those that the
   * loader makes. While one warm-up runs, another returns at once with undefined.
   */
  warmup(keys: Iterable<string>, options?: WarmupOptions<V>): Promise<WarmupReport | undefined>;

  /** Waits until what was written is where it belongs (or was missed), and closes. The tiers stay open. */
  close(): Promise<void>;
  /** `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}
