'use strict';

// Metrics of the process: what applications define, and what every server has.

const native = require('../native.js');
const { DISPOSE, addAliases } = require('../aliases.js');
const { HotpathClosedError } = require('../errors.js');
const check = require('../validate.js');
const { Counter, Gauge, Histogram } = require('./metric.js');
const { ApplicationMetrics } = require('./application-metrics.js');
const { CONTENT_TYPES, RenderingStream, checkFormat, negotiate, whole } = require('./rendering.js');
const { systemMetrics } = require('./system-metrics.js');
const { threadWatch } = require('./thread-watch.js');

class MetricsService {
  /** @type {ApplicationMetrics | undefined} */
  #application;
  #closed = false;
  /** @type {Map<string, Counter | Gauge | Histogram>} */
  #metrics = new Map();

  /** @param {object} [options] */
  constructor(options) {
    check.options(options, 'options', []);
    // Scrapers call handlers detached from their object.
    this.scrape = this.scrape.bind(this);
  }

  /** What the documented methods write to. Made at first use, which also begins to watch this thread. */
  get #own() {
    if (this.#closed) throw new HotpathClosedError('The metrics service is closed');
    if (this.#application === undefined) {
      this.#application = new ApplicationMetrics();
      threadWatch.start();
      native.monitorSystem(null);
    }
    return this.#application;
  }

  /** @param {string} name @param {object} [options] @returns {Counter} */
  counter(name, options) {
    return this.#metric(Counter, name, options);
  }

  /** @param {string} name @param {object} [options] @returns {Gauge} */
  gauge(name, options) {
    return this.#metric(Gauge, name, options);
  }

  /** @param {string} name @param {object} [options] @returns {Histogram} */
  histogram(name, options) {
    return this.#metric(Histogram, name, options);
  }

  /**
   * A metric that this service has made is handed out again when it is asked for by name alone, as code does that
   * records in passing.
   * @param {any} Kind
   * @param {string} name
   * @param {object} [options]
   */
  #metric(Kind, name, options) {
    if (this.#closed) throw new HotpathClosedError('The metrics service is closed');
    const known = this.#metrics.get(name);
    if (known instanceof Kind && options === undefined) return known;
    const metric = new Kind(name, options);
    this.#metrics.set(name, metric);
    return metric;
  }

  /** @param {number} responseTimeMs */
  recordRequest(responseTimeMs) {
    this.#own.request(check.nonNegativeNumber(check.finiteNumber(responseTimeMs, 'responseTime'), 'responseTime'));
  }

  /** @param {string | number} type */
  recordError(type) {
    const text = typeof type === 'number' ? String(type) : check.nonEmptyString(type, 'type');
    this.#own.error(text);
  }

  /** @param {boolean} connected */
  recordWebSocketConnection(connected) {
    this.#own.webSocketConnection(check.boolean(connected, 'connected'));
  }

  recordWebSocketMessage() {
    this.#own.webSocketMessage();
  }

  /** @param {number} queryTimeMs */
  recordDatabaseQuery(queryTimeMs) {
    this.#own.databaseQuery(check.nonNegativeNumber(check.finiteNumber(queryTimeMs, 'queryTime'), 'queryTime'));
  }

  /** @param {boolean} isHit */
  recordCacheOperation(isHit) {
    this.#own.cacheOperation(check.boolean(isHit, 'isHit'));
  }

  /**
   * A request by its route, for `timingMiddleware`.
   * @param {string} method
   * @param {string} route
   * @param {number | string} status
   * @param {number} durationMs
   */
  recordRoute(method, route, status, durationMs) {
    this.#own.route(method, route, status, durationMs);
  }

  getSystemMetrics() {
    this.#own;
    return systemMetrics();
  }

  getApplicationMetrics() {
    return this.#own.snapshot();
  }

  /** @returns {Promise<string>} */
  async getPrometheusMetrics() {
    return this.#render('prometheus');
  }

  /** @param {string} [format] @returns {Promise<string>} */
  async export(format = 'json') {
    return this.#render(checkFormat(format, ['prometheus', 'openmetrics', 'json', 'csv']));
  }

  /** @param {string} format */
  #render(format) {
    this.#own;
    threadWatch.sample();
    return whole(() => native.openRendering(format));
  }

  /** @param {string} [format] */
  stream(format = 'prometheus') {
    const checked = checkFormat(format);
    this.#own;
    threadWatch.sample();
    return new RenderingStream(native.openRendering(checked));
  }

  /** @param {string} [format] */
  contentType(format = 'prometheus') {
    return CONTENT_TYPES[checkFormat(format)];
  }

  /**
   * Answers a scrape, in the format that it asks for.
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:http').ServerResponse} response
   */
  scrape(request, response) {
    const format = negotiate(request.headers.accept);
    const stream = this.stream(format);
    response.setHeader('Content-Type', CONTENT_TYPES[format]);
    response.on('close', () => stream.destroy());
    stream.on('error', () => response.destroy());
    stream.pipe(response);
  }

  reset() {
    native.resetMetrics();
    this.#application?.reset();
  }

  get closed() {
    return this.#closed;
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#application !== undefined) {
      this.#application.close();
      threadWatch.stop();
    }
  }
}

addAliases(MetricsService, { [DISPOSE]: 'close' });

module.exports = { MetricsService };
