'use strict';

// Everything that can be asked for: method and path, what has to be allowed, whose work it is, and what is done.

const check = require('../validate.js');
const { badRequest, notFound } = require('./router-errors.js');
const { cacheStats, clearCache, deletePattern, optimizeCache, setInCache } = require('./router-cache.js');
const { loadTest, memoryTest } = require('./router-tests.js');
const { dashboardOf } = require('./router-dashboard.js');
const { cancelJob, compress, getBatch, getJob, runTask, submitBatch, submitJob } = require('./router-work.js');

/**
 * @typedef {object} Call
 * @property {any} request
 * @property {any} response
 * @property {Record<string, any>} services
 * @property {string[]} params
 * @property {URLSearchParams} query
 * @property {Record<string, any>} body
 * @property {string} mount
 * @property {AbortSignal} signal aborted when the client has gone
 * @property {import('./performance-router.js').Settings} settings
 * @property {import('./live-stream.js').LiveStream} stream
 * @property {() => any} sample
 * @property {(action: string) => Promise<boolean>} allows
 */

/**
 * @typedef {object} Answer
 * @property {number} [status]
 * @property {unknown} [data]
 * @property {Record<string, unknown>} [beside] what stands beside `data`
 * @property {string} [text] instead of the envelope
 * @property {string} [type] of the text, if it is not JSON
 */

/**
 * @typedef {object} Endpoint
 * @property {string} method
 * @property {string} path `:name` for what may stand there
 * @property {string} [action] what has to be allowed; figures need nothing
 * @property {string} [service] whose work it is
 * @property {'required' | 'optional'} [body]
 * @property {(call: Call) => Answer | undefined | Promise<Answer | undefined>} handle undefined when it has answered itself
 */

/** @param {Record<string, any>} body @param {readonly string[]} known */
const fields = (body, known) => check.options(body, 'body', known);

/** @param {URLSearchParams} query @param {number} preset @param {number} most */
function limitOf(query, preset, most) {
  const text = query.get('limit');
  if (text === null) return preset;
  if (!/^\d{1,9}$/.test(text)) throw badRequest('ERR_OUT_OF_RANGE', `Expected an integer from 1 to ${most} for limit`);
  return check.integerBetween(Number(text), 'limit', 1, most);
}

/** Alerts of all sources have different ids. @param {Call} call */
function resolveAlert({ params: [id], services }) {
  const [source, rest] = id.includes(':') ? id.split(/:(.*)/s, 2) : ['monitoring', id];
  const owner = ['monitoring', 'monitor', 'performance'].includes(source) ? services[source] : undefined;
  if (owner === undefined || rest === '' || !owner.resolveAlert(source === 'performance' ? id : rest)) {
    throw notFound('ERR_ALERT_NOT_FOUND', 'There is no open alert with this id');
  }
  return { data: { id, resolved: true } };
}

/** @param {Call} call */
async function exportMetrics({ query, response, services }) {
  const format = check.oneOf(query.get('format') ?? 'json', 'format', /** @type {const} */ (['json', 'csv']));
  const text = await services.monitoring.exportMetrics(format);
  response.setHeader('Content-Disposition', `attachment; filename="metrics.${format}"`);
  return { text, type: format === 'csv' ? 'text/csv; charset=utf-8' : undefined };
}

/** @param {Call} call */
function clearAlerts({ services }) {
  const { cleared } = services.performance.clearAlerts();
  return { data: { cleared } };
}

/** @param {Call} call */
function resetMetrics({ services, stream }) {
  services.metrics.reset();
  stream.publish('reset', { timestamp: Date.now() });
  return { data: { reset: true } };
}

/** @param {boolean} forced @returns {(call: Call) => Promise<Answer>} */
function optimize(forced) {
  return async ({ body, services }) => {
    const { wait = false, areas } = fields(body, ['wait', 'areas']);
    const options = { wait: check.boolean(wait, 'body.wait'), areas };
    const { optimization } = services;
    const run = forced ? optimization.forceOptimization(options) : optimization.runOptimization(options);
    const report = await run;
    return { status: wait ? 200 : 202, data: report };
  };
}

/** @param {Call} call */
function health({ services }) {
  const report = services.performance.health();
  return { status: report.status === 'unhealthy' ? 503 : 200, data: report };
}

/** @param {Call} call */
function allMetrics({ services }) {
  const { metrics, performance } = services;
  return {
    data: {
      timestamp: Date.now(),
      system: metrics.getSystemMetrics(),
      application: metrics.getApplicationMetrics(),
      performance: performance?.getSummary().metrics ?? null,
    },
  };
}

/** @type {readonly Endpoint[]} */
const ENDPOINTS = Object.freeze(
  /** @type {any[]} */ ([
    // Document 002.
    { method: 'GET', path: '/cache/stats', service: 'cache', handle: cacheStats },
    {
      method: 'POST',
      path: '/cache/set',
      action: 'cache.write',
      service: 'cache',
      body: 'required',
      handle: setInCache,
    },
    {
      ...{ method: 'GET', path: '/cache/get/:key', action: 'cache.read', service: 'cache' },
      handle: async (/** @type {Call} */ { params: [key], services }) => {
        const value = await services.cache.get(key);
        if (value === undefined || value === null)
          throw notFound('ERR_KEY_NOT_FOUND', 'Nothing is cached under this key');
        return { data: value };
      },
    },
    { method: 'DELETE', path: '/cache/clear', action: 'cache.clear', service: 'cache', handle: clearCache },
    { method: 'POST', path: '/async/job', action: 'jobs.submit', service: 'jobs', body: 'required', handle: submitJob },
    { method: 'GET', path: '/async/job/:jobId', action: 'jobs.read', service: 'jobs', handle: getJob },
    { method: 'DELETE', path: '/async/job/:jobId', action: 'jobs.cancel', service: 'jobs', handle: cancelJob },
    {
      method: 'POST',
      path: '/batch/process',
      action: 'batch.submit',
      service: 'batch',
      body: 'required',
      handle: submitBatch,
    },
    { method: 'GET', path: '/batch/:batchId', action: 'batch.read', service: 'batch', handle: getBatch },
    {
      method: 'POST',
      path: '/parallel/task',
      action: 'parallel.run',
      service: 'parallel',
      body: 'required',
      handle: runTask,
    },
    {
      ...{ method: 'GET', path: '/memory/stats', service: 'memory' },
      handle: (/** @type {Call} */ { services }) => ({ data: services.memory.getStats() }),
    },
    {
      method: 'POST',
      path: '/memory/compress',
      action: 'memory.compress',
      service: 'memory',
      body: 'required',
      handle: compress,
    },
    {
      ...{ method: 'GET', path: '/monitoring/summary', service: 'monitoring' },
      handle: (/** @type {Call} */ { services }) => ({ data: services.monitoring.getSummary() }),
    },
    {
      ...{ method: 'GET', path: '/monitoring/alerts', service: 'monitoring' },
      handle: (/** @type {Call} */ { services }) => ({ data: services.monitoring.getAlerts() }),
    },
    { method: 'GET', path: '/monitoring/export', service: 'monitoring', handle: exportMetrics },
    { method: 'POST', path: '/monitoring/alert/:id/resolve', action: 'alerts.resolve', handle: resolveAlert },
    { method: 'POST', path: '/test/load', action: 'test.load', body: 'required', handle: loadTest },
    { method: 'POST', path: '/test/memory', action: 'test.memory', body: 'required', handle: memoryTest },
    // Document 004.
    {
      ...{ method: 'GET', path: '/summary', service: 'performance' },
      handle: (/** @type {Call} */ { services }) => ({ data: services.performance.getSummary() }),
    },
    { method: 'GET', path: '/metrics', service: 'metrics', handle: allMetrics },
    {
      ...{ method: 'GET', path: '/metrics/system', service: 'metrics' },
      handle: (/** @type {Call} */ { services }) => ({ data: services.metrics.getSystemMetrics() }),
    },
    {
      ...{ method: 'GET', path: '/metrics/application', service: 'metrics' },
      handle: (/** @type {Call} */ { services }) => ({ data: services.metrics.getApplicationMetrics() }),
    },
    {
      ...{ method: 'GET', path: '/metrics/prometheus', service: 'metrics' },
      handle: (/** @type {Call} */ { request, response, services }) => {
        response.setHeader('Cache-Control', 'no-store');
        if (request.method === 'HEAD') {
          response.setHeader('Content-Type', services.metrics.contentType());
          return response.end();
        }
        services.metrics.scrape(request, response);
      },
    },
    {
      ...{ method: 'GET', path: '/report', service: 'performance' },
      handle: (/** @type {Call} */ { services }) => ({ data: services.performance.getReport() }),
    },
    {
      ...{ method: 'GET', path: '/history', service: 'performance' },
      handle: (/** @type {Call} */ { query, services }) => ({
        data: services.performance.getHistory(limitOf(query, 100, 100_000)),
      }),
    },
    { method: 'DELETE', path: '/cache', action: 'cache.clear', service: 'cache', handle: clearCache },
    {
      method: 'DELETE',
      path: '/cache/pattern',
      action: 'cache.clear',
      service: 'cache',
      body: 'required',
      handle: deletePattern,
    },
    { method: 'POST', path: '/cache/optimize', action: 'cache.optimize', service: 'cache', handle: optimizeCache },
    {
      ...{ method: 'GET', path: '/optimization/history', service: 'optimization' },
      handle: (/** @type {Call} */ { query, services }) => ({
        data: services.optimization.getHistory(limitOf(query, 50, 500)),
      }),
    },
    {
      ...{ method: 'GET', path: '/optimization/recommendations', service: 'optimization' },
      handle: (/** @type {Call} */ { services }) => ({ data: services.optimization.getRecommendations() }),
    },
    {
      method: 'POST',
      path: '/optimization/run',
      action: 'optimization.run',
      service: 'optimization',
      body: 'optional',
      handle: optimize(false),
    },
    {
      method: 'POST',
      path: '/optimization/force',
      action: 'optimization.run',
      service: 'optimization',
      body: 'optional',
      handle: optimize(true),
    },
    {
      ...{ method: 'GET', path: '/optimization/config', service: 'optimization' },
      handle: (/** @type {Call} */ { services }) => ({ data: services.optimization.getConfig() }),
    },
    {
      ...{
        method: 'PUT',
        path: '/optimization/config',
        action: 'optimization.configure',
        service: 'optimization',
        body: 'required',
      },
      handle: (/** @type {Call} */ { body, services }) => ({ data: services.optimization.updateConfig(body) }),
    },
    {
      ...{
        method: 'PUT',
        path: '/optimization/auto',
        action: 'optimization.configure',
        service: 'optimization',
        body: 'required',
      },
      handle: (/** @type {Call} */ { body, services }) => {
        const { enabled } = fields(body, ['enabled']);
        services.optimization.setAuto(check.boolean(enabled, 'body.enabled'));
        return { data: { enabled } };
      },
    },
    {
      method: 'GET',
      path: '/dashboard',
      handle: async (/** @type {Call} */ call) => ({ data: await dashboardOf(call) }),
    },
    { method: 'DELETE', path: '/alerts', action: 'alerts.clear', service: 'performance', handle: clearAlerts },
    { method: 'DELETE', path: '/metrics', action: 'metrics.reset', service: 'metrics', handle: resetMetrics },
    { method: 'GET', path: '/health', service: 'performance', handle: health },
    // Ours.
    {
      ...{ method: 'GET', path: '/stream' },
      handle: (/** @type {Call} */ { request, response, stream }) => stream.open(request, response),
    },
  ]),
);

/** What the actions need. @type {ReadonlyMap<string, string | undefined>} */
const ACTIONS = new Map(
  ENDPOINTS.flatMap(({ action, service }) =>
    action === undefined ? [] : [/** @type {[string, any]} */ ([action, service])],
  ),
);

module.exports = { ACTIONS, ENDPOINTS };
