'use strict';

// What the dashboard begins with: everything that is there, in one answer.

const { version } = require('../../package.json');

/** @param {Record<string, any>} services */
function alertsOf({ performance, monitoring, monitor }) {
  const own = performance?.getAlerts() ?? [];
  const engine = (monitoring?.getAlerts() ?? []).map((/** @type {any} */ alert) => ({
    ...alert,
    source: 'monitoring',
  }));
  const others = [...(monitor?.alerts.values() ?? [])].map(({ id, type, data, timestamp, severity }) => ({
    ...{ id: `monitor:${id}`, source: 'monitor', type, severity },
    message: sayAlert(type, data),
    value: data?.current ?? null,
    threshold: data?.threshold ?? null,
    timestamp: Date.parse(timestamp),
  }));
  return [...own, ...engine, ...others];
}

/** @param {string} type @param {any} data */
function sayAlert(type, data) {
  const words = type.toLowerCase().replaceAll('_', ' ');
  const said = words.charAt(0).toUpperCase() + words.slice(1);
  return data?.service === undefined ? said : `${said}: ${data.service}`;
}

/** @param {import('./router-endpoints.js').Call} call */
async function dashboardOf({ services, stream, sample, allows }) {
  // Actions belong to the table that leads here, so it is looked at late.
  const { ACTIONS } = require('./router-endpoints.js');
  const allowed = await Promise.all([...ACTIONS.keys()].map(async (action) => [action, await allows(action)]));
  const { performance, optimization } = services;
  return {
    timestamp: Date.now(),
    server: {
      pid: process.pid,
      node: process.version,
      hotpath: version,
      platform: process.platform,
      uptime: process.uptime(),
    },
    services: Object.keys(services),
    summary: performance?.getSummary() ?? null,
    health: performance?.health() ?? null,
    live: sample(),
    recent: stream.recent,
    history: performance?.getSeries() ?? { intervalMs: 30_000, timestamps: [], series: {} },
    trends: performance?.getTrends() ?? {},
    alerts: alertsOf(services),
    optimization: optimization?.getDashboard() ?? null,
    allowed: Object.fromEntries(allowed),
  };
}

module.exports = { alertsOf, dashboardOf };
