'use strict';

// Values and jobs as BullMQ keeps them: JSON around this package's encoding.

const { Codec } = require('../cache/codec.js');

class BullCodec {
  #codec = new Codec();

  /** @param {unknown} value @returns {{ kind: number, value?: string | number, bytes?: string }} */
  encode(value) {
    const kind = this.#codec.encode(value);
    const { payload, start, end } = this.#codec;
    this.#codec.payload = undefined;
    if (Buffer.isBuffer(payload)) return { kind, bytes: payload.toString('base64', start, end) };
    // What JSON has no word for comes as text.
    return { kind, value: typeof payload === 'number' ? textOf(payload) : payload };
  }

  /** @param {any} encoded @returns {any} */
  decode(encoded) {
    // Progress that was never told is a number of BullMQ's.
    if (typeof encoded !== 'object' || encoded === null) return undefined;
    const { kind, value, bytes } = encoded;
    if (bytes !== undefined) return this.#codec.decodeAlone(kind, Buffer.from(bytes, 'base64'));
    if (kind === NUMBER) return Number(value);
    return kind < NUMBER ? this.#codec.decodeOwned(kind, Buffer.alloc(0)) : value;
  }

  /**
   * A job as users see it.
   * @param {any} job
   * @param {import('./job-states.js').Status} status
   */
  job(job, status) {
    const ended = status === 'completed' || status === 'cancelled';
    const { timeout } = job.data;
    return {
      jobId: job.data.jobId,
      type: job.name,
      status,
      priority: job.data.priority,
      group: undefined,
      attempts: job.attemptsMade + (status === 'active' ? 1 : 0),
      retries: job.opts.attempts - 1,
      timeout: timeout === 0 ? Number.POSITIVE_INFINITY : timeout,
      data: ended ? undefined : this.decode(job.data.data),
      progress: this.decode(job.progress),
      result: status === 'completed' ? this.decode(job.returnvalue) : undefined,
      error: job.failedReason && status !== 'completed' ? errorOf(job) : undefined,
      createdAt: job.timestamp,
      runAt: job.timestamp + (job.delay ?? 0),
      startedAt: job.processedOn,
      finishedAt: job.finishedOn,
    };
  }

  /** What is noted of a cancelled job. @param {object} job */
  note(job) {
    return JSON.stringify(this.encode(job));
  }

  /** @param {string} note */
  noted(note) {
    return this.decode(JSON.parse(note));
  }
}

const NUMBER = 4;

/** @param {number} number */
function textOf(number) {
  return Object.is(number, -0) ? '-0' : String(number);
}

/** BullMQ keeps the words of an error. @param {any} job */
function errorOf({ failedReason, stacktrace }) {
  const error = new Error(failedReason);
  const stack = stacktrace?.at(-1);
  if (typeof stack === 'string') error.stack = stack;
  return error;
}

module.exports = { BullCodec };
