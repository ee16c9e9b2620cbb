'use strict';

// Work that is asked for over HTTP: jobs, batches, tasks, compression. What runs is what the application has registered.

const check = require('../validate.js');
const { Refusal, badRequest, notFound } = require('./router-errors.js');

/** @typedef {import('./router-endpoints.js').Call} Call */

/** Options of jobs, tasks and batches that may come from outside. Others are functions, files or not theirs to set. */
const JOB_OPTIONS = ['priority', 'timeout', 'delayMs', 'retries', 'group', 'id'];
const TASK_OPTIONS = ['priority', 'timeout'];
const BATCH_OPTIONS = [
  'batchSize',
  'maxConcurrency',
  'processingTimeout',
  'retries',
  'retryDelay',
  'atomic',
  'maxResults',
];

/** @param {Record<string, any>} body @param {readonly string[]} known */
const fields = (body, known) => check.options(body, 'body', known);

/** @param {Call} call */
async function submitJob({ body, services }) {
  const { jobType, data, options } = fields(body, ['jobType', 'data', 'options']);
  check.nonEmptyString(jobType, 'body.jobType');
  // A queue takes jobs that nobody works on yet; from outside they would only fill it.
  if (Array.isArray(services.jobs.types) && !services.jobs.types.includes(jobType)) {
    throw badRequest('ERR_UNKNOWN_JOB_TYPE', 'No processor is registered for jobs of this type');
  }
  const given = check.options(options, 'body.options', JOB_OPTIONS);
  const { jobId, status } = await services.jobs.submitJob(jobType, data, given);
  return { status: 202, data: { jobId, status }, beside: { jobId } };
}

/** @param {Call} call */
async function getJob({ params: [id], services }) {
  const job = await services.jobs.getJob(id);
  if (job === undefined || job === null) throw notFound('ERR_JOB_NOT_FOUND', 'There is no such job');
  return { data: job };
}

/** @param {Call} call */
async function cancelJob({ params: [id], services }) {
  const job = await services.jobs.getJob(id);
  if (job === undefined || job === null) throw notFound('ERR_JOB_NOT_FOUND', 'There is no such job');
  const cancelled = await services.jobs.cancelJob(id);
  if (cancelled === false) throw new Refusal(409, 'ERR_JOB_FINISHED', 'The job has ended already');
  return { data: { jobId: id, cancelled: true } };
}

/**
 * A processor by its name: one that the router was given, or one that the engine knows. The engine would take a text for a
 * file, so nothing but a known name reaches it.
 * @param {Call} call
 * @param {unknown} name
 */
function processorOf({ services, settings }, name) {
  const known = (/** @type {string} */ wanted) =>
    Object.hasOwn(settings.processors, wanted)
      ? settings.processors[wanted]
      : services.batch.processors.includes(wanted)
        ? wanted
        : undefined;
  if (name === undefined) {
    const preset = known('default');
    if (preset === undefined) throw badRequest('ERR_PROCESSOR_MISSING', 'Expected the name of a registered processor');
    return preset;
  }
  const processor = known(check.string(name, 'body.processor'));
  if (processor === undefined) {
    throw badRequest('ERR_UNKNOWN_PROCESSOR', 'No processor is registered under this name; source text is never run');
  }
  return processor;
}

/** @param {Call} call */
async function submitBatch(call) {
  const { data, processor, options } = fields(call.body, ['data', 'processor', 'options']);
  if (!Array.isArray(data)) throw badRequest('ERR_INVALID_ARG_TYPE', 'Expected an array for body.data');
  const given = check.options(options, 'body.options', BATCH_OPTIONS);
  const { batchId, status } = await call.services.batch.submitBatch(data, processorOf(call, processor), given);
  return { status: 202, data: { batchId, status }, beside: { batchId } };
}

/** @param {Call} call */
async function getBatch({ params: [id], services }) {
  const status = await services.batch.getBatchStatus(id);
  if (status === undefined) throw notFound('ERR_BATCH_NOT_FOUND', 'There is no such batch');
  return { data: status };
}

/** @param {Call} call */
async function runTask({ body, services, signal }) {
  const { taskType, data, options } = fields(body, ['taskType', 'data', 'options']);
  check.nonEmptyString(taskType, 'body.taskType');
  const given = check.options(options, 'body.options', TASK_OPTIONS);
  return { data: await services.parallel.executeTask(taskType, data, { ...given, signal }) };
}

/** @param {Call} call */
async function compress({ body, services }) {
  const { data, algorithm } = fields(body, ['data', 'algorithm']);
  if (data === undefined) throw badRequest('ERR_INVALID_ARG_TYPE', 'Expected a value for body.data');
  // As base64: `data` holds bytes.
  return { data: await services.memory.compress(data, algorithm) };
}

module.exports = { cancelJob, compress, getBatch, getJob, runTask, submitBatch, submitJob };
