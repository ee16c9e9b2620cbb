'use strict';

// Counts of a multi-level cache: as plain numbers, and in the words of those who print them.

/** @param {number} part @param {number} whole */
function percent(part, whole) {
  return whole === 0 ? '0%' : `${((part / whole) * 100).toFixed(2)}%`;
}

/** @param {any} native */
function totals({ levels, misses }) {
  const [l1Hits, l2Hits, l3Hits] = levels.map((/** @type {any} */ level) => level.hits);
  const hits = l1Hits + l2Hits + l3Hits;
  return { l1Hits, l2Hits, l3Hits, hits, totalRequests: hits + misses };
}

/** @param {any} native */
function metricsOf(native) {
  const { l1Hits, l2Hits, l3Hits, hits, totalRequests } = totals(native);
  /** @type {Record<string, object>} */
  const latency = {};
  for (const { level, mean, p50, p95, p99 } of native.levels) {
    if (mean !== undefined) latency[`l${level}`] = { avg: mean.toFixed(2), p50, p95, p99 };
  }
  return {
    l1Hits,
    l2Hits,
    l3Hits,
    misses: native.misses,
    writes: native.writes,
    totalRequests,
    hitRate: percent(hits, totalRequests),
    l1HitRate: percent(l1Hits, totalRequests),
    latency,
  };
}

/** @param {any} native */
function statsOf(native) {
  const { levels, ...counts } = native;
  const { l1Hits, l2Hits, l3Hits, hits, totalRequests } = totals(native);
  return {
    hits,
    l1Hits,
    l2Hits,
    l3Hits,
    ...counts,
    hitRatio: totalRequests === 0 ? 0 : hits / totalRequests,
    levels: levels
      .filter((/** @type {any} */ level) => level.tier !== '')
      .map((/** @type {any} */ { level, tier, hits: ofLevel, missedWrites, breaker, mean, p50, p95, p99 }) => ({
        level,
        tier,
        hits: ofLevel,
        missedWrites,
        breaker: breaker ?? null,
        latencyMs: mean === undefined ? null : { mean, p50, p95, p99 },
      })),
  };
}

/** What monitors are told: the levels by their numbers. @param {import('./multi-level-cache.js').MultiLevelCache} cache */
function figuresOf(cache) {
  const { levels, ...counts } = cache.stats;
  return { ...counts, ...Object.fromEntries(levels.map(({ level, ...figures }) => [`l${level}`, figures])) };
}

module.exports = { figuresOf, metricsOf, statsOf };
