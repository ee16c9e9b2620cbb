'use strict';

// All figures of a server at one moment, and how they become columns of a history.

const native = require('../native.js');
const { cacheLevels, cacheReads, poolFigures, queueFigures, told } = require('./attached-services.js');
const { threadWatch } = require('./thread-watch.js');

/** How old the system's sample may be. */
const FRESH_MS = 500;

/** Digits that are kept of what people look at. @param {number} value */
function rounded(value) {
  return Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(4));
}

/** @param {number} value @param {boolean} known */
function knownOnly(value, known) {
  return known ? rounded(value) : null;
}

/** Hit rates of the time between two samples; one sampler for each who samples. */
class HitRates {
  /** What was counted before. @type {Map<string, { hits: number, reads: number }>} */
  #earlier = new Map();

  /**
   * The rate since what was kept last; ever, where nothing was asked since.
   * @param {string} name
   * @param {number} hits
   * @param {number} reads
   * @param {boolean} keep whether the next one begins here
   */
  rate(name, hits, reads, keep) {
    const earlier = this.#earlier.get(name) ?? { hits: 0, reads: 0 };
    if (keep) this.#earlier.set(name, { hits, reads });
    const [found, asked] = [hits - earlier.hits, reads - earlier.reads];
    // After a reset the counts are smaller than before.
    if (asked > 0 && found >= 0 && found <= asked) return { rate: found / asked, asked };
    return { rate: reads === 0 ? null : hits / reads, asked: 0 };
  }
}

function memoryFigures() {
  const { resident, memoryLimit } = native.monitorSystem(FRESH_MS);
  const { heapUsed, heapTotal, heapLimit, external } = threadWatch.latest;
  const usage = Math.max(heapUsed / heapLimit, memoryLimit > 0 ? resident / memoryLimit : 0);
  return { rss: resident, heapUsed, heapTotal, heapLimit, external, limit: memoryLimit, usage };
}

/** What the process uses of what it may use, 0 to 1. */
function memoryUsage() {
  return memoryFigures().usage;
}

function cpuUsage() {
  const { processCpu, threadCpu } = native.monitorSystem(FRESH_MS);
  return Math.max(processCpu, threadCpu);
}

/**
 * @param {Record<string, any>} services
 * @param {HitRates} rates
 * @param {number} timestamp
 * @param {boolean} [keep] whether hit rates of the next sample begin here
 */
function takeSample(services, rates, timestamp, keep = true) {
  threadWatch.sample();
  const application = services.metrics && told(() => services.metrics.getApplicationMetrics());
  const served = application !== undefined && application.requests.perMinute > 0;
  const { p50, p99, max } = threadWatch.recentDelays;
  const { hits, reads } = cacheReads(services, application);
  const { rate, asked } = rates.rate('all', hits, reads, keep);
  const levels = cacheLevels(services).map(({ name, hits: found, misses, ...level }) => {
    const ofLevel = rates.rate(`level ${name}`, found, found + misses, keep);
    return { name, hitRate: ofLevel.rate === null ? null : rounded(ofLevel.rate), hits: found, misses, ...level };
  });
  const pools = poolFigures(services);
  const queues = queueFigures(services);
  const waiting = [...pools.map(({ queue }) => queue), ...queues.map(({ pending }) => pending)];
  const memory = memoryFigures();
  const latency = application?.responseTime;
  return {
    timestamp,
    latency: served
      ? {
          avg: rounded(latency.avg),
          p50: rounded(latency.p50),
          p95: rounded(latency.p95),
          p99: rounded(latency.p99),
          max: rounded(latency.max),
        }
      : null,
    throughput: application === undefined ? null : rounded(application.requests.perSecond),
    requests: application?.requests.total ?? null,
    errorRate: application === undefined ? null : knownOnly(application.errors.rate, served),
    errors: application?.errors.total ?? null,
    cpu: rounded(cpuUsage()),
    memory: { ...memory, usage: rounded(memory.usage) },
    eventLoop: {
      p50: rounded(p50),
      p99: rounded(p99),
      max: rounded(max),
      utilization: rounded(threadWatch.latest.utilization),
    },
    cache: { hitRate: rate === null ? null : rounded(rate), asked, levels },
    pools,
    queues,
    queueLength: waiting.reduce((sum, each) => sum + each, 0),
    connections: application?.websocket.connections ?? services.webSockets?.stats?.connections ?? 0,
  };
}

/** @typedef {ReturnType<typeof takeSample> & { score: number, alerts: number }} Sample */

/** The single numbers of a sample, by the names that they have in histories. @param {Sample} sample @returns {[string, number | null][]} */
function columnsOf({ latency, memory, eventLoop, cache, pools, ...sample }) {
  return [
    ['score', sample.score],
    ['latency.avg', latency?.avg ?? null],
    ['latency.p50', latency?.p50 ?? null],
    ['latency.p95', latency?.p95 ?? null],
    ['latency.p99', latency?.p99 ?? null],
    ['throughput', sample.throughput],
    ['errorRate', sample.errorRate],
    ['cpu', sample.cpu],
    ['memory.rss', memory.rss],
    ['memory.heapUsed', memory.heapUsed],
    ['memory.limit', memory.limit],
    ['memory.usage', memory.usage],
    ['eventLoop.p50', eventLoop.p50],
    ['eventLoop.p99', eventLoop.p99],
    ['eventLoop.utilization', eventLoop.utilization],
    ['cache.hitRate', cache.hitRate],
    ...cache.levels.map(({ name, hitRate }) => /** @type {[string, number | null]} */ ([`cache.${name}`, hitRate])),
    ['pools.busy', pools.reduce((sum, { busy }) => sum + busy, 0)],
    ['queue.length', sample.queueLength],
    ['connections', sample.connections],
    ['alerts', sample.alerts],
  ];
}

/** Samples as columns. Those that lack a name have null there. @param {readonly Sample[]} samples @param {number} intervalMs */
function asColumns(samples, intervalMs) {
  /** @type {Map<string, (number | null)[]>} */
  const series = new Map();
  samples.forEach((sample, index) => {
    for (const [name, value] of columnsOf(sample)) {
      let column = series.get(name);
      if (column === undefined) {
        column = new Array(samples.length).fill(null);
        series.set(name, column);
      }
      column[index] = value;
    }
  });
  return { intervalMs, timestamps: samples.map(({ timestamp }) => timestamp), series: Object.fromEntries(series) };
}

module.exports = { HitRates, asColumns, cpuUsage, memoryUsage, takeSample };
