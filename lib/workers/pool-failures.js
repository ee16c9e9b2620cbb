'use strict';

// Why a task failed: from what the native side knows to an error that says so.

const {
  HotpathAbortError,
  HotpathClosedError,
  HotpathQueueFullError,
  HotpathTimeoutError,
  HotpathWorkerError,
} = require('../errors.js');
const { decodeThrown } = require('./pool-codec.js');

/** Causes as the native side numbers them. */
const THROWN = 0;
const UNSENDABLE = 1;
const TIMED_OUT = 2;
const EXITED = 3;
const UNSTARTABLE = 4;
const ABORTED = 5;

/**
 * @typedef {object} Failure
 * @property {number} cause
 * @property {number} figure
 * @property {Buffer | undefined} bytes an encoded error
 * @property {number} jobId
 * @property {number} attempts
 */

/**
 * @param {import('../cache/codec.js').Codec} codec
 * @param {Failure} failure
 * @param {AbortSignal} [signal] that asked for the end, if one did
 * @returns {unknown} the function's own error, or one of ours
 */
function failureError(codec, { cause, figure, bytes, jobId, attempts }, signal) {
  const error = bytes === undefined ? undefined : decodeThrown(codec, bytes);
  const reason = error === undefined ? {} : { cause: error };
  switch (cause) {
    case THROWN:
    case UNSENDABLE:
      return error;
    case TIMED_OUT:
      return new HotpathTimeoutError(`The task took longer than ${figure} ms`, { timeoutMs: figure, jobId, attempts });
    case EXITED: {
      const words = error === undefined ? '' : `: ${messageOf(error)}`;
      const message = `The worker exited with code ${figure} while it worked on the task${words}`;
      return new HotpathWorkerError(message, { exitCode: figure, jobId, attempts, ...reason });
    }
    case UNSTARTABLE: {
      const words = error === undefined ? '' : `: ${messageOf(error)}`;
      const code = 'ERR_HOTPATH_WORKER_UNSTARTABLE';
      return new HotpathWorkerError(`No worker can be started${words}`, { code, jobId, attempts, ...reason });
    }
    case ABORTED:
      return abortError(signal, jobId);
    default:
      return new HotpathClosedError('The worker pool was terminated', { jobId });
  }
}

/** @param {unknown} error */
function messageOf(error) {
  const { message } = Object(error);
  return typeof message === 'string' ? message : 'an error without a message';
}

/**
 * Whoever aborts gets the reason that he gave, as everywhere on the web. Others, who only hear of it, get an error of ours.
 * @param {AbortSignal | undefined} signal
 * @param {number} [jobId]
 */
function abortError(signal, jobId) {
  if (signal !== undefined) return signal.reason;
  return new HotpathAbortError('The task was aborted', jobId === undefined ? {} : { jobId });
}

/** @param {number} waiting */
function queueFull(waiting) {
  return new HotpathQueueFullError(`The queue is full: ${waiting} tasks wait already`, { waiting });
}

module.exports = { failureError, abortError, queueFull };
