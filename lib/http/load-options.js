'use strict';

// Options of load tests, checked, and the plan that native code works off.

const os = require('node:os');
const http = require('node:http');
const { invalidArgType, outOfRange } = require('../errors.js');
const check = require('../validate.js');
const { checkUrl } = require('./load-target.js');

const METHODS = /** @type {const} */ (['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Options of both kinds of tests. */
const COMMON = ['allowRemote', 'ca', 'http2', 'insecure', 'progressBar', 'signal', 'threads', 'timeoutMs'];
const REQUEST_OPTIONS = Object.freeze([
  ...COMMON,
  'body',
  'concurrency',
  'connections',
  'durationMs',
  'headers',
  'json',
  'keepAlive',
  'method',
  'rate',
  'requests',
  'url',
]);
const SCENARIO_OPTIONS = Object.freeze([...COMMON, 'seed', 'target']);

const MOST_CONCURRENT = 50_000;
const MOST_THREADS = 64;
const DEFAULT_REQUESTS = 1000;
const DEFAULT_TIMEOUT_MS = 10_000;

/** As long as a timer takes, and more a second than any machine can begin. */
const LONGEST_MS = 2 ** 31 - 1;
const MOST_RATE = 1e9;

/**
 * @param {Record<string, any>} given
 * @param {{ allowRemote: boolean, progressBar: any }} defaults
 */
function commonOptions(given, defaults) {
  const path = 'options';
  return {
    allowRemote: check.boolean(given.allowRemote ?? defaults.allowRemote, `${path}.allowRemote`),
    ca: given.ca === undefined ? undefined : certificates(given.ca, `${path}.ca`),
    http2: check.boolean(given.http2 ?? false, `${path}.http2`),
    insecure: check.boolean(given.insecure ?? false, `${path}.insecure`),
    progressBar: progressBar(given.progressBar ?? defaults.progressBar, `${path}.progressBar`),
    signal: given.signal === undefined ? undefined : abortSignal(given.signal, `${path}.signal`),
    threads:
      given.threads === undefined ? undefined : check.integerBetween(given.threads, `${path}.threads`, 1, MOST_THREADS),
    timeoutMs: positiveUpTo(LONGEST_MS, given.timeoutMs ?? DEFAULT_TIMEOUT_MS, `${path}.timeoutMs`),
  };
}

/**
 * @param {unknown} options
 * @param {{ allowRemote: boolean, progressBar: any }} defaults
 */
function requestOptions(options, defaults) {
  const given = check.options(options, 'options', REQUEST_OPTIONS);
  const url = checkUrl(given.url, 'options.url');
  const common = commonOptions(given, defaults);
  const concurrency = check.integerBetween(given.concurrency ?? 10, 'options.concurrency', 1, MOST_CONCURRENT);
  const threads = Math.min(common.threads ?? usualThreads(concurrency), concurrency);
  const { body, type } = bodyOf(given);
  const limits = limitsOf(given);
  return {
    ...common,
    url,
    body,
    limits,
    threads,
    work: {
      requests: {
        method: check.oneOf(given.method ?? (body.length > 0 ? 'POST' : 'GET'), 'options.method', METHODS),
        path: url.pathname + url.search,
        headers: withType(headersOf(given.headers ?? {}, 'options.headers'), type),
        concurrency,
        connections: connectionsOf(given, { http2: common.http2, concurrency, threads }),
        keepAlive: check.boolean(given.keepAlive ?? true, 'options.keepAlive'),
        rate: limits.rate,
        requests: limits.requests,
        durationMs: limits.durationMs,
      },
    },
  };
}

/** What lies beyond, native clocks cannot count. @param {number} most @param {unknown} value @param {string} path */
function positiveUpTo(most, value, path) {
  return check.numberWithin(check.positiveFiniteNumber(value, path), path, 0, most);
}

/** @param {Record<string, any>} given */
function limitsOf(given) {
  const durationMs =
    given.durationMs === undefined ? undefined : positiveUpTo(LONGEST_MS, given.durationMs, 'options.durationMs');
  const rate = given.rate === undefined ? undefined : positiveUpTo(MOST_RATE, given.rate, 'options.rate');
  const requests =
    given.requests === undefined
      ? durationMs === undefined
        ? DEFAULT_REQUESTS
        : undefined
      : check.positiveInteger(given.requests, 'options.requests');
  return { durationMs, rate, requests };
}

/** @param {Record<string, any>} given @param {{ http2: boolean, concurrency: number, threads: number }} size */
function connectionsOf(given, { http2, concurrency, threads }) {
  if (given.connections === undefined) return http2 ? threads : concurrency;
  const connections = check.integerBetween(given.connections, 'options.connections', 1, concurrency);
  // Over HTTP/1.1 an answer is waited for before the next request: each one under way needs a connection of its own.
  if (!http2 && connections !== concurrency) {
    throw outOfRange(`${concurrency}, as options.concurrency, without http2`, 'options.connections', connections);
  }
  return Math.max(connections, threads);
}

/** Half of a machine of few cores, so that what is measured finds the other. @param {number} concurrency */
function usualThreads(concurrency) {
  const spare = Math.max(1, Math.floor(os.availableParallelism() / 2));
  return Math.min(spare, 4, Math.ceil(concurrency / 16));
}

/** @param {Record<string, any>} given @returns {{ body: Buffer, type?: string }} */
function bodyOf({ body, json }) {
  if (json !== undefined) {
    if (body !== undefined) throw outOfRange('undefined, as options.json is given,', 'options.body', undefined);
    const text = JSON.stringify(json);
    if (text === undefined) throw invalidArgType('what JSON can say', 'options.json', json);
    return { body: Buffer.from(text), type: 'application/json' };
  }
  if (body === undefined) return { body: Buffer.alloc(0) };
  if (typeof body === 'string') return { body: Buffer.from(body) };
  if (ArrayBuffer.isView(body)) return { body: Buffer.from(body.buffer, body.byteOffset, body.byteLength) };
  throw invalidArgType('a string or bytes', 'options.body', body);
}

/** @param {[string, string][]} headers @param {string | undefined} type */
function withType(headers, type) {
  const has = headers.some(([name]) => name.toLowerCase() === 'content-type');
  return type === undefined || has ? headers : [...headers, /** @type {[string, string]} */ (['content-type', type])];
}

/**
 * Headers that may be sent. Those that frame a message are HTTP's own.
 * @param {unknown} value
 * @param {string} path
 * @returns {[string, string][]}
 */
function headersOf(value, path) {
  return Object.entries(check.plainObject(value, path)).map(([name, header]) => {
    headerName(name, path);
    if (!['string', 'number', 'boolean'].includes(typeof header)) throw invalidArgType('a string', path, header);
    try {
      http.validateHeaderValue(name, String(header));
    } catch {
      throw outOfRange('a header that can be sent', `${path}.${name}`, undefined);
    }
    return [name, String(header)];
  });
}

/** @param {string} name @param {string} path */
function headerName(name, path) {
  const framing = ['content-length', 'transfer-encoding', 'connection', 'upgrade', 'te', 'trailer'];
  try {
    http.validateHeaderName(name);
  } catch {
    throw outOfRange('a name of a header', path, name);
  }
  if (framing.includes(name.toLowerCase())) throw outOfRange('a header that is not set by HTTP itself', path, name);
}

/** @param {unknown} value @param {string} path @returns {AbortSignal} */
function abortSignal(value, path) {
  if (!(value instanceof AbortSignal)) throw invalidArgType('an AbortSignal', path, value);
  return value;
}

/** @param {any} value @param {string} path */
function certificates(value, path) {
  const list = Array.isArray(value) ? value : [value];
  return list
    .map((one) => {
      if (typeof one === 'string') return one;
      if (Buffer.isBuffer(one)) return one.toString();
      throw invalidArgType('certificates as PEM', path, one);
    })
    .join('\n');
}

/** @param {any} value @param {string} path @returns {NodeJS.WriteStream | undefined} */
function progressBar(value, path) {
  if (value === false) return undefined;
  if (value === true) return process.stderr.isTTY ? process.stderr : undefined;
  if (typeof value?.write !== 'function') throw invalidArgType('a boolean or a stream', path, value);
  return value;
}

module.exports = {
  METHODS,
  SCENARIO_OPTIONS,
  abortSignal,
  commonOptions,
  headerName,
  progressBar,
  requestOptions,
  usualThreads,
};
