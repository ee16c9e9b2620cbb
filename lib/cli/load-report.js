'use strict';

// The results of a load test as a person reads them.

const { table } = require('./table.js');

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

/** @param {number} value */
const ms = (value) => `${value < 10 ? value.toFixed(2) : value < 1000 ? value.toFixed(1) : whole.format(value)} ms`;

/** @param {number} value */
function bytes(value) {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, value)) / 10));
  return `${(value / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${UNITS[power]}`;
}

/** @param {any} result */
function describe(result) {
  const { latency, users, scenarios } = result;
  /** @type {string[][]} */
  const rows = [
    ['requests', whole.format(result.totalRequests)],
    ['requests per second', whole.format(result.requestsPerSecond)],
    ['succeeded', `${result.successRate.toFixed(2)} %`],
    ['took', `${(result.totalTime / 1000).toFixed(2)} s`],
    ['connections', whole.format(result.connections)],
    ['received', bytes(result.bytesReceived)],
    ['sent', bytes(result.bytesSent)],
    [],
    ['latency, mean', ms(latency.mean)],
    ['  p50', ms(latency.p50)],
    ['  p90', ms(latency.p90)],
    ['  p95', ms(latency.p95)],
    ['  p99', ms(latency.p99)],
    ['  p99.9', ms(latency.p999)],
    ['  longest', ms(latency.max)],
  ];
  const counts = [
    ...Object.entries(result.statusCodes).map(([status, count]) => [`status ${status}`, whole.format(Number(count))]),
    ...Object.entries(result.errors).map(([kind, count]) => [`error: ${kind}`, whole.format(Number(count))]),
  ];
  if (result.unfinished > 0) counts.push(['unfinished', whole.format(result.unfinished)]);
  if (counts.length > 0) rows.push([], ...counts);
  if (users) {
    rows.push(
      [],
      ...['started', 'completed', 'failed', 'skipped'].map((name) => [`users ${name}`, whole.format(users[name])]),
    );
    rows.push(...Object.entries(scenarios).map(([name, count]) => [`  ${name}`, whole.format(Number(count))]));
  }
  const title = result.aborted ? 'Stopped early. The results so far:' : 'Results';
  return `${title}\n\n${table(rows)}`;
}

module.exports = { describe };
