'use strict';

// Where metrics are heading: a least-squares line through the history of each.

const { mean, regression } = require('./statistics.js');

const HOUR_MS = 3_600_000;

/** Points below which nothing is said. */
const LEAST_POINTS = 8;

/** A slope is told apart from chance at this level, and from irrelevance when it moves the metric by this share. */
const SIGNIFICANCE = 0.01;
const LEAST_CHANGE = 0.05;

/** Which way is good, for metrics where there is one. @type {Readonly<Record<string, 'rising' | 'falling'>>} */
const GOOD = Object.freeze({
  responseTime: 'falling',
  errorRate: 'falling',
  cacheHitRate: 'rising',
  memoryUsage: 'falling',
  cpuUsage: 'falling',
  queueLength: 'falling',
});

/**
 * @param {readonly { timestamp: number, metrics: Record<string, number> }[]} history
 * @param {string} metric
 */
function trendOf(history, metric) {
  const start = history[0]?.timestamp ?? 0;
  const hours = history.map(({ timestamp }) => (timestamp - start) / HOUR_MS);
  const values = history.map(({ metrics }) => metrics[metric]);
  const { slope, r2, pValue } = regression(hours, values);
  const span = hours.at(-1) ?? 0;
  const level = Math.abs(mean(values)) || 0;
  // How much it has moved over the history, as a share of what it is on average.
  const change = level === 0 ? 0 : (slope * span) / level;
  const real = values.length >= LEAST_POINTS && pValue < SIGNIFICANCE && Math.abs(change) >= LEAST_CHANGE;
  const direction = real ? (slope > 0 ? 'rising' : 'falling') : 'steady';
  const good = direction === 'steady' || GOOD[metric] === undefined ? null : GOOD[metric] === direction;
  return { direction, perHour: slope, change, r2, pValue, points: values.length, good };
}

/** @param {readonly { timestamp: number, metrics: Record<string, number> }[]} history @param {readonly string[]} metrics */
function trendsOf(history, metrics) {
  return Object.fromEntries(metrics.map((metric) => [metric, trendOf(history, metric)]));
}

module.exports = { trendsOf };
