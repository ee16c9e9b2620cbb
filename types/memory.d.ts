export { MemoryMonitor, type MemoryMonitorOptions, type MemoryUsage } from './monitor-more.js';
import type { MatrixLike, NumbersLike, NumbersResult, TypedMatrix } from './compute.js';

/** Settings of a {@link MemoryOptimizationEngine}. */
export interface MemoryOptimizationEngineOptions {
  /**
   * From how much used JavaScript heap on the engine lets go of what it can, in bytes; also what `decompress` may
   * produce, and 16 times what results of compression may take. A positive integer.
   * @default 104857600
   */
  memoryLimit?: number | undefined;
  /** With `false`, `compress` answers with the bytes as they are and the algorithm `none`. @default true */
  compressionEnabled?: boolean | undefined;
  /** With `false`, `createLazy` loads at once. @default true */
  lazyLoadingEnabled?: boolean | undefined;
  /** How often the heap is looked at, in milliseconds. A positive number, `Infinity` for never. @default 60000 */
  garbageCollectionInterval?: number | undefined;
}

export type CompressionAlgorithm = 'gzip' | 'deflate' | 'brotli' | 'lz4' | 'zstd';

export interface CompressOptions {
  /**
   * `gzip`, `deflate` 0 to 9 (default 6), `brotli` 0 to 11 (default 5: for serving), `zstd` 1 to 22 (default 3), `lz4` 0.
   */
  level?: number | undefined;
}

/** What `compress` gives. */
export interface Compressed {
  /** In a format that other programs read; `deflate` is zlib's. */
  data: Buffer;
  algorithm: CompressionAlgorithm | 'none';
  /** In bytes, before and after. */
  originalSize: number;
  compressedSize: number;
  /** `compressedSize / originalSize`. */
  ratio: number;
}

export interface DecompressOptions {
  /** A larger result is an error, `ERR_HOTPATH_LIMIT`. A non-negative integer. @default the engine's `memoryLimit` */
  maxBytes?: number | undefined;
  /** What to make of the bytes. @default what they were before `compress`, if it was this engine's; else `buffer` */
  as?: 'buffer' | 'string' | 'json' | undefined;
}

/** Numbers of the process in bytes, counts of the engine since it was made, and what there is now. */
export interface MemoryOptimizationStats {
  current: { heapUsed: number; heapTotal: number; external: number; rss: number };
  tracking: {
    /** Used heap now, and the most that this engine has seen. */
    memoryUsage: number;
    memoryPeak: number;
    /** Objects and buffers that pools have made, lazy values loaded, data compressed. */
    allocationCount: number;
    /** Objects and buffers that pools have let go of, lazy values unloaded, results of compression forgotten. */
    deallocationCount: number;
  };
  pools: {
    objectPools: number;
    bufferPools: number;
    /** Lazy values that are loaded. */
    lazyCache: number;
    /** Results of compression that are remembered. */
    compressionCache: number;
  };
}

/** What an optimization did. Sizes in bytes. */
export interface OptimizationReport {
  /** Used heap before and after, and the difference, if it is one. Without `--expose-gc` V8 decides when it shrinks. */
  before: number;
  after: number;
  freed: number;
  /** Idle objects and buffers of pools. */
  objectsReleased: number;
  buffersReleased: number;
  /** Lazy values that nobody asked for since the last time; all of them while the heap is above the limit. */
  lazyUnloaded: number;
  resultsForgotten: number;
  /** Whether Node runs with `--expose-gc`. */
  garbageCollected: boolean;
}

/** A value that is loaded when it is first asked for. */
export interface Lazy<T> {
  /** Loads it, once however many ask; a failure rejects for these and is not remembered. */
  get(): Promise<T>;
  /** Whether it is there. */
  readonly loaded: boolean;
  /** Lets go of it: the next `get` loads it again. False if there was nothing. */
  unload(): boolean;
}

/** A pool of objects: hotpath's `ObjectPool`. */
export interface PooledObjects<T extends object> {
  acquire(): T;
  /** @throws `HotpathError` `ERR_HOTPATH_NOT_ACQUIRED`: released before, or not of this pool */
  release(object: T): void;
  use<R>(fn: (object: T) => R): R;
  readonly stats: { size: number; idle: number; inUse: number; created: number; reused: number; discarded: number };
}

/**
 * Keeps what saves time (pools, lazy values, results of compression) and lets go of it when the heap is larger than it
 * should be. Its timer keeps neither the process nor the engine alive.
 */
export class MemoryOptimizationEngine {
  /** @throws `TypeError`, `RangeError`: wrong options */
  constructor(options?: MemoryOptimizationEngineOptions);

  get closed(): boolean;

  /**
   * Compresses bytes, text (as UTF-8), or anything else as JSON. Up to 64 KiB on this thread, more on another one, for
   * which bytes are copied. Results for up to 64 KiB are remembered, so the same data again cost a hash.
   */
  compress(data: unknown, algorithm?: CompressionAlgorithm, options?: CompressOptions): Promise<Compressed>;

  /**
   * Undoes `compress`, or what another program compressed. Rejects with `HotpathDataError` for data that are damaged, cut
   * short or something else, and with `HotpathError` `ERR_HOTPATH_LIMIT` for a result that is too large.
   */
  decompress(
    compressed: Compressed | Uint8Array,
    algorithm?: CompressionAlgorithm | 'none',
    options?: DecompressOptions,
    // biome-ignore lint/suspicious/noExplicitAny: what comes back is what went in.
  ): Promise<any>;

  /** An `ObjectPool` whose idle objects `optimize` releases. */
  createObjectPool<T extends object>(
    createFn: () => T,
    resetFn: (object: T) => void,
    initialSize?: number,
    options?: { maxSize?: number },
  ): PooledObjects<T>;

  /** A `BufferPool` whose idle buffers `optimize` releases. */
  createBufferPool(size: number, count: number, options?: BufferPoolOptions): BufferPool;

  /** A value that is loaded when it is first asked for, and unloaded by `optimize` when nobody does any more. */
  createLazy<T>(loader: () => T | Promise<T>): Lazy<T>;

  /** Lets go of what is idle, and collects garbage if Node runs with `--expose-gc`. */
  optimize(): OptimizationReport;

  /** The same, but only while the used heap is above `memoryLimit`; what the timer calls. */
  optimizeIfShort(): OptimizationReport | undefined;

  getStats(): MemoryOptimizationStats;

  /** As `getStats`. */
  get stats(): MemoryOptimizationStats;

  /** Lets go of everything, and stops the timer. May be repeated. */
  close(): void;

  /** As `close`. */
  [Symbol.dispose](): void;
}

/**
 * A matrix that stores what is not zero, in compressed rows in native memory: 12 bytes an element and 4 a row. Reading an
 * element is a call and a search in its row. Everything runs on the calling thread. The memory goes with the object.
 */
export class SparseMatrix {
  /** A matrix of zeros. Two non-negative integers below 2^32. @throws `HotpathError` without memory for the rows */
  constructor(rows: number, cols: number);

  static fromDense(dense: MatrixLike): SparseMatrix;

  /** @throws `HotpathDataError`: not what `serialize` wrote; a checksum is compared, and the structure checked */
  static deserialize(bytes: Uint8Array): SparseMatrix;

  get rows(): number;
  get cols(): number;

  /** Elements that are not zero. */
  get size(): number;

  /** `size` over all places; 0 without any. */
  get density(): number;

  /** Native memory that it takes. */
  get bytes(): number;

  /** @throws `RangeError` outside of the matrix */
  get(row: number, col: number): number;

  /** 0 takes an element out. @throws `RangeError` outside of the matrix */
  set(row: number, col: number, value: number): this;

  /** Times a matrix, a number, or a vector (which gives one of the same kind). @throws `RangeError`: sizes do not fit */
  multiply(other: SparseMatrix | number): SparseMatrix;
  multiply(other: Float32Array): Float64Array;
  multiply<N extends NumbersLike>(other: N): NumbersResult<N>;

  transpose(): SparseMatrix;

  /** All elements, as rows or as one typed array. */
  toDense(form?: 'rows'): number[][];
  toDense(form: 'typed'): TypedMatrix<Float64Array>;

  /** A Buffer for any machine, with version and checksum. */
  serialize(): Buffer;

  /** `[row, col, value]` of what is not zero, by rows. May be changed meanwhile: what lies behind is seen changed. */
  entries(): IterableIterator<[row: number, col: number, value: number]>;
  [Symbol.iterator](): IterableIterator<[row: number, col: number, value: number]>;
}

/** What a {@link CircularBuffer} keeps its values in: an array, or a typed array. */
export type CircularBufferType =
  | 'any'
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'float32'
  | 'float64'
  | 'bigint64'
  | 'biguint64';

/** The last so many values: a new one overwrites the oldest. */
export class CircularBuffer<T = unknown> {
  /** @param capacity a positive integer @param type what values are kept in, `'any'` by default */
  constructor(capacity: number, type?: CircularBufferType);

  get capacity(): number;
  get type(): CircularBufferType;
  get size(): number;
  get isFull(): boolean;

  /** Adds a value, and gives the one that it overwrote. */
  push(value: T): T | undefined;

  /** Takes the oldest value out. */
  shift(): T | undefined;

  /** 0 is the oldest value, -1 the newest. */
  get(index: number): T | undefined;

  /** From the oldest to the newest. */
  toArray(): T[];

  clear(): void;

  [Symbol.iterator](): IterableIterator<T>;
}

export interface BloomFilterOptions {
  /**
   * Chooses among hash functions. Filters of different seeds cannot be united; a secret one keeps others from choosing
   * items that collide. A non-negative integer.
   * @default 0
   */
  seed?: number | undefined;
}

/**
 * A set that never forgets an item and now and then claims one that it does not hold (Bloom, 1970): about ten bits an
 * item at 1 %. Items are strings or bytes; a string is the same item as its UTF-8. The memory is native and goes with the
 * object.
 */
export class BloomFilter {
  /**
   * @param capacity for how many items the rate holds; more may be added, and the rate rises. A positive integer
   * @param falsePositiveRate between 0 and 1, 0.01 by default
   */
  constructor(capacity: number, falsePositiveRate?: number, options?: BloomFilterOptions);

  /** @throws `HotpathDataError`: not what `serialize` wrote */
  static deserialize(bytes: Uint8Array): BloomFilter;

  get capacity(): number;
  get falsePositiveRate(): number;

  /** Items that were new when they were added; after a union an estimate. */
  get size(): number;

  /** Native memory of the bits. */
  get bytes(): number;

  /** True if the item was certainly not there before. */
  add(item: string | Uint8Array): boolean;

  /** False if it was certainly never added. */
  has(item: string | Uint8Array): boolean;

  /** Adds all, or none if one is neither string nor bytes; gives how many were new. One call. */
  addMany(items: Iterable<string | Uint8Array>): number;

  /** An answer for each item. One call. */
  hasMany(items: Iterable<string | Uint8Array>): boolean[];

  /** A new filter with what both hold. @throws `RangeError` unless capacity, rate and seed are the same */
  union(other: BloomFilter): BloomFilter;

  clear(): void;

  /** A Buffer for any machine, with version and checksum. */
  serialize(): Buffer;
}

export interface BufferPoolOptions {
  /** Fills buffers with zeros when they are acquired; else they hold what their last user left. @default false */
  zeroFill?: boolean | undefined;
}

export interface BufferPoolStats {
  /** The two arguments. */
  size: number;
  count: number;
  /** Buffers that lie idle, and that are lent. */
  available: number;
  inUse: number;
  /** Buffers made, acquired without being made, and let go of, since the beginning. */
  created: number;
  reused: number;
  discarded: number;
  /** Of all buffers, idle or lent. */
  bytes: number;
}

/** Buffers of one size that are used again and again. When all are lent, more are made, and let go of when released. */
export class BufferPool {
  /** @param size of a buffer in bytes, a positive integer @param count how many are made at once and kept */
  constructor(size: number, count: number, options?: BufferPoolOptions);

  acquire(): Buffer;

  /** @throws `HotpathError` `ERR_HOTPATH_NOT_ACQUIRED`: released before, or not of this pool */
  release(buffer: Buffer): void;

  /** Lends a buffer to a function, until its promise settles. */
  use<R>(use: (buffer: Buffer) => R | Promise<R>): Promise<R>;

  /** Lets go of idle buffers, and gives how many those were. */
  trim(): number;
  /** `trim`, for `using`. */
  [Symbol.dispose](): void;

  get stats(): BufferPoolStats;
}

export interface LRUCacheOptions<K = unknown, V = unknown> {
  /** Most entries. A positive integer. @default no limit */
  max?: number | undefined;
  /** Most bytes, as `sizeOf` counts them. A positive integer. @default no limit */
  maxBytes?: number | undefined;
  /** Milliseconds that an entry lives. A positive number. @default Infinity */
  ttl?: number | undefined;
  /** What an entry weighs with `maxBytes`, a non-negative integer. @default an estimate, for which the value is walked */
  sizeOf?: ((value: V, key: K) => number) | undefined;
}

export interface LRUCacheStats {
  entries: number;
  bytes: number;
  hits: number;
  misses: number;
  evictions: number;
  expirations: number;
}

/**
 * Live values by keys of any kind, the least recently used of which goes first. A structure of this thread, on its heap;
 * `MemoryCache` is the cache for many entries and several threads. What has expired goes when it is met, evicted, or
 * pruned; there is no timer.
 */
export class LRUCache<K = unknown, V = unknown> {
  constructor(options?: LRUCacheOptions<K, V>);

  /** Entries held, expired ones that nobody has met included. */
  get size(): number;

  /** Their bytes; 0 without `maxBytes`. */
  get bytes(): number;

  /** Makes the entry the most recently used. */
  get(key: K): V | undefined;

  /** Without that, and without being counted. */
  peek(key: K): V | undefined;

  has(key: K): boolean;

  /** @returns false, and nothing is stored, if the entry alone is larger than `maxBytes` */
  set(key: K, value: V, options?: { ttl?: number }): boolean;
  /** The same as `set`. */
  put(key: K, value: V, options?: { ttl?: number }): boolean;

  delete(key: K): boolean;
  /** The same as `delete`. */
  del(key: K): boolean;
  clear(): void;
  /** `clear`, for `using`. */
  [Symbol.dispose](): void;

  /** Takes out what has expired, and gives how many those were. Walks over all entries. */
  prune(): number;

  /** From the most to the least recently used. */
  entries(): IterableIterator<[K, V]>;
  keys(): IterableIterator<K>;
  values(): IterableIterator<V>;
  [Symbol.iterator](): IterableIterator<[K, V]>;

  get stats(): LRUCacheStats;
}
