'use strict';

// Work on jobs: calls processors, hands them a signal and a way to tell how far they are, and passes on how it ended.

/**
 * A job that was handed out.
 * @typedef {object} Run
 * @property {any} key what the backend knows it by
 * @property {number} run
 * @property {string} jobId
 * @property {string} type
 * @property {any} data
 * @property {number} attempt
 * @property {number} timeout
 * @property {number} priority
 * @property {(result: unknown) => void} succeed
 * @property {(error: unknown, fatal: boolean) => void} fail
 * @property {(value: unknown) => boolean} progress
 * @property {(ending: number) => Error} endingError
 */

/** What a processor may know of its job, as second argument. */
class JobContext {
  #run;
  #signal;

  /** @param {Run} run @param {() => AbortSignal} signal */
  constructor(run, signal) {
    this.#run = run;
    this.#signal = signal;
    this.jobId = run.jobId;
    this.type = run.type;
    this.attempt = run.attempt;
    this.priority = run.priority;
  }

  get signal() {
    return this.#signal();
  }

  /** A function of its own, so that it can be taken out of the context. */
  get progress() {
    const run = this.#run;
    return (/** @type {unknown} */ value) => run.progress(value);
  }
}

/**
 * @typedef {object} Processor
 * @property {(data: any, context: JobContext) => any} call
 * @property {(force: boolean) => Promise<void>} [close] ends its threads; without `force`, what they work on first
 */

/** How long a processor may take to heed its signal, as on the native side. */
const GRACE_MS = 1_000;

class JobRuns {
  /** @type {Map<any, { run: Run, controller: AbortController | undefined, ended: Error | undefined }>} */
  #running = new Map();
  /** @type {(() => void)[]} */
  #waiting = [];

  get size() {
    return this.#running.size;
  }

  /** @param {Run} run @param {Processor} processor */
  begin(run, processor) {
    /** @type {{ run: Run, controller: AbortController | undefined, ended: Error | undefined }} */
    const entry = { run, controller: undefined, ended: undefined };
    this.#running.set(run.key, entry);
    let result;
    try {
      result = processor.call(run.data, new JobContext(run, () => signalOf(entry)));
    } catch (error) {
      this.#end(entry, () => run.fail(error, isFatal(error)));
      return;
    }
    if (typeof result?.then !== 'function') {
      this.#end(entry, () => run.succeed(result));
      return;
    }
    // A promise of somebody else's may call back twice, or at once.
    Promise.resolve(result).then(
      (value) => this.#end(entry, () => run.succeed(value)),
      (error) => this.#end(entry, () => run.fail(error, isFatal(error))),
    );
  }

  /** @param {{ run: Run }} entry @param {() => void} answer */
  #end(entry, answer) {
    answer();
    this.#forget(entry);
  }

  /** @param {{ run: Run }} entry */
  #forget(entry) {
    const { key } = entry.run;
    if (this.#running.get(key) === entry) this.#running.delete(key);
    if (this.#running.size > 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /**
   * A run is over before its answer.
   * @param {any} key
   * @param {number} run
   * @param {number} ending
   */
  abort(key, run, ending) {
    const entry = this.#running.get(key);
    if (entry === undefined || entry.run.run !== run) return;
    end(entry, entry.run.endingError(ending));
    // What does not heed its signal is not waited for.
    setTimeout(() => this.#forget(entry), GRACE_MS).unref();
  }

  /** @param {Error} reason */
  abortAll(reason) {
    for (const entry of this.#running.values()) end(entry, reason);
  }

  /** Resolves when no processor is at work. @returns {Promise<void>} */
  settled() {
    if (this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** @param {{ controller: AbortController | undefined, ended: Error | undefined }} entry @param {Error} reason */
function end(entry, reason) {
  entry.ended = reason;
  entry.controller?.abort(reason);
}

/** Made when it is asked for: few processors look at it. @param {{ controller: AbortController | undefined, ended: Error | undefined }} entry */
function signalOf(entry) {
  if (entry.controller === undefined) {
    entry.controller = new AbortController();
    if (entry.ended !== undefined) entry.controller.abort(entry.ended);
  }
  return entry.controller.signal;
}

/** Errors that say of themselves that trying again is of no use. @param {any} error */
function isFatal(error) {
  return error?.retryable === false;
}

module.exports = { JobRuns };
