'use strict';

// A handle on a native job queue: in memory, or in a store on disk.
//
// The native side gathers what there is to tell and wakes this thread once; `deliver` takes all of it.

const native = require('../native.js');
const environment = require('../environment.js');
const { translate, translated } = require('../native-errors.js');
const { Codec } = require('../cache/codec.js');
const { encodeThrown } = require('./pool-codec.js');
const { EVENTS, endingError, eventDetails, jobOf } = require('./job-states.js');

/** Notices, as the native side numbers them. */
const RUN = 0;
const ABORT = 1;
const EVENT = 2;

/** Ways to answer. */
const DONE = 0;
const THROWN = 1;
const FATAL = 2;

/** The kind of a plain buffer, in which errors travel. */
const BUFFER = 8;

/** Handles with something to do: what works on jobs must not be collected. @type {Set<object>} */
const busy = new Set();

/** @type {FinalizationRegistry<{ handle: number, subscription: number }>} */
const collected = new FinalizationRegistry(({ handle, subscription }) => {
  environment.subscribers.delete(subscription);
  native.collectJobs(handle);
});

/**
 * Who works on jobs and is told of them.
 * @typedef {object} Owner
 * @property {(run: import('./job-runs.js').Run) => void} begin
 * @property {(key: any, run: number, ending: number) => void} abort
 * @property {(event: string, details: any) => void} tell
 * @property {(error: Error) => void} complain
 */

class NativeQueue {
  #handle;
  #durable;
  #codec;
  #owner;
  #subscription;
  #delivering = false;
  #held = false;
  #closed = false;
  /** Whether this handle has submitted anything or can work on anything: only then the process waits for the queue. */
  #involved = false;
  /** Called when there is nothing to do. @type {(() => void)[]} */
  #waiting = [];

  /**
   * @param {Owner} owner
   * @param {ReturnType<typeof import('./job-options.js').engineOptions>['native']} options
   */
  constructor(owner, options) {
    this.#owner = owner;
    this.#subscription = environment.subscribe(this);
    const { handle, durable } = translated(() => native.openJobs(options, this.#subscription));
    this.#handle = handle;
    this.#durable = durable;
    this.#codec = durable ? new Codec() : memoryCodec(handle);
    collected.register(this, { handle, subscription: this.#subscription }, this);
  }

  /**
   * @param {string} type
   * @param {unknown} data
   * @param {import('./job-options.js').JobOptions} options
   * @returns {string | Promise<string>}
   */
  submit(type, data, options) {
    this.#involved = true;
    const codec = this.#codec;
    const kind = codec.encode(data);
    const { payload, start, end } = codec;
    const { priority, retries, timeout, delayMs, group, id } = options;
    const submit = (/** @type {number} */ operation) =>
      native.jobsSubmit(
        this.#handle,
        operation,
        type,
        kind,
        payload,
        start,
        end,
        priority,
        retries,
        timeout,
        delayMs,
        group,
        id,
      );
    codec.payload = undefined;
    const answer = this.#durable ? environment.pending(submit) : submit(0);
    if (!this.#held) this.#rest();
    return answer;
  }

  /** @param {string} jobId */
  async get(jobId) {
    const job = translated(() => native.jobsGet(this.#handle, jobId));
    return job === null ? undefined : jobOf(this.#codec, job);
  }

  /** @param {string} jobId @returns {Promise<boolean>} */
  cancel(jobId) {
    return environment.pending((operation) => native.jobsCancel(this.#handle, operation, jobId));
  }

  /** @param {{ jobIds: string[] | undefined, limit: number }} which @returns {Promise<number>} */
  revive({ jobIds, limit }) {
    const most = Math.min(limit, Number.MAX_SAFE_INTEGER);
    return environment.pending((operation) => native.jobsRevive(this.#handle, operation, jobIds, most));
  }

  /** @param {number} maxConcurrentJobs */
  resize(maxConcurrentJobs) {
    native.jobsResize(this.#handle, maxConcurrentJobs);
    this.deliver();
  }

  async pause() {
    native.jobsPause(this.#handle, true);
    this.deliver();
  }

  async resume() {
    native.jobsPause(this.#handle, false);
    this.deliver();
  }

  /** @param {string} type */
  serve(type) {
    this.#involved = true;
    native.jobsServe(this.#handle, type);
    this.#rest();
  }

  /** Types that need no processor of the user's. @param {readonly string[]} types */
  serveBuiltIn(types) {
    for (const type of types) native.jobsServe(this.#handle, type);
  }

  /** @param {(event: string) => boolean} isHeard */
  listen(isHeard) {
    let mask = 0;
    EVENTS.forEach((event, index) => {
      if (isHeard(event)) mask |= 1 << index;
    });
    if (!this.#closed) native.jobsListen(this.#handle, mask);
  }

  figures() {
    const figures = translated(() => native.jobsStats(this.#handle));
    return { ...figures, backend: this.#durable ? 'store' : 'memory' };
  }

  async stats() {
    return this.figures();
  }

  validate() {
    translated(() => native.jobsValidate(this.#handle));
  }

  /** Takes everything that there is to tell. Called on wake-ups, and after what may have changed something. */
  deliver() {
    if (this.#delivering || this.#closed) return;
    this.#delivering = true;
    try {
      for (;;) {
        const notice = native.jobsNotice(this.#handle);
        if (notice === null) break;
        this.#obey(notice);
        if (this.#closed) return;
      }
    } finally {
      this.#delivering = false;
    }
    this.#rest();
  }

  /** @param {any[]} notice */
  #obey(notice) {
    switch (notice[0]) {
      case RUN:
        this.#begin(notice);
        break;
      case ABORT:
        this.#owner.abort(notice[1], notice[2], notice[3]);
        break;
      case EVENT:
        this.#owner.tell(EVENTS[notice[1]], eventDetails(this.#codec, notice));
        break;
      default:
        this.#owner.complain(/** @type {Error} */ (translate(notice[1])));
    }
  }

  /** @param {any[]} notice */
  #begin([, key, run, jobId, type, kind, value, attempt, timeout, priority]) {
    let data;
    try {
      data = this.#codec.decodeAlone(kind, value);
    } catch (error) {
      this.#answer(key, run, THROWN, error);
      return;
    }
    this.#owner.begin({
      key,
      run,
      jobId,
      type,
      data,
      attempt,
      timeout,
      priority,
      succeed: (result) => this.#answer(key, run, DONE, result),
      fail: (error, fatal) => this.#answer(key, run, fatal ? FATAL : THROWN, error),
      progress: (progress) => this.#progress(key, run, progress),
      endingError: (ending) => endingError(ending, jobId, timeout),
    });
  }

  /** @param {number} key @param {number} run @param {number} how @param {unknown} value */
  #answer(key, run, how, value) {
    if (this.#closed) return;
    const codec = this.#codec;
    if (how === DONE) {
      let kind;
      try {
        kind = codec.encode(value);
      } catch (error) {
        return this.#answer(key, run, THROWN, error);
      }
      native.jobsAnswer(this.#handle, key, run, DONE, kind, codec.payload, codec.start, codec.end);
      codec.payload = undefined;
    } else {
      const bytes = encodeThrown(codec, value);
      native.jobsAnswer(this.#handle, key, run, how, BUFFER, bytes, 0, bytes.length);
    }
    // What follows is taken at once: in memory, the next job is there already.
    this.deliver();
  }

  /** @param {number} key @param {number} run @param {unknown} value */
  #progress(key, run, value) {
    if (this.#closed) return false;
    const codec = this.#codec;
    const kind = codec.encode(value);
    const current = native.jobsProgress(this.#handle, key, run, kind, codec.payload, codec.start, codec.end);
    codec.payload = undefined;
    return current;
  }

  /** The process stays alive while there is something to do. */
  #rest() {
    if (this.#closed) return;
    const idle = native.jobsIdle(this.#handle);
    const hold = !idle && this.#involved;
    if (hold !== this.#held) {
      this.#held = hold;
      if (hold) {
        environment.hold();
        busy.add(this);
      } else {
        environment.release();
        busy.delete(this);
      }
    }
    if (!idle) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  /** Resolves when there is nothing to do. @returns {Promise<void>} */
  idle() {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#rest();
    });
  }

  /** Takes no more jobs. */
  retire() {
    native.jobsRetire(this.#handle);
    this.deliver();
  }

  /** Ends what waits in a queue in memory that nobody else uses, and lets listeners know. */
  abandon() {
    native.jobsAbandon(this.#handle);
    this.deliver();
  }

  /** What is still being worked on goes back to its place. @param {boolean} [_force] @returns {Promise<void>} */
  async close(_force) {
    if (this.#closed) return;
    this.#closed = true;
    collected.unregister(this);
    environment.subscribers.delete(this.#subscription);
    if (this.#held) environment.release();
    busy.delete(this);
    this.#held = false;
    for (const resolve of this.#waiting.splice(0)) resolve();
    await environment.pending((operation) => native.closeJobs(this.#handle, operation));
  }
}

/** @param {number} handle */
function memoryCodec(handle) {
  return new Codec({
    load: () => native.loadJobsDictionary(handle) ?? undefined,
    version: () => native.jobsDictionaryVersion(handle),
    save: (bytes, expected) => native.saveJobsDictionary(handle, bytes, expected),
  });
}

module.exports = { NativeQueue };
