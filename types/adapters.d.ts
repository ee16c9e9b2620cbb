import { EventEmitter } from 'node:events';
import type { MemoryCacheOptions } from './cache.js';

/** Anything that works like a cache of hotpath: synchronous or with promises, a tier or several. */
export interface CacheLike {
  get(key: string): unknown;
  set(key: string, value: unknown, options?: unknown): unknown;
  has(key: string): unknown;
  delete(key: string): unknown;
  clear(): unknown;
}

/** Options of {@link NodeCache}, those of node-cache 5. Others are ignored, as there. */
export interface NodeCacheOptions {
  /**
   * Time to live of values that are set without one, in seconds; 0 is for ever.
   * @default 0
   */
  stdTTL?: number;
  /**
   * Seconds between two checks for values that have expired without being asked for; 0 is never.
   * @default 600
   */
  checkperiod?: number;
  /**
   * Whether callers give and get copies. Without them the cache holds the very objects, on the JavaScript heap.
   * @default true
   */
  useClones?: boolean;
  /**
   * Whether values leave when they expire. If not, they stay until they are deleted, and `expired` tells.
   * @default true
   */
  deleteOnExpire?: boolean;
  /**
   * Most keys; a new one beyond is an error `ECACHEFULL`. -1 is no limit.
   * @default -1
   */
  maxKeys?: number;
  /**
   * Whether a last argument that is a function gets `(error, result)`.
   * @default false
   */
  enableLegacyCallbacks?: boolean;
  /**
   * Keeps the JSON of every value that is no string: what was set as `{ a: 1 }` comes back as `'{"a":1}'`.
   * @default false
   */
  forceString?: boolean;
  /**
   * What `vsize` counts for each property of an object.
   * @default 80
   */
  objectValueSize?: number;
  /**
   * What `vsize` counts for a promise.
   * @default 80
   */
  promiseValueSize?: number;
  /**
   * What `vsize` counts for each element of an array.
   * @default 40
   */
  arrayValueSize?: number;
}

/** What a {@link NodeCache} has counted since it was made or flushed. */
export interface NodeCacheStats {
  hits: number;
  misses: number;
  /** Keys held. */
  keys: number;
  /** Characters of all keys. */
  ksize: number;
  /** Bytes of all values, by node-cache's estimate; see the options. */
  vsize: number;
}

/**
 * A drop-in for the npm package node-cache 5: its methods, events (`set`, `del`, `expired`, `flush`, `flush_stats`),
 * errors (`ECACHEFULL`, `EKEYTYPE`, `EKEYSTYPE`, `ETTLTYPE`, as `name` and `errorcode`) and statistics.
 *
 * Trees of plain data are kept off the JavaScript heap, by a native engine, and come back as copies. Strings and other
 * primitives stay in the index of keys, and so do, copied as node-cache copies them, values that only JavaScript can
 * hold: functions, promises, instances of classes, cycles.
 */
export class NodeCache extends EventEmitter {
  constructor(options?: NodeCacheOptions);
  /** A value, or undefined. A value that was set as undefined comes back as null. */
  get<T = unknown>(key: string | number): T | undefined;
  /** The values that are there, by key. */
  mget<T = unknown>(keys: (string | number)[]): Record<string, T>;
  /** Sets a value, for `ttl` seconds; 0 is for ever. */
  set<T = unknown>(key: string | number, value: T, ttl?: number | string): boolean;
  /** The same as `set`. */
  put<T = unknown>(key: string | number, value: T, ttl?: number | string): boolean;
  /**
   * The value of a key; where there is none, `value`, or what it returns if it is a function, which is stored for `ttl`
   * seconds. A promise is stored as a promise.
   */
  fetch<T = unknown>(key: string | number, ttl: number | string, value: T | (() => T)): T;
  fetch<T = unknown>(key: string | number, value: T | (() => T)): T;
  /** Sets several values, or none if one of the keys or ttls is wrong or there is no room for all. */
  mset<T = unknown>(entries: { key: string | number; val: T; ttl?: number }[]): boolean;
  /** Deletes keys, and says how many were there. */
  del(keys: string | number | (string | number)[]): number;
  /** The same as `del`. */
  delete(keys: string | number | (string | number)[]): number;
  /** Reads a value and deletes it. */
  take<T = unknown>(key: string | number): T | undefined;
  /** Gives a key another time to live, in seconds; the standard one by default. A negative one deletes the key. */
  ttl(key: string | number, ttl?: number): boolean;
  /** When a key expires, in milliseconds since 1970; 0 for never, undefined for a key that is not there. */
  getTtl(key: string | number): number | undefined;
  /** All keys, in the order of an object's properties: integers first. */
  keys(): string[];
  has(key: string | number): boolean;
  /** The statistics. They go on counting. */
  getStats(): NodeCacheStats;
  /** Deletes everything and starts the statistics afresh. */
  flushAll(): void;
  /** Starts the statistics afresh. */
  flushStats(): void;
  /** Ends the periodic check. The cache can still be used. */
  close(): void;
  /** Deadline and value of every key, copied. Costs a walk over all of them. */
  get data(): Record<string, { t: number; v: unknown }>;
  [Symbol.dispose](): void;
}

/** Options of {@link KeyvStore}: a cache, or the options of a {@link MemoryCache} of its own. */
export type KeyvStoreOptions = (MemoryCacheOptions | { cache: CacheLike }) & {
  /** Before every key; Keyv sets it by itself. */
  namespace?: string;
  /**
   * Whether objects that Keyv has turned into JSON are handed to it parsed, which it takes as they are: several times as
   * fast to read as by Keyv's parser. Turn it off where a Keyv has a `deserialize` of its own that makes something else
   * of the same JSON (Dates of strings, say), or a `compression` that gives objects which are no bytes: a Keyv 5 would
   * find nothing. What is not plain JSON of an object is left to Keyv in any case.
   * @default true
   */
  parseJson?: boolean;
};

/**
 * A storage adapter for Keyv 5 and 6, hence also for cache-manager and cacheable. What is read is a copy.
 *
 * Keyv turns values into JSON, unless it is told not to: see {@link createKeyv}.
 *
 * @example
 * const keyv = new Keyv({ store: new KeyvStore({ maxMemoryMB: 200 }), namespace: 'users' });
 */
export class KeyvStore extends EventEmitter {
  constructor(options?: KeyvStoreOptions);
  /** The cache behind it. */
  get cache(): CacheLike;
  /** An object that Keyv has turned into JSON comes parsed, unless `parseJson` is off. */
  get(key: string): Promise<unknown>;
  getMany(keys: string[]): Promise<unknown[]>;
  /** @param ttl milliseconds */
  set(key: string, value: unknown, ttl?: number): Promise<boolean>;
  setMany(entries: { key: string; value: unknown; ttl?: number }[]): Promise<boolean[]>;
  delete(key: string): Promise<boolean>;
  deleteMany(keys: string[]): Promise<boolean>;
  has(key: string): Promise<boolean>;
  hasMany(keys: string[]): Promise<boolean[]>;
  /** Deletes the namespace that Keyv 5 has set, else everything. */
  clear(): Promise<void>;
  /** All entries of a namespace, with their full keys. */
  iterator(namespace?: string): AsyncGenerator<[string, unknown], void, void>;
  /** Closes a cache of its own; one that was given stays open. */
  disconnect(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Options of {@link createKeyv}. */
export type CreateKeyvOptions = KeyvStoreOptions & {
  /** Keys are of this namespace. */
  namespace?: string;
  /** Time to live of values that are set without one, in milliseconds. */
  ttl?: number;
};

/**
 * A Keyv (of the version that the application has installed) over a {@link KeyvStore}, which keeps values with their
 * types instead of as JSON: several times as fast to read. Typings of Keyv are the application's: `createKeyv<Keyv>()`.
 *
 * @throws {HotpathError} `ERR_HOTPATH_MISSING_PEER`: the package keyv is not installed
 */
export function createKeyv<Keyv = unknown>(options?: CreateKeyvOptions): Keyv;

/** Options of {@link SessionStore}. Without `cache`, those of a {@link MemoryCache} of its own besides. */
export interface SessionStoreOptions extends Omit<MemoryCacheOptions, 'ttlMs'> {
  /** Where sessions are kept; any cache of hotpath. */
  cache?: CacheLike;
  /**
   * Before every id.
   * @default 'sess:'
   */
  prefix?: string;
  /**
   * How long a session lives whose cookie does not say, in milliseconds.
   * @default 86400000
   */
  ttlMs?: number;
}

type SessionCallback<T = void> = (error?: unknown, result?: T) => void;

/**
 * A store for express-session. Sessions are kept as JSON, as all its stores keep them, and expire with their cookies.
 *
 * @example
 * app.use(session({ secret, resave: false, saveUninitialized: false, store: new SessionStore({ name: 'sessions' }) }));
 */
export class SessionStore extends EventEmitter {
  constructor(options?: SessionStoreOptions);
  /** The cache behind it. */
  get cache(): CacheLike;
  get(id: string, callback: SessionCallback<unknown>): void;
  set(id: string, session: unknown, callback?: SessionCallback): void;
  /** Lengthens a session's life and leaves its contents alone. */
  touch(id: string, session: unknown, callback?: SessionCallback): void;
  destroy(id: string, callback?: SessionCallback): void;
  /** All sessions by their id. */
  all(callback: SessionCallback<Record<string, unknown>>): void;
  length(callback: SessionCallback<number>): void;
  clear(callback?: SessionCallback): void;
  /** Called by express-session. */
  regenerate(request: unknown, callback: SessionCallback): void;
  /** Called by express-session. */
  load(id: string, callback: SessionCallback<unknown>): void;
  /** Called by express-session. */
  createSession(request: unknown, data: unknown): unknown;
  /** Closes a cache of its own; one that was given stays open. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
