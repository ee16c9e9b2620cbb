'use strict';

// What every server counts: requests, errors, queries, sockets and cache operations. Totals are metrics of the process;
// averages and percentiles are those of the last minute.

const native = require('../native.js');
const { Counter, Gauge, Histogram } = require('./metric.js');
const { metricOptions } = require('./metric-options.js');
const { MonitorHandle } = require('./monitor-handle.js');
const { record } = require('./recorder.js');

/** The window of rates, averages and percentiles: a minute, in slices of a second, to three digits. */
const WINDOW = /** @type {const} */ ([60_000, 60, 10]);
const SECONDS = WINDOW[0] / 1000;

class ApplicationMetrics {
  #windows = new MonitorHandle({ label: 'metrics service', name: 'metrics:default' });
  #requests = new Counter('http_requests_total', { help: 'Total number of HTTP requests' });
  #durations = new Histogram('http_request_duration_seconds', { help: 'HTTP request duration in seconds' });
  #routes = new Histogram('http_route_duration_seconds', {
    help: 'HTTP request duration in seconds by method, route pattern and status',
    labelNames: ['method', 'route', 'status'],
  });
  #errors = new Counter('http_errors_total', { help: 'Errors by type', labelNames: ['type'] });
  #queries = new Histogram('database_query_duration_seconds', { help: 'Database query duration in seconds' });
  #connections = new Gauge('websocket_connections', { help: 'Open WebSocket connections' });
  #connected = new Counter('websocket_connections_total', { help: 'WebSocket connections ever opened' });
  #messages = new Counter('websocket_messages_total', { help: 'WebSocket messages' });
  #hits = new Counter('cache_hits_total', { help: 'Cache operations that found a value' });
  #misses = new Counter('cache_misses_total', { help: 'Cache operations that found none' });
  #requestSlot = this.#windows.windowSlot('requests', ...WINDOW);
  #errorSlot = this.#windows.windowSlot('errors', ...WINDOW);
  #querySlot = this.#windows.windowSlot('queries', ...WINDOW);

  constructor() {
    const target = (/** @type {string} */ name) => native.metricSeries(native.defineMetric(named(name)), []);
    const rate = metricOptions('gauge', 'cache_hit_rate', { help: 'Cache hit rate' });
    native.defineShare(rate, target('cache_hits_total'), target('cache_misses_total'));
  }

  /** @param {number} ms */
  request(ms) {
    this.#requests.inc(1);
    this.#durations.record(ms / 1000);
    record(this.#requestSlot, ms);
  }

  /** @param {string} method @param {string} route @param {number | string} status @param {number} ms */
  route(method, route, status, ms) {
    this.request(ms);
    this.#routes.labels({ method, route, status }).record(ms / 1000);
  }

  /** @param {string} type */
  error(type) {
    this.#errors.labels({ type }).inc(1);
    record(this.#errorSlot, 0);
  }

  /** @param {number} ms */
  databaseQuery(ms) {
    this.#queries.record(ms / 1000);
    record(this.#querySlot, ms);
  }

  /** @param {boolean} connected */
  webSocketConnection(connected) {
    if (connected) {
      this.#connections.inc(1);
      this.#connected.inc(1);
    } else {
      this.#connections.dec(1);
    }
  }

  webSocketMessage() {
    this.#messages.inc(1);
  }

  /** @param {boolean} isHit */
  cacheOperation(isHit) {
    (isHit ? this.#hits : this.#misses).inc(1);
  }

  snapshot() {
    const requests = this.#windows.windowSummary('requests', ...WINDOW);
    const errors = this.#windows.windowSummary('errors', ...WINDOW);
    const queries = this.#windows.windowSummary('queries', ...WINDOW);
    const [hits, misses] = [this.#hits.value, this.#misses.value];
    return {
      timestamp: Date.now(),
      requests: {
        total: this.#requests.value,
        perSecond: requests.count / SECONDS,
        perMinute: (requests.count / SECONDS) * 60,
      },
      responseTime: figures(requests),
      errors: {
        total: errors.total,
        rate: requests.count === 0 ? Math.min(errors.count, 1) : Math.min(errors.count / requests.count, 1),
        byType: Object.fromEntries(this.#errors.values.map(({ labels, value }) => [labels.type, value])),
      },
      database: { queries: queries.total, queryTime: figures(queries) },
      websocket: {
        connections: this.#connections.value,
        totalConnections: this.#connected.value,
        messages: this.#messages.value,
      },
      cache: { hits, misses, hitRate: hits + misses === 0 ? 0 : hits / (hits + misses) },
    };
  }

  reset() {
    this.#windows.reset();
  }

  close() {
    this.#windows.close();
  }
}

/** @param {ReturnType<MonitorHandle['windowSummary']>} summary */
function figures({ avg, min, max, p50, p95, p99 }) {
  return { avg, min, max, p50, p95, p99 };
}

/** @param {string} name */
function named(name) {
  return metricOptions('counter', name, undefined);
}

module.exports = { ApplicationMetrics };
