'use strict';

// Options of the Redis cache: checked, and put into the form that the native side takes. What may be or hold a password
// is never part of a message.

const { invalidArgType, invalidSecret, outOfRange } = require('../errors.js');
const check = require('../validate.js');

const OPTIONS = Object.freeze([
  'name',
  'url',
  'nodes',
  'sentinel',
  'username',
  'password',
  'database',
  'tls',
  'keyPrefix',
  'ttlMs',
  'commandTimeoutMs',
  'breaker',
  'format',
  'clientTracking',
]);

const SERVER_OPTIONS = Object.freeze(['url', 'nodes', 'sentinel', 'username', 'password', 'database', 'tls']);
const FORMATS = Object.freeze(['native', 'json']);
const DEFAULT_PORT = 6379;
const SENTINEL_PORT = 26379;
const MAX_PORT = 65_535;
/** What a 32-bit signed timer can hold; nobody waits longer for a cache. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

const PLAIN = Object.freeze(['redis:', 'valkey:']);
const ENCRYPTED = Object.freeze(['rediss:', 'valkeys:']);
const SOCKET = Object.freeze(['unix:', 'redis+unix:', 'valkey+unix:']);

const URL_SHAPE = 'a URL such as redis://localhost:6379';
const NODE_SHAPE = "an address such as 'localhost:6379' or { host, port }";

/**
 * @typedef {object} Place
 * @property {{ path?: string, host?: string, port?: number }} endpoint
 * @property {string} [username]
 * @property {string} [password]
 * @property {number} [database]
 * @property {boolean} [encrypted]
 */

/** @param {unknown} value @param {string} path @returns {string} */
function secret(value, path) {
  if (typeof value !== 'string') throw invalidSecret('a string', path, value);
  return value;
}

/** @param {unknown} value @param {string} path @param {string} shape @returns {URL} */
function parsed(value, path, shape) {
  if (typeof value !== 'string') throw invalidSecret(shape, path, value);
  try {
    return new URL(value);
  } catch {
    throw invalidSecret(shape, path, value);
  }
}

/** What a URL says. @param {unknown} value @param {string} path @param {string} shape @returns {Place} */
function place(value, path, shape) {
  const url = parsed(value, path, shape);
  const { protocol, hostname, port, pathname, username, password } = url;
  const login = {
    username: username === '' ? undefined : decodeURIComponent(username),
    password: password === '' ? undefined : decodeURIComponent(password),
  };
  if (SOCKET.includes(protocol)) {
    const database = url.searchParams.get('db');
    return { ...login, endpoint: { path: decodeURIComponent(pathname) }, database: databaseOf(database, value, path) };
  }
  const encrypted = ENCRYPTED.includes(protocol);
  if ((!encrypted && !PLAIN.includes(protocol)) || hostname === '') throw invalidSecret(shape, path, value);
  return {
    ...login,
    endpoint: { host: bare(hostname), port: port === '' ? DEFAULT_PORT : Number(port) },
    database: databaseOf(pathname.slice(1), value, path),
    encrypted,
  };
}

/** An IPv6 address stands in brackets in a URL alone. @param {string} hostname */
function bare(hostname) {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

/** @param {string | null} text @param {unknown} url @param {string} path */
function databaseOf(text, url, path) {
  if (text === null || text === '') return undefined;
  if (!/^\d{1,6}$/.test(text)) throw invalidSecret(`${URL_SHAPE}/0`, path, url);
  return Number(text);
}

/** @param {unknown} node @param {string} path @param {number} defaultPort @returns {Place} */
function node(node, path, defaultPort) {
  if (typeof node === 'string') {
    if (node.includes('://')) return place(node, path, NODE_SHAPE);
    const { endpoint } = place(`redis://${node}`, path, NODE_SHAPE);
    return { endpoint: /:\d+$/.test(node) ? endpoint : { ...endpoint, port: defaultPort } };
  }
  if (!check.isPlainObject(node)) throw invalidSecret(NODE_SHAPE, path, node);
  const { host, port = defaultPort } = check.options(node, path, ['host', 'port']);
  check.nonEmptyString(host, `${path}.host`);
  check.positiveInteger(port, `${path}.port`);
  if (port > MAX_PORT) throw outOfRange(`a port up to ${MAX_PORT}`, `${path}.port`, port);
  return { endpoint: { host, port } };
}

/** @param {unknown} nodes @param {string} path @param {number} defaultPort @returns {Place[]} */
function nodeList(nodes, path, defaultPort) {
  if (!Array.isArray(nodes)) throw invalidArgType('an array of addresses', path, nodes);
  if (nodes.length === 0) throw outOfRange('at least one address', path, nodes);
  return nodes.map((entry, index) => node(entry, `${path}[${index}]`, defaultPort));
}

/** PEM in one piece. @param {unknown} value @param {string} path @returns {Buffer} */
function pem(value, path) {
  if (Array.isArray(value)) {
    return Buffer.concat(value.flatMap((part, index) => [pem(part, `${path}[${index}]`), Buffer.from('\n')]));
  }
  if (typeof value === 'string' || ArrayBuffer.isView(value)) return Buffer.from(/** @type {any} */ (value));
  throw invalidSecret('PEM as a string or a Buffer', path, value);
}

/** @param {unknown} value @param {string} path */
function tlsOptions(value, path) {
  if (value === undefined || value === false) return undefined;
  if (value === true) return { insecure: false };
  if (!check.isPlainObject(value)) throw invalidArgType('a boolean or an object', path, value);
  const given = check.options(value, path, ['ca', 'cert', 'key', 'rejectUnauthorized']);
  if ((given.cert === undefined) !== (given.key === undefined)) {
    throw invalidArgType('cert and key together', path, value);
  }
  const { rejectUnauthorized = true } = given;
  return {
    ca: optional(given.ca, (ca) => pem(ca, `${path}.ca`)),
    cert: optional(given.cert, (cert) => pem(cert, `${path}.cert`)),
    key: optional(given.key, (key) => pem(key, `${path}.key`)),
    insecure: !check.boolean(rejectUnauthorized, `${path}.rejectUnauthorized`),
  };
}

/** @param {Record<string, any>} given @param {string} path */
function sentinelOptions(given, path) {
  const sentinel = check.options(given.sentinel, path, ['name', 'nodes', 'username', 'password']);
  return {
    primary: check.nonEmptyString(sentinel.name, `${path}.name`),
    places: nodeList(sentinel.nodes, `${path}.nodes`, SENTINEL_PORT),
    sentinelUsername: optional(sentinel.username, (value) => secret(value, `${path}.username`)),
    sentinelPassword: optional(sentinel.password, (value) => secret(value, `${path}.password`)),
  };
}

/** Where to connect to, if the caller said anything about it. @param {Record<string, any>} given @param {string} path */
function serverOptions(given, path) {
  if (SERVER_OPTIONS.every((name) => given[name] === undefined)) return undefined;
  const kinds = ['url', 'nodes', 'sentinel'].filter((name) => given[name] !== undefined);
  if (kinds.length > 1) throw invalidArgType('only one of url, nodes, sentinel', path, given);
  const { topology, places, ...named } = topologyOf(given, path, kinds[0]);
  const [first] = places;
  const encrypted = places.some((one) => one.encrypted);
  const tls = tlsOptions(given.tls, `${path}.tls`) ?? (encrypted ? { insecure: false } : undefined);
  if (given.tls === false && encrypted) throw outOfRange('no false where the URL is encrypted', `${path}.tls`, false);
  const database = optional(given.database, (value) => check.nonNegativeInteger(value, `${path}.database`));
  if (topology === 'cluster' && (database ?? first.database ?? 0) !== 0) {
    throw outOfRange('0 in a cluster', `${path}.database`, database ?? first.database);
  }
  return {
    topology,
    ...named,
    endpoints: places.map(({ endpoint }) => endpoint),
    username: optional(given.username, (value) => secret(value, `${path}.username`)) ?? first.username,
    password: optional(given.password, (value) => secret(value, `${path}.password`)) ?? first.password,
    database: database ?? first.database ?? 0,
    tls,
  };
}

/**
 * @param {Record<string, any>} given
 * @param {string} path
 * @param {string | undefined} kind
 * @returns {{ topology: string, places: Place[], primary?: string }}
 */
function topologyOf(given, path, kind) {
  switch (kind) {
    case 'nodes':
      return { topology: 'cluster', places: nodeList(given.nodes, `${path}.nodes`, DEFAULT_PORT) };
    case 'sentinel':
      return { topology: 'sentinel', ...sentinelOptions(given, `${path}.sentinel`) };
    case 'url':
      return { topology: 'single', places: [place(given.url, `${path}.url`, URL_SHAPE)] };
    default:
      return { topology: 'single', places: [{ endpoint: { host: '127.0.0.1', port: DEFAULT_PORT } }] };
  }
}

/** @param {unknown} value @param {string} path */
function breakerOptions(value, path) {
  if (value === undefined) return {};
  if (value === false) return { hasBreaker: false };
  if (value === true) return { hasBreaker: true, breaker: {} };
  if (!check.isPlainObject(value)) throw invalidArgType('a boolean or an object', path, value);
  const known = ['failureThreshold', 'failureRatio', 'minimumCalls', 'windowMs', 'openMs', 'probes'];
  const given = check.options(value, path, known);
  for (const name of ['failureThreshold', 'minimumCalls', 'windowMs', 'openMs', 'probes']) {
    if (given[name] !== undefined) check.positiveInteger(given[name], `${path}.${name}`);
  }
  if (given.failureRatio !== undefined) {
    check.positiveFiniteNumber(given.failureRatio, `${path}.failureRatio`);
    if (given.failureRatio > 1) throw outOfRange('a share up to 1', `${path}.failureRatio`, given.failureRatio);
  }
  return { hasBreaker: true, breaker: given };
}

/** @param {unknown} value @param {string} path */
function timeout(value, path) {
  const ms = check.positiveInteger(value, path);
  if (ms > MAX_TIMEOUT_MS) throw outOfRange(`at most ${MAX_TIMEOUT_MS} milliseconds`, path, ms);
  return ms;
}

/**
 * @template T
 * @param {unknown} value
 * @param {(value: unknown) => T} parse
 * @returns {T | undefined}
 */
function optional(value, parse) {
  return value === undefined ? undefined : parse(value);
}

/** Checks the constructor's options. @param {unknown} options */
function redisCacheOptions(options) {
  const path = 'options';
  const given = check.options(options, path, OPTIONS);
  const format = optional(given.format, (value) => check.oneOf(value, `${path}.format`, FORMATS));
  return {
    name: optional(given.name, (value) => check.nonEmptyString(value, `${path}.name`)),
    format: format ?? 'native',
    native: {
      name: given.name,
      server: serverOptions(given, path),
      keyPrefix: optional(given.keyPrefix, (value) => check.string(value, `${path}.keyPrefix`)),
      ttlMs: optional(given.ttlMs, (value) => check.positiveNumber(value, `${path}.ttlMs`)),
      commandTimeoutMs: optional(given.commandTimeoutMs, (value) => timeout(value, `${path}.commandTimeoutMs`)),
      ...breakerOptions(given.breaker, `${path}.breaker`),
      format,
      clientTracking: optional(given.clientTracking, (value) => check.boolean(value, `${path}.clientTracking`)),
    },
  };
}

module.exports = { redisCacheOptions };
