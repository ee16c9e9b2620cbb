'use strict';

// A limit on how many requests a client may make in a time. The window slides: what the last whole window had counts in
// proportion to how much of it is still within the time, so that nobody gets twice the limit around a boundary.
//
// Counts are numbers in a cache: one in memory is shared by all threads that name it, one in Redis by all machines.

const { openFaceMemory } = require('../cache/face-memory.js');
const { HotpathClosedError, HotpathError } = require('../errors.js');
const { surfaceLater } = require('../listening.js');
const check = require('../validate.js');
const { networkOf, rateLimitOptions } = require('./rate-limit-options.js');

/** Keys of ours in a cache that may hold other things, too. */
const KEYS = 'rate:';

/** @typedef {import('./rate-limit-options.js').Settings} Settings */

/**
 * What one request found.
 * @typedef {object} RateLimitInfo
 * @property {string} key
 * @property {number} limit
 * @property {number} used requests in the window that ends now, this one included if it was let through
 * @property {number} remaining
 * @property {number} resetMs milliseconds until one more may pass, or, while some may, until the window is over
 */

/** @param {string | undefined} name */
function openCounts(name) {
  return openFaceMemory('rateLimit', { maxMemoryMB: 16 }, { name, nearCache: false });
}

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
    /** @type {RateLimitInfo & { isAllowed: boolean }} */
    let info;
    /** @type {{ key: string, limit: number } | undefined} */
    let asked;
    try {
      asked = await this.#asked(request, response);
    } catch (error) {
      // A client that can make a function fail must not get in by that.
      return this.#fail(next, error);
    }
    if (asked === undefined) {
      this.counts.skipped++;
      return this.#go(next);
    }
    try {
      info = await this.consume(asked.key, asked.limit);
    } catch (error) {
      return this.#fail(this.#settings.failOpen ? () => next() : next, error);
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

  /** What the options' functions say; undefined for a request that is none of this limiter's. @param {any} request @param {any} response */
  async #asked(request, response) {
    const { skip, key, limit } = this.#settings;
    if (this.#closed || (skip !== undefined && (await skip(request, response)))) return undefined;
    return {
      key: String(await key(request, response)),
      limit: typeof limit === 'function' ? check.nonNegativeInteger(await limit(request), 'options.limit') : limit,
    };
  }

  /** @param {(error?: unknown) => unknown} next @param {unknown} error */
  #fail(next, error) {
    this.counts.errors++;
    surfaceLater(() => this.#settings.onError?.(error));
    return this.#go(next, error ?? new HotpathError('The rate limiter failed'));
  }

  /** What is thrown behind this handler has nothing to do with it. @param {(error?: unknown) => unknown} next @param {unknown} [error] */
  #go(next, error) {
    surfaceLater(() => (error === undefined ? next() : next(error)));
  }

  /**
   * Counts one request.
   * @param {string} key
   * @param {number} limit
   * @returns {Promise<RateLimitInfo & { isAllowed: boolean }>}
   */
  async consume(key, limit) {
    const { windowMs, now } = this.#settings;
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
  async #refuse(request, response, next, info) {
    const { handler, statusCode, refusal } = this.#settings;
    if (!response.headersSent) response.setHeader('Retry-After', Math.max(1, Math.ceil(info.resetMs / 1000)));
    if (handler !== undefined) {
      try {
        return await handler(request, response, next, info);
      } catch (error) {
        return this.#go(next, error ?? new HotpathError('The handler of refused requests failed'));
      }
    }
    if (response.headersSent || response.destroyed) return undefined;
    response.statusCode = statusCode;
    response.setHeader('Content-Type', refusal.type);
    response.setHeader('Content-Length', refusal.body.length);
    // Nobody else may be told so.
    response.setHeader('Cache-Control', 'no-store');
    return response.end(refusal.body);
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
