'use strict';

// A batch under way: several lanes take chunk after chunk from the source and run them; what becomes of each item is
// gathered here.

const { CANCELLED, ChunkRunner } = require('./chunk-runner.js');

/** Errors that are kept of a source without a known length. */
const MOST_ERRORS = 10_000;

/**
 * @typedef {object} BatchOptions
 * @property {number} batchSize
 * @property {number} maxConcurrency
 * @property {number} processingTimeout
 * @property {number} retries
 * @property {number} retryDelay
 * @property {boolean} atomic
 * @property {number} maxResults
 * @property {boolean} stopOnMalformed
 * @property {AbortSignal} [signal]
 * @property {(status: any) => void} [onProgress]
 */

/** @typedef {{ index?: number, line?: number, error: any }} ItemError */

class BatchRun {
  #id;
  #source;
  #options;
  #slots;
  #checkpoint;
  #observe;
  #cancellation = new AbortController();
  /** Lanes that wait for a chunk. @type {Set<(chunk: undefined) => void>} */
  #waiting = new Set();
  #runner;
  /** @type {Promise<any>} */
  #pulling = Promise.resolve();
  #status = 'processing';
  /** @type {any} */
  #failure;
  /** @type {any[]} */
  #results = [];
  /** @type {ItemError[]} */
  #errors = [];
  #counts = { processed: 0, failed: 0, malformed: 0, chunks: 0, running: 0, resumed: 0 };
  #resumedItems = 0;
  #startedAt = Date.now();
  #began = performance.now();
  #elapsed = 0;
  /** @type {number | undefined} */
  #finishedAt;

  /**
   * @param {string} id
   * @param {import('./sources.js').Source} source
   * @param {(items: any[], context: any) => any} processor
   * @param {BatchOptions} options
   * @param {import('./slots.js').Slots} slots shared by all batches of the engine
   * @param {import('./checkpoint.js').Checkpoint | undefined} checkpoint
   * @param {(event: string, status: any) => void} observe
   */
  constructor(id, source, processor, options, slots, checkpoint, observe) {
    this.#id = id;
    this.#source = source;
    this.#options = options;
    this.#slots = slots;
    this.#checkpoint = checkpoint;
    this.#observe = observe;
    const { processingTimeout: timeoutMs, retries, retryDelay, atomic } = options;
    const runOptions = { batchId: id, timeoutMs, retries, retryDelay, atomic };
    const { signal } = this.#cancellation;
    this.#runner = new ChunkRunner(processor, runOptions, signal);
    if (source.total !== null) this.#results = new Array(source.total).fill(undefined);
  }

  get id() {
    return this.#id;
  }

  /** Runs to the end, whatever that is. Rejects when the source fails, or at a malformed line if that was asked for. */
  async run() {
    const { signal, maxConcurrency } = this.#options;
    const cancel = () => this.cancel();
    if (signal?.aborted) this.cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      this.#resume();
      await Promise.all(Array.from({ length: maxConcurrency }, () => this.#lane()));
    } catch (error) {
      this.#fail(error);
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
    await this.#end();
    if (this.#status === 'failed') throw this.#failure;
  }

  async #end() {
    await this.#source.close();
    if (this.#status === 'processing') this.#status = 'completed';
    this.#finishedAt = Date.now();
    this.#elapsed = performance.now() - this.#began;
    this.#errors.sort((a, b) => (a.index ?? 0) - (b.index ?? 0) || (a.line ?? 0) - (b.line ?? 0));
    this.#checkpoint?.close(this.#status === 'completed');
    this.#observe(this.#status, this.status);
  }

  /** @returns {boolean} whether it was still running */
  cancel() {
    if (this.#status !== 'processing') return false;
    this.#status = 'cancelled';
    this.#cancellation.abort();
    for (const resolve of this.#waiting) resolve(undefined);
    return true;
  }

  /** @param {unknown} error */
  #fail(error) {
    if (this.#status !== 'processing') return;
    this.#status = 'failed';
    this.#failure = error;
  }

  /** Takes over what an earlier run has finished from the begin on; later chunks are passed over when they come. */
  #resume() {
    const done = this.#checkpoint?.prefix() ?? [];
    for (const entry of done) this.#takeOver(entry);
    const last = done.at(-1);
    if (last !== undefined) this.#source.skipTo(last.number + 1, last.start + last.count, last.next);
  }

  async #lane() {
    while (this.#status === 'processing') {
      const chunk = await this.#pull();
      if (chunk === undefined || this.#status !== 'processing') return;
      const finished = this.#checkpoint?.entry(chunk.number);
      if (finished !== undefined) this.#takeOver(finished);
      else await this.#process(chunk);
    }
  }

  /**
   * The next chunk: iterators are asked one at a time. A source that has nothing to give for hours must not keep a batch
   * from being cancelled.
   * @returns {Promise<import('./sources.js').Chunk | undefined>}
   */
  #pull() {
    const next = this.#pulling.then(() => (this.#status === 'processing' ? this.#source.next() : undefined));
    this.#pulling = next.catch((error) => this.#fail(error));
    const pulled = this.#pulling;
    // Not `Promise.race` with a promise for the cancellation: that one would hold on to every chunk.
    return new Promise((resolve) => {
      this.#waiting.add(resolve);
      pulled.then((chunk) => {
        this.#waiting.delete(resolve);
        resolve(chunk);
      });
    });
  }

  /** @param {import('./sources.js').Chunk} chunk */
  async #process(chunk) {
    this.#noteMalformed(chunk.malformed ?? [], chunk.malformedCount ?? 0);
    if (this.#status !== 'processing') return;
    const release = await this.#slots.take(this.#cancellation.signal);
    if (release === undefined) return;
    this.#counts.running++;
    try {
      this.#finish(chunk, await this.#runner.run(chunk));
    } catch (error) {
      if (error !== CANCELLED) this.#fail(error);
    } finally {
      this.#counts.running--;
      release();
    }
  }

  /** @param {import('./sources.js').Chunk} chunk @param {{ results: any[], errors: Map<number, any> }} outcome */
  #finish(chunk, { results, errors }) {
    const failed = [...errors].map(([place, error]) => itemError(chunk, place, error));
    if (this.#checkpoint !== undefined) {
      this.#checkpoint.finish({
        number: chunk.number,
        start: chunk.start,
        count: chunk.items.length,
        results: chunk.start < this.#options.maxResults ? results : undefined,
        errors: failed,
        malformed: chunk.malformed ?? [],
        malformedCount: chunk.malformedCount ?? 0,
        next: chunk.next,
      });
    }
    this.#note(chunk.start, results, chunk.items.length, failed);
    this.#progress();
  }

  /** @param {import('./checkpoint.js').Entry} entry */
  #takeOver(entry) {
    this.#noteMalformed(entry.malformed, entry.malformedCount);
    this.#note(entry.start, entry.results ?? [], entry.count, entry.errors);
    this.#counts.resumed++;
    this.#resumedItems += entry.count;
    this.#checkpoint?.release(entry.number);
  }

  /** @param {number} start @param {any[]} results @param {number} count @param {ItemError[]} failed */
  #note(start, results, count, failed) {
    const end = Math.min(start + count, this.#options.maxResults);
    for (let index = start; index < end; index++) this.#results[index] = results[index - start];
    this.#counts.processed += count;
    this.#counts.failed += failed.length;
    this.#counts.chunks++;
    this.#keepErrors(failed);
  }

  /** @param {{ line: number, error: any }[]} malformed @param {number} count */
  #noteMalformed(malformed, count) {
    this.#counts.malformed += count;
    this.#keepErrors(malformed);
    if (count > 0 && this.#options.stopOnMalformed) this.#fail(malformed[0].error);
  }

  /** @param {ItemError[]} errors */
  #keepErrors(errors) {
    const most = this.#source.total ?? MOST_ERRORS;
    for (const error of errors) if (this.#errors.length < most) this.#errors.push(error);
  }

  #progress() {
    if (this.#status !== 'processing') return;
    const { status } = this;
    this.#observe('progress', status);
    const { onProgress } = this.#options;
    if (onProgress !== undefined) undisturbed(() => onProgress(status));
  }

  /** What it returns to who waits for it. @returns {any} */
  get outcome() {
    return { batchId: this.#id, status: this.#status, results: this.#results, errors: this.#errors };
  }

  /** What it returns for a source without a known length. @returns {any} */
  get summary() {
    const { processed, failed, malformed } = this.#counts;
    const truncated = processed > this.#options.maxResults;
    return { ...this.outcome, processed, succeeded: processed - failed, failed, malformed, truncated };
  }

  /** @returns {any} */
  get status() {
    const { processed, failed, malformed, chunks, running, resumed } = this.#counts;
    const finished = this.#finishedAt !== undefined;
    const elapsed = finished ? this.#elapsed : performance.now() - this.#began;
    const throughput = elapsed === 0 ? 0 : ((processed - this.#resumedItems) * 1000) / elapsed;
    const share = this.#share();
    return {
      batchId: this.#id,
      status: this.#status,
      progress: share === null ? null : Math.round(share * 10_000) / 100,
      total: this.#source.total,
      processed,
      succeeded: processed - failed,
      failed,
      malformed,
      chunks: { completed: chunks, running, resumed },
      throughput,
      eta: finished ? 0 : this.#eta(share, throughput, elapsed),
      errors: [...this.#errors],
      startedAt: this.#startedAt,
      finishedAt: this.#finishedAt ?? null,
      duration: elapsed,
      ...(finished ? { results: this.#results } : {}),
      ...(this.#failure === undefined ? {} : { error: this.#failure }),
    };
  }

  #share() {
    if (this.#status === 'completed') return 1;
    const { total } = this.#source;
    if (total === null) return this.#source.share();
    return total === 0 ? 1 : this.#counts.processed / total;
  }

  /** Milliseconds that are left, as far as anybody can tell. @param {number | null} share @param {number} throughput @param {number} elapsed */
  #eta(share, throughput, elapsed) {
    const { total } = this.#source;
    if (total !== null) return throughput === 0 ? null : ((total - this.#counts.processed) / throughput) * 1000;
    return share === null || share === 0 ? null : (elapsed / share) * (1 - share);
  }
}

/** Calls what is not ours: if it throws, that is nothing to the batch. @param {() => void} call */
function undisturbed(call) {
  try {
    call();
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}

/** @param {import('./sources.js').Chunk} chunk @param {number} place @param {any} error @returns {ItemError} */
function itemError(chunk, place, error) {
  const index = chunk.start + place;
  return chunk.lines === undefined ? { index, error } : { index, line: chunk.lines[place], error };
}

module.exports = { BatchRun, undisturbed };
