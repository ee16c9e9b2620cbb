'use strict';

const { EventEmitter } = require('node:events');
const { ASYNC_DISPOSE, addAliases } = require('../aliases.js');
const { HotpathClosedError } = require('../errors.js');
const { LISTENERS_CHANGED, makeListening, tellListeners } = require('../listening.js');
const { watchService } = require('../services.js');
const { PoolClient, closed } = require('./pool-client.js');
const { PRIORITY, poolOptions, resizeOptions, taskOptions } = require('./pool-options.js');
const { afterwards, documentStats, plainStats } = require('./pool-stats.js');

/** Events in the order of the native side. */
const EVENTS = Object.freeze([
  'jobQueued',
  'jobStarted',
  'jobCompleted',
  'jobFailed',
  'jobRetry',
  'workerCreated',
  'workerExited',
]);

/** Why workers leave, in the order of the native side. */
const REASONS = Object.freeze(['died', 'idle', 'recycled', 'timeout', 'aborted', 'terminated', 'unstartable']);

/** @type {FinalizationRegistry<PoolClient>} */
const collected = new FinalizationRegistry((client) => client.collect());

/** Has listeners hear of an event; set by the class, whose private parts it needs. @type {(pool: any, event: string | number, parts: any[]) => void} */
let emit;

class WorkerPool extends EventEmitter {
  static PRIORITY = PRIORITY;

  #client;
  #unwatch;
  #mask = 0;
  /** Set when no more tasks are taken. */
  #closing = false;
  /** @type {Promise<void> | undefined} */
  #ending;
  /** @type {Promise<void> | undefined} */
  #draining;
  /** The last figures of a pool that has ended. @type {any} */
  #final;

  /**
   * @param {string | URL} file
   * @param {unknown} [options]
   */
  constructor(file, options) {
    super();
    this.#client = new PoolClient(this, poolOptions(file, options), emit);
    collected.register(this, this.#client, this);
    this.#unwatch = watchService('pool', this.name, this, (/** @type {WorkerPool} */ pool) => pool.stats);
  }

  get name() {
    return this.#client.name;
  }

  get closed() {
    return this.#closing;
  }

  /**
   * @param {any} data
   * @param {unknown} [options]
   */
  execute(data, options) {
    // What the executor throws, rejects.
    return new Promise((resolve, reject) => {
      const checked = taskOptions(options);
      if (this.#closing) throw closed();
      this.#client.execute(data, checked, resolve, reject);
    });
  }

  getStats() {
    return documentStats(this.#figures());
  }

  get stats() {
    return plainStats(this.#figures());
  }

  #figures() {
    return this.#final ?? this.#client.stats();
  }

  /** @param {unknown} options */
  resize(options) {
    if (this.#closing) throw closed();
    const { workers } = this.stats;
    const { max, min } = resizeOptions(options, workers);
    this.#client.resize(max, min);
  }

  validate() {
    if (this.#final !== undefined) throw new HotpathClosedError('The worker pool is closed');
    this.#client.validate();
  }

  drain() {
    this.#closing = true;
    this.#draining ??= this.#client.idle().then(() => this.terminate());
    return this.#draining;
  }

  terminate() {
    this.#closing = true;
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async #end() {
    collected.unregister(this);
    this.#unwatch();
    await this.#client.terminate();
    this.#final = afterwards(this.#client.stats());
    this.#client.close();
  }

  /** Asks for the events that have listeners now. */
  [LISTENERS_CHANGED]() {
    let mask = 0;
    EVENTS.forEach((name, index) => {
      if (this.listenerCount(name) > 0) mask |= 1 << index;
    });
    if (mask === this.#mask) return;
    this.#mask = mask;
    if (this.#final === undefined) this.#client.listen(mask);
  }

  static {
    emit = (pool, event, parts) => {
      const name = typeof event === 'number' ? EVENTS[event] : event;
      if (pool.listenerCount(name) === 0) return;
      tellListeners(pool, name, typeof event === 'number' ? [details(event, parts, pool.#client)] : parts);
    };
  }
}

makeListening(WorkerPool);

/**
 * What listeners of an event get.
 * @param {number} event
 * @param {any[]} parts
 * @param {PoolClient} client
 */
function details(event, parts, client) {
  switch (event) {
    case 0:
      return { jobId: parts[0], priority: parts[1], pending: parts[2] };
    case 1:
      return { jobId: parts[0], workerId: parts[1], attempt: parts[2], waitMs: parts[3] };
    case 2:
      return { jobId: parts[0], workerId: parts[1], attempt: parts[2], durationMs: parts[3] };
    case 3:
      return { jobId: parts[0], attempts: parts[1], error: client.errorOf(parts.slice(2), parts[0], parts[1]) };
    case 4:
      return {
        jobId: parts[0],
        attempt: parts[1],
        delayMs: parts[2],
        error: client.errorOf(parts.slice(3), parts[0], parts[1]),
      };
    case 5:
      return { workerId: parts[0], total: parts[1] };
    default:
      return {
        workerId: parts[0],
        exitCode: parts[1],
        reason: REASONS[parts[2]],
        tasks: parts[3],
        total: parts[4],
      };
  }
}

addAliases(WorkerPool, { close: 'drain', [ASYNC_DISPOSE]: 'drain' });

module.exports = { WorkerPool };
