'use strict';

// Pools of connections, one for each configuration, watched and closed together.

const { EventEmitter } = require('node:events');
const { ASYNC_DISPOSE, addAliases } = require('../aliases.js');
const { HotpathClosedError } = require('../errors.js');
const { tellListeners } = require('../listening.js');
const { watchService } = require('../services.js');
const validate = require('../validate.js');
const { within } = require('../within.js');
const { openMongoPool } = require('./mongo-pool.js');
const { poolKey } = require('./pool-key.js');
const { openRedisPool } = require('./redis-pool.js');
const { openSqlPool } = require('./sql-pool.js');

const DEFAULTS = { healthCheckIntervalMs: 30_000, healthCheckTimeoutMs: 5000 };

/**
 * @typedef {object} Opened
 * @property {any} pool what the driver calls it
 * @property {import('./pool-metrics.js').PoolMetrics} metrics
 * @property {() => Promise<unknown>} ping
 * @property {() => Promise<unknown>} close
 * @property {() => number} [size] the most connections, where that can be changed
 * @property {(max: number) => void} [resize]
 */

class ConnectionPoolManager extends EventEmitter {
  /** Pools that are open or being opened. @type {Map<string, Promise<Opened>>} */
  #opening = new Map();
  /** @type {Map<string, Opened>} */
  #open = new Map();
  /** @type {NodeJS.Timeout | undefined} */
  #checks;
  #intervalMs;
  #timeoutMs;
  #closed = false;
  #unwatch;

  /** @param {unknown} [options] */
  constructor(options) {
    super();
    const given = { ...DEFAULTS, ...validate.options(options, 'options', Object.keys(DEFAULTS)) };
    this.#intervalMs = validate.positiveInteger(given.healthCheckIntervalMs, 'options.healthCheckIntervalMs');
    this.#timeoutMs = validate.positiveInteger(given.healthCheckTimeoutMs, 'options.healthCheckTimeoutMs');
    this.#unwatch = watchService('connections', undefined, this, figuresOf);
  }

  /** Open pools by key. */
  get pools() {
    return new Map([...this.#open].map(([key, { pool }]) => [key, pool]));
  }

  /** @param {Record<string, any>} config */
  async getRedisPool(config) {
    return this.#get('redis', config, openRedisPool);
  }

  /** @param {Record<string, any>} config */
  async getMongoPool(config) {
    validate.nonEmptyString(config?.connectionString, 'config.connectionString');
    return this.#get('mongodb', config, openMongoPool);
  }

  /** @param {Record<string, any>} config */
  async getSqlPool(config) {
    return this.#get('sql', config, openSqlPool);
  }

  /** @param {string} type @param {Record<string, any>} config */
  generatePoolKey(type, config) {
    return poolKey(validate.nonEmptyString(type, 'type'), config);
  }

  /** @param {string} key */
  getPoolMetrics(key) {
    return this.#open.get(key)?.metrics.snapshot();
  }

  /** The most connections that a pool may have, where that can be changed. @param {string} key @returns {number | undefined} */
  poolSize(key) {
    return this.#open.get(key)?.size?.();
  }

  /** @param {string} key @param {number} max */
  resizePool(key, max) {
    validate.positiveInteger(max, 'max');
    const opened = this.#open.get(key);
    if (opened?.resize === undefined) return false;
    opened.resize(max);
    return true;
  }

  /** Asks every server now whether it is there. */
  async checkHealth() {
    await Promise.all([...this.#open].map(([key, opened]) => this.#check(key, opened)));
  }

  /** Closes all pools, also when some cannot be closed in order. */
  async closeAllPools() {
    clearInterval(this.#checks);
    this.#checks = undefined;
    const pools = [...this.#opening];
    this.#opening.clear();
    this.#open.clear();
    const closing = pools.map(async ([, opening]) => (await opening).close());
    const results = await Promise.allSettled(closing);
    const failed = results.flatMap((result, index) =>
      result.status === 'rejected' ? [{ key: pools[index][0], error: discreet(result.reason) }] : [],
    );
    for (const failure of failed) tellListeners(this, 'closeFailed', [failure]);
    return { closed: pools.length - failed.length, failed };
  }

  /** Closes all pools for good. */
  async close() {
    this.#closed = true;
    this.#unwatch();
    return this.closeAllPools();
  }

  /**
   * @param {string} type
   * @param {Record<string, any>} config
   * @param {(config: Record<string, any>) => Promise<Opened>} open
   */
  async #get(type, config, open) {
    if (this.#closed) throw new HotpathClosedError('The pool manager is closed');
    validate.plainObject(config, 'config');
    const key = this.generatePoolKey(type, config);
    const opening = this.#opening.get(key) ?? this.#begin(key, open(config));
    return (await opening).pool;
  }

  /** @param {string} key @param {Promise<Opened>} opening */
  #begin(key, opening) {
    const promise = opening.then(
      (opened) => {
        // Unless all pools were closed meanwhile.
        if (this.#opening.get(key) === promise) {
          this.#open.set(key, opened);
          this.#scheduleChecks();
        }
        return opened;
      },
      (error) => {
        // The next caller tries again.
        if (this.#opening.get(key) === promise) this.#opening.delete(key);
        throw discreet(error);
      },
    );
    this.#opening.set(key, promise);
    return promise;
  }

  #scheduleChecks() {
    this.#checks ??= setInterval(() => this.checkHealth(), this.#intervalMs).unref();
  }

  /** @param {string} key @param {Opened} opened */
  async #check(key, { ping, metrics }) {
    let error;
    try {
      await within(ping(), this.#timeoutMs);
    } catch (reason) {
      error = discreet(reason);
      metrics.errors++;
    }
    metrics.lastHealthCheck = Date.now();
    const healthy = error === undefined;
    if (healthy === metrics.healthy) return;
    metrics.healthy = healthy;
    tellListeners(this, healthy ? 'healthy' : 'unhealthy', [{ key, error }]);
  }
}

/** What monitors are told: sums over all pools. Keys of pools stay here. @param {ConnectionPoolManager} manager */
function figuresOf(manager) {
  const figures = { pools: 0, unhealthy: 0, activeConnections: 0, totalConnections: 0, waiting: 0, errors: 0 };
  for (const key of manager.pools.keys()) {
    const metrics = manager.getPoolMetrics(key);
    if (metrics === undefined) continue;
    figures.pools++;
    if (!metrics.healthy) figures.unhealthy++;
    for (const sum of /** @type {const} */ (['activeConnections', 'totalConnections', 'waiting', 'errors'])) {
      figures[sum] += metrics[sum];
    }
  }
  return figures;
}

addAliases(ConnectionPoolManager, { [ASYNC_DISPOSE]: 'close' });

/** The error without what a driver may have quoted from a URL. @param {any} error */
function discreet(error) {
  for (const part of ['message', 'stack']) {
    if (typeof error?.[part] === 'string') error[part] = error[part].replace(/\/\/[^\s'"]*@/g, '//***@');
  }
  if (error?.cause instanceof Error) discreet(error.cause);
  return error;
}

module.exports = { ConnectionPoolManager };
