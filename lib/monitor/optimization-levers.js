'use strict';

// What can be changed about a server, besides its caches: how many workers, jobs and connections there may be, and what
// happens when memory is short. A lever looks at its engines and proposes a change, or nothing.

const { poolEntries, told } = require('./attached-services.js');
const { cacheLevers, cleanUp, memoryCaches } = require('./cache-levers.js');

/** Utilisation of the processor above which more threads only get in each other's way. */
const BUSY_CPU = 0.9;
const GROWTH = 1.5;

/**
 * @typedef {object} Context
 * @property {Record<string, any>} services
 * @property {import('./optimization-config.js').Config} config
 * @property {{ rss: number, limit: number, heapUsed: number, heapLimit: number, usage: number }} memory
 * @property {number} cpu
 * @property {boolean} forced
 * @property {<T>(name: string, make: () => T) => T} state what a lever remembers
 * @property {(target: string, stats: any) => any} earlier the stats of the look before
 */

/** @typedef {import('./optimization-trial.js').Proposal} Proposal */

/** @param {any} durations what a histogram tells @param {any} earlier */
function meanSince({ count, mean }, earlier) {
  const counted = count - (earlier?.count ?? 0);
  return counted > 0 ? (count * mean - (earlier?.count ?? 0) * (earlier?.mean ?? 0)) / counted : null;
}

/** @param {{ count: number, mean: number } | undefined} durations */
function waits(durations) {
  return durations === undefined ? undefined : { sum: durations.count * durations.mean, count: durations.count };
}

/** More workers for tasks that wait. @param {Context} context @returns {Proposal[]} */
function growPools({ services, config, cpu, forced, earlier }) {
  const { waitMs, maxWorkers } = config.queueOptimization;
  return poolEntries(services.pools).flatMap(([name, pool]) => {
    const stats = typeof pool?.resize === 'function' ? told(() => pool.stats) : undefined;
    if (stats?.workers === undefined) return [];
    const { max, busy } = stats.workers;
    const wait = meanSince(stats.waitMs, earlier(`pool ${name}`, stats)?.waitMs);
    const to = Math.min(Math.max(max + 1, Math.floor(max * GROWTH)), maxWorkers);
    if (wait === null || to <= max || cpu >= BUSY_CPU) return [];
    if (!forced && (wait < waitMs || busy < max)) return [];
    return [
      {
        ...{ area: 'queues', action: 'grow-pool', target: name, better: 'lower', measured: 'wait in the queue' },
        ...{ unit: 'ms', severity: 'medium' },
        reason: `Tasks wait ${wait.toFixed(1)} ms for one of ${max} workers`,
        advice: `Give ${name} more workers: tasks wait ${wait.toFixed(1)} ms, and the processor is not busy`,
        change: { maxWorkers: [max, to] },
        evidence: { waitMs: wait, busy, pending: stats.queue.pending, cpu },
        read: () => waits(pool.stats.waitMs),
        apply: () => pool.resize({ maxWorkers: to }),
        undo: () => pool.resize({ maxWorkers: max }),
      },
    ];
  });
}

/** More jobs at a time, for jobs that wait. @param {Context} context @returns {Proposal[]} */
function growJobs({ services, config, cpu, forced, earlier }) {
  const { waitMs, maxConcurrentJobs } = config.queueOptimization;
  const { jobs } = services;
  const stats = typeof jobs?.resize === 'function' ? told(() => jobs.stats) : undefined;
  if (stats?.waitMs === undefined) return [];
  const max = stats.maxConcurrentJobs;
  const wait = meanSince(stats.waitMs, earlier('jobs', stats)?.waitMs);
  const to = Math.min(Math.max(max + 1, Math.floor(max * GROWTH)), maxConcurrentJobs);
  if (wait === null || to <= max || cpu >= BUSY_CPU || (!forced && wait < waitMs)) return [];
  return [
    {
      ...{ area: 'queues', action: 'grow-job-concurrency', target: 'jobs', better: 'lower', unit: 'ms' },
      ...{ measured: 'wait in the queue', severity: 'medium' },
      reason: `Jobs wait ${wait.toFixed(1)} ms, ${max} run at a time`,
      advice: `Let more than ${max} jobs run at a time: they wait ${wait.toFixed(1)} ms`,
      change: { maxConcurrentJobs: [max, to] },
      evidence: { waitMs: wait, cpu },
      read: () => waits(jobs.stats.waitMs),
      apply: () => jobs.resize({ maxConcurrentJobs: to }),
      undo: () => jobs.resize({ maxConcurrentJobs: max }),
    },
  ];
}

/** More connections where callers wait for one. @param {Context} context @returns {Proposal[]} */
function growConnections({ services, config, forced, earlier }) {
  const { maxPoolSize, efficiencyThreshold } = config.connectionOptimization;
  return poolEntries(services.pools).flatMap(([name, manager]) => {
    if (typeof manager?.resizePool !== 'function') return [];
    return [...manager.pools.keys()].flatMap((key, index) => {
      const metrics = manager.getPoolMetrics(key);
      const max = manager.poolSize(key);
      if (metrics === undefined || max === undefined) return [];
      const target = manager.pools.size === 1 ? name : `${name} ${index + 1}`;
      const before = earlier(`connections ${key}`, metrics);
      const asked = metrics.acquires - (before?.acquires ?? 0);
      if (asked <= 0) return [];
      const atOnce =
        (metrics.acquires * metrics.poolEfficiency - (before ? before.acquires * before.poolEfficiency : 0)) / asked;
      const to = Math.min(Math.max(max + 1, Math.floor(max * GROWTH)), maxPoolSize);
      if (to <= max || (!forced && atOnce >= efficiencyThreshold)) return [];
      const share = (atOnce * 100).toFixed(1);
      return [
        {
          ...{ area: 'connections', action: 'grow-connections', target, better: 'higher', unit: 'ratio' },
          ...{ measured: 'acquires without waiting', severity: 'medium' },
          reason: `Only ${share}% of the callers had a connection at once`,
          advice: `Allow ${target} more than ${max} connections: ${share}% of its callers had one at once`,
          change: { max: [max, to] },
          evidence: { poolEfficiency: atOnce, waiting: metrics.waiting },
          read: () => {
            const { acquires, poolEfficiency } = manager.getPoolMetrics(key);
            return { sum: acquires * poolEfficiency, count: acquires };
          },
          apply: () => manager.resizePool(key, to),
          undo: () => manager.resizePool(key, max),
        },
      ];
    });
  });
}

/** Closes what nobody uses when there are too many WebSockets. @param {Context} context @returns {Proposal[]} */
function cleanConnections({ services, config }) {
  const { maxConnections } = config.connectionOptimization;
  const { webSockets, metrics } = services;
  const open = webSockets?.stats?.connections ?? told(() => metrics.getApplicationMetrics().websocket.connections) ?? 0;
  if (open <= maxConnections || typeof webSockets?.cleanupInactiveConnections !== 'function') return [];
  return [
    {
      ...{ area: 'connections', action: 'close-inactive', target: 'webSockets', better: 'lower', unit: 'count' },
      ...{ measured: 'open connections', severity: 'medium' },
      reason: `${open} connections are open, more than ${maxConnections}`,
      advice: 'Close connections that nobody uses',
      change: {},
      evidence: { connections: open },
      read: () => ({ gauge: webSockets.stats.connections }),
      apply: () => webSockets.cleanupInactiveConnections(),
      undo: () => {},
      once: true,
    },
  ];
}

/** Gives memory back: caches first, then garbage where collections are exposed. @param {Context} context @returns {Proposal[]} */
function relieve({ services, config, memory }) {
  const { gcThreshold, evictShare } = config.memoryOptimization;
  if (memory.usage <= gcThreshold) return [];
  const caches = memoryCaches(services);
  const usage = `${(memory.usage * 100).toFixed(1)}%`;
  return [
    {
      ...{ area: 'memory', action: 'free-memory', target: 'process', better: 'lower', unit: 'bytes' },
      ...{ measured: 'bytes in caches and heap', severity: 'high' },
      reason: `Memory usage ${usage} is above ${(gcThreshold * 100).toFixed(0)}%`,
      advice: `Memory usage is ${usage}: give the process more, bound caches in bytes, or look for a leak with a heap profile`,
      change: {},
      evidence: { memoryUsage: memory.usage, rss: memory.rss, heapUsed: memory.heapUsed },
      read: () => ({
        gauge:
          process.memoryUsage().heapUsed +
          caches.reduce((sum, [, cache]) => sum + (told(() => cache.stats.bytes) ?? 0), 0),
      }),
      apply: () => {
        for (const [, cache] of caches) cache.evict(Math.floor(cache.stats.bytes * evictShare));
        told(() => services.memory?.optimize());
        if (typeof globalThis.gc === 'function') globalThis.gc();
      },
      undo: () => {},
      once: true,
    },
  ];
}

const LEVERS = Object.freeze([relieve, cacheLevers, cleanUp, growPools, growJobs, growConnections, cleanConnections]);

/** Everything that there is to do. @param {Context} context @returns {Proposal[]} */
function proposals(context) {
  // An engine that closes under a lever's hands proposes nothing.
  return LEVERS.flatMap((lever) => told(() => lever(context)) ?? []);
}

module.exports = { proposals };
