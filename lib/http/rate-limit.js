'use strict';

// A limit on how many requests a client may make in a time. The window slides: what the last whole window had counts in
// proportion to how much of it is still within the time, so that nobody gets twice the limit around a boundary.
//
// Counts are numbers in a cache: one in memory is shared by all threads that name it, one in Redis by all machines.

const { isIPv6 } = require('node:net');
const { openFaceMemory } = require('../cache/face-memory.js');
const { HotpathClosedError, invalidArgType } = require('../errors.js');
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

/** Keys of ours in a cache that may hold other things, too. */
const KEYS = 'rate:';

/**
 * What one request found.
 * @typedef {object} RateLimitInfo
 * @property {string} key
 * @property {number} limit
 * @property {number} used requests in the window that ends now, this one included if it was let through
 * @property {number} remaining
 * @property {number} resetMs milliseconds until one more may pass, or, while some may, until the window is over
 */

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
    message: given.message ?? 'Too many requests, please try again later.',
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

/** @param {string | undefined} name */
function openCounts(name) {
  return openFaceMemory('rateLimit', { maxMemoryMB: 16 }, { name, nearCache: false });
}

/** @typedef {ReturnType<typeof rateLimitOptions>} Settings */

class RateLimiter {
  #settings;
  #store;
  #closed = false;
  counts = { allowed: 0, limited: 0, skipped: 0, errors: 0 };

  /** @param {Settings} settings */
  constructor(settings) {
    this.#settings = settings;
    this.#store = settings.store ?? openCounts(settings.name);
  }

  get closed() {
    return this.#closed;
  }

  /** @param {any} request @param {any} response @param {(error?: unknown) => unknown} next */
  async handle(request, response, next) {
    const { skip, key, failOpen } = this.#settings;
    /** @type {RateLimitInfo & { isAllowed: boolean } | undefined} */
    let info;
    try {
      if (this.#closed || (skip !== undefined && (await skip(request, response)))) {
        this.counts.skipped++;
        return this.#go(next);
      }
      info = await this.consume(String(await key(request, response)), request);
    } catch (error) {
      this.counts.errors++;
      this.#settings.onError?.(error);
      return this.#go(next, failOpen ? undefined : error);
    }
    this.#tell(response, info);
    request.rateLimit = info;
    if (info.isAllowed) {
      this.counts.allowed++;
      return this.#go(next);
    }
    this.counts.limited++;
    return this.#refuse(request, response, next, info);
  }

  /** What is thrown behind this handler has nothing to do with it. @param {(error?: unknown) => unknown} next @param {unknown} [error] */
  #go(next, error) {
    try {
      return error === undefined ? next() : next(error);
    } catch (thrown) {
      process.nextTick(() => {
        throw thrown;
      });
    }
  }

  /**
   * Counts one request.
   * @param {string} key
   * @param {any} [request]
   * @returns {Promise<RateLimitInfo & { isAllowed: boolean }>}
   */
  async consume(key, request) {
    const { limit: given, windowMs, now } = this.#settings;
    const limit = typeof given === 'function' ? check.nonNegativeInteger(await given(request), 'options.limit') : given;
    const time = now();
    const index = Math.floor(time / windowMs);
    const elapsed = time - index * windowMs;
    const current = `${KEYS}${key}:${index}`;
    // The next window looks back at this one.
    const life = { ttlMs: 2 * windowMs };
    const store = this.#store;
    const [count, before] = await Promise.all([
      store.increment(current, 1, life),
      (store.peek ?? store.get).call(store, `${KEYS}${key}:${index - 1}`),
    ]);
    const previous = typeof before === 'number' ? before : 0;
    const used = previous * (1 - elapsed / windowMs) + count;
    const isAllowed = used <= limit;
    // What is refused does not count: a client that goes on asking is let in again as soon as it may.
    if (!isAllowed) await store.increment(current, -1, life);
    const counted = isAllowed ? used : used - 1;
    return {
      isAllowed,
      key,
      limit,
      used: Math.ceil(counted),
      remaining: Math.max(0, Math.floor(limit - counted)),
      resetMs: isAllowed ? windowMs - elapsed : untilFree({ limit, windowMs, elapsed, previous, count: count - 1 }),
    };
  }

  /** @param {any} response @param {RateLimitInfo} info */
  #tell(response, { limit, remaining, resetMs }) {
    const { headers, windowMs, policyName } = this.#settings;
    if (headers === undefined || response.headersSent) return;
    const reset = Math.ceil(resetMs / 1000);
    const windowSeconds = Math.ceil(windowMs / 1000);
    if (headers === 'draft-8') {
      response.setHeader('RateLimit-Policy', `"${policyName}";q=${limit};w=${windowSeconds}`);
      response.setHeader('RateLimit', `"${policyName}";r=${remaining};t=${reset}`);
      return;
    }
    const prefix = headers === 'legacy' ? 'X-RateLimit' : 'RateLimit';
    if (headers === 'draft-6') response.setHeader('RateLimit-Policy', `${limit};w=${windowSeconds}`);
    response.setHeader(`${prefix}-Limit`, limit);
    response.setHeader(`${prefix}-Remaining`, remaining);
    response.setHeader(`${prefix}-Reset`, reset);
  }

  /** @param {any} request @param {any} response @param {(error?: unknown) => unknown} next @param {RateLimitInfo} info */
  #refuse(request, response, next, info) {
    const { handler, statusCode, message } = this.#settings;
    if (!response.headersSent) response.setHeader('Retry-After', Math.max(1, Math.ceil(info.resetMs / 1000)));
    if (handler !== undefined) return this.#go(() => handler(request, response, next, info));
    if (response.headersSent || response.destroyed) return undefined;
    const isText = typeof message === 'string';
    const body = Buffer.from(isText ? message : JSON.stringify(message));
    response.statusCode = statusCode;
    response.setHeader('Content-Type', isText ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8');
    response.setHeader('Content-Length', body.length);
    // Nobody else may be told so.
    response.setHeader('Cache-Control', 'no-store');
    return response.end(body);
  }

  /** Forgets what a client has used. @param {string} key */
  async reset(key) {
    if (this.#closed) throw new HotpathClosedError('The rate limiter is closed');
    const index = Math.floor(this.#settings.now() / this.#settings.windowMs);
    await Promise.all([index, index - 1].map((each) => this.#store.delete(`${KEYS}${key}:${each}`)));
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#settings.store === undefined) this.#store.close();
  }
}

/**
 * Milliseconds until one more may pass, if nobody asks meanwhile.
 * @param {{ limit: number, windowMs: number, elapsed: number, previous: number, count: number }} state
 */
function untilFree({ limit, windowMs, elapsed, previous, count }) {
  if (limit < 1) return windowMs;
  // In this window the weight of the last falls; in the next one it is this window's weight that does.
  const room = limit - 1 - count;
  if (room >= 0 && previous > 0) return Math.max(1, windowMs * (1 - room / previous) - elapsed);
  return Math.max(1, windowMs - elapsed + windowMs * (1 - (limit - 1) / Math.max(count, 1)));
}

/** @param {unknown} [options] */
function rateLimit(options) {
  const limiter = new RateLimiter(rateLimitOptions(options));
  const handler = (/** @type {any} */ request, /** @type {any} */ response, /** @type {any} */ next) =>
    limiter.handle(request, response, next);
  const close = () => limiter.close();
  const members = {
    /** @param {unknown} key */
    reset: async (key) => limiter.reset(check.string(key, 'key')),
    close,
    [Symbol.dispose ?? Symbol.for('nodejs.dispose')]: close,
  };
  return Object.defineProperties(Object.assign(handler, members), {
    closed: { get: () => limiter.closed, enumerable: true },
    stats: { get: () => ({ ...limiter.counts }), enumerable: true },
  });
}

module.exports = { rateLimit, networkOf };
