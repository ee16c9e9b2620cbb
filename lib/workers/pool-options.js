'use strict';

// Options of pools and of tasks: checked, and put into the form that the native side takes.

const path = require('node:path');
const { fileURLToPath } = require('node:url');
const { invalidArgType, outOfRange } = require('../errors.js');
const check = require('../validate.js');

const PRIORITY = Object.freeze({ HIGH: 10, NORMAL: 0, LOW: -10 });

/** Attempts after the first, unless a task says otherwise. */
const RETRIES = 3;
const MAX_RETRIES = 2 ** 32 - 2;

/** @typedef {{ initialMs: number, factor: number, maxMs: number, jitter: number }} Backoff */

/** @type {Readonly<Backoff>} */
const BACKOFF = Object.freeze({ initialMs: 1_000, factor: 2, maxMs: 300_000, jitter: 0 });

const OPTIONS = Object.freeze([
  'name',
  'maxWorkers',
  'minWorkers',
  'reuseWorkers',
  'timeout',
  'maxQueue',
  'idleTimeoutMs',
  'concurrentTasksPerWorker',
  'resourceLimits',
  'recycle',
  'blocking',
]);

const RESOURCE_LIMITS = Object.freeze([
  'maxOldGenerationSizeMb',
  'maxYoungGenerationSizeMb',
  'codeRangeSizeMb',
  'stackSizeMb',
]);

/** @type {(value: unknown, path: string) => number} */
const countOrUnlimited = (value, at) =>
  value === Number.POSITIVE_INFINITY ? value : check.nonNegativeInteger(value, at);

/**
 * The absolute path of a worker file, which is resolved as `new Worker` resolves it.
 * @param {unknown} file a path, or a `file:` URL
 */
function workerFile(file) {
  if (file instanceof URL || (typeof file === 'string' && file.startsWith('file:'))) {
    return fileURLToPath(file);
  }
  if (typeof file !== 'string') throw invalidArgType('a path or a file URL', 'file', file);
  return path.resolve(check.nonEmptyString(file, 'file'));
}

/**
 * Checks the constructor's options.
 * @param {unknown} file
 * @param {unknown} options
 */
function poolOptions(file, options) {
  const at = 'options';
  const given = check.options(options, at, OPTIONS);
  /** @type {<T>(name: string, parse: (value: unknown, path: string) => T) => T | undefined} */
  const optional = (name, parse) => (given[name] === undefined ? undefined : parse(given[name], `${at}.${name}`));
  const maxWorkers = optional('maxWorkers', check.positiveInteger);
  const minWorkers = optional('minWorkers', check.nonNegativeInteger);
  if (minWorkers !== undefined && minWorkers > (maxWorkers ?? 8)) {
    throw outOfRange('at most maxWorkers', `${at}.minWorkers`, minWorkers);
  }
  const recycle = optional('recycle', recycleOptions);
  const resourceLimits = optional('resourceLimits', resourceLimitOptions);
  return {
    native: {
      name: optional('name', check.nonEmptyString)?.toWellFormed(),
      file: workerFile(file),
      maxWorkers,
      minWorkers,
      reuseWorkers: optional('reuseWorkers', check.boolean),
      timeout: optional('timeout', check.positiveNumber),
      maxQueue: optional('maxQueue', countOrUnlimited),
      idleTimeoutMs: optional('idleTimeoutMs', check.nonNegativeNumber),
      concurrentTasksPerWorker: optional('concurrentTasksPerWorker', check.positiveInteger),
      resourceLimits: resourceLimits && JSON.stringify(resourceLimits),
      blocking: optional('blocking', check.boolean),
      maxTasks: recycle?.maxTasks,
      maxHeapMB: recycle?.maxHeapMB,
    },
    name: given.name,
    resourceLimits,
  };
}

/**
 * Checks the argument of `resize`. A smaller maximum takes the minimum along.
 * @param {unknown} options
 * @param {{ max: number, min: number }} now
 */
function resizeOptions(options, now) {
  const given = check.options(options, 'options', ['maxWorkers', 'minWorkers']);
  const max = check.positiveInteger(given.maxWorkers ?? now.max, 'options.maxWorkers');
  const min = check.nonNegativeInteger(given.minWorkers ?? Math.min(now.min, max), 'options.minWorkers');
  if (min > max) throw outOfRange('at most maxWorkers', 'options.minWorkers', min);
  return { max, min };
}

/** @param {unknown} recycle @param {string} at */
function recycleOptions(recycle, at) {
  if (!check.isPlainObject(recycle)) throw invalidArgType('a plain object', at, recycle);
  const { maxTasks, maxHeapMB } = check.options(recycle, at, ['maxTasks', 'maxHeapMB']);
  return {
    maxTasks: maxTasks === undefined ? undefined : check.positiveInteger(maxTasks, `${at}.maxTasks`),
    maxHeapMB: maxHeapMB === undefined ? undefined : check.positiveFiniteNumber(maxHeapMB, `${at}.maxHeapMB`),
  };
}

/** @param {unknown} limits @param {string} at */
function resourceLimitOptions(limits, at) {
  if (!check.isPlainObject(limits)) throw invalidArgType('a plain object', at, limits);
  const given = check.options(limits, at, RESOURCE_LIMITS);
  for (const [name, value] of Object.entries(given)) check.positiveFiniteNumber(value, `${at}.${name}`);
  // In one order, so that equal limits are equal words.
  return Object.fromEntries(Object.entries(given).sort());
}

/**
 * @typedef {object} TaskOptions
 * @property {number} priority
 * @property {number} retries
 * @property {number} timeout less than 0 for the pool's
 * @property {Backoff | undefined} backoff
 * @property {AbortSignal | undefined} signal
 * @property {readonly any[] | undefined} transferList
 * @property {((value: any) => void) | undefined} onProgress
 */

/** @type {TaskOptions} */
const TASK_DEFAULTS = Object.freeze({
  priority: PRIORITY.NORMAL,
  retries: RETRIES,
  timeout: -1,
  backoff: undefined,
  signal: undefined,
  transferList: undefined,
  onProgress: undefined,
});

const TASK_OPTIONS = Object.freeze([
  'priority',
  'retries',
  'timeout',
  'backoff',
  'signal',
  'transferList',
  'onProgress',
]);

/**
 * Checks the options of one task.
 * @param {unknown} options
 * @returns {TaskOptions}
 */
function taskOptions(options) {
  if (options === undefined) return TASK_DEFAULTS;
  const given = check.options(options, 'options', TASK_OPTIONS);
  const { priority, retries, timeout, backoff, signal, transferList, onProgress } = given;
  if (priority !== undefined) {
    if (typeof priority !== 'number') throw invalidArgType('a safe integer', 'options.priority', priority);
    if (!Number.isSafeInteger(priority)) throw outOfRange('a safe integer', 'options.priority', priority);
  }
  if (retries !== undefined && check.nonNegativeInteger(retries, 'options.retries') > MAX_RETRIES) {
    throw outOfRange(`at most ${MAX_RETRIES}`, 'options.retries', retries);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidArgType('an AbortSignal', 'options.signal', signal);
  }
  if (transferList !== undefined && !Array.isArray(transferList)) {
    throw invalidArgType('an array', 'options.transferList', transferList);
  }
  return {
    priority: priority ?? PRIORITY.NORMAL,
    retries: retries ?? RETRIES,
    timeout: timeout === undefined ? -1 : check.positiveNumber(timeout, 'options.timeout'),
    backoff: backoff === undefined ? undefined : backoffOptions(backoff, 'options.backoff'),
    signal,
    transferList: transferList?.length === 0 ? undefined : transferList,
    onProgress: onProgress === undefined ? undefined : check.function_(onProgress, 'options.onProgress'),
  };
}

/** @param {unknown} backoff milliseconds of the first wait, or an object @param {string} at */
function backoffOptions(backoff, at) {
  if (typeof backoff === 'number') return { ...BACKOFF, initialMs: check.nonNegativeNumber(backoff, at) };
  if (!check.isPlainObject(backoff)) throw invalidArgType('a number or a plain object', at, backoff);
  /** @type {Backoff} */
  const policy = { ...BACKOFF, ...check.options(backoff, at, Object.keys(BACKOFF)) };
  check.nonNegativeNumber(policy.initialMs, `${at}.initialMs`);
  check.nonNegativeNumber(policy.maxMs, `${at}.maxMs`);
  if (!(check.positiveFiniteNumber(policy.factor, `${at}.factor`) >= 1)) {
    throw outOfRange('a number of at least 1', `${at}.factor`, policy.factor);
  }
  if (check.nonNegativeNumber(policy.jitter, `${at}.jitter`) > 1) {
    throw outOfRange('a number from 0 to 1', `${at}.jitter`, policy.jitter);
  }
  return policy;
}

module.exports = { PRIORITY, poolOptions, resizeOptions, taskOptions };
