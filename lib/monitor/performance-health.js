'use strict';

// Whether a server can do its work, and if not, why.

const { cacheLevels, poolEntries, told } = require('./attached-services.js');

/** How late the event loop may be, at the 99th percentile, in milliseconds. */
const LATE_MS = Object.freeze({ degraded: 250, unhealthy: 1_000 });

/** Shares of the memory that may be used. */
const FULL = Object.freeze({ degraded: 0.9, unhealthy: 0.97 });

const ORDER = Object.freeze(['healthy', 'degraded', 'unhealthy']);

/** What severities of alerts mean for health. @type {Readonly<Record<string, string>>} */
const BY_SEVERITY = Object.freeze({ critical: 'unhealthy', high: 'degraded', warning: 'degraded' });

/** @typedef {{ name: string, status: string, reason?: string }} Check */

/** @param {string} name @param {number} value @param {{ degraded: number, unhealthy: number }} limits @param {(value: number) => string} say @returns {Check} */
function limited(name, value, limits, say) {
  const status = value >= limits.unhealthy ? 'unhealthy' : value >= limits.degraded ? 'degraded' : 'healthy';
  return status === 'healthy' ? { name, status } : { name, status, reason: say(value) };
}

/** @param {Record<string, any>} services @returns {Check[]} */
function serviceChecks(services) {
  const checks = [];
  for (const [name, service] of Object.entries(services)) {
    // What is closed is so on purpose, but whoever still counts on it is in for errors.
    if (service?.closed === true) checks.push({ name, status: 'degraded', reason: `${name} is closed` });
  }
  for (const [name, pool] of poolEntries(services.pools)) {
    const down = told(() => [...pool.pools.keys()].filter((key) => pool.getPoolMetrics(key)?.healthy === false)) ?? [];
    if (down.length > 0) {
      checks.push({ name, status: 'degraded', reason: `${down.length} connection pool(s) of ${name} do not answer` });
    } else if (pool?.closed === true) {
      checks.push({ name, status: 'degraded', reason: `${name} is closed` });
    }
  }
  const levels = told(() => services.cache?.stats?.levels) ?? [];
  for (const { level, tier, breaker } of levels) {
    const state = breaker?.state ?? breaker;
    if (state === 'open')
      checks.push({ name: `cache L${level}`, status: 'degraded', reason: `${tier} does not answer` });
  }
  for (const { type, data } of told(() => [...(services.monitor?.alerts.values() ?? [])]) ?? []) {
    if (type !== 'SERVICE_DOWN') continue;
    checks.push({ name: `service ${data.service}`, status: 'degraded', reason: `${data.service} is down` });
  }
  return checks;
}

/**
 * @param {import('./live-sample.js').Sample} sample
 * @param {Record<string, any>} services
 * @param {readonly { severity: string, message: string, metric: string }[]} alerts
 */
function healthOf(sample, services, alerts) {
  /** @type {Check[]} */
  const checks = [
    limited('memory', sample.memory.usage, FULL, (value) => `${(value * 100).toFixed(1)}% of the memory is in use`),
    limited('eventLoop', sample.eventLoop.p99, LATE_MS, (value) => `The event loop is ${value.toFixed(0)} ms late`),
    ...serviceChecks(services),
    ...alerts.map(({ metric, severity, message }) => {
      const status = BY_SEVERITY[severity] ?? 'healthy';
      return { name: metric, status, reason: message };
    }),
  ];
  if (!checks.some(({ name }) => name === 'cache') && cacheLevels(services).length > 0) {
    checks.push({ name: 'cache', status: 'healthy' });
  }
  const worst = Math.max(...checks.map(({ status }) => ORDER.indexOf(status)));
  const reasons = checks.flatMap(({ status, reason }) => (status === 'healthy' || !reason ? [] : [reason]));
  return { status: ORDER[worst], reasons, checks, timestamp: sample.timestamp, uptime: process.uptime() };
}

module.exports = { healthOf };
