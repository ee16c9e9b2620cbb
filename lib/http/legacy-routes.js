'use strict';

// The two endpoints that older documents fix, at their own paths and without an envelope.

const { checkServices, poolFigures, told } = require('../monitor/attached-services.js');
const { PerformanceMonitor } = require('../monitor/performance-monitor.js');
const { JSON_TYPE, jsonOf, send, sendError } = require('./router-answers.js');
const { Refusal } = require('./router-errors.js');

const RANGE_MS = 300_000;
const SHOWN_ALERTS = 10;

/** @param {Record<string, any>} services */
function metrics({ monitor, advancedCache, pools }) {
  if (monitor === undefined) throw new Refusal(404, 'ERR_SERVICE_MISSING', 'This server has no service monitor');
  const { alerts, recommendations, ...figures } = monitor.getMetrics();
  const levels = advancedCache && told(() => advancedCache.getStats());
  const level = (/** @type {any} */ { entries, hitRate }) => ({ entries, hitRate });
  const workers = poolFigures({ pools }).filter(({ kind }) => kind === 'workers');
  const sum = (/** @type {(pool: any) => number} */ of) => workers.reduce((total, pool) => total + of(pool), 0);
  return {
    ...figures,
    ...(levels && { cache: { memory: level(levels.memory), disk: level(levels.disk) } }),
    ...(workers.length > 0 && {
      workers: {
        idle: sum(({ total, busy }) => total - busy),
        busy: sum(({ busy }) => busy),
        queuePending: sum(({ queue }) => queue),
      },
    }),
    alerts,
    recommendations,
  };
}

/** @param {Record<string, any>} services */
function dashboard({ monitor = new PerformanceMonitor() }) {
  const stats = (/** @type {string} */ name) => monitor.calculateStats(name, RANGE_MS);
  return {
    system: { memory: stats('system.memory.heapUsed'), cpu: stats('system.cpu.user') },
    services: {
      caching: stats('service.caching.hitRate'),
      dataservice: stats('service.dataservice.avgResponseTime'),
    },
    alerts: [...monitor.alerts.values()].slice(-SHOWN_ALERTS),
  };
}

/** @type {ReadonlyMap<string, (services: Record<string, any>) => unknown>} */
const PATHS = new Map([
  ['/performance/metrics', metrics],
  ['/services/performance/dashboard', dashboard],
]);

/** @param {unknown} services */
function legacyRoutes(services) {
  const checked = checkServices(services, 'services');
  return (/** @type {any} */ request, /** @type {any} */ response, /** @type {any} */ next) => {
    const path = String(request.url).split('?', 1)[0];
    const answer = PATHS.get(path);
    if (answer === undefined && next !== undefined) return next();
    try {
      if (answer === undefined) throw new Refusal(404, 'ERR_NOT_FOUND', 'There is nothing here');
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        throw new Refusal(405, 'ERR_METHOD_NOT_ALLOWED', 'Only GET and HEAD are allowed here', { Allow: 'GET, HEAD' });
      }
      send(request, response, 200, JSON_TYPE, jsonOf(answer(checked)));
    } catch (error) {
      sendError(request, response, error, (unknown) => console.error(unknown));
    }
  };
}

module.exports = { legacyRoutes };
