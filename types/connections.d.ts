import { EventEmitter } from 'node:events';
import type { TierBreakerOptions } from './redis-cache.js';

/** Options of {@link ConnectionPoolManager}. */
export interface ConnectionPoolManagerOptions {
  /**
   * How often every server is asked whether it is there, in milliseconds. A positive integer.
   * @default 30000
   */
  healthCheckIntervalMs?: number;
  /**
   * How long an answer to that may take. A positive integer.
   * @default 5000
   */
  healthCheckTimeoutMs?: number;
}

/** What a Redis pool is made of: the options of ioredis, with `nodes` for a cluster or `url` for a single server. */
export interface RedisPoolConfig {
  /** Where the nodes of a cluster are; one is enough to find the others. */
  nodes?: { host: string; port: number }[];
  /** `redis://` or `rediss://`, instead of host and port. */
  url?: string;
  host?: string;
  port?: number;
  username?: string;
  password?: string;
  db?: number;
  /** Any other option of ioredis. Commands time out after 5 s and are tried 3 times, unless these say otherwise. */
  [option: string]: unknown;
}

/** What a MongoDB pool is made of: its address, and the options of the driver. */
export interface MongoPoolConfig {
  /** `mongodb://` or `mongodb+srv://` */
  connectionString: string;
  /** @default 10 */
  maxPoolSize?: number;
  /** @default 2 */
  minPoolSize?: number;
  /** @default 30000 */
  maxIdleTimeMS?: number;
  /** @default 5000 */
  serverSelectionTimeoutMS?: number;
  /** @default 45000 */
  socketTimeoutMS?: number;
  [option: string]: unknown;
}

/** What a PostgreSQL pool is made of: the options of pg, and those of the pool. */
export interface SqlPoolConfig {
  /** `postgres://`, instead of host, port and so on. */
  connectionString?: string;
  host?: string;
  port?: number;
  user?: string;
  password?: string;
  database?: string;
  /**
   * Connections that are opened at once and kept.
   * @default 5
   */
  min?: number;
  /**
   * Most connections.
   * @default 20
   */
  max?: number;
  /**
   * How long a connection beyond `min` may be idle, in milliseconds.
   * @default 10000
   */
  idle?: number;
  /**
   * How long a query waits for a connection, in milliseconds.
   * @default 60000
   */
  acquire?: number;
  /**
   * Accepted for the sake of other pools' configurations; pg times every idle connection by itself.
   * @default 1000
   */
  evict?: number;
  [option: string]: unknown;
}

/** What a pool has done, and how it is. Times are milliseconds. */
export interface PoolMetrics {
  /** Connections with something under way. */
  activeConnections: number;
  /** Connections that are open. */
  totalConnections: number;
  /** Callers that wait for a connection. */
  waiting: number;
  /** Commands or queries that have come to an end. */
  commandsExecuted: number;
  /** Those that failed, broken connections, and failed health checks. */
  errors: number;
  /** Mean time of a command. */
  avgResponseTime: number;
  /** Percentiles of the same, exact to three digits. */
  responseTime: { p50: number; p95: number; p99: number; max: number };
  /** How often a connection was asked for. */
  acquires: number;
  /** The share of these that had one at once, 0 to 1. */
  poolEfficiency: number;
  /** Whether the last health check was answered. */
  healthy: boolean;
  /** When that was, in milliseconds since 1970. */
  lastHealthCheck: number;
}

/** What {@link ConnectionPoolManager.closeAllPools} has done. */
export interface PoolsClosed {
  closed: number;
  failed: { key: string; error: unknown }[];
}

/**
 * Pools of connections to Redis, MongoDB and PostgreSQL: one for each configuration, however often and from however
 * many places it is asked for, watched by health checks and closed together.
 *
 * The drivers (ioredis, mongodb, pg) are the application's own; a missing one is an error that names it. Events:
 * `unhealthy` and `healthy` (`{ key, error }`), `closeFailed` (`{ key, error }`).
 *
 * @example
 * const pools = new ConnectionPoolManager();
 * const redis = await pools.getRedisPool({ host: '127.0.0.1', port: 6379 });
 */
export class ConnectionPoolManager extends EventEmitter {
  constructor(options?: ConnectionPoolManagerOptions);
  /** Open pools by key. */
  get pools(): Map<string, unknown>;
  /**
   * A connected client of ioredis, a cluster's where `nodes` are given.
   * @throws why there is no connection, `ECONNREFUSED` for one, or `ERR_HOTPATH_CONNECTION_REFUSED` when the server says
   *   no; the next call tries again
   */
  getRedisPool<Client = unknown>(config: RedisPoolConfig): Promise<Client>;
  /** A connected MongoClient. */
  getMongoPool<Client = unknown>(config: MongoPoolConfig): Promise<Client>;
  /** A Pool of pg with its `min` connections open. */
  getSqlPool<Pool = unknown>(config: SqlPoolConfig): Promise<Pool>;
  /**
   * The key of a configuration: equal for equal ones, in whatever order their properties are. It tells nothing of what
   * is in them, and is another one in every process.
   * @param type `'redis'`, `'mongodb'` or `'sql'`
   */
  generatePoolKey(type: string, config: object): string;
  /** Figures of a pool, or undefined where there is none. */
  getPoolMetrics(key: string): PoolMetrics | undefined;
  /** The most connections of a pool; undefined where there is none, or where its driver cannot change it. */
  poolSize(key: string): number | undefined;
  /**
   * Changes the most connections of a PostgreSQL pool while running. Other drivers cannot.
   * @returns whether it was changed
   */
  resizePool(key: string, max: number): boolean;
  /** Asks every server now whether it is there. Never rejects: the answer is in the metrics and events. */
  checkHealth(): Promise<void>;
  /** Closes all pools, also when some cannot be closed in order. The manager can still be used. */
  closeAllPools(): Promise<PoolsClosed>;
  /** Closes all pools for good. */
  close(): Promise<PoolsClosed>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Options of {@link CircuitBreaker}: those of the tiers' breakers, and what belongs to calls of your own. */
export interface CircuitBreakerOptions extends TierBreakerOptions {
  /**
   * Calls that take longer reject with `HotpathTimeoutError`, and count as failures. The function is not stopped. A
   * positive integer.
   * @default no limit
   */
  timeoutMs?: number | undefined;
  /**
   * Whether an error speaks against the service. A refusal such as "not found" is an answer: return false for it.
   * @default every error does
   */
  isFailure?: ((error: unknown) => boolean) | undefined;
}

/** Calls reported, refused, and how often it opened, since it was made. */
export interface CircuitBreakerStats {
  state: 'closed' | 'open' | 'half-open';
  successes: number;
  failures: number;
  rejections: number;
  openings: number;
  /** Milliseconds until an open breaker lets a call try; 0 otherwise. */
  retryAfterMs: number;
}

/**
 * Stops calling a service that does not answer, and finds out when it does again: the breaker of `RedisCache` and the
 * tiers, for any function. Raises `state` with the new and the previous state when a call, or a look at `state`, finds
 * that it has changed. Takes no timer.
 *
 * @example
 * const breaker = new CircuitBreaker({ failureThreshold: 3, openMs: 5_000, timeoutMs: 800 });
 * const quote = await breaker.execute(() => fetch(url));
 */
export class CircuitBreaker extends EventEmitter {
  /** @throws TypeError or RangeError for options that are wrong */
  constructor(options?: CircuitBreakerOptions);
  /** `open` becomes `half-open` by itself once `openMs` have passed. */
  get state(): 'closed' | 'open' | 'half-open';
  get stats(): CircuitBreakerStats;
  /**
   * Calls a function, unless the breaker is open.
   * @returns what the function returns; rejects with its error, or with code `ERR_HOTPATH_CIRCUIT_OPEN` (and
   *   `retryAfterMs`) when it was not called
   */
  execute<A extends unknown[], T>(fn: (...args: A) => T | PromiseLike<T>, ...args: A): Promise<T>;
  /** The function behind the breaker. It gets the `this` that the result is called with: methods can be wrapped. */
  wrap<This, A extends unknown[], T>(
    fn: (this: This, ...args: A) => T | PromiseLike<T>,
  ): (this: This, ...args: A) => Promise<T>;
  /** `removeAllListeners`, for `using`: there is nothing else to let go of. */
  [Symbol.dispose](): void;
}
