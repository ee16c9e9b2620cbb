'use strict';

// What a server is worth, in one number, and what is to be said of it.
//
// Each metric has a threshold (alertConfig) and a grade: 1 up to half the threshold, 0.5 at the threshold, 0 from twice the
// threshold on (a share that cannot get there: at 1), straight lines between. A metric that should be high has 1 from
// halfway between its threshold and 1 on, 0.5 at the threshold, 0 at 0. The score is 100 times the weighted mean of the
// grades of what is known; an open critical alert holds it at 49.

/** @typedef {{ threshold: number, severity: string, reverse?: boolean }} Rule */

const SEVERITIES = Object.freeze(['low', 'medium', 'high', 'critical']);

/** @type {Readonly<Record<string, Readonly<Rule>>>} */
const ALERT_CONFIG = Object.freeze({
  responseTime: Object.freeze({ threshold: 1_000, severity: 'high' }),
  errorRate: Object.freeze({ threshold: 0.05, severity: 'critical' }),
  memoryUsage: Object.freeze({ threshold: 0.8, severity: 'medium' }),
  cpuUsage: Object.freeze({ threshold: 0.8, severity: 'medium' }),
  cacheHitRate: Object.freeze({ threshold: 0.7, severity: 'low', reverse: true }),
});

/** @type {Readonly<Record<string, number>>} */
const WEIGHTS = Object.freeze({ errorRate: 30, responseTime: 25, memoryUsage: 15, cpuUsage: 15, cacheHitRate: 15 });

/** Metrics that end at 1. */
const SHARES = new Set(['errorRate', 'memoryUsage', 'cpuUsage', 'cacheHitRate']);

const CRITICAL_SCORE = 49;

/** @param {number} value @param {[number, number][]} points ascending @returns {number} on the lines between them */
function between(value, points) {
  if (value <= points[0][0]) return points[0][1];
  for (let index = 1; index < points.length; index += 1) {
    const [[x1, y1], [x2, y2]] = [points[index - 1], points[index]];
    if (value <= x2) return x2 === x1 ? y2 : y1 + ((value - x1) / (x2 - x1)) * (y2 - y1);
  }
  return points[points.length - 1][1];
}

/** @param {string} metric @param {number} value @param {Rule} rule */
function grade(metric, value, { threshold, reverse = false }) {
  if (reverse) {
    const good = SHARES.has(metric) ? (threshold + 1) / 2 : threshold * 1.5;
    return between(value, [
      [0, 0],
      [threshold, 0.5],
      [good, 1],
    ]);
  }
  const worst = SHARES.has(metric) ? Math.min(2 * threshold, Math.max(1, threshold)) : 2 * threshold;
  return between(value, [
    [threshold / 2, 1],
    [threshold, 0.5],
    [worst, 0],
  ]);
}

/**
 * @param {Record<string, number>} metrics
 * @param {ReadonlySet<string>} unknown metrics of which nothing can be said yet
 * @param {Record<string, Rule>} config
 * @param {readonly { severity: string }[]} alerts
 */
function scoreOf(metrics, unknown, config, alerts) {
  let [sum, weights] = [0, 0];
  for (const [metric, weight] of Object.entries(WEIGHTS)) {
    if (unknown.has(metric)) continue;
    sum += weight * grade(metric, metrics[metric], config[metric]);
    weights += weight;
  }
  const score = weights === 0 ? 100 : Math.round((100 * sum) / weights);
  return alerts.some(({ severity }) => severity === 'critical') ? Math.min(score, CRITICAL_SCORE) : score;
}

/** @param {number} score */
function statusOf(score) {
  if (score >= 90) return 'excellent';
  if (score >= 75) return 'good';
  return score >= 50 ? 'fair' : 'poor';
}

/** @type {Readonly<Record<string, { type: string, what: string, show: (value: number) => string, advice: string }>>} */
const WORDS = Object.freeze({
  responseTime: {
    type: 'HIGH_RESPONSE_TIME',
    what: 'Response time',
    show: (value) => `${value.toFixed(0)} ms`,
    advice: 'look at the slowest endpoints and queries, and cache what they give',
  },
  errorRate: {
    type: 'HIGH_ERROR_RATE',
    what: 'Error rate',
    show: (value) => `${(value * 100).toFixed(2)}%`,
    advice: 'look at the errors by type, and at the services that requests depend on',
  },
  memoryUsage: {
    type: 'HIGH_MEMORY_USAGE',
    what: 'Memory usage',
    show: (value) => `${(value * 100).toFixed(1)}%`,
    advice: 'bound caches in bytes, or look for a leak with a heap profile',
  },
  cpuUsage: {
    type: 'HIGH_CPU_USAGE',
    what: 'Processor usage',
    show: (value) => `${(value * 100).toFixed(1)}%`,
    advice: 'move computation to worker threads, or run more processes',
  },
  cacheHitRate: {
    type: 'LOW_CACHE_HIT_RATE',
    what: 'Cache hit rate',
    show: (value) => `${(value * 100).toFixed(1)}%`,
    advice: 'give the cache more memory, let entries live longer, or warm it',
  },
});

/** @param {string} metric @param {number} value @param {Rule} rule */
function alertMessage(metric, value, { threshold, reverse = false }) {
  const { what, show } = WORDS[metric];
  return `${what} is ${show(value)}, ${reverse ? 'below' : 'above'} ${show(threshold)}`;
}

/** What can be said of open alerts, the worst first. @param {readonly { metric: string, severity: string, message: string }[]} alerts */
function recommendationsOf(alerts) {
  const advice = alerts.map(({ metric, severity, message }) => ({
    type: metric,
    severity,
    message: `${message}: ${WORDS[metric].advice}`,
  }));
  if (advice.length === 0) {
    return [{ type: 'health', severity: 'info', message: 'All metrics are within their thresholds' }];
  }
  return advice.sort((left, right) => SEVERITIES.indexOf(right.severity) - SEVERITIES.indexOf(left.severity));
}

module.exports = { ALERT_CONFIG, SEVERITIES, WORDS, alertMessage, grade, recommendationsOf, scoreOf, statusOf };
