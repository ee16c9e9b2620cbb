'use strict';

// How stored answers are let go of before their time: on request, and by requests that change something. What is under
// way at that time was begun before, and is not stored either.

const { requestKey, urlOf } = require('./request-key.js');
const { onHead } = require('./response-head.js');

class Invalidation {
  #host;

  /** @param {Pick<import('./miss.js').Host, 'store' | 'flights' | 'count' | 'report'>} host */
  constructor(host) {
    this.#host = host;
  }

  /**
   * Watches a request that changes something: what is stored under its URL is out of date once it succeeds (RFC 9111, 4.4).
   * @param {any} request
   * @param {any} response
   */
  watch(request, response) {
    // As the client sent it: the application may rewrite it.
    const [own, key] = [urlOf(request), requestKey(request)];
    onHead(response, () => {
      if (response.statusCode < 200 || response.statusCode >= 400) return;
      const urls = new Set([own]);
      for (const name of ['location', 'content-location']) {
        const url = sameOrigin(request, own, response.getHeader(name));
        if (url !== undefined) urls.add(url);
      }
      for (const url of urls) this.deleteUrl(url, key).catch((error) => this.#host.report(error));
    });
  }

  /** @param {string} url @param {string} [key] */
  async deleteUrl(url, key) {
    this.#host.count('invalidations');
    this.#host.flights.overtake((flight) => flight.url === url);
    await this.#host.store.deleteUrl(url, key);
  }

  /** @param {string} key */
  async deleteKey(key) {
    this.#host.count('invalidations');
    this.#host.flights.overtake((flight) => flight.key === key || flight.key.startsWith(`${key}\n`));
    return this.#host.store.delete(key);
  }

  /** @param {string} pattern */
  async deletePattern(pattern) {
    this.#host.count('invalidations');
    this.#host.flights.overtake(() => true);
    return this.#host.store.deletePattern(pattern);
  }

  /** @param {string[]} tags */
  async invalidateTags(tags) {
    this.#host.count('invalidations');
    this.#host.flights.overtake(() => false, tags);
    return this.#host.store.invalidateTags(tags);
  }

  async clear() {
    this.#host.count('invalidations');
    this.#host.flights.overtake(() => true);
    await this.#host.store.clear();
  }
}

/** The path of a URL on the same host as a request's. @param {any} request @param {string} own @param {unknown} location */
function sameOrigin(request, own, location) {
  if (typeof location !== 'string') return undefined;
  const host = request.headers.host ?? request.headers[':authority'];
  try {
    const url = new URL(location, `http://${host}${own}`);
    return url.host === new URL(`http://${host}`).host ? url.pathname + url.search : undefined;
  } catch {
    return undefined;
  }
}

module.exports = { Invalidation };
