'use strict';

// The engines that a service looks at and works on, and what figures each of them tells. Their classes differ in their
// words; here they become one.

const { invalidArgType } = require('../errors.js');
const check = require('../validate.js');

/** What there can be. `pools`: worker pools and pool managers, one, several, or by name. */
const SERVICES = Object.freeze([
  'cache',
  'jobs',
  'batch',
  'parallel',
  'memory',
  'monitoring',
  'metrics',
  'performance',
  'optimization',
  'monitor',
  'advancedCache',
  'pools',
  'webSockets',
]);

/** @param {unknown} services @param {string} path @returns {Record<string, any>} */
function checkServices(services, path) {
  const given = check.options(services, path, SERVICES);
  for (const [name, service] of Object.entries(given)) {
    if ((typeof service !== 'object' && typeof service !== 'function') || service === null) {
      throw invalidArgType('an object', `${path}.${name}`, service);
    }
  }
  return given;
}

/** What a closed engine throws instead of its figures is no figure. @template T @param {() => T} ask @returns {T | undefined} */
function told(ask) {
  try {
    return ask();
  } catch {
    return undefined;
  }
}

/** @param {unknown} value */
function count(value) {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

/**
 * @typedef {object} CacheLevel
 * @property {string} name
 * @property {number} hits
 * @property {number} misses
 * @property {number | null} entries
 * @property {number | null} bytes
 * @property {number | null} maxBytes
 */

/** @param {string} name @param {any} stats @returns {CacheLevel} */
function level(name, stats) {
  const { hits, misses, entries, bytes, maxBytes = stats.limit } = stats;
  const known = (/** @type {unknown} */ value) => (Number.isFinite(value) ? /** @type {number} */ (value) : null);
  return {
    name,
    hits: count(hits),
    misses: count(misses),
    entries: known(entries),
    bytes: known(bytes),
    maxBytes: known(maxBytes),
  };
}

/** @param {any} cache @param {string} prefix @returns {CacheLevel[]} */
function levelsOf(cache, prefix) {
  const stats = told(() => cache.stats);
  if (stats === undefined || stats === null) return [];
  if (Array.isArray(stats.levels)) {
    // Each level is asked what those before it did not have.
    let asked = count(stats.hits) + count(stats.misses);
    return stats.levels.map((/** @type {any} */ { level: number, tier, hits, ...more }) => {
      const misses = Math.max(0, asked - count(hits));
      asked = misses;
      return level(`${prefix}L${number} ${tier}`, { ...more, hits, misses });
    });
  }
  if (stats.memory !== undefined && stats.disk !== undefined) {
    return [level(`${prefix}memory`, stats.memory), level(`${prefix}disk`, stats.disk)];
  }
  return [level(`${prefix}memory`, stats)];
}

/** All levels of all caches. @param {Record<string, any>} services */
function cacheLevels({ cache, advancedCache }) {
  const levels = cache === undefined ? [] : levelsOf(cache, '');
  if (advancedCache === undefined || advancedCache === cache) return levels;
  return [...levels, ...levelsOf(advancedCache, cache === undefined ? '' : 'advanced ')];
}

/** Reads that found something, and all, of what applications ask. @param {Record<string, any>} services @param {any} application */
function cacheReads({ cache, advancedCache }, application) {
  const asked = [cache, advancedCache === cache ? undefined : advancedCache].filter((each) => each !== undefined);
  let [hits, reads] = [0, 0];
  for (const each of asked) {
    const levels = levelsOf(each, '');
    if (levels.length === 0) continue;
    const found = levels.reduce((sum, { hits }) => sum + hits, 0);
    hits += found;
    // What the first level is asked is what is asked of all.
    reads += levels[0].hits + levels[0].misses;
  }
  // Caches of other makers are told of through the metrics.
  if (asked.length === 0 && application !== undefined) {
    hits = application.cache.hits;
    reads = hits + application.cache.misses;
  }
  return { hits, reads };
}

/** The pools by name. @param {any} pools @returns {[string, any][]} */
function poolEntries(pools) {
  if (pools === undefined) return [];
  if (Array.isArray(pools)) return pools.map((pool, index) => [pool?.name ?? `pool-${index + 1}`, pool]);
  if (isPool(pools)) return [[pools.name ?? 'pool', pools]];
  if (pools instanceof Map) return [...pools];
  return Object.entries(pools);
}

/** @param {any} pool */
function isPool(pool) {
  return typeof pool?.execute === 'function' || typeof pool?.getPoolMetrics === 'function';
}

/** The figures of all pools, of threads and of connections. @param {Record<string, any>} services */
function poolFigures({ pools }) {
  return poolEntries(pools).flatMap(([name, pool]) => {
    if (typeof pool?.getPoolMetrics === 'function') return told(() => connectionPools(name, pool)) ?? [];
    const stats = told(() => pool.stats);
    if (stats?.workers === undefined) return [];
    const { workers, queue, waitMs } = stats;
    const { busy, total, max } = workers;
    return [{ name, kind: 'workers', busy, total, max, queue: count(queue?.pending), waitP95: waitMs?.p95 ?? null }];
  });
}

/** @param {string} name @param {any} manager */
function connectionPools(name, manager) {
  return [...manager.pools.keys()].map((key, index) => {
    const { activeConnections, totalConnections, waiting } = manager.getPoolMetrics(key);
    const max = manager.pools.get(key)?.options?.max ?? null;
    // Keys are hashes: a number says as much to people.
    const label = manager.pools.size === 1 ? name : `${name} ${index + 1}`;
    return {
      ...{ name: label, kind: 'connections', busy: activeConnections, total: totalConnections },
      ...{ max, queue: count(waiting), waitP95: null },
    };
  });
}

/** What waits besides: jobs, batches, parallel tasks. @param {Record<string, any>} services */
function queueFigures({ jobs, batch, parallel }) {
  const queues = [];
  const ofJobs = jobs && told(() => jobs.stats);
  if (ofJobs) {
    const { pending = ofJobs.queued ?? ofJobs.waiting, running = ofJobs.active, waitMs } = flattened(ofJobs);
    queues.push({ name: 'jobs', pending: count(pending), running: count(running), waitP95: waitMs?.p95 ?? null });
  }
  const ofBatches = batch && told(() => batch.stats);
  if (ofBatches) queues.push({ name: 'batches', pending: 0, running: count(ofBatches.running), waitP95: null });
  const ofTasks = parallel && told(() => parallel.stats);
  if (ofTasks) {
    const { queued = ofTasks.pending, running = ofTasks.active } = flattened(ofTasks);
    queues.push({ name: 'parallel tasks', pending: count(queued), running: count(running), waitP95: null });
  }
  return queues;
}

/** Figures that some tell in groups and others do not. @param {any} stats @returns {any} */
function flattened(stats) {
  const groups = ['queue', 'jobs', 'tasks', 'workers'].map((name) => stats[name]);
  return Object.assign({}, ...groups.filter((group) => typeof group === 'object'), stats);
}

module.exports = {
  SERVICES,
  cacheLevels,
  cacheReads,
  checkServices,
  poolEntries,
  poolFigures,
  queueFigures,
  told,
};
