'use strict';

// The description that is served as openapi.json. Every endpoint of the table has its words here; a test compares the two,
// and real answers with the schemas.

const { version } = require('../../package.json');
const { ENDPOINTS } = require('./router-endpoints.js');
const { LIMITS } = require('./router-tests.js');
const s = require('./openapi-schemas.js');

const limited = (/** @type {number} */ maximum) => ({ type: 'integer', minimum: 1, maximum });

const jobOptions = s.body(
  {
    priority: { type: 'integer', description: 'Larger first' },
    timeout: s.positive,
    delayMs: { type: 'number', minimum: 0 },
    retries: s.integer,
    group: s.string,
    id: s.string,
  },
  ['priority', 'timeout', 'delayMs', 'retries', 'group', 'id'],
);
const taskOptions = s.body({ priority: { type: 'integer' }, timeout: s.positive }, ['priority', 'timeout']);
const batchOptions = s.body(
  {
    batchSize: { type: 'integer', minimum: 1 },
    maxConcurrency: { type: 'integer', minimum: 1 },
    processingTimeout: s.positive,
    retries: s.integer,
    retryDelay: { type: 'number', minimum: 0 },
    atomic: s.boolean,
    maxResults: { type: 'number', minimum: 0 },
  },
  ['batchSize', 'maxConcurrency', 'processingTimeout', 'retries', 'retryDelay', 'atomic', 'maxResults'],
);
const runBody = s.body(
  {
    wait: { type: 'boolean', description: 'Whether to answer when everything was measured' },
    areas: s.list({ enum: ['cache', 'connections', 'memory', 'queries', 'queues'] }),
  },
  ['wait', 'areas'],
);
const processMemory = s.object({ heapUsed: s.integer, heapTotal: s.integer, external: s.integer, rss: s.integer });

/**
 * @typedef {object} Words
 * @property {string} summary
 * @property {string} tag
 * @property {object} [data] schema of `data`
 * @property {object} [body] schema of the body
 * @property {Record<string, object>} [beside] schemas of what stands beside `data`
 * @property {number} [status] of success
 * @property {{ name: string, schema: object }[]} [query]
 * @property {Record<string, object>} [content] instead of the envelope, by media type
 * @property {Record<string, { description: string, data: object }>} [also] other answers in the envelope
 */

/** @type {Readonly<Record<string, Words>>} */
const WORDS = Object.freeze({
  'GET /cache/stats': { tag: 'cache', summary: 'Statistics of the cache', data: s.ref('CacheUsage') },
  'POST /cache/set': {
    ...{ tag: 'cache', summary: 'Store a value; ttl in milliseconds' },
    body: s.body({ key: s.key, value: s.anything, ttl: s.positive }, ['ttl']),
    data: s.object({ key: s.string, stored: s.boolean }),
  },
  'GET /cache/get/:key': { tag: 'cache', summary: 'The value of a key', data: s.anything },
  'DELETE /cache/clear': { tag: 'cache', summary: 'Clear the cache', data: s.object({ cleared: s.boolean }) },
  'DELETE /cache': { tag: 'cache', summary: 'Clear the cache', data: s.object({ cleared: s.boolean }) },
  'DELETE /cache/pattern': {
    ...{
      tag: 'cache',
      summary: 'Delete the keys that a glob means, or a name and all that begins with it and a colon',
    },
    body: s.body({ pattern: s.key }),
    data: s.object({ pattern: s.string, deleted: s.integer }),
  },
  'POST /cache/optimize': {
    ...{ tag: 'cache', summary: 'Remove what nobody can need any more' },
    data: s.object({ examined: s.integer, removed: s.integer, freedBytes: s.integer, memoryUsage: s.integer }),
  },
  'POST /async/job': {
    ...{ tag: 'jobs', summary: 'Submit a job', status: 202, beside: { jobId: s.string } },
    body: s.body({ jobType: { type: 'string', minLength: 1 }, data: s.anything, options: jobOptions }, [
      'data',
      'options',
    ]),
    data: s.object({ jobId: s.string, status: s.string }),
  },
  'GET /async/job/:jobId': { tag: 'jobs', summary: 'A job, with its result', data: s.named },
  'DELETE /async/job/:jobId': {
    ...{ tag: 'jobs', summary: 'Cancel a job' },
    data: s.object({ jobId: s.string, cancelled: s.boolean }),
  },
  'POST /batch/process': {
    ...{ tag: 'batch', summary: 'Process data in batches, by a registered processor', status: 202 },
    beside: { batchId: s.string },
    body: s.body(
      {
        data: s.list(s.anything),
        processor: { type: 'string', description: 'A registered name' },
        options: batchOptions,
      },
      ['processor', 'options'],
    ),
    data: s.object({ batchId: s.string, status: s.string }),
  },
  'GET /batch/:batchId': { tag: 'batch', summary: 'A batch, with its results', data: s.named },
  'POST /parallel/task': {
    ...{ tag: 'parallel', summary: 'Run a task on other threads' },
    body: s.body({ taskType: { type: 'string', minLength: 1 }, data: s.anything, options: taskOptions }, [
      'data',
      'options',
    ]),
    data: s.anything,
  },
  'GET /memory/stats': {
    ...{ tag: 'memory', summary: 'What memory is used for' },
    data: s.object({
      current: processMemory,
      tracking: s.object({
        memoryUsage: s.integer,
        memoryPeak: s.integer,
        allocationCount: s.integer,
        deallocationCount: s.integer,
      }),
      pools: s.object({
        objectPools: s.integer,
        bufferPools: s.integer,
        lazyCache: s.integer,
        compressionCache: s.integer,
      }),
    }),
  },
  'POST /memory/compress': {
    ...{ tag: 'memory', summary: 'Compress data; the bytes come back as base64' },
    body: s.body({ data: s.anything, algorithm: { enum: ['gzip', 'deflate', 'brotli', 'lz4', 'zstd'] } }, [
      'algorithm',
    ]),
    data: s.object({
      data: { type: 'string', contentEncoding: 'base64' },
      algorithm: s.string,
      originalSize: s.integer,
      compressedSize: s.integer,
      ratio: s.number,
    }),
  },
  'GET /monitoring/summary': {
    ...{ tag: 'monitoring', summary: 'Figures of the monitoring engine; rates in percent' },
    data: s.object({
      timestamp: s.number,
      system: s.object({ cpu: s.number, memory: s.integer, uptime: s.number }),
      application: s.object({
        requests: s.integer,
        responses: s.integer,
        errors: s.integer,
        errorRate: s.number,
        responseTime: s.number,
        throughput: s.number,
      }),
      database: s.object({ queries: s.integer, queryTime: s.number }),
      cache: s.object({ hits: s.integer, misses: s.integer, hitRate: s.number }),
      ml: s.object({ predictions: s.integer, accuracy: s.number }),
      alerts: s.integer,
    }),
  },
  'GET /monitoring/alerts': {
    tag: 'monitoring',
    summary: 'Alerts of the monitoring engine',
    data: s.list(s.ref('Alert')),
  },
  'GET /monitoring/export': {
    ...{ tag: 'monitoring', summary: 'The history as JSON or CSV' },
    query: [{ name: 'format', schema: { enum: ['json', 'csv'], default: 'json' } }],
    content: {
      'application/json': s.object({
        timestamp: s.number,
        summary: s.named,
        alerts: s.list(s.anything),
        metrics: s.named,
      }),
      'text/csv': s.string,
    },
  },
  'POST /monitoring/alert/:id/resolve': {
    ...{ tag: 'monitoring', summary: 'End an alert, of whatever source' },
    data: s.object({ id: s.string, resolved: s.boolean }),
  },
  'POST /test/load': {
    ...{ tag: 'tests', summary: 'Run a load test against a path of this application' },
    body: s.body(
      {
        requests: limited(LIMITS.requests),
        concurrency: limited(LIMITS.concurrency),
        endpoint: { type: 'string', pattern: '^/(?![/\\\\])' },
      },
      ['requests', 'concurrency', 'endpoint'],
    ),
    data: s.ref('LoadTest'),
  },
  'POST /test/memory': {
    ...{ tag: 'tests', summary: 'Run a memory test' },
    body: s.body({ iterations: limited(LIMITS.iterations), dataSize: limited(LIMITS.dataSize) }, [
      'iterations',
      'dataSize',
    ]),
    data: s.object({ memoryIncrease: s.number }),
  },
  'GET /summary': { tag: 'performance', summary: 'Score, metrics, alerts, advice', data: s.ref('Summary') },
  'GET /metrics': {
    ...{ tag: 'metrics', summary: 'All metrics' },
    data: s.object({
      timestamp: s.number,
      system: s.ref('SystemMetrics'),
      application: s.ref('ApplicationMetrics'),
      performance: s.nullable(s.ref('PerformanceMetrics')),
    }),
  },
  'GET /metrics/system': { tag: 'metrics', summary: 'Metrics of process and machine', data: s.ref('SystemMetrics') },
  'GET /metrics/application': {
    tag: 'metrics',
    summary: 'Metrics of the application',
    data: s.ref('ApplicationMetrics'),
  },
  'GET /metrics/prometheus': {
    ...{ tag: 'metrics', summary: 'A scrape, in the format that Accept asks for' },
    content: {
      'text/plain': s.string,
      'application/openmetrics-text': s.string,
      'application/vnd.google.protobuf': s.string,
    },
  },
  'DELETE /metrics': { tag: 'metrics', summary: 'Set all metrics to 0', data: s.object({ reset: s.boolean }) },
  'GET /report': {
    ...{ tag: 'performance', summary: 'The last five minutes' },
    data: s.object({
      timestamp: s.number,
      period: s.object({ from: s.number, to: s.number, points: s.integer }),
      score: s.number,
      status: s.string,
      metrics: s.ref('PerformanceMetrics'),
      averages: s.mapOf(s.object({ avg: s.number, min: s.number, max: s.number })),
      latency: s.nullable(s.named),
      trends: s.mapOf(s.ref('Trend')),
      endpoints: s.named,
      alerts: s.list(s.ref('Alert')),
      recommendations: s.list(s.ref('Advice')),
      optimizations: s.list(s.ref('Optimization')),
    }),
  },
  'GET /history': {
    ...{ tag: 'performance', summary: 'Points of the history, the oldest first' },
    query: [{ name: 'limit', schema: { ...limited(100_000), default: 100 } }],
    data: s.list(s.ref('Point')),
  },
  'GET /health': {
    ...{ tag: 'performance', summary: 'Whether the server can do its work, and if not, why' },
    data: s.ref('Health'),
    also: { 503: { description: 'It cannot', data: s.ref('Health') } },
  },
  'DELETE /alerts': { tag: 'performance', summary: 'End all alerts', data: s.object({ cleared: s.integer }) },
  'GET /dashboard': {
    ...{ tag: 'performance', summary: 'Everything that the dashboard begins with' },
    data: s.object({
      timestamp: s.number,
      server: s.object({ pid: s.integer, node: s.string, hotpath: s.string, platform: s.string, uptime: s.number }),
      services: s.list(s.string),
      summary: s.nullable(s.ref('Summary')),
      health: s.nullable(s.ref('Health')),
      live: s.ref('Sample'),
      recent: s.list(s.ref('Sample')),
      history: s.ref('Series'),
      trends: s.mapOf(s.ref('Trend')),
      alerts: s.list(s.ref('Alert')),
      optimization: s.nullable(
        s.object({
          auto: s.boolean,
          running: s.boolean,
          config: s.ref('OptimizationConfig'),
          recommendations: s.list(s.ref('Recommendation')),
          history: s.list(s.ref('Optimization')),
        }),
      ),
      allowed: s.mapOf(s.boolean),
    }),
  },
  'GET /optimization/history': {
    ...{ tag: 'optimization', summary: 'What was done and measured, the newest first' },
    query: [{ name: 'limit', schema: { ...limited(500), default: 50 } }],
    data: s.list(s.ref('Optimization')),
  },
  'GET /optimization/recommendations': {
    ...{ tag: 'optimization', summary: 'What could be made better' },
    data: s.list(s.ref('Recommendation')),
  },
  'POST /optimization/run': {
    ...{ tag: 'optimization', summary: 'Try what is due', status: 202, body: runBody, data: s.ref('OptimizationRun') },
    also: { 200: { description: 'Everything was measured', data: s.ref('OptimizationRun') } },
  },
  'POST /optimization/force': {
    ...{ tag: 'optimization', summary: 'Try all there is', status: 202, body: runBody, data: s.ref('OptimizationRun') },
    also: { 200: { description: 'Everything was measured', data: s.ref('OptimizationRun') } },
  },
  'GET /optimization/config': { tag: 'optimization', summary: 'The configuration', data: s.ref('OptimizationConfig') },
  'PUT /optimization/config': {
    ...{ tag: 'optimization', summary: 'Change some of the configuration' },
    body: s.partOf(s.COMPONENTS.OptimizationConfig),
    data: s.ref('OptimizationConfig'),
  },
  'PUT /optimization/auto': {
    ...{ tag: 'optimization', summary: 'Whether runs are made by schedule' },
    body: s.body({ enabled: s.boolean }),
    data: s.object({ enabled: s.boolean }),
  },
  'GET /stream': {
    ...{ tag: 'performance', summary: 'Samples and events as they happen (server-sent events)' },
    content: { 'text/event-stream': s.string },
  },
});

const ERROR = { 'application/json': { schema: s.ref('Error') } };

/** @param {string} description */
const failure = (description) => ({ description, content: ERROR });

/** @param {object} data @param {Record<string, object>} [beside] */
function envelope(data, beside = {}) {
  return { 'application/json': { schema: s.object({ success: { const: true }, data, ...beside }) } };
}

/** @param {import('./router-endpoints.js').Endpoint} endpoint @param {Words} words */
function responsesOf({ action, service, body, path }, { status = 200, data = {}, beside, content, also = {} }) {
  const success =
    content === undefined
      ? envelope(data, beside)
      : Object.fromEntries(Object.entries(content).map(([type, schema]) => [type, { schema }]));
  /** @type {Record<string, object>} */
  const responses = { [status]: { description: 'Done', content: success } };
  for (const [code, { description, data: other }] of Object.entries(also)) {
    responses[code] = { description, content: envelope(other) };
  }
  responses[400] = failure('What was asked for is wrong');
  if (action !== undefined) responses[403] = failure('Not allowed');
  if (service !== undefined || path.includes(':')) responses[404] = failure('No such service, or no such thing');
  if (body !== undefined) {
    responses[413] = failure('The body is too large');
    responses[415] = failure('The body is not application/json');
  }
  responses.default = failure('The server, or a service that it needs, failed');
  return responses;
}

/** @param {import('./router-endpoints.js').Endpoint} endpoint */
function operationOf(endpoint) {
  const { method, path, action, body } = endpoint;
  const words = WORDS[`${method} ${path}`];
  const parameters = [
    ...[...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
      name,
      in: 'path',
      required: true,
      schema: { type: 'string', minLength: 1 },
    })),
    ...(words.query ?? []).map(({ name, schema }) => ({ name, in: 'query', required: false, schema })),
  ];
  return {
    operationId: `${method.toLowerCase()}${path.replace(/[/:]+(\w)/g, (_, letter) => letter.toUpperCase())}`,
    summary: words.summary,
    tags: [words.tag],
    ...(action !== undefined && { description: `Needs to be allowed: \`${action}\`.` }),
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && {
      requestBody: { required: body === 'required', content: { 'application/json': { schema: words.body } } },
    }),
    responses: responsesOf(endpoint, words),
  };
}

/** @param {string} mount */
function openApi(mount) {
  /** @type {Record<string, Record<string, object>>} */
  const paths = {};
  for (const endpoint of ENDPOINTS) {
    const path = endpoint.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [endpoint.method.toLowerCase()]: operationOf(endpoint) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'hotpath',
      version,
      description: 'Figures of this server, and what can be done about them. GET is also answered to HEAD.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: mount }],
    paths,
    components: { schemas: s.COMPONENTS },
  };
}

module.exports = { WORDS, openApi };
