'use strict';

// Options of job queues and of jobs: checked, and put into the form that the backends take.

const path = require('node:path');
const { fileURLToPath } = require('node:url');
const { invalidArgType, outOfRange } = require('../errors.js');
const check = require('../validate.js');

const OPTIONS = Object.freeze([
  'name',
  'maxConcurrentJobs',
  'jobTimeout',
  'retryAttempts',
  'retryDelay',
  'store',
  'backend',
  'connection',
  'maxFinishedJobs',
  'maxDeadLetters',
  'maxStoreBytes',
]);

/** Those that only one backend has. */
const ONLY = Object.freeze({ store: 'native', maxStoreBytes: 'native', connection: 'bullmq' });

const BACKENDS = /** @type {const} */ (['native', 'bullmq']);
const MAX_RETRIES = 2 ** 32 - 2;
/** Longest time that a job may be put off: the clock's numbers end 285,000 years after 1970. */
const MAX_DELAY_MS = 2 ** 50;

/** @type {(value: unknown, path: string) => number} */
const countOrUnlimited = (value, at) =>
  value === Number.POSITIVE_INFINITY ? value : check.nonNegativeInteger(value, at);

/** @type {(value: unknown, path: string) => number} */
const positiveOrUnlimited = (value, at) =>
  value === Number.POSITIVE_INFINITY ? value : check.positiveInteger(value, at);

/** @param {unknown} value @param {string} at */
function retryCount(value, at) {
  const retries = check.nonNegativeInteger(value, at);
  if (retries > MAX_RETRIES) throw outOfRange(`at most ${MAX_RETRIES}`, at, retries);
  return retries;
}

/** @param {unknown} value @param {string} at */
function directory(value, at) {
  if (value instanceof URL) return fileURLToPath(value);
  return path.resolve(check.nonEmptyString(value, at));
}

/** Text that is stored and compared in UTF-8. @param {unknown} value @param {string} at */
function text(value, at) {
  return check.nonEmptyString(value, at).toWellFormed();
}

/**
 * Checks the constructor's options.
 * @param {unknown} options
 */
function engineOptions(options) {
  const at = 'options';
  const given = check.options(options, at, OPTIONS);
  /** @type {<T>(name: string, parse: (value: unknown, path: string) => T) => T | undefined} */
  const optional = (name, parse) => (given[name] === undefined ? undefined : parse(given[name], `${at}.${name}`));
  const backend = check.oneOf(given.backend ?? 'native', `${at}.backend`, BACKENDS);
  for (const [name, needed] of Object.entries(ONLY)) {
    if (given[name] !== undefined && backend !== needed) {
      throw outOfRange(`${JSON.stringify(needed)}, which ${at}.${name} needs,`, `${at}.backend`, backend);
    }
  }
  return {
    backend,
    connection: given.connection,
    native: {
      name: optional('name', text),
      store: optional('store', directory),
      maxConcurrentJobs: optional('maxConcurrentJobs', positiveOrUnlimited),
      jobTimeout: optional('jobTimeout', check.positiveNumber),
      retryAttempts: optional('retryAttempts', retryCount),
      retryDelay: optional('retryDelay', check.nonNegativeNumber),
      maxFinishedJobs: optional('maxFinishedJobs', countOrUnlimited),
      maxDeadLetters: optional('maxDeadLetters', countOrUnlimited),
      maxStoreBytes: optional('maxStoreBytes', check.positiveInteger),
    },
  };
}

/**
 * @typedef {object} JobOptions
 * @property {number} priority
 * @property {number} retries less than 0 for the queue's
 * @property {number} timeout less than 0 for the queue's
 * @property {number} delayMs
 * @property {string} group empty for none
 * @property {string} id empty for none
 */

/** @type {Readonly<JobOptions>} */
const DEFAULTS = Object.freeze({ priority: 0, retries: -1, timeout: -1, delayMs: 0, group: '', id: '' });

const JOB_OPTIONS = Object.freeze(['priority', 'timeout', 'delayMs', 'retries', 'group', 'id']);

/**
 * Checks the options of one job.
 * @param {unknown} options
 * @returns {Readonly<JobOptions>}
 */
function jobOptions(options) {
  if (options === undefined) return DEFAULTS;
  const { priority, timeout, delayMs, retries, group, id } = check.options(options, 'options', JOB_OPTIONS);
  const delay = delayMs === undefined ? 0 : check.nonNegativeNumber(delayMs, 'options.delayMs');
  if (delay > MAX_DELAY_MS) throw outOfRange(`at most ${MAX_DELAY_MS}`, 'options.delayMs', delay);
  return {
    priority: priority === undefined ? 0 : check.integer(priority, 'options.priority'),
    timeout: timeout === undefined ? -1 : check.positiveNumber(timeout, 'options.timeout'),
    retries: retries === undefined ? -1 : retryCount(retries, 'options.retries'),
    delayMs: delay,
    group: group === undefined ? '' : text(group, 'options.group'),
    id: id === undefined ? '' : text(id, 'options.id'),
  };
}

/**
 * Checks what `retryDeadLetters` is given: names of jobs, or how many.
 * @param {unknown} options
 */
function revivalOptions(options) {
  const { jobIds, limit } = check.options(options, 'options', ['jobIds', 'limit']);
  if (jobIds !== undefined && !Array.isArray(jobIds)) throw invalidArgType('an array', 'options.jobIds', jobIds);
  return {
    jobIds: jobIds?.map((id, index) => text(id, `options.jobIds[${index}]`)),
    limit: limit === undefined ? Number.POSITIVE_INFINITY : positiveOrUnlimited(limit, 'options.limit'),
  };
}

module.exports = { engineOptions, jobOptions, revivalOptions, text };
