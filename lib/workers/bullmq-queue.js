'use strict';

// A job queue in Redis, by BullMQ: the same surface as the native one.
//
// Values travel as this package encodes them, so that what comes back equals what went in. BullMQ knows neither
// timeouts nor cancellation nor types: the time is kept here, cancelled jobs leave a note in Redis, and a job of a type
// that nobody here works on is put off for others to take.

const { randomBytes } = require('node:crypto');
const { HotpathError } = require('../errors.js');
const { requirePeer } = require('../peer.js');
const { BullCodec } = require('./bullmq-codec.js');
const { LocalFigures } = require('./bullmq-figures.js');
const { ENDING, endingError } = require('./job-states.js');

const DEFAULT_NAME = 'hotpath';
/** BullMQ serves small numbers first, from 1 to this. */
const MOST_PRIORITY = 2 ** 21 - 1;
const MIDDLE_PRIORITY = 2 ** 20;
const MAX_CONCURRENCY = 10_000;
const MAX_BACKOFF_MS = 300_000;
/** How long a job of an unknown type is put off. */
const PUT_OFF_MS = 1_000;
/** How long cancelled jobs are remembered. */
const REMEMBER_S = 24 * 60 * 60;
/** How often running jobs are looked up among the cancelled ones. */
const LOOK_MS = 250;
const POLL_MS = 25;

/** BullMQ's states as ours. @type {Record<string, import('./job-states.js').Status>} */
const STATUS = {
  waiting: 'queued',
  prioritized: 'queued',
  paused: 'queued',
  'waiting-children': 'queued',
  delayed: 'delayed',
  active: 'active',
  completed: 'completed',
  failed: 'failed',
};

class BullQueue {
  #owner;
  #bull;
  #options;
  #queue;
  #worker;
  #codec = new BullCodec();
  #figures = new LocalFigures();
  #types = new Set();
  /** Runs here, by BullMQ's name of the job. @type {Map<string, { run: number, settle(error: unknown): void, cancelled: boolean }>} */
  #running = new Map();
  /** The looking for cancelled jobs. */
  #looking;
  /** @type {Promise<void> | undefined} */
  #ending;
  #runs = 0;

  /**
   * @param {import('./native-queue.js').Owner} owner
   * @param {ReturnType<typeof import('./job-options.js').engineOptions>} options
   */
  constructor(owner, { native, connection }) {
    this.#owner = owner;
    this.#bull = requirePeer('bullmq');
    this.#options = {
      maxConcurrentJobs: native.maxConcurrentJobs ?? 10,
      jobTimeout: native.jobTimeout ?? 1_800_000,
      retryAttempts: native.retryAttempts ?? 3,
      retryDelay: native.retryDelay ?? 1_000,
      maxFinishedJobs: native.maxFinishedJobs ?? 1_000,
      maxDeadLetters: native.maxDeadLetters ?? 10_000,
    };
    const name = encodeURIComponent(native.name ?? DEFAULT_NAME);
    const place = { connection: connection ?? {} };
    this.#queue = new this.#bull.Queue(name, place);
    this.#worker = new this.#bull.Worker(
      name,
      (/** @type {any} */ job, /** @type {string} */ token) => this.#work(job, token),
      {
        ...place,
        autorun: false,
        concurrency: Math.min(this.#options.maxConcurrentJobs, MAX_CONCURRENCY),
        settings: { backoffStrategy: (/** @type {number} */ attempts) => this.#backoff(attempts) },
      },
    );
    for (const part of [this.#queue, this.#worker])
      part.on('error', (/** @type {Error} */ error) => owner.complain(error));
    this.#worker.on('completed', (/** @type {any} */ job) => this.#completed(job));
    this.#worker.on('failed', (/** @type {any} */ job, /** @type {any} */ error) => job && this.#failed(job, error));
    this.#looking = setInterval(() => this.#look().catch((error) => owner.complain(error)), LOOK_MS);
    this.#looking.unref();
    // Types come in the same turn.
    setImmediate(() => this.#ending ?? this.#worker.run().catch((/** @type {Error} */ error) => owner.complain(error)));
  }

  /** @param {number} attempts */
  #backoff(attempts) {
    return Math.min(this.#options.retryDelay * 2 ** (attempts - 1), MAX_BACKOFF_MS);
  }

  /**
   * @param {string} type
   * @param {unknown} data
   * @param {import('./job-options.js').JobOptions} options
   */
  async submit(type, data, { priority, retries, timeout, delayMs, group, id }) {
    if (group !== '') {
      throw new HotpathError('Groups need the native backend', { code: 'ERR_HOTPATH_UNSUPPORTED' });
    }
    const jobId = id === '' ? madeName() : id;
    const payload = {
      data: this.#codec.encode(data),
      jobId,
      priority,
      timeout: timeout < 0 ? this.#options.jobTimeout : timeout,
    };
    // Infinity is no JSON.
    if (payload.timeout === Number.POSITIVE_INFINITY) payload.timeout = 0;
    if (id !== '' && (await this.#known(id))) return id;
    await this.#queue.add(type, payload, {
      jobId: nameInRedis(jobId),
      priority: Math.min(Math.max(MIDDLE_PRIORITY - priority, 1), MOST_PRIORITY),
      attempts: (retries < 0 ? this.#options.retryAttempts : retries) + 1,
      backoff: { type: 'custom' },
      delay: delayMs,
      removeOnComplete: keep(this.#options.maxFinishedJobs),
      removeOnFail: keep(this.#options.maxDeadLetters),
    });
    this.#figures.submitted += 1;
    this.#owner.tell('queued', { jobId, type, priority, delayMs });
    return jobId;
  }

  /** @param {string} jobId */
  async #known(jobId) {
    return (await this.#queue.getJob(nameInRedis(jobId))) !== undefined || (await this.#note(jobId)) !== null;
  }

  /** What was noted of a cancelled job, or null. @param {string} jobId @returns {Promise<string | null>} */
  async #note(jobId) {
    const client = await this.#client();
    return client.get(this.#noteKey(nameInRedis(jobId)));
  }

  /** The connection itself; where it is depends on the version. @returns {Promise<any>} */
  #client() {
    return this.#queue.client ?? this.#queue.getBackend().client;
  }

  /** @param {string} key BullMQ's name of the job */
  #noteKey(key) {
    return `hotpath:jobs:${this.#queue.name}:cancelled:${key}`;
  }

  /** @param {string} jobId */
  async get(jobId) {
    const note = await this.#note(jobId);
    if (note !== null) return this.#codec.noted(note);
    // The state first: what is read afterwards is at least as new.
    const state = STATUS[await this.#queue.getJobState(nameInRedis(jobId))];
    const job = state === undefined ? undefined : await this.#queue.getJob(nameInRedis(jobId));
    return job === undefined ? undefined : this.#codec.job(job, state);
  }

  /** @param {string} jobId */
  async cancel(jobId) {
    const job = await this.#queue.getJob(nameInRedis(jobId));
    if (job === undefined || (await this.#note(jobId)) !== null) return false;
    const state = STATUS[await job.getState()];
    if (state === undefined || state === 'completed' || state === 'failed') return false;
    const client = await this.#client();
    const note = this.#codec.note({ ...this.#codec.job(job, 'cancelled'), finishedAt: Date.now() });
    await client.set(this.#noteKey(job.id), note, 'EX', REMEMBER_S);
    const active = state === 'active' || !(await removed(job));
    if (active) this.#stop(job.id, ENDING.CANCELLED);
    this.#figures.cancelled += 1;
    this.#owner.tell('cancelled', { jobId, type: job.name, active });
    return true;
  }

  /** Ends a run here, if there is one. @param {string} key @param {number} ending */
  #stop(key, ending) {
    const running = this.#running.get(key);
    if (running === undefined) return;
    running.cancelled ||= ending === ENDING.CANCELLED;
    this.#owner.abort(key, running.run, ending);
    running.settle(new this.#bull.UnrecoverableError('The job was cancelled'));
  }

  /** Other processes may have cancelled what runs here. */
  async #look() {
    const keys = [...this.#running.keys()];
    if (keys.length === 0) return;
    const client = await this.#client();
    const notes = await Promise.all(keys.map((key) => client.get(this.#noteKey(key))));
    keys.forEach((key, index) => {
      if (notes[index] !== null) this.#stop(key, ENDING.CANCELLED);
    });
  }

  /** @param {any} job @param {string} token */
  async #work(job, token) {
    if (!this.#types.has(job.name)) {
      await job.moveToDelayed(Date.now() + PUT_OFF_MS, token);
      throw new this.#bull.DelayedError();
    }
    this.#runs += 1;
    const run = this.#runs;
    const { jobId, priority, timeout: limit } = job.data;
    const timeout = limit === 0 ? Number.POSITIVE_INFINITY : limit;
    const data = this.#codec.decode(job.data.data);
    const attempt = job.attemptsMade + 1;
    const type = job.name;
    const waitMs = Math.max(0, Date.now() - (job.timestamp + job.delay));
    this.#figures.wait.record(waitMs);
    this.#owner.tell('active', { jobId, type, attempt, waitMs });
    const begun = performance.now();
    /** @type {NodeJS.Timeout | undefined} */
    let timer;
    try {
      return await new Promise((resolve, reject) => {
        this.#running.set(job.id, { run, settle: reject, cancelled: false });
        if (timeout < 2 ** 31) {
          timer = setTimeout(() => {
            this.#figures.timeouts += 1;
            this.#owner.abort(job.id, run, ENDING.TIMED_OUT);
            reject(endingError(ENDING.TIMED_OUT, jobId, timeout));
          }, timeout);
        }
        this.#owner.begin({
          key: job.id,
          run,
          jobId,
          type,
          data,
          attempt,
          timeout,
          priority,
          succeed: (result) => {
            try {
              resolve(this.#codec.encode(result));
            } catch (error) {
              reject(error);
            }
          },
          fail: (error, fatal) => reject(fatal ? this.#unrecoverable(error) : error),
          progress: (value) => this.#progress(job, run, attempt, value),
          endingError: (ending) => endingError(ending, jobId, timeout),
        });
      });
    } finally {
      clearTimeout(timer);
      this.#figures.run.record(performance.now() - begun);
    }
  }

  /** @param {any} error */
  #unrecoverable(error) {
    return Object.assign(new this.#bull.UnrecoverableError(String(error?.message ?? error)), { cause: error });
  }

  /** @param {any} job @param {number} run @param {number} attempt @param {unknown} value */
  #progress(job, run, attempt, value) {
    const running = this.#running.get(job.id);
    if (running?.run !== run || running.cancelled) return false;
    const encoded = this.#codec.encode(value);
    job.updateProgress(encoded).catch((/** @type {Error} */ error) => this.#owner.complain(error));
    const { jobId } = job.data;
    this.#owner.tell('progress', { jobId, type: job.name, attempt, progress: value });
    return true;
  }

  /** @param {any} job */
  #completed(job) {
    this.#running.delete(job.id);
    this.#figures.completed += 1;
    this.#owner.tell('completed', {
      jobId: job.data.jobId,
      type: job.name,
      attempt: job.attemptsMade,
      durationMs: job.finishedOn - job.processedOn,
      result: this.#codec.decode(job.returnvalue),
    });
  }

  /** @param {any} job @param {any} error */
  #failed(job, error) {
    const running = this.#running.get(job.id);
    this.#running.delete(job.id);
    const { jobId } = job.data;
    if (running?.cancelled) {
      job.remove().catch((/** @type {Error} */ problem) => this.#owner.complain(problem));
      return;
    }
    const type = job.name;
    const attempt = job.attemptsMade;
    const reason = error instanceof this.#bull.UnrecoverableError && error.cause !== undefined ? error.cause : error;
    const durationMs = Math.max(0, Date.now() - job.processedOn);
    this.#owner.tell('failed', { jobId, type, attempt, durationMs, error: reason });
    if (error instanceof this.#bull.UnrecoverableError || attempt >= job.opts.attempts) {
      this.#figures.failed += 1;
      this.#owner.tell('dead', { jobId, type, attempts: attempt, error: reason });
      return;
    }
    this.#figures.retried += 1;
    this.#owner.tell('retrying', { jobId, type, attempt, delayMs: this.#backoff(attempt), error: reason });
  }

  /** @param {{ jobIds: string[] | undefined, limit: number }} which */
  async revive({ jobIds, limit }) {
    const most = Math.min(limit, Number.MAX_SAFE_INTEGER);
    const dead =
      jobIds === undefined
        ? await this.#queue.getJobs(['failed'], 0, most - 1, true)
        : await Promise.all(jobIds.map((id) => this.#queue.getJob(nameInRedis(id))));
    let count = 0;
    for (const job of dead) {
      if (job === undefined || !(await job.isFailed())) continue;
      await job.retry('failed', { resetAttemptsMade: true });
      count += 1;
      this.#figures.revived += 1;
      const { jobId, priority } = job.data;
      this.#owner.tell('queued', { jobId, type: job.name, priority, delayMs: 0 });
    }
    return count;
  }

  async pause() {
    await this.#worker.pause(true);
  }

  async resume() {
    if (this.#ending === undefined) this.#worker.resume();
  }

  /** @param {string} type */
  serve(type) {
    this.#types.add(type);
  }

  /** @param {readonly string[]} types */
  serveBuiltIn(types) {
    for (const type of types) this.#types.add(type);
  }

  // Events are made here; there is nobody to tell which are heard.
  listen() {}

  /** @param {number} maxConcurrentJobs */
  resize(maxConcurrentJobs) {
    this.#options.maxConcurrentJobs = maxConcurrentJobs;
    this.#worker.concurrency = Math.min(maxConcurrentJobs, MAX_CONCURRENCY);
  }

  figures() {
    const { maxConcurrentJobs } = this.#options;
    const paused = this.#worker.isPaused();
    return this.#figures.snapshot({ maxConcurrent: maxConcurrentJobs, running: this.#running.size, paused });
  }

  async stats() {
    const counts = await this.#queue.getJobCounts();
    const queued = (counts.waiting ?? 0) + (counts.prioritized ?? 0) + (counts.paused ?? 0);
    const { delayed = 0, active = 0, failed = 0 } = counts;
    this.#figures.seen = { queued, delayed, active, dead: failed };
    return this.figures();
  }

  // BullMQ keeps its own books.
  validate() {}

  /** Resolves when nothing is ready or being worked on, in any process. */
  async idle() {
    for (;;) {
      const { queued, active } = await this.stats();
      if (queued + active === 0 && this.#running.size === 0) return;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  retire() {
    this.#worker.pause(true).catch((/** @type {Error} */ error) => this.#owner.complain(error));
  }

  // What waits stays in Redis.
  abandon() {}

  /** @param {boolean} [force] */
  close(force = false) {
    this.#ending ??= this.#close(force);
    return this.#ending;
  }

  /** @param {boolean} force */
  async #close(force) {
    clearInterval(this.#looking);
    await this.#worker.close(force);
    await this.#queue.close();
  }
}

/** BullMQ wants no colons and no plain numbers. @param {string} jobId */
function nameInRedis(jobId) {
  return `j_${encodeURIComponent(jobId)}`;
}

function madeName() {
  return `job_${Date.now()}_${randomBytes(8).toString('hex')}`;
}

/** @param {number} count */
function keep(count) {
  return count === Number.POSITIVE_INFINITY ? false : { count };
}

/** Removes a job that waits; false when a worker has it by now. @param {any} job */
async function removed(job) {
  try {
    await job.remove();
    return true;
  } catch {
    return false;
  }
}

module.exports = { BullQueue };
