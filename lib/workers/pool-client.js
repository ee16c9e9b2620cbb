'use strict';

// A handle on a native pool: orders tasks, settles their promises, and does what the scheduler asks of a host.
//
// The native side gathers what there is to tell and wakes this thread once; `deliver` takes all of it, encoded results
// many at a time.

const native = require('../native.js');
const environment = require('../environment.js');
const { HotpathClosedError, HotpathError } = require('../errors.js');
const { translated } = require('../native-errors.js');
const { Hosting } = require('./hosting.js');
const { MESSAGE, decodeAt, encodeThrown, poolCodec } = require('./pool-codec.js');
const { abortError, failureError, queueFull } = require('./pool-failures.js');

const { header, scratch, scratchDoubles } = environment;

/** Words that describe a result, in the order of the native side. */
const KIND = 0;
const START = 1;
const LENGTH = 2;
const TASK_LOW = 3;
const TASK_HIGH = 4;
const COUNT = 9;

/** Other notices, as the native side numbers them. */
const DONE = 0;
const FAILED = 2;
const START_WORKER = 3;
const KILL_WORKER = 4;
const SEND = 5;
const EVENT = 6;

/**
 * @typedef {object} Pending
 * @property {(value: any) => void} resolve
 * @property {(error: unknown) => void} reject
 * @property {AbortSignal | undefined} signal
 * @property {((value: any) => void) | undefined} onProgress
 * @property {{ data: unknown, transferList: readonly any[], refusal: unknown } | undefined} message
 */

class PoolClient {
  #handle;
  #codec;
  #hosting;
  #name;
  /** @type {Map<number, Pending>} */
  #pending = new Map();
  /** The tasks that each signal would end. @type {Map<AbortSignal, { tasks: Set<number>, abort(): void }>} */
  #signals = new Map();
  #delivering = false;
  #closed = false;
  /** The pool is held while tasks are pending: their events have to reach it. @type {object | undefined} */
  #held;
  #owner;
  #emit;
  /** Called when nothing is pending. @type {(() => void)[]} */
  #idle = [];

  /**
   * @param {object} owner the pool that the user holds
   * @param {ReturnType<typeof import('./pool-options.js').poolOptions>} options
   * @param {(owner: any, name: string | number, parts: any[]) => void} emit
   */
  constructor(owner, options, emit) {
    this.#owner = new WeakRef(owner);
    this.#emit = emit;
    this.#name = options.name;
    const subscription = environment.subscribe(this);
    this.subscription = subscription;
    const { handle, pool } = translated(() => native.openWorkerPool(options.native, subscription));
    this.#handle = handle;
    this.#codec = poolCodec(handle, false);
    const { file, concurrentTasksPerWorker = 1, blocking = true, maxHeapMB } = options.native;
    const settings = {
      file,
      concurrency: concurrentTasksPerWorker,
      blocking,
      maxHeapMB,
      resourceLimits: options.resourceLimits,
    };
    this.#hosting = new Hosting(pool, this.#codec, settings, {
      changed: () => this.deliver(),
      message: (value, worker) => this.#tell('message', [value, worker]),
      progress: (task, value) => tell(this.#pending.get(task)?.onProgress, value),
      exit: () => this.#closed || native.poolTerminate(handle),
    });
    // The first workers are asked for as soon as somebody is there to start them.
    this.deliver();
  }

  get pending() {
    return this.#pending.size;
  }

  /**
   * @param {unknown} data
   * @param {import('./pool-options.js').TaskOptions} options
   * @param {(value: any) => void} resolve
   * @param {(error: unknown) => void} reject
   */
  execute(data, options, resolve, reject) {
    const { signal } = options;
    if (signal?.aborted) throw abortError(signal);
    const codec = this.#codec;
    const { message, kind } = this.#encode(data, options);
    const custom = options.backoff === undefined ? 0 : writeBackoff(options.backoff);
    const task = native.poolSubmit(
      this.#handle,
      kind,
      codec.payload,
      codec.start,
      codec.end,
      options.priority,
      options.retries,
      options.timeout,
      custom,
    );
    codec.payload = undefined;
    if (task < 0) throw task === -1 ? closed() : queueFull(-2 - task);
    if (this.#pending.size === 0) {
      environment.hold();
      this.#held = this.#owner.deref();
    }
    this.#pending.set(task, { resolve, reject, signal, onProgress: options.onProgress, message });
    if (signal !== undefined) this.#listenTo(signal, task);
  }

  /**
   * Encodes for the native queue what it can carry. Everything else is a message: the thread that hosts the workers
   * sends it to the one that gets the task.
   * @param {unknown} data
   * @param {import('./pool-options.js').TaskOptions} options
   */
  #encode(data, { transferList }) {
    const codec = this.#codec;
    let refusal;
    const hosts = transferList !== undefined && native.poolHosts(this.#handle);
    if (!hosts) {
      try {
        const kind = codec.encode(data);
        if (transferList !== undefined) this.#detach(transferList);
        return { message: undefined, kind };
      } catch (error) {
        if (transferList !== undefined || !native.poolHosts(this.#handle)) throw error;
        refusal = error;
      }
    }
    codec.payload = undefined;
    return { message: { data, transferList: transferList ?? [], refusal }, kind: MESSAGE };
  }

  /**
   * Where a message cannot go, what is transferred is copied and taken away from the sender all the same.
   * @param {readonly any[]} transferList
   */
  #detach(transferList) {
    if (!transferList.every((item) => item instanceof ArrayBuffer)) {
      throw new HotpathError('Only the thread that hosts the workers can transfer more than ArrayBuffers', {
        code: 'ERR_HOTPATH_NOT_TRANSFERABLE',
      });
    }
    // The encoded value may lie in what is taken away.
    const { payload, start, end } = this.#codec;
    if (Buffer.isBuffer(payload)) {
      this.#codec.payload = Buffer.from(payload.subarray(start, end));
      this.#codec.end = end - start;
      this.#codec.start = 0;
    }
    structuredClone(undefined, { transfer: /** @type {any} */ ([...transferList]) });
  }

  /**
   * One listener for a signal, however many tasks share it.
   * @param {AbortSignal} signal
   * @param {number} task
   */
  #listenTo(signal, task) {
    let watch = this.#signals.get(signal);
    if (watch === undefined) {
      const tasks = new Set();
      const abort = () => {
        if (this.#closed) return;
        for (const number of tasks) native.poolAbort(this.#handle, number);
        this.deliver();
      };
      watch = { tasks, abort };
      this.#signals.set(signal, watch);
      signal.addEventListener('abort', abort, { once: true });
    }
    watch.tasks.add(task);
  }

  /** @param {AbortSignal} signal @param {number} task */
  #forget(signal, task) {
    const watch = this.#signals.get(signal);
    if (watch === undefined || !watch.tasks.delete(task) || watch.tasks.size > 0) return;
    signal.removeEventListener('abort', watch.abort);
    this.#signals.delete(signal);
  }

  /** Takes everything that there is to tell. Called on wake-ups, and after what may have changed something. */
  deliver() {
    if (this.#delivering || this.#closed) return;
    this.#delivering = true;
    try {
      for (;;) {
        const answer = native.poolResults(this.#handle);
        if (answer < 0) return;
        this.#settleMany(answer >> 1);
        if ((answer & 1) === 0) break;
        const notice = native.poolNotice(this.#handle);
        if (notice === null) break;
        this.#obey(notice);
      }
    } finally {
      this.#delivering = false;
    }
    if (this.#pending.size === 0) this.#rest();
  }

  /** Results that lie in the shared memory. @param {number} count */
  #settleMany(count) {
    for (let entry = 0, base = 0; entry < count; entry++, base += COUNT) {
      const task = (header[base + TASK_HIGH] >>> 0) * 2 ** 32 + (header[base + TASK_LOW] >>> 0);
      const pending = this.#take(task);
      if (pending === undefined) continue;
      try {
        const start = header[base + START];
        pending.resolve(decodeAt(this.#codec, header[base + KIND], scratch, start, start + header[base + LENGTH]));
      } catch (error) {
        pending.reject(error);
      }
    }
  }

  /** @param {number} task */
  #take(task) {
    const pending = this.#pending.get(task);
    if (pending === undefined) return undefined;
    if (pending.onProgress !== undefined) this.#hosting.flushProgress();
    this.#pending.delete(task);
    if (pending.signal !== undefined) this.#forget(pending.signal, task);
    return pending;
  }

  /** Any other notice. @param {any[]} notice */
  #obey(notice) {
    const [sort, first, second, third] = notice;
    switch (sort) {
      case DONE:
        this.#settle(first, second, third);
        break;
      case FAILED: {
        const pending = this.#take(first);
        pending?.reject(this.#failure(notice.slice(3), first, second, pending.signal));
        break;
      }
      case START_WORKER:
        this.#hosting.start(first);
        break;
      case KILL_WORKER:
        this.#hosting.kill(first);
        break;
      case SEND:
        this.#send(first, second);
        break;
      case EVENT:
        this.#tell(first, notice.slice(2));
        break;
    }
  }

  /** @param {number} task @param {number} kind @param {any} value */
  #settle(task, kind, value) {
    const pending = this.#take(task);
    try {
      pending?.resolve(this.#codec.decodeAlone(kind, value));
    } catch (error) {
      pending?.reject(error);
    }
  }

  /** @param {any[]} parts @param {number} jobId @param {number} attempts @param {AbortSignal} [signal] */
  #failure([cause, figure, bytes], jobId, attempts, signal) {
    try {
      return failureError(this.#codec, { cause, figure, bytes, jobId, attempts }, signal);
    } catch (error) {
      return error;
    }
  }

  /** @param {number} task @param {number} worker */
  #send(task, worker) {
    const message = this.#pending.get(task)?.message;
    if (message === undefined) return;
    try {
      this.#hosting.send(worker, task, message.data, message.transferList);
    } catch (error) {
      // The codec names the place of what cannot be sent.
      native.poolUnsendable(this.#handle, task, encodeThrown(this.#codec, message.refusal ?? error));
      return;
    }
    native.poolSent(this.#handle, task);
  }

  /** @param {string | number} event @param {any[]} parts */
  #tell(event, parts) {
    const owner = this.#owner.deref();
    if (owner !== undefined) this.#emit(owner, event, parts);
  }

  /** @param {any[]} parts @param {number} jobId @param {number} attempts */
  errorOf(parts, jobId, attempts) {
    return this.#failure(parts, jobId, attempts, this.#pending.get(jobId)?.signal);
  }

  /** Nothing is pending any more. */
  #rest() {
    if (this.#held !== undefined) {
      this.#held = undefined;
      environment.release();
    }
    const waiting = this.#idle;
    if (waiting.length === 0) return;
    this.#idle = [];
    for (const resolve of waiting) resolve();
  }

  /** Resolves when nothing is pending. */
  idle() {
    if (this.#pending.size === 0) return Promise.resolve();
    return /** @type {Promise<void>} */ (new Promise((resolve) => this.#idle.push(resolve)));
  }

  /** @param {number} mask */
  listen(mask) {
    if (!this.#closed) native.poolListen(this.#handle, mask);
  }

  stats() {
    return native.poolStats(this.#handle);
  }

  /** @param {number} max @param {number} min */
  resize(max, min) {
    native.poolResize(this.#handle, max, min);
    // New workers are asked of this thread if it hosts them.
    this.deliver();
  }

  validate() {
    translated(() => native.poolValidate(this.#handle));
  }

  /** Ends everything of this handle; resolves when its threads have gone. */
  async terminate() {
    native.poolTerminate(this.#handle);
    this.deliver();
    await this.#hosting.ended();
    this.deliver();
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    environment.subscribers.delete(this.subscription);
    native.closeWorkerPool(this.#handle);
  }

  /** Nobody holds the pool any more: it ends when its tasks have. */
  collect() {
    this.idle().then(() => {
      if (this.#closed) return;
      this.#closed = true;
      environment.subscribers.delete(this.subscription);
      native.collectWorkerPool(this.#handle);
    });
  }

  get name() {
    return this.#name;
  }
}

/** What a listener throws must not keep others from their answers. @param {((value: any) => void) | undefined} listener @param {unknown} value */
function tell(listener, value) {
  try {
    listener?.(value);
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}

/** @param {{ initialMs: number, factor: number, maxMs: number, jitter: number }} backoff */
function writeBackoff({ initialMs, factor, maxMs, jitter }) {
  scratchDoubles[0] = initialMs;
  scratchDoubles[1] = factor;
  scratchDoubles[2] = maxMs;
  scratchDoubles[3] = jitter;
  return 1;
}

function closed() {
  return new HotpathClosedError('The worker pool is closed');
}

module.exports = { PoolClient, closed };
