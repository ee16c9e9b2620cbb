import { EventEmitter } from 'node:events';
import type { Readable } from 'node:stream';

export interface DiskCacheOptions {
  /**
   * Where the cache lives; made if need be. A path on a local disk: network file systems are refused. All handles on
   * one directory, in all threads of the process, are one cache; other processes may have it open too.
   */
  directory: string;
  /**
   * What the cache is called, in conflicts between handles: within a process, one name is one directory.
   */
  name?: string | undefined;
  /**
   * Bytes that entries take at most: keys, values, bookkeeping, and files. A positive integer. The file of LMDB can
   * grow to twice as much, because pages are never overwritten while somebody may read them.
   * @default 5368709120 (5 GiB)
   */
  diskLimit?: number | undefined;
  /**
   * How long an entry lives that is written without a time of its own. A positive number, `Infinity` for ever.
   * @default 604800000 (7 days)
   */
  maxAgeMs?: number | undefined;
  /**
   * Values whose encoded form has more bytes than this are kept in files beside the environment. A non-negative
   * integer.
   * @default 1048576 (1 MiB)
   */
  streamThresholdBytes?: number | undefined;
}

/** How long an entry lives. */
export interface DiskCacheLifetime {
  /** Milliseconds from now. A positive number, `Infinity` for ever. */
  ttlMs?: number | undefined;
}

/**
 * A snapshot of the counters. They outlive the process: what this process has counted, and what others have stored,
 * which they do every few seconds and when they close.
 */
export interface DiskCacheStats {
  /** Entries whose time is not over. */
  entries: number;
  /** Of those, values in files of their own. */
  files: number;
  /** Bytes that count toward the limit. */
  bytes: number;
  /** `diskLimit`. */
  diskLimit: number;
  /** Bytes that LMDB's file has grown to. */
  storageBytes: number;
  /** Reads that found a value. */
  hits: number;
  /** Reads that found none. */
  misses: number;
  /** Hits through reads, 0 to 1; 0 before the first read. */
  hitRatio: number;
  /** Values stored. */
  sets: number;
  /** Entries removed on request. */
  deletes: number;
  /** Entries that had to make room. */
  evictions: number;
  /** Entries whose time was over. */
  expirations: number;
  /** Values that were larger than the cache. */
  refusals: number;
  /** Values that were found damaged, and removed. */
  damaged: number;
  /** Events that this handle lost because its thread was too busy to take them. */
  eventsDropped: number;
  /** Whether files were found damaged, or of another version, when this process opened the cache, and begun anew. */
  rebuilt: boolean;
}

/** What `compact` has done. */
export interface DiskCacheCompaction {
  /** Expired entries that were removed. */
  entries: number;
  /** Files without an entry that were removed. */
  files: number;
  /** Bytes that both took. */
  bytes: number;
}

/**
 * The events of `DiskCache`, with the arguments of their listeners. `bytes` is what the entry counts toward the limit.
 * They tell of changes made by this process, in all of its threads.
 */
export interface DiskCacheEvents {
  /** A value was stored. */
  set: [key: string, bytes: number];
  /** A caller removed an entry. */
  delete: [key: string, bytes: number];
  /** An entry's time was over. */
  expire: [key: string, bytes: number];
  /** An entry had to make room. */
  evict: [key: string, bytes: number];
  /** An entry was found damaged, and removed. */
  damage: [key: string, bytes: number];
  /** The cache was emptied. */
  clear: [];
}

/**
 * A cache on disk that the threads and processes of a machine share, without a server. It survives restarts, and
 * `kill -9`; after a power failure the last second or so may be missing, and nothing is ever damaged.
 *
 * Keys are any strings. Values are whatever structured clone takes, and come back deeply equal. Every value has a
 * checksum: a wrong one is a miss.
 *
 * Small values are read on the calling thread from a memory map, which takes microseconds when the system has the page
 * in memory and a read of the disk when not; large ones on a native thread. Writes are committed in groups, and a
 * promise of a write resolves when every process can see it.
 *
 * Promise-returning methods reject and never throw: with `HotpathClosedError` after `close()`, with `TypeError` and
 * `RangeError` for wrong arguments, with {@link HotpathStorageError} when the disk fails.
 *
 * @example
 * const pages = new DiskCache<string>({ directory: './cache', diskLimit: 2 * 1024 ** 3 });
 * await pages.set(url, html, 3600);
 * const html = await pages.get(url);
 */
export class DiskCache<V = unknown> extends EventEmitter {
  /**
   * Opens the directory, synchronously.
   * @throws TypeError for an option of the wrong type, no directory, or an unknown option
   * @throws RangeError for an option out of its range
   * @throws HotpathConflictError when the cache is open in this process with another value of an option given here
   * @throws HotpathStorageError when the directory cannot be used
   */
  constructor(options: DiskCacheOptions);

  /** The name given at construction. */
  get name(): string | undefined;
  /** The absolute path of the directory. */
  get directory(): string;
  /** Whether this handle was closed. */
  get closed(): boolean;
  /** Entries whose time is not over. Reads the map. @throws HotpathClosedError */
  get size(): number;
  /** A snapshot of the counters. Reads the map. @throws HotpathClosedError */
  get stats(): DiskCacheStats;

  /** The value, or undefined. */
  get<T extends V = V>(key: string): Promise<T | undefined>;
  /**
   * The same at once, for values that are not kept in files.
   * @throws RangeError when the value is in a file: read it with `get` or `getStream`
   */
  getSync(key: string): V | undefined;
  /** Whether there is a live entry. Does not count as a read. */
  has(key: string): Promise<boolean>;
  /** Milliseconds that an entry has left, `Infinity` for ever; undefined if there is none. */
  getTtl(key: string): Promise<number | undefined>;
  /** The values of many keys, in their order. */
  getMany(keys: readonly string[]): Promise<(V | undefined)[]>;
  /** The values that are there, by key. */
  mget(keys: readonly string[]): Promise<Record<string, V>>;

  /**
   * Stores a value.
   * @param ttl a positive number of seconds, or an object that says milliseconds; `maxAgeMs` without
   * @returns false when the value alone is larger than the cache
   */
  set(key: string, value: V, ttl?: number | DiskCacheLifetime): Promise<boolean>;
  /** The same as `set`. */
  put(key: string, value: V, ttl?: number | DiskCacheLifetime): Promise<boolean>;
  /**
   * Stores many values. One that cannot be encoded leaves everything as it was. They become visible one by one.
   * @returns how many were stored
   */
  setMany(
    entries: Readonly<Record<string, V>> | Iterable<readonly [string, V]>,
    ttl?: number | DiskCacheLifetime,
  ): Promise<number>;
  /** The same as `setMany`. */
  mset(
    entries: Readonly<Record<string, V>> | Iterable<readonly [string, V]>,
    ttl?: number | DiskCacheLifetime,
  ): Promise<number>;
  /** Gives an entry a new time. @returns whether there is one */
  touch(key: string, ttl?: number | DiskCacheLifetime): Promise<boolean>;
  /**
   * Adds to a number, atomically across threads and processes; an absent one counts as 0.
   * @param by a finite number @default 1
   * @param ttl only used when the entry is made
   * @returns the sum
   * @throws HotpathValueError (as rejection) when the value is not a number; it stays as it is
   */
  increment(key: string, by?: number, ttl?: number | DiskCacheLifetime): Promise<number>;
  /** Removes an entry. @returns whether there was one */
  delete(key: string): Promise<boolean>;
  /** The same as `delete`. */
  del(key: string): Promise<boolean>;
  /** Removes many entries. @returns how many there were */
  deleteMany(keys: readonly string[]): Promise<number>;
  /** Removes the entries whose keys a glob pattern (`*`, `?`, `[..]`) means. Looks at all keys. @returns how many */
  deletePattern(pattern: string): Promise<number>;
  /** Removes everything; statistics stay. */
  clear(): Promise<void>;

  /**
   * Stores the bytes of a stream, piece by piece: neither memory nor the disk ever holds half a value that can be read.
   * When the source breaks, what was there before stays.
   * @param source a stream, or any iterable of bytes and strings
   * @returns false when the value is larger than the cache; a stream is destroyed then
   */
  setStream(
    key: string,
    source: Iterable<string | ArrayBufferView> | AsyncIterable<string | ArrayBufferView> | string | Uint8Array,
    ttl?: number | DiskCacheLifetime,
  ): Promise<boolean>;
  /**
   * The value as a stream of bytes: those of a stored stream, of bytes, or of text in UTF-8; of anything else its JSON.
   * Undefined if there is none. Every block is checked before it is handed out; the stream fails with
   * `ERR_HOTPATH_STORAGE_DAMAGED` at one that is damaged. It goes on when the entry is replaced or the cache closed.
   */
  getStream(key: string): Promise<Readable | undefined>;

  /** The keys of all entries, or of those that a glob pattern means, in no order. Looks at all keys. */
  keys(pattern?: string): Promise<string[]>;
  /**
   * Removes expired entries and files without an entry now; both happen by themselves too, when entries expire and when
   * the cache is opened.
   */
  compact(): Promise<DiskCacheCompaction>;
  /**
   * Recounts everything.
   * @throws HotpathError (as rejection), code `ERR_HOTPATH_INCONSISTENT`, at the first disagreement
   */
  validate(): Promise<void>;
  /**
   * Lets go of the cache when all writes that were begun are committed. After the last handle of the process, the
   * promise resolves when the directory is free. May be called again.
   */
  close(): Promise<void>;
  /** `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;

  on<E extends keyof DiskCacheEvents>(event: E, listener: (...args: DiskCacheEvents[E]) => void): this;
  addListener<E extends keyof DiskCacheEvents>(event: E, listener: (...args: DiskCacheEvents[E]) => void): this;
  once<E extends keyof DiskCacheEvents>(event: E, listener: (...args: DiskCacheEvents[E]) => void): this;
  prependListener<E extends keyof DiskCacheEvents>(event: E, listener: (...args: DiskCacheEvents[E]) => void): this;
  prependOnceListener<E extends keyof DiskCacheEvents>(event: E, listener: (...args: DiskCacheEvents[E]) => void): this;
  off<E extends keyof DiskCacheEvents>(event: E, listener: (...args: DiskCacheEvents[E]) => void): this;
  removeListener<E extends keyof DiskCacheEvents>(event: E, listener: (...args: DiskCacheEvents[E]) => void): this;
  emit<E extends keyof DiskCacheEvents>(event: E, ...args: DiskCacheEvents[E]): boolean;
}
