'use strict';

// What the results of a scenario file must keep to, for the test not to fail.

const { fields, number } = require('./scenario-checks.js');

/** Limits in milliseconds, by the names of the results' latencies. */
const LATENCIES = ['p50', 'p75', 'p90', 'p95', 'p99', 'p999', 'max'];

/** @param {any} ensure @returns {Record<string, number>} */
function readEnsure(ensure) {
  const limits = fields(ensure, 'config.ensure', [...LATENCIES, 'maxErrorRate']);
  for (const [name, limit] of Object.entries(limits)) number(limit, `config.ensure.${name}`);
  return limits;
}

/** @param {any} report @param {Record<string, number>} limits @returns {string[]} */
function violations({ latency, successRate, totalRequests }, limits) {
  return Object.entries(limits).flatMap(([name, limit]) => {
    const errorRate = totalRequests === 0 ? 0 : 100 - successRate;
    const value = name === 'maxErrorRate' ? errorRate : latency[name];
    const unit = name === 'maxErrorRate' ? ' %' : ' ms';
    return value > limit ? [`${name} is ${value.toFixed(2)}${unit}, more than ${limit}${unit}`] : [];
  });
}

module.exports = { readEnsure, violations };
