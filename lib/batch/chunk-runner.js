'use strict';

// One chunk through its processor: the time limit, and what happens to the items of a chunk that failed.

const { types } = require('node:util');
const { setTimeout: sleep } = require('node:timers/promises');
const { HotpathError, HotpathTimeoutError } = require('../errors.js');

/**
 * @typedef {object} RunOptions
 * @property {string} batchId
 * @property {number} timeoutMs
 * @property {number} retries
 * @property {number} retryDelay
 * @property {boolean} atomic
 */

/**
 * What a processor made of items: their results, an error for all of them that may be due to one of them, or one that
 * is due to none in particular.
 * @typedef {{ values: any[] } | { thrown: any } | { failed: any }} Attempt
 */

/** The batch was cancelled: nothing of the chunk counts. */
const CANCELLED = Symbol('cancelled');

class ChunkRunner {
  #processor;
  #options;
  #signal;

  /**
   * @param {(items: any[], context: any) => any} processor
   * @param {RunOptions} options
   * @param {AbortSignal} signal ends everything
   */
  constructor(processor, options, signal) {
    this.#processor = processor;
    this.#options = options;
    this.#signal = signal;
  }

  /**
   * @param {import('./sources.js').Chunk} chunk
   * @returns {Promise<{ results: any[], errors: Map<number, any> }>} errors by place in the chunk; throws CANCELLED
   */
  async run(chunk) {
    const results = new Array(chunk.items.length);
    /** @type {Map<number, any>} */
    const errors = new Map();
    if (chunk.items.length === 0) return { results, errors };
    const attempt = await this.#attemptWhole(chunk);
    if ('failed' in attempt) {
      for (let index = 0; index < results.length; index++) errors.set(index, attempt.failed);
      return { results, errors };
    }
    const single = 'thrown' in attempt && chunk.items.length === 1;
    for (let index = 0; index < results.length; index++) {
      const together = 'values' in attempt || single;
      // Which item the processor has thrown for, only running them alone can tell.
      let own = together ? attempt : await this.#attempt(chunk, [index], 1);
      let error = failureOf(own, together ? index : 0);
      let value = 'values' in own ? own.values[together ? index : 0] : undefined;
      for (let retry = 1; error !== undefined && !('failed' in own) && retry <= this.#options.retries; retry++) {
        await this.#pause(retry);
        own = await this.#attempt(chunk, [index], retry + 1);
        error = failureOf(own, 0);
        value = 'values' in own ? own.values[0] : undefined;
      }
      if (error === undefined) results[index] = value;
      else errors.set(index, error.reason);
    }
    return { results, errors };
  }

  /** The first run, with its repetitions if the chunk is all or nothing. @param {import('./sources.js').Chunk} chunk */
  async #attemptWhole(chunk) {
    const all = chunk.items.map((_, index) => index);
    let attempt = await this.#attempt(chunk, all, 1);
    if (!this.#options.atomic) return attempt;
    for (let retry = 1; 'thrown' in attempt && retry <= this.#options.retries; retry++) {
      await this.#pause(retry);
      attempt = await this.#attempt(chunk, all, retry + 1);
    }
    return 'thrown' in attempt ? { failed: attempt.thrown } : attempt;
  }

  /** Doubles with each retry. @param {number} retry */
  async #pause(retry) {
    const delay = this.#options.retryDelay * 2 ** (retry - 1);
    if (delay === 0) return;
    await sleep(delay, undefined, { signal: this.#signal }).catch(() => {
      throw CANCELLED;
    });
  }

  /**
   * @param {import('./sources.js').Chunk} chunk
   * @param {number[]} places
   * @param {number} attempt
   * @returns {Promise<Attempt>}
   */
  async #attempt(chunk, places, attempt) {
    if (this.#signal.aborted) throw CANCELLED;
    const { batchId, timeoutMs } = this.#options;
    const limit = new AbortController();
    const context = {
      batchId,
      chunkIndex: chunk.number,
      startIndex: chunk.start + places[0],
      attempt,
      lines: chunk.lines === undefined ? undefined : places.map((place) => chunk.lines?.[place]),
      signal: limit.signal,
    };
    /** @type {NodeJS.Timeout | undefined} */
    let timer;
    let cancel = () => {};
    const interrupted = new Promise((_resolve, reject) => {
      cancel = () => reject(CANCELLED);
      this.#signal.addEventListener('abort', cancel, { once: true });
      if (timeoutMs < MOST_TIMER_MS) timer = setTimeout(() => reject(timedOut(timeoutMs)), timeoutMs);
    });
    const items = places.map((place) => chunk.items[place]);
    const run = (async () => this.#processor(items, context))();
    const settled = run.then(
      (answer) => ({ answer }),
      (thrown) => ({ thrown }),
    );
    try {
      const outcome = /** @type {{ answer: any } | { thrown: any }} */ (await Promise.race([settled, interrupted]));
      if ('thrown' in outcome) return outcome;
      const { answer } = outcome;
      if (Array.isArray(answer) && answer.length === items.length) return { values: answer };
      return { failed: badAnswer(items.length, answer) };
    } catch (interruption) {
      // Whoever still works on it may stop.
      limit.abort();
      if (interruption === CANCELLED) throw interruption;
      return { failed: interruption };
    } finally {
      clearTimeout(timer);
      this.#signal.removeEventListener('abort', cancel);
    }
  }
}

/** Timers of Node's go no further. */
const MOST_TIMER_MS = 2 ** 31;

/** @param {Attempt} attempt @param {number} place @returns {{ reason: any } | undefined} */
function failureOf(attempt, place) {
  if ('thrown' in attempt) return { reason: attempt.thrown };
  if ('failed' in attempt) return { reason: attempt.failed };
  const value = attempt.values[place];
  return value instanceof Error || types.isNativeError(value) ? { reason: value } : undefined;
}

/** @param {number} timeoutMs */
function timedOut(timeoutMs) {
  return new HotpathTimeoutError(`The processor did not finish its chunk within ${timeoutMs} ms`);
}

/** @param {number} length @param {unknown} answer */
function badAnswer(length, answer) {
  const got = Array.isArray(answer) ? `an array of length ${answer.length}` : `a value of type ${typeof answer}`;
  return new HotpathError(`Expected an array of length ${length} from the processor but received ${got}`, {
    code: 'ERR_HOTPATH_PROCESSOR_RESULT',
  });
}

module.exports = { ChunkRunner, CANCELLED };
