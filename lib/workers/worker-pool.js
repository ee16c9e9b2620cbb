'use strict';

const { EventEmitter } = require('node:events');
const { HotpathClosedError } = require('../errors.js');
const { watchService } = require('../services.js');
const { PoolClient, closed } = require('./pool-client.js');
const { PRIORITY, poolOptions, taskOptions } = require('./pool-options.js');
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
  #listen() {
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
      const values = typeof event === 'number' ? [details(event, parts, pool.#client)] : parts;
      for (const listener of pool.rawListeners(name)) {
        try {
          Reflect.apply(listener, pool, values);
        } catch (error) {
          // Tasks wait for the rest of what is being delivered: nobody's listener may get in the way.
          process.nextTick(() => {
            throw error;
          });
        }
      }
    };
  }

  /** @param {any[]} listener */
  on(...listener) {
    super.on(.../** @type {[any, any]} */ (listener));
    this.#listen();
    return this;
  }

  /** @param {any[]} listener */
  prependListener(...listener) {
    super.prependListener(.../** @type {[any, any]} */ (listener));
    this.#listen();
    return this;
  }

  /** @param {any[]} listener */
  removeListener(...listener) {
    super.removeListener(.../** @type {[any, any]} */ (listener));
    this.#listen();
    return this;
  }

  /** @param {any[]} event */
  removeAllListeners(...event) {
    super.removeAllListeners(...event);
    this.#listen();
    return this;
  }
}

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

/** Other names of the same methods. EventEmitter's own aliases would bypass ours. */
const ALIASES = {
  close: 'drain',
  addListener: 'on',
  off: 'removeListener',
  [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]: 'drain',
};
for (const alias of Reflect.ownKeys(ALIASES)) {
  const value = /** @type {any} */ (WorkerPool.prototype)[/** @type {any} */ (ALIASES)[alias]];
  Object.defineProperty(WorkerPool.prototype, alias, { value, writable: true, configurable: true });
}

module.exports = { WorkerPool };
