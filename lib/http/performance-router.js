'use strict';

// One handler for everything: `(request, response, next)`, for Express 4 and 5, for `node:http`, and for whatever else
// passes Node's own objects.
//
// The order of a request: is there such a path, and such a method for it; did it come from another site's page; is the
// service there; does `authorize` allow it; only then is a body read.

const { checkServices, told } = require('../monitor/attached-services.js');
const { HitRates, takeSample } = require('../monitor/live-sample.js');
const { invalidArgType } = require('../errors.js');
const { surfaceLater } = require('../listening.js');
const check = require('../validate.js');
const { DashboardFiles } = require('./dashboard-files.js');
const { LiveStream } = require('./live-stream.js');
const { openApi } = require('./openapi.js');
const { JSON_TYPE, send, sendData, sendError } = require('./router-answers.js');
const { ACTIONS, ENDPOINTS } = require('./router-endpoints.js');
const { Refusal, notFound } = require('./router-errors.js');
const { bodyOf, decoded, locate, wherever } = require('./router-request.js');

const OPTIONS = ['authorize', 'dashboard', 'processors', 'loadTestTarget', 'basePath', 'maxBodyBytes', 'onError'];

const BASE_PATH = '/api/performance';
const MAX_BODY_BYTES = 10 * 1024 * 1024;

/**
 * @typedef {object} Settings
 * @property {((request: any, action: string) => unknown) | undefined} authorize
 * @property {boolean} dashboard
 * @property {Record<string, any>} processors
 * @property {URL | undefined} loadTestTarget
 * @property {string} basePath
 * @property {number} maxBodyBytes
 * @property {(error: unknown, request: any) => void} onError
 */

/** @param {unknown} value @param {string} path */
function targetUrl(value, path) {
  const url = value instanceof URL ? value : (URL.parse?.(check.nonEmptyString(value, path)) ?? tried(String(value)));
  if (url === null || !/^https?:$/.test(url.protocol)) throw invalidArgType('an http URL', path, value);
  return url;
}

/** @param {string} text */
function tried(text) {
  return told(() => new URL(text)) ?? null;
}

/** @param {unknown} options @returns {Settings} */
function routerSettings(options) {
  const path = 'options';
  const given = check.options(options, path, OPTIONS);
  const optional = (/** @type {string} */ name, /** @type {(value: unknown, path: string) => any} */ parse) =>
    given[name] === undefined ? undefined : parse(given[name], `${path}.${name}`);
  const processors = optional('processors', check.plainObject) ?? {};
  const basePath = optional('basePath', check.string) ?? BASE_PATH;
  return {
    authorize: optional('authorize', check.function_),
    dashboard: optional('dashboard', check.boolean) ?? true,
    // A copy without a prototype's names.
    processors: { ...processors },
    loadTestTarget: optional('loadTestTarget', targetUrl),
    basePath: basePath.replace(/\/+$/, ''),
    maxBodyBytes: optional('maxBodyBytes', check.positiveInteger) ?? MAX_BODY_BYTES,
    onError: optional('onError', check.function_) ?? ((error) => console.error(error)),
  };
}

/** Paths by their parts; `undefined` for a part that may be anything. */
const ROUTES = ENDPOINTS.map((endpoint) => ({
  endpoint,
  parts: endpoint.path.split('/').map((part) => (part.startsWith(':') ? undefined : part)),
}));

/**
 * All endpoints of a path. A fixed path comes before one with parameters.
 * @param {string} path
 */
function matching(path) {
  const parts = path.split('/');
  const matches = ROUTES.filter(
    (route) =>
      route.parts.length === parts.length &&
      route.parts.every((part, index) => (part === undefined ? parts[index] !== '' : part === parts[index])),
  );
  const fixed = matches.filter((route) => !route.parts.includes(undefined));
  const chosen = fixed.length > 0 ? fixed : matches;
  return chosen.map(({ endpoint, parts: pattern }) => ({
    endpoint,
    encoded: parts.filter((_, index) => pattern[index] === undefined),
  }));
}

/** Pages of other sites can make a browser send requests, and a browser says so. @param {any} request */
function checkSite(request) {
  const site = request.headers['sec-fetch-site'];
  if (site === undefined ? isForeign(request.headers) : site === 'cross-site' || site === 'same-site') {
    throw new Refusal(403, 'ERR_CROSS_SITE', 'Requests from pages of other sites change nothing');
  }
}

/**
 * Over plain HTTP browsers say only which page sends a form, and a form can ask for whatever needs no body.
 * @param {Record<string, any>} headers
 */
function isForeign(headers) {
  const { origin } = headers;
  if (origin === undefined) return false;
  const page = told(() => new URL(origin));
  const hosts = [headers.host, headers[':authority'], headers['x-forwarded-host']];
  const own = hosts.map((host) => host && told(() => new URL(`${page?.protocol}//${host}`).host));
  return page === undefined || !own.includes(page.host);
}

/** Samples of a server without a performance service. @param {Record<string, any>} services */
function bareSampler(services) {
  const rates = new HitRates();
  return () => ({ ...takeSample(services, rates, Date.now()), score: null, alerts: 0 });
}

class PerformanceRouter {
  #services;
  #settings;
  #files = new DashboardFiles();
  #stream;
  #live;
  /** The description, and the mount that stands in it: clients may spell that in several ways. */
  #description = { mount: '', text: '' };

  /** @param {unknown} services @param {unknown} options */
  constructor(services, options) {
    this.#services = checkServices(services, 'services');
    this.#settings = routerSettings(options);
    const { performance, optimization } = this.#services;
    // Those that look after the others have to know them.
    const { metrics, ...others } = this.#services;
    const known = metrics === undefined ? others : { metrics, ...others };
    if (typeof performance?.attach === 'function') performance.attach(known);
    if (typeof optimization?.attach === 'function') optimization.attach(known);
    const sampler = () => performance?.sampler?.() ?? bareSampler(this.#services);
    this.#live = sampler();
    this.#stream = new LiveStream(this.#services, sampler());
  }

  /** @param {any} request @param {any} response @param {((error?: unknown) => void) | undefined} next */
  handle(request, response, next) {
    const place = locate(request, this.#settings.basePath);
    if (place === undefined && next !== undefined) return next();
    // Where nobody mounts anything, everything is ours.
    const { path, mount, query } = place ?? wherever(request);
    this.#answer(request, response, path, mount, query).catch((error) => {
      sendError(request, response, error, (unknown) => this.#report(unknown, request));
    });
  }

  /** @param {unknown} error @param {any} request */
  #report(error, request) {
    surfaceLater(() => this.#settings.onError(error, request));
  }

  /** @param {any} request @param {any} response @param {string} path @param {string} mount @param {URLSearchParams} query */
  async #answer(request, response, path, mount, query) {
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const matches = matching(path);
    if (matches.length === 0) return this.#other(request, response, path, mount, method);
    const match = matches.find(({ endpoint }) => endpoint.method === method);
    if (match === undefined)
      throw notAllowed(
        request,
        response,
        matches.map(({ endpoint }) => endpoint.method),
      );
    const { endpoint, encoded } = match;
    if (method !== 'GET') checkSite(request);
    this.#checkService(endpoint.service);
    if (endpoint.action !== undefined && !(await this.#allows(request, endpoint.action))) {
      throw new Refusal(403, 'ERR_FORBIDDEN', `Not allowed: ${endpoint.action}`);
    }
    const params = encoded.map(decoded);
    const { maxBodyBytes } = this.#settings;
    const body =
      endpoint.body === undefined
        ? {}
        : await bodyOf(request, { required: endpoint.body === 'required', maxBytes: maxBodyBytes });
    const gone = new AbortController();
    response.once('close', () => response.writableFinished || gone.abort());
    const answer = /** @type {any} */ (
      await endpoint.handle({
        ...{ request, response, services: this.#services, params, query, body, mount },
        ...{ settings: this.#settings, stream: this.#stream, signal: gone.signal },
        sample: this.#live,
        allows: (action) => this.#permits(request, action),
      })
    );
    if (answer === undefined || answer === response) return;
    if (answer.text !== undefined) return send(request, response, 200, answer.type ?? JSON_TYPE, answer.text);
    sendData(request, response, answer.status ?? 200, answer.data, answer.beside);
  }

  /** What is not an endpoint: the description, the dashboard's files, or nothing. @param {any} request @param {any} response @param {string} path @param {string} mount @param {string} method */
  #other(request, response, path, mount, method) {
    const isDescription = path === '/openapi.json';
    const { dashboard } = this.#settings;
    if (isDescription || dashboard) {
      if (method !== 'GET') {
        if (isDescription || path === '/') throw notAllowed(request, response, ['GET']);
      } else if (isDescription) {
        return send(request, response, 200, JSON_TYPE, this.#describe(mount === '' ? '/' : mount));
      } else if (path === '/' && !this.#hasSlash(request)) {
        // Relative addresses of the page's files begin at the last slash.
        const last = String(request.originalUrl ?? request.url)
          .split('?', 1)[0]
          .split('/')
          .pop();
        return send(request, response, 308, 'text/plain; charset=utf-8', '', { Location: `./${last}/` });
      } else if (this.#files.serve(request, response, path)) return;
    }
    throw notFound('ERR_NOT_FOUND', 'There is nothing here; see openapi.json');
  }

  /** @param {string} mount */
  #describe(mount) {
    if (this.#description.mount !== mount) this.#description = { mount, text: JSON.stringify(openApi(mount)) };
    return this.#description.text;
  }

  /** @param {any} request */
  #hasSlash(request) {
    return String(request.originalUrl ?? request.url)
      .split('?', 1)[0]
      .endsWith('/');
  }

  /** @param {string | undefined} name */
  #checkService(name) {
    if (name !== undefined && this.#services[name] === undefined) {
      throw notFound('ERR_SERVICE_MISSING', `This server has no service ${name}`);
    }
  }

  /** @param {any} request @param {string} action */
  async #allows(request, action) {
    const { authorize } = this.#settings;
    if (authorize === undefined) return false;
    try {
      const answer = await authorize(request, action);
      if (answer && answer !== true) {
        // `{ allowed: false }` and 'no' are true to JavaScript.
        throw invalidArgType('true or false', 'the result of options.authorize', answer);
      }
      return answer === true;
    } catch (error) {
      // Who cannot tell does not allow.
      this.#report(error, request);
      return false;
    }
  }

  /** Whether there is something to be done, too. @param {any} request @param {string} action */
  async #permits(request, action) {
    const service = ACTIONS.get(action);
    if (service !== undefined && this.#services[service] === undefined) return false;
    return this.#allows(request, action);
  }

  close() {
    this.#stream.close();
  }
}

/** @param {any} request @param {any} response @param {string[]} methods */
function notAllowed(request, response, methods) {
  const allowed = [...new Set(methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])))].join(', ');
  response.setHeader('Allow', allowed);
  return new Refusal(
    405,
    'ERR_METHOD_NOT_ALLOWED',
    `${String(request.method).slice(0, 16)} is not allowed here, but ${allowed}`,
  );
}

/**
 * @param {unknown} services
 * @param {unknown} [options]
 */
function performanceRouter(services, options) {
  const router = new PerformanceRouter(services, options);
  const handler = (/** @type {any} */ request, /** @type {any} */ response, /** @type {any} */ next) =>
    router.handle(request, response, next);
  const close = () => router.close();
  return Object.assign(handler, { close, [Symbol.dispose ?? Symbol.for('nodejs.dispose')]: close });
}

module.exports = { performanceRouter };
