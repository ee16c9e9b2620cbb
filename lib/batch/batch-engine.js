'use strict';

// Batches of items from arrays, iterables, streams and files, in chunks, several at a time, in bounded memory.

const { randomBytes } = require('node:crypto');
const { EventEmitter } = require('node:events');
const fs = require('node:fs/promises');
const path = require('node:path');
const { fileURLToPath } = require('node:url');
const { HotpathClosedError, invalidArgType } = require('../errors.js');
const { watchService } = require('../services.js');
const check = require('../validate.js');
const { BatchRun, undisturbed } = require('./batch-run.js');
const { batchOptions, engineOptions, fileOptions } = require('./batch-options.js');
const { Checkpoint } = require('./checkpoint.js');
const { FileSource } = require('./file-source.js');
const { Processors } = require('./processors.js');
const { Slots } = require('./slots.js');
const { ArraySource, IterableSource } = require('./sources.js');

/** @typedef {{ run: BatchRun, ended: Promise<any> }} Batch */

/** @param {BatchProcessingEngine} engine */
const statsOf = (engine) => engine.stats;

class BatchProcessingEngine extends EventEmitter {
  #options;
  #slots;
  #processors;
  /** @type {Map<string, Batch>} under way */
  #running = new Map();
  /** @type {Map<string, any>} status by batch, the oldest first */
  #finished = new Map();
  #closed = false;
  #unwatch;
  #counts = { completed: 0, failed: 0, cancelled: 0, items: 0, itemErrors: 0 };

  /** @param {unknown} [options] */
  constructor(options) {
    super();
    this.#options = engineOptions(options);
    this.#slots = new Slots(this.#options.maxConcurrency);
    this.#processors = new Processors(this.#options.maxConcurrency);
    for (const [name, processor] of Object.entries(this.#options.processors)) this.registerProcessor(name, processor);
    this.#unwatch = watchService('batch', undefined, this, statsOf);
  }

  /** @param {string} name @param {unknown} processor @returns {any} */
  registerProcessor(name, processor) {
    this.#processors.register(check.nonEmptyString(name, 'name'), processor);
    return this;
  }

  get processors() {
    return this.#processors.names();
  }

  /** @param {unknown} data @param {unknown} processor @param {unknown} [options] */
  async processBatch(data, processor, options) {
    const { run, ended } = this.#start(data, processor, options);
    await ended;
    return run.outcome;
  }

  /** @param {unknown} data @param {unknown} processor @param {unknown} [options] */
  async submitBatch(data, processor, options) {
    const { run, ended } = this.#start(data, processor, options);
    // Whoever wants to know asks for the status, or waits for it.
    ended.catch(() => {});
    return { batchId: run.id, status: /** @type {const} */ ('queued') };
  }

  /** @param {unknown} source @param {unknown} processor @param {unknown} [options] */
  async processStream(source, processor, options) {
    const checked = this.#check(options, { endless: true });
    const iterable = checkIterable(source, 'source');
    const identity = { version: 1, source: 'stream', batchSize: checked.batchSize };
    const { run, ended } = this.#begin(new IterableSource(iterable, checked.batchSize), processor, checked, identity);
    await ended;
    return run.summary;
  }

  /** @param {unknown} file @param {unknown} [options] */
  async processFile(file, options) {
    const checked = this.#check(options, { endless: true, file: true });
    const place = path.resolve(file instanceof URL ? fileURLToPath(file) : check.nonEmptyString(file, 'path'));
    const { given } = checked;
    const wanted = fileOptions(given, place);
    const { size, mtimeMs } = await fs.stat(place);
    const identity = {
      ...{ version: 1, source: 'file', batchSize: checked.batchSize, size, mtimeMs },
      ...{ format: wanted.format, filter: wanted.filter.alternatives, predicate: wanted.predicate !== undefined },
    };
    if (this.#closed) throw closed();
    const source = new FileSource(place, size, wanted, checked.batchSize);
    const { run, ended } = this.#begin(source, given.processor ?? itself, checked, identity);
    await ended;
    return run.summary;
  }

  /** @param {unknown} options @param {{ endless: boolean, file?: boolean }} kind */
  #check(options, kind) {
    if (this.#closed) throw closed();
    return batchOptions(options, this.#options, kind);
  }

  /** @param {unknown} data @param {unknown} processor @param {unknown} options */
  #start(data, processor, options) {
    const isArray = Array.isArray(data);
    const checked = this.#check(options, { endless: !isArray });
    const { batchSize } = checked;
    const source = isArray
      ? new ArraySource(data, batchSize)
      : new IterableSource(checkIterable(data, 'data'), batchSize);
    const identity = { version: 1, source: isArray ? 'array' : 'stream', batchSize, total: source.total };
    return this.#begin(source, processor, checked, identity);
  }

  /**
   * @param {import('./sources.js').Source} source
   * @param {unknown} processor
   * @param {ReturnType<typeof batchOptions>} checked
   * @param {object} identity
   * @returns {Batch}
   */
  #begin(source, processor, checked, identity) {
    const work = this.#processors.resolve(processor);
    const checkpoint = checked.checkpoint === undefined ? undefined : new Checkpoint(checked.checkpoint, identity);
    const id = `batch_${Date.now()}_${randomBytes(6).toString('hex')}`;
    const observe = (/** @type {string} */ event, /** @type {any} */ status) => this.#observe(event, status);
    const run = new BatchRun(id, source, work, checked, this.#slots, checkpoint, observe);
    const batch = { run, ended: run.run() };
    this.#running.set(id, batch);
    return batch;
  }

  /** @param {string} event @param {any} status */
  #observe(event, status) {
    if (event !== 'progress') this.#retire(status);
    undisturbed(() => this.emit(event, status));
  }

  /** @param {any} status */
  #retire(status) {
    this.#running.delete(status.batchId);
    this.#counts[/** @type {'completed'} */ (status.status)]++;
    this.#counts.items += status.processed;
    this.#counts.itemErrors += status.failed;
    this.#finished.set(status.batchId, status);
    while (this.#finished.size > this.#options.keepFinished) {
      this.#finished.delete(/** @type {string} */ (this.#finished.keys().next().value));
    }
  }

  /** @param {string} batchId */
  getBatchStatus(batchId) {
    return this.#running.get(batchId)?.run.status ?? this.#finished.get(batchId);
  }

  /** @param {string} batchId */
  async waitForBatch(batchId) {
    await this.#running.get(batchId)?.ended.catch(() => {});
    return this.#finished.get(batchId);
  }

  /** @param {string} batchId */
  cancelBatch(batchId) {
    return this.#running.get(batchId)?.run.cancel() ?? false;
  }

  get stats() {
    return { running: this.#running.size, ...this.#counts };
  }

  get closed() {
    return this.#closed;
  }

  async close() {
    this.#closed = true;
    this.#unwatch();
    await Promise.allSettled([...this.#running.values()].map(({ ended }) => ended));
    await this.#processors.close();
  }

  async destroy() {
    for (const { run } of this.#running.values()) run.cancel();
    await this.close();
  }

  [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    return this.close();
  }
}

/** @param {any} source @param {string} path */
function checkIterable(source, path) {
  if (typeof source === 'object' && (source?.[Symbol.asyncIterator] ?? source?.[Symbol.iterator]) !== undefined) {
    return source;
  }
  throw invalidArgType('an array, an iterable or a stream', path, source);
}

/** @param {any[]} items */
function itself(items) {
  return items;
}

function closed() {
  return new HotpathClosedError('The batch engine is closed');
}

module.exports = { BatchProcessingEngine };
