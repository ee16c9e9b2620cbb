'use strict';

// Words for what the native side numbers: states, events, causes.

const { HotpathAbortError, HotpathClosedError, HotpathError, HotpathTimeoutError } = require('../errors.js');
const { decodeThrown } = require('./pool-codec.js');

/** @typedef {'queued' | 'delayed' | 'active' | 'completed' | 'failed' | 'cancelled'} Status */

/** States in the order of the native side. @type {readonly Status[]} */
const STATUS = Object.freeze(['queued', 'delayed', 'active', 'completed', 'failed', 'cancelled']);

/** Events in the order of the native side. */
const EVENTS = Object.freeze(['queued', 'active', 'progress', 'completed', 'failed', 'retrying', 'cancelled', 'dead']);

/** Forms of outcomes, as the native side numbers them; anything less is none. */
const VALUE = 0;
const THROWN = 1;
const TIMED_OUT = 2;

/**
 * @param {import('../cache/codec.js').Codec} codec
 * @param {number} form
 * @param {number} figure a kind, or a time
 * @param {any} value
 * @param {string} jobId
 * @returns {{ result?: unknown, error?: unknown }}
 */
function outcomeOf(codec, form, figure, value, jobId) {
  switch (form) {
    case VALUE:
      return { result: codec.decodeAlone(figure, value) };
    case THROWN:
      return { error: decodeThrown(codec, value) };
    case TIMED_OUT:
      return { error: timeoutError(jobId, figure) };
    default:
      return form < 0 ? {} : { error: interruptedError(jobId) };
  }
}

/** @param {string} jobId @param {number} ms */
function timeoutError(jobId, ms) {
  return new HotpathTimeoutError(`The job took longer than ${ms} ms`, { jobId, timeoutMs: ms });
}

/** @param {string} jobId */
function interruptedError(jobId) {
  return new HotpathError('The process or thread that worked on the job has ended too often', {
    code: 'ERR_HOTPATH_JOB_INTERRUPTED',
    jobId,
  });
}

/** Why a run is over before its answer, as the native side numbers it. */
const ENDING = Object.freeze({ CANCELLED: 0, TIMED_OUT: 1, TAKEN_OVER: 2 });

/** The same in words. */
const ENDINGS = Object.freeze([
  (/** @type {string} */ jobId) => new HotpathAbortError('The job was cancelled', { jobId }),
  timeoutError,
  (/** @type {string} */ jobId) =>
    new HotpathError('Another process has taken the job over', { code: 'ERR_HOTPATH_JOB_TAKEN_OVER', jobId }),
]);

/**
 * @param {number} ending
 * @param {string} jobId
 * @param {number} timeout
 */
function endingError(ending, jobId, timeout) {
  return ENDINGS[ending](jobId, timeout);
}

/** What signals of jobs say when their queue is destroyed. */
function closedError() {
  return new HotpathClosedError('The job queue is closed');
}

/**
 * What listeners of an event get.
 * @param {import('../cache/codec.js').Codec} codec
 * @param {any[]} notice sort, event, job, type, two figures, and an outcome
 */
function eventDetails(codec, [, event, jobId, type, first, second, form, figure, value]) {
  const { result, error } = outcomeOf(codec, form, figure, value, jobId);
  switch (EVENTS[event]) {
    case 'queued':
      return { jobId, type, priority: first, delayMs: second };
    case 'active':
      return { jobId, type, attempt: first, waitMs: second };
    case 'progress':
      return { jobId, type, attempt: first, progress: result };
    case 'completed':
      return { jobId, type, attempt: first, durationMs: second, result };
    case 'failed':
      return { jobId, type, attempt: first, durationMs: second, error };
    case 'retrying':
      return { jobId, type, attempt: first, delayMs: second, error };
    case 'cancelled':
      return { jobId, type, active: first === 1 };
    default:
      return { jobId, type, attempts: first, error };
  }
}

/** @param {number} ms */
const time = (ms) => (ms === 0 ? undefined : ms);

/**
 * A job as users see it.
 * @param {import('../cache/codec.js').Codec} codec
 * @param {any[]} job
 */
function jobOf(codec, job) {
  const [jobId, type, state, priority, group, attempts, retries, timeout, created, ready, started, ended] = job;
  const [dataKind, data, progressKind, progress, form, figure, outcome] = job.slice(12);
  const { result, error } = outcomeOf(codec, form, figure, outcome, jobId);
  return {
    jobId,
    type,
    status: STATUS[state],
    priority,
    group: group === '' ? undefined : group,
    attempts,
    retries,
    timeout,
    data: dataKind < 0 ? undefined : codec.decodeAlone(dataKind, data),
    progress: progressKind < 0 ? undefined : codec.decodeAlone(progressKind, progress),
    result,
    error,
    createdAt: created,
    runAt: ready,
    startedAt: time(started),
    finishedAt: time(ended),
  };
}

module.exports = {
  ENDING,
  EVENTS,
  STATUS,
  closedError,
  endingError,
  eventDetails,
  interruptedError,
  jobOf,
  timeoutError,
};
