'use strict';

// The alerts that a PerformanceMonitor knows by itself.

/** @type {Readonly<Record<string, string>>} */
const SEVERITIES = Object.freeze({
  HIGH_MEMORY_USAGE: 'critical',
  HIGH_RESPONSE_TIME: 'warning',
  HIGH_ERROR_RATE: 'critical',
  SERVICE_DOWN: 'critical',
  HIGH_CPU: 'warning',
  HIGH_QUEUE_DEPTH: 'warning',
});

/** How bad an alert of this type is. @param {string} type */
function severityOf(type) {
  return SEVERITIES[type] ?? 'info';
}

/** What services call the work that waits for them. */
const QUEUE_KEYS = /\.(queueDepth|queueLength|queueSize|queuePending|queued|waiting|pending)$/;
const RESPONSE_KEYS = /^service\..*\.(avgResponseTime|responseTime)$/;

/** What the rules look at. */
/**
 * @typedef {object} View
 * @property {import('./monitor-handle.js').MonitorHandle} monitor
 * @property {Record<string, number>} thresholds
 * @property {number} windowMs
 * @property {() => { count: number, failures: number, p95: number }} requests
 * @property {Map<string, string | undefined>} services
 */

/** @param {View} view */
function memory({ monitor, thresholds, windowMs }) {
  const since = Date.now() - windowMs;
  const mean = (/** @type {string} */ name) => monitor.stats(name, since)?.avg;
  const shares = [
    { used: mean('system.memory.heapUsed'), limit: mean('system.memory.heapLimit') },
    { used: mean('system.memory.rss'), limit: mean('system.memory.limit') },
  ].flatMap(({ used, limit }) => (used === undefined || !limit ? [] : [{ used, limit, share: used / limit }]));
  const worst = shares.sort((left, right) => right.share - left.share)[0];
  return {
    value: worst && worst.share * 100,
    threshold: thresholds.memoryUsage * 100,
    data: worst && { current: worst.used, threshold: worst.limit * thresholds.memoryUsage },
  };
}

/** @param {View} view */
function responseTime({ monitor, thresholds, windowMs, requests }) {
  const since = Date.now() - 5 * windowMs;
  const told = monitor.names().filter((name) => RESPONSE_KEYS.test(name));
  const own = requests();
  const figures = told.flatMap((name) => monitor.stats(name, since)?.p95 ?? []);
  if (own.count > 0) figures.push(own.p95);
  return plain(figures.length === 0 ? undefined : Math.max(...figures), thresholds.responseTime);
}

/** @param {View} view */
function errorRate({ thresholds, requests }) {
  const { count, failures } = requests();
  return plain(count === 0 ? undefined : (failures / count) * 100, thresholds.errorRate * 100);
}

/** @param {View} view */
function cpu({ monitor, thresholds, windowMs }) {
  return plain(monitor.stats('system.cpu.percent', Date.now() - windowMs)?.avg, thresholds.cpuUsage * 100);
}

/** @param {View} view */
function queueDepth({ monitor, thresholds, windowMs }) {
  const since = Date.now() - windowMs;
  const depths = monitor
    .names()
    .filter((name) => QUEUE_KEYS.test(name))
    .flatMap((name) => monitor.points(name, since).at(-1)?.value ?? []);
  return plain(depths.length === 0 ? undefined : Math.max(...depths), thresholds.queueDepth);
}

/** @param {number | undefined} value @param {number} threshold */
function plain(value, threshold) {
  return { value, threshold, data: { current: value, threshold } };
}

const RULES = Object.freeze([
  { type: 'HIGH_MEMORY_USAGE', read: memory },
  { type: 'HIGH_RESPONSE_TIME', read: responseTime },
  { type: 'HIGH_ERROR_RATE', read: errorRate },
  { type: 'HIGH_CPU', read: cpu },
  { type: 'HIGH_QUEUE_DEPTH', read: queueDepth },
]);

/**
 * Tells all rules what is to be seen.
 * @param {import('./alert-book.js').AlertBook} book
 * @param {View} view
 */
function observeAll(book, view) {
  for (const { type, read } of RULES) book.observe({ type, severity: severityOf(type) }, read(view));
  for (const [service, problem] of view.services) {
    const down = problem === undefined ? 0 : 1;
    const seen = { value: down, threshold: 0.5, data: { service, reason: problem } };
    book.observe({ type: 'SERVICE_DOWN', subject: service, severity: severityOf('SERVICE_DOWN') }, seen);
  }
}

module.exports = { observeAll, severityOf };
