'use strict';

// Options of the rate limiter, checked; and who asks, if they do not say.

const { isIPv6 } = require('node:net');
const { invalidArgType } = require('../errors.js');
const check = require('../validate.js');

const OPTIONS = Object.freeze([
  'limit',
  'windowMs',
  'name',
  'store',
  'key',
  'skip',
  'handler',
  'statusCode',
  'message',
  'headers',
  'policyName',
  'ipv6Prefix',
  'failOpen',
  'onError',
  'now',
]);

const HEADERS = Object.freeze(['draft-8', 'draft-6', 'legacy']);

/**
 * The part of an address that one client has for itself. Whoever has an IPv6 address has a whole network of them.
 * @param {string} address
 * @param {number} prefix bits
 */
function networkOf(address, prefix) {
  if (address.startsWith('::ffff:') && address.includes('.')) return address.slice(7);
  if (!isIPv6(address)) return address;
  const [head, tail = ''] = address.split('%')[0].split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === '' ? [] : tail.split(':');
  const groups = address.includes('::')
    ? [...first, ...new Array(Math.max(0, 8 - first.length - last.length)).fill('0'), ...last]
    : first;
  const masked = groups.map((group, index) => {
    const bits = Math.min(16, Math.max(0, prefix - 16 * index));
    return (Number.parseInt(group, 16) & (0xffff << (16 - bits)) & 0xffff).toString(16);
  });
  return `${masked.join(':')}/${prefix}`;
}

/** @param {unknown} value @param {string} path */
function counterStore(value, path) {
  const isOne = ['increment', 'get'].every((name) => typeof (/** @type {any} */ (value)?.[name]) === 'function');
  if (!isOne) throw invalidArgType('a MemoryCache or a RedisCache', path, value);
  return /** @type {any} */ (value);
}

/** @param {unknown} message @param {string} path @returns {{ type: string, body: Buffer }} */
function refusalOf(message, path) {
  if (typeof message === 'string') return { type: 'text/plain; charset=utf-8', body: Buffer.from(message) };
  const wrong = () => invalidArgType('text, or what JSON can say', path, message);
  let json;
  try {
    json = JSON.stringify(message);
  } catch {
    throw wrong();
  }
  if (json === undefined) throw wrong();
  return { type: 'application/json; charset=utf-8', body: Buffer.from(json) };
}

/** @param {unknown} options */
function rateLimitOptions(options) {
  const path = 'options';
  const given = check.options(options, path, OPTIONS);
  /** @type {<T>(name: string, parse: (value: unknown, path: string) => T, usual: T) => T} */
  const option = (name, parse, usual) => (given[name] === undefined ? usual : parse(given[name], `${path}.${name}`));
  const none = /** @type {any} */ (undefined);
  if (given.store !== undefined && given.name !== undefined) {
    throw invalidArgType('nothing, as the store has it', `${path}.name`, given.name);
  }
  const limit = given.limit;
  const prefix = option('ipv6Prefix', (value, at) => check.integerBetween(value, at, 1, 128), 64);
  const policyName = option('policyName', check.nonEmptyString, 'default');
  if (!/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/.test(policyName)) {
    throw invalidArgType('printable ASCII without quotes', `${path}.policyName`, policyName);
  }
  return {
    limit:
      typeof limit === 'function'
        ? /** @type {(request: any) => unknown} */ (limit)
        : option('limit', check.nonNegativeInteger, 100),
    windowMs: option('windowMs', check.positiveInteger, 60_000),
    name: option('name', check.nonEmptyString, none),
    store: option('store', counterStore, none),
    key: option('key', check.function_, (request) => networkOf(addressOf(request), prefix)),
    skip: option('skip', check.function_, none),
    handler: option('handler', check.function_, none),
    statusCode: option('statusCode', (value, at) => check.integerBetween(value, at, 400, 599), 429),
    refusal: refusalOf(given.message ?? 'Too many requests, please try again later.', `${path}.message`),
    headers:
      given.headers === false ? none : option('headers', (value, at) => check.oneOf(value, at, HEADERS), 'draft-8'),
    policyName,
    failOpen: option('failOpen', check.boolean, true),
    onError: option('onError', check.function_, none),
    now: option('now', check.function_, Date.now),
  };
}

/** @param {any} request @returns {string} */
function addressOf(request) {
  // Express's, which knows about proxies if it was told; never a header by itself.
  return request.ip ?? request.socket?.remoteAddress ?? 'unknown';
}

/** @typedef {ReturnType<typeof rateLimitOptions>} Settings */

module.exports = { networkOf, rateLimitOptions };
