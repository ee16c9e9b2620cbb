import { EventEmitter } from 'node:events';
import type { Entries } from './cache.js';

/** A server or sentinel: `'localhost:6379'`, a URL, or its parts. */
export type RedisAddress = string | { host: string; port?: number | undefined };

/** When the circuit breaker opens, and how it finds its way back. */
export interface TierBreakerOptions {
  /**
   * Failures in a row that open it. A positive integer.
   * @default 5
   */
  failureThreshold?: number | undefined;
  /**
   * Share of failures among the calls of the last `windowMs` that opens it, above 0 and at most 1.
   * @default 0.5
   */
  failureRatio?: number | undefined;
  /**
   * With fewer calls within `windowMs`, the share says nothing. A positive integer.
   * @default 20
   */
  minimumCalls?: number | undefined;
  /**
   * What the share is counted over, in milliseconds. A positive integer.
   * @default 10000
   */
  windowMs?: number | undefined;
  /**
   * How long an open breaker refuses before it lets calls try, in milliseconds. A positive integer.
   * @default 1000
   */
  openMs?: number | undefined;
  /**
   * Calls that may try at a time, and successes that close it. A positive integer.
   * @default 1
   */
  probes?: number | undefined;
}

/** Encryption of the connection. Everything in PEM. */
export interface RedisTlsOptions {
  /** Authorities to trust instead of the system's. */
  ca?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined;
  /** The client's certificate; needs `key`. */
  cert?: string | Uint8Array | undefined;
  /** The client's private key; needs `cert`. */
  key?: string | Uint8Array | undefined;
  /**
   * With `false`, any certificate is accepted: encrypted, but nobody knows with whom.
   * @default true
   */
  rejectUnauthorized?: boolean | undefined;
}

/** At most one of `url`, `nodes` and `sentinel`. No error, no `stats` and no log shows a user name or a password. */
export interface RedisCacheOptions {
  /**
   * Handles with the same name, in any thread of the process, share one connection, one circuit breaker and one set of
   * counters. A handle that gives an option explicitly must agree with what the cache was made with. Without a name the
   * cache is private to this handle.
   */
  name?: string | undefined;
  /**
   * One server: `redis://user:password@host:port/database`, `rediss://` with TLS, `unix:///path`; `valkey://` and
   * `valkeys://` mean the same.
   * @default 'redis://127.0.0.1:6379'
   */
  url?: string | undefined;
  /** Some nodes of a cluster; the others are found through them. */
  nodes?: readonly RedisAddress[] | undefined;
  /** Sentinels, and the name that they know the primary by. They are asked anew at every connect. */
  sentinel?:
    | {
        name: string;
        nodes: readonly RedisAddress[];
        /** The sentinels' own login; `username` and `password` outside are the servers'. */
        username?: string | undefined;
        password?: string | undefined;
      }
    | undefined;
  username?: string | undefined;
  password?: string | undefined;
  /**
   * The number of the database. A non-negative integer; 0 in a cluster.
   * @default 0
   */
  database?: number | undefined;
  /** `true` trusts the system's authorities. On by itself with `rediss://`. */
  tls?: boolean | RedisTlsOptions | undefined;
  /**
   * Put before every key. `clear`, `keys` and `deletePattern` touch nothing else; with an empty one that is the whole
   * database.
   * @default 'hotpath:'
   */
  keyPrefix?: string | undefined;
  /**
   * Time to live of entries that are set without one, in milliseconds. A positive number; fractions are rounded up,
   * `Infinity` is never.
   * @default Infinity
   */
  ttlMs?: number | undefined;
  /**
   * How long a command may take, waiting for a connection included, in milliseconds. A positive integer.
   * @default 1000
   */
  commandTimeoutMs?: number | undefined;
  /**
   * Stops asking a server that does not answer, see {@link TierBreakerOptions}. `false` does without.
   * @default true
   */
  breaker?: boolean | TierBreakerOptions | undefined;
  /**
   * `native`: every value comes back as it was (dates, Maps, bytes, cycles); compact, but only hotpath reads it, except
   * numbers, which are text. `json`: JSON text for other clients; what comes back is what JSON makes of it.
   * @default 'native'
   */
  format?: 'native' | 'json' | undefined;
  /**
   * Asks the server to tell what other clients change under `keyPrefix` (RESP3 client-side caching, broadcasting mode);
   * raises `invalidate`. Armed again on every node after each reconnect or failover.
   * @default false
   */
  clientTracking?: boolean | undefined;
}

/** Life of one entry: a positive number of SECONDS (fractions allowed, `Infinity` is never), or milliseconds. */
export type RedisTtl = number | { ttlMs?: number | undefined };

/** Counts since the cache was made, over all its handles. */
export interface RedisCacheStats {
  /** `disconnected` while attempts to connect fail. */
  connection: 'connecting' | 'connected' | 'disconnected' | 'closed';
  /** Why the last attempt to connect failed; null unless disconnected. */
  reason: string | null;
  /** Hosts and ports, or the socket; nothing secret. */
  address: string;
  keyPrefix: string;
  format: 'native' | 'json';
  /** Values read. */
  hits: number;
  /** Keys read that were not there. */
  misses: number;
  /** `hits / (hits + misses)`; 0 before the first read. */
  hitRatio: number;
  /** Values written. */
  sets: number;
  /** Keys removed; those that `clear` and `deletePattern` found included. */
  deletes: number;
  /** Requests answered by the server, with an error or without. */
  commands: number;
  /** Pipelines that carried them: `commands / batches` were sent together. */
  batches: number;
  /** Requests that failed, whatever the reason. */
  errors: number;
  /** Those of them that had no answer in time. */
  timeouts: number;
  /** Those of them that were not sent, because the breaker was open. */
  rejections: number;
  /** Connections made after the first. */
  reconnects: number;
  /** Values that could not be read any more because their dictionary was flushed away; counted as misses. */
  undecodable: number;
  /** Shapes of objects in the dictionary of the namespace. */
  shapes: number;
  /** Whether changes of others are heard of now. */
  tracking: boolean;
  /** Invalidations heard. */
  invalidations: number;
  breaker: {
    state: 'closed' | 'open' | 'half-open' | 'off';
    /** How often it opened. */
    openings: number;
  };
}

/** The right to do something, among all processes, until it ends. */
export interface RedisLease {
  readonly key: string;
  /**
   * Grows with every lease of the key: a store that remembers the largest one it has seen can refuse those who lost
   * theirs without noticing.
   */
  readonly token: number;
  /** Gives it so many milliseconds from now. @returns false if it is somebody else's by now */
  extend(ttlMs: number): Promise<boolean>;
  /** Ends it. @returns false if it is somebody else's by now */
  release(): Promise<boolean>;
  /** The same as `release`. */
  [Symbol.asyncDispose](): Promise<boolean>;
}

/** The events of `RedisCache`, with the arguments of their listeners. */
export interface RedisCacheEvents {
  /**
   * Other clients changed these keys; null stands for any key, after a reconnect or a flush. Only with `clientTracking`.
   */
  invalidate: [keys: string[] | null];
}

/**
 * A cache in Redis 6 or later, or Valkey: one server, a cluster, or the primary that sentinels name.
 *
 * What is asked for in one turn of the event loop goes to the server as one pipeline and comes back with one wake-up;
 * the connection, parsing and waiting are native and happen on other threads. Encoding and decoding happen here.
 *
 * Every method returns a promise, which rejects and never throws: with a `TypeError` or `RangeError` for wrong
 * arguments, `HotpathClosedError` after `close()`, `HotpathTimeoutError` when no answer came within `commandTimeoutMs`,
 * `HotpathTierError` when the server cannot be reached (`ERR_HOTPATH_TIER_UNAVAILABLE`) or refuses a command
 * (`ERR_HOTPATH_TIER_FAILED`). A write that failed so may have been carried out.
 *
 * While the server is away: commands wait, each for its own limit, during the first attempt to connect and right after a
 * connection was lost. Once an attempt failed, and while the breaker is open, they are refused at once. Nothing is kept
 * to be sent later. Attempts go on by themselves, at most half a second apart, and keep no process alive.
 *
 * @example
 * const users = new RedisCache<User>({ url: process.env.REDIS_URL, keyPrefix: 'app:users:', ttlMs: 60_000 });
 * await users.set('42', user);
 * const [a, b] = await Promise.all([users.get('42'), users.get('43')]); // one round trip
 */
export class RedisCache<V = unknown> extends EventEmitter {
  /**
   * Begins to connect; does not wait for it.
   * @throws TypeError for an option of the wrong type or an unknown option (the message names the nearest known one)
   * @throws RangeError for an option out of its range
   * @throws HotpathConflictError when a cache of this name was made with another value of an option given here
   */
  constructor(options?: RedisCacheOptions);

  /** The name given at construction; undefined for a private cache. */
  get name(): string | undefined;
  /** Whether this handle was closed. */
  get closed(): boolean;
  /** A snapshot of the counters; asks no server. */
  get stats(): RedisCacheStats;

  /** The value, or undefined when there is none. */
  get<T extends V = V>(key: string): Promise<T | undefined>;
  /** The value and the milliseconds it still has (`Infinity` when it never expires), in one round trip. */
  getWithTtl(key: string): Promise<{ value: V; ttlMs: number } | undefined>;
  /** Whether there is an entry. */
  has(key: string): Promise<boolean>;
  /**
   * Stores a value. Encoded before the call returns.
   * @param ttl without it the cache's `ttlMs` applies
   * @returns true, once the server has it
   */
  set(key: string, value: V, ttl?: RedisTtl): Promise<boolean>;
  /** The same as `set`. */
  put(key: string, value: V, ttl?: RedisTtl): Promise<boolean>;
  /** Removes an entry. @returns whether there was one */
  delete(key: string): Promise<boolean>;
  /** The same as `delete`. */
  del(key: string): Promise<boolean>;
  /** Removes an entry and returns its value, in one step: of two processes that take a key, one gets it. */
  take(key: string): Promise<V | undefined>;

  /** The values of many keys, in their order, by one command. */
  getMany(keys: readonly string[]): Promise<(V | undefined)[]>;
  /** The values that were found, as an object by key. */
  mget(keys: readonly string[]): Promise<Partial<Record<string, V>>>;
  /**
   * Stores many values with one time to live. All are encoded first: one that cannot be stored leaves everything as it
   * was. Others may see some before others.
   * @returns how many there were
   */
  setMany(entries: Entries<V>, ttl?: RedisTtl): Promise<number>;
  /** The same as `setMany`. */
  mset(entries: Entries<V>, ttl?: RedisTtl): Promise<number>;
  /** Removes many entries by one command. @returns how many there were */
  deleteMany(keys: readonly string[]): Promise<number>;

  /** Starts an entry's time anew; left out, the cache's own `ttlMs` applies. @returns whether there was an entry */
  touch(key: string, ttl?: RedisTtl): Promise<boolean>;
  /** Time left in MILLISECONDS; `Infinity` when the entry never expires, undefined when there is none. */
  getTtl(key: string): Promise<number | undefined>;
  /**
   * Adds to a number, atomically among all clients. A missing key starts at 0. Counts as JavaScript does.
   * @param by a finite number; 1 when left out
   * @param ttl used only when this creates the entry; an existing one keeps its own
   * @returns the sum; rejects with `HotpathValueError` when the value is not a number
   */
  increment(key: string, by?: number, ttl?: RedisTtl): Promise<number>;

  /**
   * The keys, in no particular order, found by `SCAN` in steps of 1,000: the server stays responsive, and what changes
   * meanwhile may or may not be among them.
   * @param glob as for `MemoryCache`
   */
  keys(glob?: string): Promise<string[]>;
  /** Removes all entries whose key matches a glob, by `SCAN` and `UNLINK`. @returns how many */
  deletePattern(glob: string): Promise<number>;
  /** Removes everything under the prefix, by `SCAN` and `UNLINK`. */
  clear(): Promise<void>;

  /**
   * Takes the lease of a key, for so many milliseconds at most. It is apart from the entry of that key.
   * @returns undefined when somebody else holds it
   */
  lease(key: string, ttlMs: number): Promise<RedisLease | undefined>;
  /** Asks the server whether it is there. @returns the milliseconds it took */
  ping(): Promise<number>;

  /**
   * Closes this handle, once what was asked for before is answered or has run into its limit. The last handle of a
   * named cache ends its connection.
   */
  close(): Promise<void>;
  /** The same as `close`. */
  [Symbol.asyncDispose](): Promise<void>;

  on<E extends keyof RedisCacheEvents>(event: E, listener: (...args: RedisCacheEvents[E]) => void): this;
  addListener<E extends keyof RedisCacheEvents>(event: E, listener: (...args: RedisCacheEvents[E]) => void): this;
  once<E extends keyof RedisCacheEvents>(event: E, listener: (...args: RedisCacheEvents[E]) => void): this;
  prependListener<E extends keyof RedisCacheEvents>(event: E, listener: (...args: RedisCacheEvents[E]) => void): this;
  prependOnceListener<E extends keyof RedisCacheEvents>(
    event: E,
    listener: (...args: RedisCacheEvents[E]) => void,
  ): this;
  off<E extends keyof RedisCacheEvents>(event: E, listener: (...args: RedisCacheEvents[E]) => void): this;
  removeListener<E extends keyof RedisCacheEvents>(event: E, listener: (...args: RedisCacheEvents[E]) => void): this;
  emit<E extends keyof RedisCacheEvents>(event: E, ...args: RedisCacheEvents[E]): boolean;
}
