import { EventEmitter } from 'node:events';

export * from './redis-cache.js';
export * from './multi-level-cache.js';
export * from './disk-cache.js';
export * from './cache-faces.js';

/**
 * What goes when the cache is full. Any mixture of upper and lower case is accepted at run time.
 *
 * - `adaptive` weighs recency and frequency in a proportion that follows the traffic, and resists scans (Einziger et
 *   al., "Adaptive Software Cache Management", 2018). The quickest and smallest: about 120 bytes of bookkeeping per
 *   entry. Both bounds are exact; a resize keeps everything known.
 * - `tinylfu` keeps what is read often (Einziger et al., "TinyLFU", 2017), `lru` what was read last. Slower, above all
 *   for a write into a full cache; about 330 bytes per entry; with `maxEntries`, each entry counts at least its share
 *   of the bytes; a resize starts the policy afresh. Up to 1,024 entries the order of `lru` is exact.
 */
export type EvictionPolicy = 'adaptive' | 'tinylfu' | 'lru';

/** Compression of stored values. What does not get at least 10 % smaller is stored as it is. */
export interface CompressionOptions {
  /**
   * `lz4` costs little and saves some, `zstd` costs more and saves more.
   * @default 'lz4', or 'zstd' with a dictionary
   */
  algorithm?: 'lz4' | 'zstd' | undefined;
  /**
   * Encoded values below this many bytes are not compressed. A non-negative integer.
   * @default 1024, or 64 with a dictionary
   */
  thresholdBytes?: number | undefined;
  /**
   * Trains dictionaries from the cache's own values, on a thread of its own: what short values have in common is not
   * stored with each of them. The first after 256 KiB of values, a better one after some 16 MiB, others when
   * the values have changed. Values that were stored before stay as they are. For `zstd` only; takes about half a
   * megabyte beside the bytes that are counted, and up to two more while samples are gathered.
   * @default false
   */
  dictionary?: boolean | undefined;
}

/**
 * Bounds of the near cache: the decoded values that one handle keeps on this thread's JavaScript heap. It begins with
 * 2,048 entries, doubles while it serves at least a quarter of the reads, and halves when it serves less than 1/32, or
 * when 85 % of this thread's heap limit are in use; from 70 % on it does not grow.
 */
export interface NearCacheOptions {
  /**
   * Most entries held. A positive integer.
   * @default 65536
   */
  maxEntries?: number | undefined;
  /**
   * Most bytes of heap held, estimated from the values' encoded sizes. A positive integer. A value of more than an
   * eighth of it is not kept.
   * @default 33554432
   */
  maxBytes?: number | undefined;
}

/** Limits of a cache. `maxBytes`, `maxMemoryMB` and `maxMemory` say the same thing: at most one may be given. */
export interface MemoryCacheLimits {
  /**
   * Most entries held. A positive integer.
   * @default no limit but the bytes
   */
  maxEntries?: number | undefined;
  /** Most bytes held: keys, values and the bookkeeping of each entry. A positive integer. */
  maxBytes?: number | undefined;
  /**
   * The same in MiB. A positive finite number, fractions allowed.
   * @default 100
   */
  maxMemoryMB?: number | undefined;
  /**
   * The same as a share of the memory that this process may use (the container's limit, else the machine's), above 0
   * and at most 100: `'20%'`, `'12.5%'`.
   */
  maxMemory?: `${number}%` | undefined;
}

export interface MemoryCacheOptions extends MemoryCacheLimits {
  /**
   * Handles with the same name, in any thread of the process, share one cache. Any string but the empty one. A handle
   * that gives an option explicitly must agree with what the cache was made with. Without a name the cache is private
   * to this handle.
   */
  name?: string | undefined;
  /**
   * Time to live of entries that are set without one, in milliseconds. A positive number; fractions are rounded up,
   * `Infinity` is never. Nothing expires early; entries expire at most about 10 ms late.
   * @default Infinity
   */
  ttlMs?: number | undefined;
  /**
   * Entries that nobody reads or writes for so long expire, in milliseconds. A positive number; fractions are rounded
   * up, `Infinity` is never. At most 1/16 of it late.
   * @default Infinity
   */
  idleMs?: number | undefined;
  /**
   * What goes when the cache is full, see {@link EvictionPolicy}.
   * @default 'adaptive'
   */
  evictionPolicy?: EvictionPolicy | Uppercase<EvictionPolicy> | undefined;
  /**
   * `true` stands for `{ algorithm: 'lz4', thresholdBytes: 1024 }`. Trades time in `set` and in native hits for bytes.
   * @default false
   */
  compression?: boolean | CompressionOptions | undefined;
  /**
   * Keeps hot values decoded on this thread's heap, so that a hit is a Map lookup and one load from shared memory;
   * always coherent with the other threads. Belongs to the handle, not to the named cache. Off where the runtime
   * refuses external memory.
   * @default true
   */
  nearCache?: boolean | NearCacheOptions | undefined;
  /**
   * The budget of bytes that this cache shares with others. Without one of the three limits the cache has no other
   * bound of bytes then. `evictionPolicy` must be `adaptive`.
   * @default none: the cache has its own limit
   */
  budget?: MemoryBudget | undefined;
  /**
   * With `false`, reads of a hot key may hand out the same object again: do not mutate it. With `true`, each read of an
   * object makes its own copy, at the price of a native call and a decode. Belongs to the handle.
   * @default false
   */
  clone?: boolean | undefined;
}

export interface MemoryBudgetOptions {
  /**
   * Handles with the same name, in any thread of the process, share one budget. A handle that gives a size must agree
   * with the one that the budget has. Without a name the budget is private to this handle and the caches made with it.
   */
  name?: string | undefined;
  /** Most bytes of all caches together. A positive integer. */
  maxBytes?: number | undefined;
  /**
   * The same in MiB. A positive finite number, fractions allowed.
   * @default 100
   */
  maxMemoryMB?: number | undefined;
  /** The same as a share of the memory that this process may use: `'40%'`. */
  maxMemory?: `${number}%` | undefined;
}

/** What a budget holds and how it is divided. */
export interface MemoryBudgetStats {
  /** The limit of `bytes`. */
  maxBytes: number;
  /** Bytes that all caches hold now. */
  bytes: number;
  /** How often memory was moved from one cache to another that makes better use of it. */
  moves: number;
  /** The caches that share the budget, of all threads. */
  caches: {
    /** Its name; null for a private cache. */
    name: string | null;
    /** Bytes that it holds. */
    bytes: number;
    /** Bytes that it may hold now. These never sum up to more than the budget. */
    maxBytes: number;
    /** Misses of keys that it evicted a moment before: what a little more memory would have brought. */
    nearMisses: number;
  }[];
}

/**
 * One bound of bytes that several caches share. What they hold together stays within it; who may hold how much follows
 * the traffic: a cache gets what nobody else uses, and memory moves to where it brings the most hits per byte
 * (after Cidon et al., "Cliffhanger", NSDI 2016). Each cache is sure of a quarter of an equal share.
 *
 * A cache joins with the option `budget`. It must be `adaptive`; a `maxBytes` of its own bounds it in addition.
 *
 * @example
 * const budget = new MemoryBudget({ name: 'app', maxMemory: '40%' });
 * const users = new MemoryCache({ name: 'users', budget });
 * const pages = new MemoryCache({ name: 'pages', budget, ttlMs: 60_000 });
 */
export class MemoryBudget {
  /**
   * @throws TypeError or RangeError for an option that is wrong, unknown, or not the only one of `maxBytes`,
   *   `maxMemoryMB`, `maxMemory`
   * @throws HotpathConflictError when a budget of this name has another size
   */
  constructor(options?: MemoryBudgetOptions);

  /** The name given at construction; undefined for a private budget. */
  get name(): string | undefined;
  /** Whether this handle was closed. */
  get closed(): boolean;
  /** A snapshot. A call into native code. */
  get stats(): MemoryBudgetStats;
  /**
   * Changes the size while running, for all handles. A smaller one makes every cache give in proportion, at once.
   * @throws TypeError or RangeError as the constructor does
   */
  resize(limit: Pick<MemoryBudgetOptions, 'maxBytes' | 'maxMemoryMB' | 'maxMemory'>): void;
  /** Lets go of the budget. Caches that joined it stay bounded by it. May be called again. */
  close(): void;
  /** `close`, for `using`. */
  [Symbol.dispose](): void;
}

/** Life and labels of one entry. What is left out follows the cache's own options. */
export interface EntryOptions {
  /** Time to live in milliseconds, counted from now. A positive number, fractions rounded up; `Infinity` is never. */
  ttlMs?: number | undefined;
  /**
   * Longest time without a read or write, in milliseconds. A positive number, fractions rounded up; `Infinity` is
   * never.
   */
  idleMs?: number | undefined;
  /** Labels for `invalidateTags`. Any strings. */
  tags?: readonly string[] | undefined;
}

/** Time to live: a positive number of SECONDS (fractions allowed, `Infinity` is never), or options in milliseconds. */
export type Ttl = number | EntryOptions;

/** Several entries: a plain object, a Map, or anything that iterates over `[key, value]`. */
export type Entries<V> = Readonly<Record<string, V>> | Iterable<readonly [key: string, value: V]>;

/**
 * Counts since the cache was made, over all its handles and threads, except where a line says otherwise. Near hits of
 * other handles are counted as these report them, after 1,024 hits at the latest.
 */
export interface MemoryCacheStats {
  /** Entries held now. */
  entries: number;
  /** Bytes held now: keys, values and bookkeeping. */
  bytes: number;
  /** The limit of `bytes` now: less while memory is short, and what the budget leaves where there is one. */
  maxBytes: number;
  /** The limit of `entries`; `Infinity` when there is none. */
  maxEntries: number;
  /**
   * Reads that found a value, near hits included. `peek`, `has`, `take`, `getTtl`, `keys` and `entries` do not count.
   */
  hits: number;
  /** Reads that found none. */
  misses: number;
  /** `hits / (hits + misses)`; 0 before the first read. */
  hitRatio: number;
  /** Hits that never left JavaScript, of all handles; part of `hits`. */
  nearHits: number;
  /** Values that this handle keeps decoded now. */
  nearEntries: number;
  /** Heap that these take, in bytes, estimated from their encoded sizes. */
  nearBytes: number;
  /** The most that there may be of both. */
  nearMaxEntries: number;
  nearMaxBytes: number;
  /** Values stored, by `increment` and `getOrSet` too. */
  sets: number;
  /** Entries removed by a caller, one by one or by pattern or tag; `clear` does not count. */
  deletes: number;
  /** Entries removed to make room, or by `evict`. */
  evictions: number;
  /** Entries removed because their time was over. */
  expirations: number;
  /** Values refused because they alone are larger than the cache. */
  refusals: number;
  /** Loads that `getOrSet` began. */
  loads: number;
  /** Those that threw or rejected. */
  loadFailures: number;
  /** Events that this handle, listening, did not take in time and lost: it is told of 65,536 or 64 MiB at once. */
  eventsDropped: number;
  /** What compression does for the entries held now. */
  compression: {
    /** Null when compression is off. */
    algorithm: 'lz4' | 'zstd' | null;
    /** Values of fewer bytes are left alone; null when compression is off. */
    thresholdBytes: number | null;
    /** Entries stored compressed. */
    entries: number;
    /** Their size before, in bytes. */
    originalBytes: number;
    /** Their size after, in bytes. */
    storedBytes: number;
    /** What that saves: `originalBytes - storedBytes`. */
    savedBytes: number;
    /** `storedBytes / originalBytes`: smaller is better; 1 when no entry is compressed. */
    ratio: number;
    /** Values, since the cache was made, that were stored as they are: they would not get 10 % smaller. */
    skipped: number;
    /** Values, since the cache was made, that were too short to try. */
    belowThreshold: number;
    /** Null without the option `dictionary`. */
    dictionary: {
      /** Size of the dictionary in use; 0 before the first is trained. */
      bytes: number;
      /** How many were trained, those that did no better than the one in use included. */
      trainings: number;
    } | null;
  };
  /**
   * What a shortage of memory does to this cache. When the process (or its container) uses more than 90 % of the memory
   * it may use, all caches give up some of theirs, in proportion; below 80 % they take it back by and by.
   */
  memoryPressure: {
    /** Whether the limit is lowered now. */
    active: boolean;
    /** How often it was lowered. */
    shrinks: number;
    /** How often it was back where it had been. */
    recoveries: number;
    /** What `maxBytes` is when memory is not short. */
    fullMaxBytes: number;
  };
}

/** The events of `MemoryCache`, with the arguments of their listeners. */
export interface MemoryCacheEvents<V = unknown> {
  /** A value was stored; a replaced value raises this and nothing else. */
  set: [key: string, value: V];
  /** A caller removed an entry. */
  delete: [key: string, value: V];
  /** An entry's time was over. */
  expire: [key: string, value: V];
  /** An entry had to make room, or went by `evict`. */
  evict: [key: string, value: V];
  /** The cache was emptied. */
  clear: [];
}

/**
 * A cache off the JavaScript heap, bounded in bytes, and shared by all threads that give it the same name.
 *
 * Keys are any strings. Values are whatever structured clone takes, and come back deeply equal: dates, Maps, typed
 * arrays, cycles. They are copied in; what `get` hands out may be shared by later reads of the same thread while the
 * key is hot, so do not mutate it (or set `clone`).
 *
 * All methods are synchronous except `getOrSet`; they wait for other threads' native code at most, never for their
 * JavaScript. A read of a hot key stays in JavaScript; any other operation on a key is a call into native code, and
 * reads decode a copy.
 *
 * Every method throws `HotpathClosedError` after `close()`, and a `TypeError` for a key that is not a string.
 *
 * As an `EventEmitter` it raises the events of {@link MemoryCacheEvents}. Each handle of a named cache that listens
 * hears all of them, whichever thread caused them: its own before the operation returns, the others' soon after.
 * Without listeners, events cost nothing. A listener that throws surfaces as an uncaught exception; the operation
 * stands.
 *
 * @example
 * const users = new MemoryCache<User>({ name: 'users', maxMemoryMB: 200, ttlMs: 60_000 });
 * const user = await users.getOrSet(`user:${id}`, () => db.findUser(id), { tags: ['users'] });
 */
export class MemoryCache<V = unknown> extends EventEmitter {
  /**
   * @throws TypeError for an option of the wrong type, an unknown option (the message names the nearest known one), or
   *   more than one of `maxBytes`, `maxMemoryMB`, `maxMemory`
   * @throws RangeError for an option out of its range
   * @throws HotpathConflictError when a cache of this name was made with another value of an option given here
   */
  constructor(options?: MemoryCacheOptions);

  /** The name given at construction; undefined for a private cache. */
  get name(): string | undefined;
  /**
   * Whether this handle was closed. With `name`, `close` and those of `EventEmitter` the only member that works then.
   */
  get closed(): boolean;
  /** Entries held now, by all handles together. */
  get size(): number;
  /** A snapshot of the counters. Some calls into native code; do not ask for it with each request. */
  get stats(): MemoryCacheStats;

  /**
   * Stores a value, replacing any other. Encodes it (cost in proportion to its size) and copies it out of the heap.
   * May evict others. An older value's expiry and tags do not matter.
   * @param ttl without it the cache's `ttlMs` and `idleMs` apply
   * @returns false when the value alone is larger than the cache: it was refused, and an older value is gone
   * @throws TypeError for a value that cannot be stored (functions, symbols, promises, proxies, weak collections,
   *   shared buffers, a URL), naming where it is: `value.user.onClick`; nothing is stored then
   * @throws RangeError for a ttl that is zero, negative or NaN, or for a value nested more than 1,000 levels deep
   */
  set(key: string, value: V, ttl?: Ttl): boolean;
  /** The same as `set`. */
  put(key: string, value: V, ttl?: Ttl): boolean;
  /**
   * The value, or undefined when there is none or its time is over. `has` tells a stored `undefined` from a miss.
   * Counts as a use for eviction, idle time and statistics. Of a cache of anything, `get<User>(key)` says what is expected;
   * nothing checks it.
   */
  get<T extends V = V>(key: string): T | undefined;
  /** As `get`, but no trace is left in eviction order, idle time or statistics. */
  peek(key: string): V | undefined;
  /** Whether there is a live entry. Leaves no trace either, and decodes nothing. */
  has(key: string): boolean;
  /** Removes an entry. @returns whether there was one */
  delete(key: string): boolean;
  /** The same as `delete`. */
  del(key: string): boolean;
  /** Removes an entry and returns its value, in one step: of two threads that take a key, one gets it. */
  take(key: string): V | undefined;

  /**
   * The values of many keys, in their order. What is not near takes one native call per 256 keys or 64 KiB of values,
   * so it is cheaper than as many `get`s.
   */
  getMany(keys: readonly string[]): (V | undefined)[];
  /** The values that were found, as an object by key. */
  mget(keys: readonly string[]): Partial<Record<string, V>>;
  /**
   * Stores many values with the same life and tags. All are encoded first, which takes memory for all of them; then
   * each is stored on its own: other threads may see some before others.
   * @returns how many were stored, that is, not refused as too large
   * @throws as `set` does; nothing is stored then
   */
  setMany(entries: Entries<V>, ttl?: Ttl): number;
  /** The same as `setMany`. */
  mset(entries: Entries<V>, ttl?: Ttl): number;
  /** Removes many entries, a native call each. @returns how many there were */
  deleteMany(keys: readonly string[]): number;

  /**
   * Starts an entry's time anew.
   * @param ttl as in `set`, without `tags`; left out, the cache's own `ttlMs` and `idleMs` apply again
   * @returns whether there was an entry
   */
  touch(key: string, ttl?: number | Omit<EntryOptions, 'tags'>): boolean;
  /** Time left in MILLISECONDS; `Infinity` when the entry never expires, undefined when there is none. */
  getTtl(key: string): number | undefined;
  /**
   * Adds to a number, atomically across threads. A missing key starts at 0.
   * @param by a finite number; 1 when left out
   * @param ttl life and tags, used only when this creates the entry; an existing one keeps its own
   * @returns the sum
   * @throws HotpathValueError when the value is not a number
   * @throws RangeError when `by` or the sum is not finite, or the entry is larger than the cache; nothing changes then
   */
  increment(key: string, by?: number, ttl?: Ttl): number;

  /**
   * A snapshot of the keys, in no particular order. Copies all of them: its cost grows with the cache.
   * @param glob `*` any run, `?` one character, `[abc]`, `[a-z]`, `[!a]` or `[^a]`, backslash escapes; matches whole
   *   keys
   * @throws RangeError for a glob of more than 1,024 characters from its first wildcard on, or some 800 `?`
   */
  keys(glob?: string): string[];
  /** Iterates over a snapshot of the keys; entries that went meanwhile are left out. Leaves no trace, as `peek`. */
  entries(): IterableIterator<[string, V]>;
  /** The same as `entries`. */
  [Symbol.iterator](): IterableIterator<[string, V]>;
  /** Removes all entries whose key matches a glob (see `keys`). Reads every key, no value. @returns how many */
  deletePattern(glob: string): number;
  /** Removes all entries that carry one of these tags. Costs in proportion to those. @returns how many */
  invalidateTags(tags: string | readonly string[]): number;
  /** Removes everything; `clear` is the only event. Memory is freed on another thread. */
  clear(): void;

  /**
   * The value, or what `loader` makes of a missing one. However many callers in however many threads ask at once,
   * one loader runs and all get its answer; a worker that exits while it loads hands the load to one that waits.
   * A key written or deleted meanwhile is not overwritten: the waiters get the loaded value, the cache keeps its own.
   *
   * The first caller gets the loader's own object, and so do those who wait for it in the same handle (copies, with
   * `clone`); other handles and later reads get a copy.
   * @param loader its value is stored and handed to everyone; `undefined` is a value like any other
   * @param options life and tags of the new entry, as in `set`
   * @returns rejects with the loader's error (other threads get an equal copy of it), and caches nothing then
   */
  getOrSet(key: string, loader: (key: string) => V | PromiseLike<V>, options?: Ttl): Promise<V>;
  /**
   * A value as bytes, ready for an HTTP response: a Buffer or Uint8Array as it is, a string as UTF-8, anything else as
   * JSON text. Always a copy. Counts as a read. Undefined when there is no entry, or no JSON of it.
   */
  getBytes(key: string): Buffer | undefined;

  /**
   * Changes limits while running, for all handles; one that is not given stays. A smaller limit evicts at once. With
   * `tinylfu` and `lru` it costs about a microsecond for each entry, and the policy learns anew.
   *
   * `nearCache` changes the bounds of this handle's near cache, if it has one; `compressionThresholdBytes` from how many
   * bytes on values that are written are compressed, where compression is on.
   * @throws TypeError or RangeError as the constructor does
   */
  resize(
    limits: MemoryCacheLimits & {
      nearCache?: { maxEntries?: number; maxBytes?: number };
      compressionThresholdBytes?: number;
    },
  ): void;
  /**
   * Gives up entries, coldest first and whatever the limits, until so many bytes are freed or nothing is left.
   * @param bytes a non-negative number
   * @returns the bytes that were freed
   */
  evict(bytes: number): number;
  /**
   * Recounts every counter from the entries themselves, which takes time in proportion to them. For tests.
   * @throws Error with code `ERR_HOTPATH_INCONSISTENT` that names the counter which is wrong
   */
  validate(): void;
  /** Lets go of the cache; the last handle frees its memory. May be called again. Listeners hear nothing afterwards. */
  close(): void;
  /** `close`, for `using`. */
  [Symbol.dispose](): void;

  on<E extends keyof MemoryCacheEvents<V>>(event: E, listener: (...args: MemoryCacheEvents<V>[E]) => void): this;
  addListener<E extends keyof MemoryCacheEvents<V>>(
    event: E,
    listener: (...args: MemoryCacheEvents<V>[E]) => void,
  ): this;
  once<E extends keyof MemoryCacheEvents<V>>(event: E, listener: (...args: MemoryCacheEvents<V>[E]) => void): this;
  prependListener<E extends keyof MemoryCacheEvents<V>>(
    event: E,
    listener: (...args: MemoryCacheEvents<V>[E]) => void,
  ): this;
  prependOnceListener<E extends keyof MemoryCacheEvents<V>>(
    event: E,
    listener: (...args: MemoryCacheEvents<V>[E]) => void,
  ): this;
  off<E extends keyof MemoryCacheEvents<V>>(event: E, listener: (...args: MemoryCacheEvents<V>[E]) => void): this;
  removeListener<E extends keyof MemoryCacheEvents<V>>(
    event: E,
    listener: (...args: MemoryCacheEvents<V>[E]) => void,
  ): this;
  emit<E extends keyof MemoryCacheEvents<V>>(event: E, ...args: MemoryCacheEvents<V>[E]): boolean;
}

export interface MemoryOptimizedCacheOptions {
  /** Most memory held, in MiB. A positive finite number. @default 100 */
  maxMemoryMB?: number | undefined;
  /** Most entries held. A positive integer. @default 10000 */
  maxEntries?: number | undefined;
  /** What goes when the cache is full, see {@link EvictionPolicy}. @default 'adaptive' */
  evictionPolicy?: EvictionPolicy | Uppercase<EvictionPolicy> | undefined;
  /** As in `MemoryCache`. @default false */
  compression?: boolean | CompressionOptions | undefined;
  /**
   * Shares the cache with the other `MemoryOptimizedCache`s of this name, in any thread. Any string but the empty one.
   */
  name?: string | undefined;
  /** As in `MemoryCache`; `maxMemoryMB` bounds the cache in addition. */
  budget?: MemoryBudget | undefined;
}

/**
 * `MemoryCache` behind promises, with a watch on the process's own memory. The work is still done at once, on the
 * caller's thread: what differs is that every failure is a rejection.
 */
export class MemoryOptimizedCache<V = unknown> {
  /** Starts the memory monitor. @throws as the constructor of `MemoryCache` does */
  constructor(options?: MemoryOptimizedCacheOptions);

  /** Bytes held now. */
  get memoryUsage(): number;
  /** Entries held now. */
  get entryCount(): number;
  /** Stored size of the compressed entries through their original size; 0 while nothing is compressed. */
  get compressionRatio(): number;
  /** As in `MemoryCache`. */
  get stats(): MemoryCacheStats;
  /** Whether it was closed. */
  get closed(): boolean;

  /**
   * Stores a value.
   * @param ttlSeconds a positive number of seconds; left out, `null` or 0: the entry does not expire
   * @returns false when the value alone is larger than the cache
   */
  put(key: string, value: V, ttlSeconds?: number | null): Promise<boolean>;
  /** The same as `put`. */
  set(key: string, value: V, ttlSeconds?: number | null): Promise<boolean>;
  /** The value, or undefined. */
  get<T extends V = V>(key: string): Promise<T | undefined>;
  /** Whether there is a live entry. */
  has(key: string): Promise<boolean>;
  /** Removes an entry. @returns whether there was one */
  delete(key: string): Promise<boolean>;
  /** The same as `delete`. */
  del(key: string): Promise<boolean>;
  /** Removes everything. */
  clear(): Promise<void>;

  /**
   * Evicts entries, coldest first, until at least this many bytes are freed and at most 80 % of the memory is in use,
   * or nothing is left.
   * @param bytes a non-negative number
   * @returns the bytes that were freed
   */
  evictEntries(bytes: number): Promise<number>;
  /** The bytes that a value takes when encoded, without compression. Encodes it to find out. */
  estimateSize(value: unknown): number;
  /** Collects garbage when Node.js runs with `--expose-gc`. @returns whether it does */
  forceGarbageCollection(): boolean;
  /**
   * Every 30 seconds, collects garbage if the JavaScript heap is above 1.2 times `maxMemoryMB`. The timer keeps
   * neither the process nor the cache alive. May be called again.
   */
  startMemoryMonitoring(): void;
  /** Stops the timer. May be called again. */
  stopMemoryMonitoring(): void;
  /** Stops the monitor and closes the cache. May be called again. */
  close(): Promise<void>;
  /** `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}
