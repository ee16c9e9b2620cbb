'use strict';

// JSON Schema (2020-12, as OpenAPI 3.1 takes it) of what the endpoints take and give.

const number = { type: 'number' };
const integer = { type: 'integer', minimum: 0 };
const share = { type: 'number', minimum: 0, maximum: 1 };
const percent = { type: 'number', minimum: 0, maximum: 100 };
const string = { type: 'string' };
const boolean = { type: 'boolean' };
const anything = {};

/** @param {object} schema */
const nullable = (schema) => ({ anyOf: [schema, { type: 'null' }] });

/** @param {object} items */
const list = (items) => ({ type: 'array', items });

/** @param {string} name */
const ref = (name) => ({ $ref: `#/components/schemas/${name}` });

/**
 * An object whose properties are all there, unless they are named as optional.
 * @param {Record<string, object>} properties
 * @param {{ optional?: readonly string[], closed?: boolean }} [settings]
 */
function object(properties, { optional = [], closed = false } = {}) {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return {
    type: 'object',
    properties,
    ...(required.length > 0 && { required }),
    ...(closed && { additionalProperties: false }),
  };
}

/** A body: closed, since unknown names are refused. @param {Record<string, object>} properties @param {readonly string[]} [optional] */
const body = (properties, optional = []) => object(properties, { optional, closed: true });

const named = { type: 'object', additionalProperties: true };

/** @param {object} value */
const mapOf = (value) => ({ type: 'object', additionalProperties: value });

const durations = object({ avg: number, min: number, max: number, p50: number, p95: number, p99: number });
const key = { type: 'string', minLength: 1, maxLength: 2048 };
const atLeastOne = { type: 'integer', minimum: 1 };
const growth = { type: 'number', minimum: 1, maximum: 100 };
const positive = { type: 'number', exclusiveMinimum: 0 };

const performanceMetrics = object({
  responseTime: number,
  throughput: number,
  errorRate: share,
  cacheHitRate: share,
  memoryUsage: number,
  cpuUsage: share,
  activeConnections: number,
  queueLength: number,
});

/** A part of what an object schema describes, and no more than that. @param {any} schema @returns {object} */
function partOf({ properties }) {
  const parts = Object.entries(properties).map(([name, each]) => [
    name,
    each.properties === undefined ? each : partOf(each),
  ]);
  return { type: 'object', properties: Object.fromEntries(parts), additionalProperties: false };
}

const COMPONENTS = {
  Error: object({
    success: { const: false },
    error: object({ code: { type: 'string', pattern: '^ERR_[A-Z0-9_]+$' }, message: string }),
  }),
  CacheUsage: object({
    hits: integer,
    misses: integer,
    hitRate: share,
    size: integer,
    maxSize: integer,
    utilization: number,
    memoryUsage: integer,
  }),
  PerformanceMetrics: performanceMetrics,
  Alert: object(
    {
      id: string,
      source: { enum: ['performance', 'monitoring', 'monitor'] },
      type: string,
      metric: string,
      severity: string,
      message: string,
      value: nullable(number),
      threshold: nullable(number),
      timestamp: number,
      resolved: boolean,
    },
    { optional: ['source', 'metric', 'resolved'] },
  ),
  Advice: object({ type: string, severity: string, message: string }),
  Summary: object({
    timestamp: number,
    score: percent,
    status: { enum: ['excellent', 'good', 'fair', 'poor'] },
    metrics: ref('PerformanceMetrics'),
    alerts: list(ref('Alert')),
    recommendations: list(ref('Advice')),
  }),
  Trend: object({
    direction: { enum: ['rising', 'falling', 'steady'] },
    perHour: number,
    change: number,
    r2: number,
    pValue: share,
    points: integer,
    good: nullable(boolean),
  }),
  Point: object({ timestamp: number, score: percent, status: string, metrics: ref('PerformanceMetrics') }),
  Health: object({
    status: { enum: ['healthy', 'degraded', 'unhealthy'] },
    reasons: list(string),
    checks: list(object({ name: string, status: string, reason: string }, { optional: ['reason'] })),
    timestamp: number,
    uptime: number,
  }),
  Sample: object({
    timestamp: number,
    score: nullable(percent),
    latency: nullable(object({ avg: number, p50: number, p95: number, p99: number, max: number })),
    throughput: nullable(number),
    requests: nullable(integer),
    errorRate: nullable(share),
    errors: nullable(integer),
    cpu: share,
    memory: object({
      rss: number,
      heapUsed: number,
      heapTotal: number,
      heapLimit: number,
      external: number,
      limit: number,
      usage: number,
    }),
    eventLoop: object({ p50: number, p99: number, max: number, utilization: share }),
    cache: object({
      hitRate: nullable(share),
      asked: integer,
      levels: list(
        object({
          name: string,
          hitRate: nullable(share),
          hits: integer,
          misses: integer,
          entries: nullable(integer),
          bytes: nullable(integer),
          maxBytes: nullable(integer),
        }),
      ),
    }),
    pools: list(
      object({
        name: string,
        kind: { enum: ['workers', 'connections'] },
        busy: integer,
        total: integer,
        max: nullable(integer),
        queue: integer,
        waitP95: nullable(number),
      }),
    ),
    queues: list(object({ name: string, pending: integer, running: integer, waitP95: nullable(number) })),
    queueLength: integer,
    connections: number,
    alerts: integer,
  }),
  Series: object({
    intervalMs: positive,
    timestamps: list(number),
    series: mapOf(list(nullable(number))),
  }),
  Optimization: object({
    id: string,
    runId: string,
    timestamp: number,
    trigger: { enum: ['manual', 'scheduled', 'forced'] },
    area: { enum: ['cache', 'connections', 'memory', 'queries', 'queues'] },
    action: string,
    target: string,
    reason: string,
    change: mapOf({ type: 'array', minItems: 2, maxItems: 2 }),
    measured: string,
    unit: { enum: ['ratio', 'ms', 'bytes', 'count'] },
    before: nullable(object({ value: number, samples: number })),
    after: nullable(object({ value: number, samples: number })),
    pValue: nullable(share),
    status: { enum: ['measuring', 'kept', 'undone', 'done', 'failed'] },
    verdict: nullable({ enum: ['improved', 'worse', 'no difference', 'too little to tell'] }),
    error: nullable(string),
  }),
  Recommendation: object({
    id: string,
    area: string,
    severity: { enum: ['low', 'medium', 'high'] },
    message: string,
    action: nullable(string),
    evidence: mapOf(number),
    automatic: boolean,
  }),
  OptimizationRun: object(
    {
      runId: string,
      timestamp: number,
      trigger: string,
      actions: list(ref('Optimization')),
      duration: number,
    },
    { optional: ['duration'] },
  ),
  OptimizationConfig: object({
    auto: boolean,
    trialMs: positive,
    slices: { type: 'integer', minimum: 3, maximum: 100 },
    minSamples: atLeastOne,
    cacheOptimization: object({
      hitRateThreshold: share,
      memoryThreshold: share,
      maxGrowth: growth,
      extendTtl: boolean,
      maxTtlFactor: growth,
    }),
    connectionOptimization: object({ maxConnections: integer, maxPoolSize: atLeastOne, efficiencyThreshold: share }),
    memoryOptimization: object({ gcThreshold: share, evictShare: share }),
    queueOptimization: object({ waitMs: positive, maxWorkers: atLeastOne, maxConcurrentJobs: atLeastOne }),
    queryOptimization: object({
      slowMs: { type: 'number', minimum: 0 },
      resultCaching: boolean,
      resultTtlMs: positive,
    }),
  }),
  SystemMetrics: object({
    timestamp: number,
    uptime: number,
    cpu: named,
    memory: named,
    disk: named,
    network: named,
    eventLoop: named,
    gc: named,
    handles: named,
  }),
  ApplicationMetrics: object({
    timestamp: number,
    requests: object({ total: number, perSecond: number, perMinute: number }),
    responseTime: durations,
    errors: object({ total: number, rate: share, byType: mapOf(number) }),
    database: object({ queries: number, queryTime: durations }),
    websocket: object({ connections: number, totalConnections: number, messages: number }),
    cache: object({ hits: number, misses: number, hitRate: share }),
  }),
  LoadTest: object({
    totalRequests: integer,
    successfulRequests: integer,
    failedRequests: integer,
    successRate: percent,
    averageResponseTime: number,
    maxResponseTime: number,
    minResponseTime: number,
    totalTime: number,
    requestsPerSecond: number,
  }),
};

module.exports = {
  COMPONENTS,
  anything,
  body,
  boolean,
  integer,
  key,
  list,
  mapOf,
  named,
  nullable,
  number,
  object,
  partOf,
  positive,
  ref,
  share,
  string,
};
