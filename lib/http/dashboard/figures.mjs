// What is shown of a sample, and how: the one list of charts and tiles.

import { bytes, count, milliseconds, percent, perSecond } from './format.mjs';

/**
 * A sample as the columns that the history has, too.
 * @param {any} sample
 * @returns {Record<string, number | null>}
 */
export function flatten(sample) {
  const { latency, memory, eventLoop, cache, pools = [] } = sample;
  const columns = {
    score: sample.score,
    'latency.avg': latency?.avg,
    'latency.p50': latency?.p50,
    'latency.p95': latency?.p95,
    'latency.p99': latency?.p99,
    throughput: sample.throughput,
    errorRate: sample.errorRate,
    cpu: sample.cpu,
    'memory.rss': memory?.rss,
    'memory.heapUsed': memory?.heapUsed,
    'memory.limit': memory?.limit,
    'memory.usage': memory?.usage,
    'eventLoop.p50': eventLoop?.p50,
    'eventLoop.p99': eventLoop?.p99,
    'eventLoop.utilization': eventLoop?.utilization,
    'cache.hitRate': cache?.hitRate,
    'pools.busy': pools.reduce((sum, { busy }) => sum + (busy ?? 0), 0),
    'queue.length': sample.queueLength,
    connections: sample.connections,
  };
  for (const { name, hitRate } of cache?.levels ?? []) columns[`cache.${name}`] = hitRate;
  return columns;
}

/** The lines of the hit rates: together, and one for each level, as far as colors reach. @param {string[]} keys */
export function hitRateLines(keys) {
  const levels = keys.filter((key) => key !== 'cache.hitRate').sort();
  return ['cache.hitRate', ...levels].slice(0, 5).map((key, index) => ({
    key,
    label: key === 'cache.hitRate' ? 'all' : key.slice('cache.'.length),
    hue: index + 1,
  }));
}

export const LATENCY = {
  title: 'Latency',
  format: milliseconds,
  floor: 1,
  lines: [
    { key: 'latency.p50', label: 'p50', hue: 1 },
    { key: 'latency.p95', label: 'p95', hue: 2 },
    { key: 'latency.p99', label: 'p99', hue: 3 },
  ],
};

export const THROUGHPUT = {
  title: 'Requests',
  format: perSecond,
  floor: 1,
  lines: [{ key: 'throughput', label: 'per second', hue: 1 }],
};

export const ERRORS = {
  title: 'Error rate',
  format: percent,
  floor: 0.01,
  lines: [{ key: 'errorRate', label: 'of requests', hue: 3 }],
};

export const HIT_RATE = { title: 'Cache hit rate', format: percent, ceiling: 1 };

export const MEMORY = {
  title: 'Memory',
  format: bytes,
  floor: 1 << 20,
  steps: Array.from({ length: 40 }, (_, exponent) => 2 ** exponent),
  lines: [
    { key: 'memory.rss', label: 'resident', hue: 1 },
    { key: 'memory.heapUsed', label: 'JavaScript heap', hue: 2 },
    { key: 'memory.limit', label: 'limit', hue: 5, dashed: true },
  ],
};

export const EVENT_LOOP = {
  title: 'Event-loop delay',
  format: milliseconds,
  floor: 5,
  lines: [
    { key: 'eventLoop.p50', label: 'p50', hue: 1 },
    { key: 'eventLoop.p99', label: 'p99', hue: 2 },
  ],
};

export const CPU = {
  title: 'Processor and event loop',
  format: percent,
  floor: 1,
  lines: [
    { key: 'cpu', label: 'processor', hue: 1 },
    { key: 'eventLoop.utilization', label: 'loop busy', hue: 2 },
  ],
};

export const QUEUES = {
  title: 'Queues and pools',
  format: count,
  floor: 4,
  lines: [
    { key: 'queue.length', label: 'waiting', hue: 2 },
    { key: 'pools.busy', label: 'busy', hue: 1 },
  ],
};

/** The eight figures of a summary. `warn` and `bad` are bounds; `low` says that less is worse. */
export const TILES = [
  { key: 'responseTime', label: 'Response time', format: milliseconds, warn: 500, bad: 1000 },
  { key: 'throughput', label: 'Throughput', format: perSecond },
  { key: 'errorRate', label: 'Error rate', format: percent, warn: 0.01, bad: 0.05 },
  { key: 'cacheHitRate', label: 'Cache hit rate', format: percent, warn: 0.8, bad: 0.7, low: true },
  { key: 'memoryUsage', label: 'Memory', format: percent, warn: 0.7, bad: 0.8 },
  { key: 'cpuUsage', label: 'Processor', format: percent, warn: 0.6, bad: 0.8 },
  { key: 'activeConnections', label: 'Connections', format: count },
  { key: 'queueLength', label: 'Waiting jobs', format: count, warn: 50, bad: 100 },
];

/** @param {number | null | undefined} value @param {{ warn?: number, bad?: number, low?: boolean }} bounds */
export function level(value, { warn, bad, low = false }) {
  if (typeof value !== 'number') return undefined;
  const beyond = (bound) => bound !== undefined && (low ? value < bound : value > bound);
  return beyond(bad) ? 'bad' : beyond(warn) ? 'warn' : undefined;
}
