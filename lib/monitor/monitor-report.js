'use strict';

// What a PerformanceMonitor tells people: figures with units, advice, reports.

/** @param {number} value */
const percent = (value) => `${value.toFixed(2)}%`;
/** @param {number} value */
const ms = (value) => `${value.toFixed(2)}ms`;

/** `2d 5h 23m`. @param {number} seconds */
function uptime(seconds) {
  const minutes = Math.floor(seconds / 60);
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24];
  return `${days}d ${hours}h ${minutes % 60}m`;
}

/** @typedef {ReturnType<import('./monitor-handle.js').MonitorHandle['windowSummary']>} Summary */

/** @param {Summary} summary */
function latency({ avg, p95, p99, min, max }) {
  return { avg: ms(avg), p95: ms(p95), p99: ms(p99), min: ms(min), max: ms(max) };
}

/**
 * The figures of a monitor as plain numbers: percent are percent, durations are milliseconds.
 * @typedef {object} Figures
 * @property {number} windowMs
 * @property {Summary} requests
 * @property {{ cpu: number, memory: number, uptime: number, cpuCount: number }} system
 * @property {{ type: string }[]} alerts
 * @property {Record<string, number>} thresholds
 */

/** @param {Figures} figures */
function describe(figures) {
  const { windowMs, requests, system, alerts } = figures;
  return {
    window: `${windowMs / 1000}s`,
    requests: {
      total: requests.count,
      successful: requests.count - requests.failures,
      failed: requests.failures,
      errorRate: percent(errorRate(requests)),
      throughput: `${((requests.count / windowMs) * 1000).toFixed(2)} req/s`,
    },
    latency: latency(requests),
    system: {
      cpu: percent(system.cpu),
      memory: percent(system.memory),
      uptime: uptime(system.uptime),
      cpuCount: system.cpuCount,
    },
    alerts: { active: alerts.length, types: [...new Set(alerts.map(({ type }) => type))] },
    recommendations: recommend(figures),
  };
}

/** @param {Summary} requests */
function errorRate({ count, failures }) {
  return count === 0 ? 0 : (failures / count) * 100;
}

const ORDER = ['critical', 'warning', 'info'];

/**
 * Advice, the most urgent first.
 * @param {Figures} figures
 * @returns {{ type: string, severity: string, message: string }[]}
 */
function recommend({ requests, system, alerts, thresholds }) {
  const advice = [];
  const errors = errorRate(requests);
  if (errors > thresholds.errorRate * 100) {
    advice.push({
      type: 'errors',
      severity: 'critical',
      message: `${percent(errors)} of the requests fail: look at the endpoints with the lowest success rate first`,
    });
  }
  if (system.memory > thresholds.memoryUsage * 100) {
    advice.push({
      type: 'memory',
      severity: 'critical',
      message: `Memory is at ${percent(system.memory)} of its limit: bound caches in bytes, or look for a leak with a heap profile`,
    });
  }
  if (system.cpu > thresholds.cpuUsage * 100) {
    advice.push({
      type: 'cpu',
      severity: 'warning',
      message: `The processor is at ${percent(system.cpu)}: move computation to worker threads, or run more processes`,
    });
  }
  if (requests.p95 > thresholds.responseTime) {
    advice.push({
      type: 'latency',
      severity: 'warning',
      message: `Five percent of the requests take ${ms(requests.p95)} or longer: cache their results, or batch what they wait for`,
    });
  }
  if (alerts.some(({ type }) => type === 'HIGH_QUEUE_DEPTH')) {
    advice.push({
      type: 'queue',
      severity: 'warning',
      message: `More than ${thresholds.queueDepth} items wait in a queue: add workers, or slow down what fills it`,
    });
  }
  if (alerts.some(({ type }) => type === 'SERVICE_DOWN')) {
    advice.push({ type: 'service', severity: 'critical', message: 'A registered service does not answer' });
  }
  if (advice.length === 0) {
    advice.push({ type: 'health', severity: 'info', message: 'System operating within normal parameters' });
  }
  return advice.sort((left, right) => ORDER.indexOf(left.severity) - ORDER.indexOf(right.severity));
}

module.exports = { describe, errorRate, latency, percent, recommend };
