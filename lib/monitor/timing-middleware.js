'use strict';

// Times requests: for Express 4 and 5, and for anything that calls (request, response, next).

const { invalidArgType } = require('../errors.js');
const check = require('../validate.js');
const { metricsService, performanceCollector, performanceMonitor } = require('./singletons.js');

const SLOW_MS = 1_000;

/** What a request is counted as whose connection went before the answer: nginx's number for it. */
const ABORTED = 499;

/** The route of requests that no route has taken, so that scans for random URLs make one series. */
const UNMATCHED = 'unmatched';

/** Stands for all mounts beyond those that are kept. */
const OTHER_MOUNTS = '/*';

/** HTTP methods that get a series of their own; a client may send any word. */
const METHODS = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'CONNECT', 'TRACE']);

/** @type {Map<string, string>} */
const names = new Map([...METHODS, 'OTHER'].map((method) => [method, `request_duration_${method}`]));

/**
 * @typedef {object} Settings
 * @property {number} slowMs
 * @property {boolean} logQuery
 * @property {any} logger
 * @property {(request: any) => string} route
 * @property {any} collector
 * @property {any} monitor
 * @property {any} metrics
 */

/** The pattern that took the request, as the application wrote it. @param {any} request */
function routeOf(request) {
  const path = request.route?.path;
  if (path === undefined) return UNMATCHED;
  const text = typeof path === 'string' ? path : String(path);
  return request.baseUrl ? mountOf(request, text) + text : text;
}

/** Where routers are mounted. @type {Set<string>} */
const mounts = new Set();

/** An application has fewer; behind a parameter there is no end to them, and clients choose. */
const KEPT_MOUNTS = 200;

/**
 * Where the router of a route is mounted. Express tells the path that was asked for, not the pattern of the mount: of a
 * parameter in it, the name is known only to routers that merge parameters.
 * @param {any} request
 * @param {string} route
 */
function mountOf({ baseUrl, params }, route) {
  const names = Object.keys(params ?? {}).filter((name) => !route.includes(`:${name}`));
  const mount = names.length === 0 ? baseUrl : withNames(baseUrl, params, names);
  if (mounts.has(mount)) return mount;
  if (mounts.size >= KEPT_MOUNTS) return OTHER_MOUNTS;
  mounts.add(mount);
  return mount;
}

/** @param {string} mount @param {Record<string, string>} params @param {string[]} names */
function withNames(mount, params, names) {
  return mount
    .split('/')
    .map((part) => {
      const name = names.find((each) => params[each] === part || encodeURIComponent(params[each]) === part);
      return name === undefined ? part : `:${name}`;
    })
    .join('/');
}

/** Names of endpoints by method and route: joining them anew for each request would cost more than recording. */
/** @type {Map<string, Map<string, string>>} */
const endpoints = new Map();

/** Routes of a method whose names are kept; an application has fewer. */
const KEPT_ROUTES = 1_000;

/** @param {string} method @param {string} route */
function endpointOf(method, route) {
  let routes = endpoints.get(method);
  if (routes === undefined) {
    routes = new Map();
    endpoints.set(method, routes);
  }
  const known = routes.get(route);
  if (known !== undefined) return known;
  const endpoint = `${method} ${route}`;
  if (routes.size < KEPT_ROUTES) routes.set(route, endpoint);
  return endpoint;
}

/** A URL without its query string, which may hold what does not belong in a log. @param {any} request @param {boolean} logQuery */
function shownUrl(request, logQuery) {
  const url = String(request.originalUrl ?? request.url);
  const query = url.indexOf('?');
  return logQuery || query < 0 ? url : url.slice(0, query);
}

class Timing {
  #settings;
  #request;
  #response;
  #begin = performance.now();
  #done = false;

  /** @param {Settings} settings @param {any} request @param {any} response */
  constructor(settings, request, response) {
    this.#settings = settings;
    this.#request = request;
    this.#response = response;
  }

  /** Called when the answer was sent, and when the connection is gone; counts the first. @param {boolean} finished */
  end(finished) {
    if (this.#done) return;
    this.#done = true;
    const duration = performance.now() - this.#begin;
    const { collector, monitor, metrics, slowMs } = this.#settings;
    const { method } = this.#request;
    const known = METHODS.has(method) ? method : 'OTHER';
    const status = finished ? this.#response.statusCode : ABORTED;
    const route = this.#route();
    collector.recordMetric('request_duration', duration);
    collector.recordMetric(/** @type {string} */ (names.get(known)), duration);
    monitor.trackRequest(duration, finished && status < 500, endpointOf(known, route));
    metrics.recordRoute(known, route, status, duration);
    if (status >= 500) metrics.recordError(status);
    if (duration > slowMs) this.#logSlow(duration);
  }

  /** Clients choose what there is to be made out: whatever fails on it must not end the process. */
  #route() {
    try {
      return this.#settings.route(this.#request);
    } catch (error) {
      this.#settings.logger.warn('The route of a request cannot be told:', { error });
      return UNMATCHED;
    }
  }

  /** @param {number} duration */
  #logSlow(duration) {
    this.#settings.logger.warn('Slow request detected:', {
      method: this.#request.method,
      url: shownUrl(this.#request, this.#settings.logQuery),
      duration: Math.round(duration),
      userAgent: this.#request.headers?.['user-agent'],
    });
  }
}

/** @param {Settings} settings @param {any} request @param {any} response @param {() => void} [next] */
function time(settings, request, response, next) {
  const timing = new Timing(settings, request, response);
  response.on('finish', () => timing.end(true));
  response.on('close', () => timing.end(response.writableFinished));
  if (next !== undefined) next();
}

const OPTIONS = ['slowMs', 'logQuery', 'logger', 'route', 'collector', 'monitor', 'metrics'];

/** @param {unknown} options @returns {Settings} */
function timingSettings(options) {
  const given = check.options(options, 'options', OPTIONS);
  const logger = given.logger ?? console;
  if (typeof logger.warn !== 'function') throw invalidArgType('a logger with a method warn', 'options.logger', logger);
  return {
    slowMs: given.slowMs === undefined ? SLOW_MS : check.nonNegativeNumber(given.slowMs, 'options.slowMs'),
    logQuery: given.logQuery === undefined ? false : check.boolean(given.logQuery, 'options.logQuery'),
    route: given.route === undefined ? routeOf : check.function_(given.route, 'options.route'),
    logger,
    collector: given.collector ?? performanceCollector,
    monitor: given.monitor ?? performanceMonitor,
    metrics: given.metrics ?? metricsService,
  };
}

const DEFAULTS = timingSettings({});

/**
 * A handler itself, or with options a maker of one.
 * @param {any} [requestOrOptions]
 * @param {any} [response]
 * @param {() => void} [next]
 * @returns {any}
 */
function timingMiddleware(requestOrOptions, response, next) {
  if (response !== undefined) return time(DEFAULTS, requestOrOptions, response, next);
  const settings = timingSettings(requestOrOptions);
  return (/** @type {any} */ request, /** @type {any} */ answer, /** @type {any} */ following) =>
    time(settings, request, answer, following);
}

module.exports = { timingMiddleware };
