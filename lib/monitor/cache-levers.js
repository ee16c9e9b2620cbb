'use strict';

// What can be changed about caches: how much memory, how much of it near, from which size on compressed, how long hot keys
// live; and what can be given back.

const { MEMORY } = require('../cache/internal.js');
const { told } = require('./attached-services.js');
const { TtlExtension } = require('./ttl-extension.js');

/** A cache is full from this share of its limit on. */
const FULL = 0.9;
const GROWTH = 1.5;
const SHRINK = 0.75;

/** Hit rates that differ by less are the same to whoever pays for the memory. */
const LEAST_HITS = 0.005;

/** The heap that is free enough for more decoded values. */
const ROOMY_HEAP = 0.6;

/** The least size from which on compression is tried. */
const LEAST_THRESHOLD = 128;

const MIB = 1024 * 1024;

/** @param {number} value */
const percent = (value) => `${(value * 100).toFixed(1)}%`;

/** @typedef {import('./optimization-levers.js').Context} Context */
/** @typedef {import('./optimization-trial.js').Proposal} Proposal */

/** The memory caches below the attached ones. @param {Record<string, any>} services @returns {[string, any][]} */
function memoryCaches(services) {
  return ['cache', 'advancedCache'].flatMap((name) => {
    const cache = told(() => services[name]?.[MEMORY]?.());
    return cache === undefined || cache.closed ? [] : [/** @type {[string, any]} */ ([name, cache])];
  });
}

/** @param {any} cache */
function hitRate(cache) {
  return () => {
    const { hits, misses } = cache.stats;
    return { sum: hits, count: hits + misses };
  };
}

/** @param {any} stats @param {any} earlier */
function recent({ hits, misses, evictions, expirations }, earlier = {}) {
  const found = hits - (earlier.hits ?? 0);
  const missed = misses - (earlier.misses ?? 0);
  const reads = found + missed;
  return {
    reads,
    hitRate: reads > 0 ? found / reads : null,
    missed,
    evicted: evictions - (earlier.evictions ?? 0),
    expired: expirations - (earlier.expirations ?? 0),
  };
}

/**
 * More memory for a cache that is full and misses, as far as the process has it.
 * @param {Context} context @param {string} target @param {any} cache @param {any} stats @param {ReturnType<typeof recent>} latest
 * @returns {Proposal | undefined}
 */
function grow({ config, forced, state, memory }, target, cache, stats, latest) {
  const { hitRateThreshold, memoryThreshold, maxGrowth } = config.cacheOptimization;
  const { bytes, maxBytes, entries, maxEntries } = stats;
  const byEntries = entries >= FULL * maxEntries;
  if (!byEntries && bytes < FULL * maxBytes) return undefined;
  if (latest.hitRate === null || latest.evicted === 0) return undefined;
  if (!forced && latest.hitRate >= hitRateThreshold) return undefined;
  const first = state(`size ${target}`, () => ({ maxBytes, maxEntries }));
  const room = memory.limit * memoryThreshold - memory.rss;
  const next = byEntries
    ? { maxEntries: Math.min(Math.ceil(maxEntries * GROWTH), Math.floor(first.maxEntries * maxGrowth)) }
    : { maxBytes: Math.floor(Math.min(maxBytes * GROWTH, first.maxBytes * maxGrowth, maxBytes + Math.max(0, room))) };
  const [key, to] = Object.entries(next)[0];
  const from = key === 'maxBytes' ? maxBytes : maxEntries;
  if (to <= from) return undefined;
  return {
    ...{ area: 'cache', action: 'grow-cache', target, better: 'higher', measured: 'hit rate', unit: 'ratio' },
    severity: 'medium',
    reason: `Hit rate ${percent(latest.hitRate)} is below ${percent(hitRateThreshold)}, and the cache is full`,
    advice: `Give ${target} more memory: it is full, evicts, and misses ${percent(1 - latest.hitRate)} of its reads`,
    change: { [key]: [from, to] },
    evidence: { hitRate: latest.hitRate, evictions: latest.evicted, [key]: from },
    read: hitRate(cache),
    apply: () => cache.resize(next),
    undo: () => cache.resize({ [key]: from }),
    leastGain: LEAST_HITS,
  };
}

/**
 * Less memory for caches while the process is short of it: kept unless hits are lost.
 * @param {Context} context @param {string} target @param {any} cache @param {any} stats
 * @returns {Proposal | undefined}
 */
function shrink({ config, memory }, target, cache, { bytes, maxBytes }) {
  const { memoryThreshold } = config.cacheOptimization;
  if (memory.usage <= memoryThreshold || bytes < MIB) return undefined;
  const to = Math.max(MIB, Math.floor(bytes * SHRINK));
  return {
    ...{ area: 'cache', action: 'shrink-cache', target, better: 'higher', measured: 'hit rate', unit: 'ratio' },
    severity: 'high',
    reason: `Memory usage ${percent(memory.usage)} is above ${percent(memoryThreshold)}`,
    advice: `Give ${target} less memory, or the process more: ${percent(memory.usage)} of it is in use`,
    change: { maxBytes: [maxBytes, to] },
    evidence: { memoryUsage: memory.usage, bytes },
    read: hitRate(cache),
    apply: () => cache.resize({ maxBytes: to }),
    undo: () => cache.resize({ maxBytes }),
    leastGain: LEAST_HITS,
    frees: true,
  };
}

/**
 * More decoded values within reach of JavaScript, while they are worth it and the heap has room.
 * @param {Context} context @param {string} target @param {any} cache @param {any} stats @param {any} earlier
 * @returns {Proposal | undefined}
 */
function growNear({ memory }, target, cache, stats, earlier) {
  const { nearEntries, nearMaxEntries, nearHits, hits } = stats;
  const found = hits - (earlier?.hits ?? 0);
  const near = found > 0 ? (nearHits - (earlier?.nearHits ?? 0)) / found : 1;
  if (nearMaxEntries === 0 || nearEntries < FULL * nearMaxEntries || near > FULL) return undefined;
  if (memory.heapUsed / memory.heapLimit > ROOMY_HEAP) return undefined;
  const to = nearMaxEntries * 2;
  return {
    ...{ area: 'cache', action: 'grow-near-cache', target, better: 'higher', measured: 'near hits', unit: 'ratio' },
    severity: 'low',
    reason: `Only ${percent(near)} of the hits are near, and the near cache is full`,
    advice: `Let ${target} keep more decoded values near: ${percent(near)} of its hits are`,
    change: { 'nearCache.maxEntries': [nearMaxEntries, to] },
    evidence: { nearHitShare: near, nearEntries },
    read: () => {
      const now = cache.stats;
      return { sum: now.nearHits, count: now.hits };
    },
    apply: () => cache.resize({ nearCache: { maxEntries: to } }),
    undo: () => cache.resize({ nearCache: { maxEntries: nearMaxEntries } }),
    leastGain: LEAST_HITS,
  };
}

/**
 * Compresses smaller values, where a full cache holds many that are too small to be.
 * @param {Context} _context @param {string} target @param {any} cache @param {any} stats @param {any} earlier
 * @returns {Proposal | undefined}
 */
function compressMore(_context, target, cache, { bytes, maxBytes, sets, compression }, earlier) {
  const { thresholdBytes, belowThreshold } = compression;
  if (thresholdBytes === null || thresholdBytes <= LEAST_THRESHOLD || bytes < FULL * maxBytes) return undefined;
  const stored = sets - (earlier?.sets ?? 0);
  const small = belowThreshold - (earlier?.compression.belowThreshold ?? 0);
  if (stored <= 0 || small / stored < 0.5) return undefined;
  const to = Math.max(LEAST_THRESHOLD, thresholdBytes >> 1);
  return {
    ...{
      area: 'cache',
      action: 'lower-compression-threshold',
      target,
      better: 'lower',
      measured: 'bytes an entry takes',
    },
    ...{ unit: 'bytes', severity: 'low' },
    reason: `${percent(small / stored)} of the values are smaller than ${thresholdBytes} bytes and stored as they are`,
    advice: `Compress values of ${target} from ${to} bytes on`,
    change: { compressionThresholdBytes: [thresholdBytes, to] },
    evidence: { belowThresholdShare: small / stored, thresholdBytes },
    read: () => {
      const now = cache.stats;
      return now.entries === 0 ? undefined : { gauge: now.bytes / now.entries };
    },
    apply: () => cache.resize({ compressionThresholdBytes: to }),
    undo: () => cache.resize({ compressionThresholdBytes: thresholdBytes }),
  };
}

/**
 * Longer lives for keys that are loaded again as soon as they have expired. Only where it is allowed: it is the application
 * that knows how old its data may be.
 * @param {Context} context @param {string} target @param {any} cache @param {ReturnType<typeof recent>} latest
 * @returns {Proposal | undefined}
 */
function extendTtl({ config, state, forced }, target, cache, latest) {
  const { hitRateThreshold, extendTtl: allowed, maxTtlFactor } = config.cacheOptimization;
  if (latest.hitRate === null || latest.missed === 0) return undefined;
  const share = latest.expired / latest.missed;
  if (!forced && (latest.hitRate >= hitRateThreshold || share < 0.25)) return undefined;
  if (latest.expired === 0) return undefined;
  const current = state(`ttl ${target}`, noExtension);
  const to = Math.min(current.factor * 2, maxTtlFactor);
  if (to <= current.factor) return undefined;
  const from = current.factor;
  const set = (/** @type {number} */ factor) => {
    current.extension?.end();
    current.factor = factor;
    current.extension = factor === 1 ? undefined : new TtlExtension(cache, factor);
  };
  return {
    ...{ area: 'cache', action: 'extend-ttl', target, better: 'higher', measured: 'hit rate', unit: 'ratio' },
    severity: 'medium',
    reason: `${latest.expired} entries expired where ${latest.missed} reads missed`,
    advice: `Let hot entries of ${target} live longer, if they may be older: they expire and are loaded again`,
    change: { ttlFactor: [from, to] },
    evidence: { expirations: latest.expired, misses: latest.missed },
    read: hitRate(cache),
    apply: () => set(to),
    undo: () => set(from),
    leastGain: LEAST_HITS,
    automatic: allowed,
  };
}

/** @returns {{ extension: TtlExtension | undefined, factor: number }} */
function noExtension() {
  return { extension: undefined, factor: 1 };
}

/** @param {Context} context @returns {Proposal[]} */
function cacheLevers(context) {
  return memoryCaches(context.services).flatMap(([target, cache]) => {
    const stats = told(() => cache.stats);
    if (stats === undefined) return [];
    const earlier = context.earlier(target, stats);
    const latest = recent(stats, earlier);
    const tight = shrink(context, target, cache, stats);
    const others = [
      extendTtl(context, target, cache, latest),
      grow(context, target, cache, stats, latest),
      growNear(context, target, cache, stats, earlier),
      compressMore(context, target, cache, stats, earlier),
    ];
    // What is short of memory does not grow.
    return (tight === undefined ? others : [tight]).filter((proposal) => proposal !== undefined);
  });
}

/** Removes what nobody can need any more. @param {Context} context @returns {Proposal[]} */
function cleanUp({ services, forced, memory, config }) {
  const { cache } = services;
  if (typeof cache?.optimize !== 'function') return [];
  if (!forced && memory.usage <= config.cacheOptimization.memoryThreshold) return [];
  return [
    {
      ...{ area: 'cache', action: 'clean-cache', target: 'cache', better: 'lower', measured: 'memory of the cache' },
      ...{ unit: 'bytes', severity: 'low' },
      reason: forced ? 'Asked for' : 'Memory is short',
      advice: 'Remove what the cache keeps for keys that are gone',
      change: {},
      evidence: {},
      read: () => ({ gauge: cache.getStats().memoryUsage }),
      apply: () => cache.optimize(),
      undo: () => {},
      once: true,
    },
  ];
}

module.exports = { cacheLevers, cleanUp, memoryCaches };
