'use strict';

const { EventEmitter } = require('node:events');
const { HotpathClosedError, invalidArgType } = require('../errors.js');
const { LISTENERS_CHANGED, makeListening, tellListeners } = require('../listening.js');
const { watchService } = require('../services.js');
const check = require('../validate.js');
const { engineOptions, jobOptions, revivalOptions, text } = require('./job-options.js');
const { fileProcessor, nativeProcessors, nativeTypes } = require('./job-processors.js');
const { JobRuns } = require('./job-runs.js');
const { closedError } = require('./job-states.js');
const { afterwards, documentStats, plainStats, serviceFigures } = require('./job-stats.js');
const { NativeQueue } = require('./native-queue.js');

const DEFAULT_CONCURRENCY = 10;

/** Figures for monitors; set by the class, whose private parts it needs. @type {(engine: AsyncProcessingEngine) => any} */
let figures;

class AsyncProcessingEngine extends EventEmitter {
  #queue;
  #runs = new JobRuns();
  #concurrency;
  #name;
  /** @type {Map<string, import('./job-runs.js').Processor>} */
  #processors = new Map();
  #builtIn;
  #unwatch;
  #closing = false;
  /** @type {Promise<void> | undefined} */
  #ending;
  /** @type {Promise<void> | undefined} */
  #draining;
  /** The last figures of a queue that was closed. @type {any} */
  #final;

  /** @param {unknown} [options] */
  constructor(options) {
    super();
    const checked = engineOptions(options);
    this.#name = checked.native.name;
    this.#concurrency = checked.native.maxConcurrentJobs ?? DEFAULT_CONCURRENCY;
    this.#builtIn = nativeProcessors(this.#concurrency);
    this.#queue = this.#open(checked);
    this.#queue.serveBuiltIn(nativeTypes());
    this.#unwatch = watchService('jobs', this.#name, this, figuresOf);
  }

  /** @param {ReturnType<typeof engineOptions>} checked */
  #open(checked) {
    // Held weakly by what outlives it: a queue that nobody holds any more ends.
    const owner = {
      begin: (/** @type {import('./job-runs.js').Run} */ run) => this.#begin(run),
      abort: (/** @type {any} */ key, /** @type {number} */ run, /** @type {any} */ ending) =>
        this.#runs.abort(key, run, ending),
      tell: (/** @type {string} */ event, /** @type {any} */ details) => tellListeners(this, event, [details]),
      complain: (/** @type {Error} */ error) => this.#complain(error),
    };
    if (checked.backend === 'native') return new NativeQueue(owner, checked.native);
    // Not before it is wanted: it is a package of the user's.
    const { BullQueue } = require('./bullmq-queue.js');
    return new BullQueue(owner, checked);
  }

  get name() {
    return this.#name;
  }

  get closed() {
    return this.#closing;
  }

  /** Types that this handle can work on. */
  get types() {
    return [...new Set([...nativeTypes(), ...this.#processors.keys()])];
  }

  /**
   * @param {string} type
   * @param {unknown} processor
   * @param {unknown} [options]
   */
  registerProcessor(type, processor, options) {
    const checkedType = text(type, 'type');
    if (this.#closing) throw closed();
    const previous = this.#processors.get(checkedType);
    this.#processors.set(checkedType, this.#processorOf(processor, options));
    // What it has begun, it ends; its threads are not needed afterwards.
    previous?.close?.(false);
    this.#queue.serve(checkedType);
    return this;
  }

  /** @param {unknown} processor @param {unknown} options */
  #processorOf(processor, options) {
    if (typeof processor === 'function') {
      check.options(options, 'options', []);
      return { call: /** @type {(data: any, context: any) => any} */ (processor) };
    }
    if (typeof processor !== 'string' && !(processor instanceof URL)) {
      throw invalidArgType('a function, a path or a file URL', 'processor', processor);
    }
    const given = options === undefined ? {} : check.plainObject(options, 'options');
    return fileProcessor(processor, given, this.#concurrency);
  }

  /**
   * @param {string} type
   * @param {unknown} data
   * @param {unknown} [options]
   */
  async submitJob(type, data, options) {
    const checkedType = text(type, 'type');
    const checked = jobOptions(options);
    if (this.#closing) throw closed();
    const jobId = await this.#queue.submit(checkedType, data, checked);
    return { jobId, status: 'queued' };
  }

  /** @param {string} jobId */
  async getJob(jobId) {
    const id = text(jobId, 'jobId');
    this.#assertOpen();
    return this.#queue.get(id);
  }

  /** @param {string} jobId */
  async cancelJob(jobId) {
    const id = text(jobId, 'jobId');
    this.#assertOpen();
    return this.#queue.cancel(id);
  }

  /** @param {unknown} [options] */
  async retryDeadLetters(options) {
    const checked = revivalOptions(options);
    if (this.#closing) throw closed();
    return this.#queue.revive(checked);
  }

  async pause() {
    this.#assertOpen();
    await this.#queue.pause();
  }

  async resume() {
    this.#assertOpen();
    await this.#queue.resume();
  }

  async getStats() {
    return documentStats(this.#final ?? (await this.#queue.stats()));
  }

  /** The same as plain numbers, as far as this process knows them. */
  get stats() {
    return plainStats(this.#final ?? this.#queue.figures());
  }

  /** @param {unknown} options */
  resize(options) {
    const { maxConcurrentJobs } = check.options(options, 'options', ['maxConcurrentJobs']);
    if (maxConcurrentJobs !== Number.POSITIVE_INFINITY) {
      check.positiveInteger(maxConcurrentJobs, 'options.maxConcurrentJobs');
    }
    if (this.#closing) throw closed();
    this.#queue.resize(maxConcurrentJobs);
  }

  validate() {
    this.#assertOpen();
    this.#queue.validate();
  }

  drain() {
    this.#closing = true;
    this.#draining ??= this.#drain();
    return this.#draining;
  }

  async #drain() {
    if (this.#ending === undefined) {
      await this.#queue.resume();
      await this.#queue.idle();
    }
    await this.close();
  }

  close() {
    this.#closing = true;
    this.#ending ??= this.#close();
    return this.#ending;
  }

  async #close() {
    this.#queue.retire();
    await this.#runs.settled();
    this.#queue.abandon();
    await this.#end();
  }

  destroy() {
    this.#closing = true;
    this.#ending ??= this.#destroy();
    return this.#ending;
  }

  async #destroy() {
    this.#queue.retire();
    const ending = this.#end(true);
    this.#runs.abortAll(closedError());
    await ending;
  }

  /** @param {boolean} [force] */
  async #end(force) {
    this.#unwatch();
    this.#final ??= afterwards(this.#queue.figures());
    await this.#queue.close(force);
    const closing = [...this.#processors.values()].map((processor) => processor.close?.(true));
    await Promise.all([...closing, this.#builtIn.close()]);
  }

  #assertOpen() {
    if (this.#final !== undefined) throw closed();
  }

  /** @param {import('./job-runs.js').Run} run */
  #begin(run) {
    const processor = this.#processors.get(run.type) ?? this.#builtIn.processors.get(run.type);
    if (processor === undefined) {
      // Two types whose hashes are equal; or a job of another version of this package.
      run.fail(new Error(`Nobody here works on jobs of type ${JSON.stringify(run.type)}`), true);
      return;
    }
    this.#runs.begin(run, processor);
  }

  /** The store does not work. Never silent. @param {Error} error */
  #complain(error) {
    if (this.listenerCount('error') > 0) tellListeners(this, 'error', [error]);
    else process.emitWarning(error);
  }

  [LISTENERS_CHANGED]() {
    if (this.#final === undefined) this.#queue.listen((event) => this.listenerCount(event) > 0);
  }

  static {
    figures = (engine) => engine.#queue.figures();
  }

  async [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    await this.close();
  }
}

/** @param {AsyncProcessingEngine} engine */
function figuresOf(engine) {
  return serviceFigures(figures(engine));
}

function closed() {
  return new HotpathClosedError('The job queue is closed');
}

makeListening(AsyncProcessingEngine);

module.exports = { AsyncProcessingEngine };
