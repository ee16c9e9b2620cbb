'use strict';

// A cache of answers, in front of whatever makes them: as middleware, or before the application sees a request at all.
// Shared by all users, so it stores what is for all of them, and nothing else unless it is told (RFC 9111).

const check = require('../validate.js');
const { watchService } = require('../services.js');
const { backgroundRequest } = require('./background-request.js');
const { NO_DIRECTIVES, requestDirectives } = require('./cache-control.js');
const { coded } = require('./coding.js');
const { Negotiator } = require('./encodings.js');
const { Flights } = require('./flights.js');
const { Miss } = require('./miss.js');
const { requestKey, sameVariant, urlOf, variantKey } = require('./request-key.js');
const { responseCacheOptions } = require('./response-cache-options.js');
const { onHead } = require('./response-head.js');
const { ResponseStore } = require('./response-store.js');
const { StoredResponse, Variants } = require('./stored-response.js');

/** Methods that change nothing (RFC 9110, 9.2.1). */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/**
 * What a cache has to say about a request: that it takes care of it already, or what it was made for. One property,
 * because looking for one that is not there costs as much as the rest.
 * @typedef {{ handled: Set<ResponseCache>, cache?: ResponseCache, renewal?: (next: () => unknown) => unknown }} Mark
 */
const MARK = Symbol('hotpath.responses');

/** How often a request may wait for others before it goes alone. */
const WAITS = 3;

/** What is counted. */
const COUNTS = Object.freeze({
  hits: 0,
  misses: 0,
  stale: 0,
  notModified: 0,
  coalesced: 0,
  stored: 0,
  passed: 0,
  bypassed: 0,
  rescued: 0,
  renewals: 0,
  invalidations: 0,
  errors: 0,
});

/** @typedef {(request: any, response: any) => unknown} Listener */

/**
 * A request that may be answered from the store.
 * @typedef {object} Question
 * @property {any} request
 * @property {any} response or what stands for it
 * @property {(error?: unknown) => unknown} next
 * @property {string} key
 * @property {boolean} identified whether the key names the user, so that nobody else can get the answer
 * @property {import('./cache-control.js').Directives} directives
 * @property {number} waits for others so far
 * @property {Listener | undefined} app what stands behind a front
 */

class ResponseCache {
  #settings;
  #store;
  #negotiator;
  #unwatch;
  #usesOwnKey;
  #flights = new Flights();
  #closed = false;
  counts = { ...COUNTS };

  /** @param {unknown} options */
  constructor(options) {
    const settings = responseCacheOptions(options);
    this.#settings = settings;
    this.#store = new ResponseStore(settings);
    this.#usesOwnKey = settings.key === undefined && settings.filter === undefined;
    this.#negotiator = new Negotiator(settings.compression?.encodings ?? []);
    this.#unwatch = watchService('responses', settings.name, this, (cache) => ({ ...cache.counts }));
    /** @type {import('./miss.js').Host} */
    this.#host = {
      settings,
      store: this.#store,
      flights: this.#flights,
      count: (name) => this.#count(/** @type {any} */ (name)),
      report: (error) => this.#report(error),
      send: (question, answer, status) => this.#send(question, answer, Date.now(), status),
    };
  }
  #host;

  get store() {
    return this.#store;
  }

  get closed() {
    return this.#closed;
  }

  /**
   * @param {any} request
   * @param {any} response
   * @param {(error?: unknown) => unknown} next
   * @param {Listener} [app] behind a front
   * @returns {any}
   */
  handle(request, response, next, app) {
    const { method, headers } = request;
    const mark = request[MARK];
    if (this.#closed || mark?.handled.has(this) === true) return next();
    if (method !== 'GET' && method !== 'HEAD') return SAFE.has(method) ? next() : this.#change(request, response, next);
    if (mark?.renewal !== undefined && mark.cache === this) return mark.renewal(next);
    if (headers.range !== undefined) return this.#bypass(request, next);
    const directives = this.#settings.requestDirectives ? requestDirectives(headers) : NO_DIRECTIVES;
    if (directives.noStore) return this.#bypass(request, next);
    let key = this.#usesOwnKey ? requestKey(request) : this.#keyOf(request);
    if (key === undefined) return this.#bypass(request, next);
    const identity = this.#settings.identity === undefined ? undefined : this.#identityOf(request);
    if (identity === null) return this.#bypass(request, next);
    // Nothing in a URL or a Host looks like a line break.
    if (identity !== undefined) key = `${key} \n${identity}`;
    const question = { request, response, next, key, identified: identity !== undefined, directives, waits: 0, app };
    return this.#look(question);
  }

  /** The key by the options; undefined for a request that passes. @param {any} request @returns {string | undefined} */
  #keyOf(request) {
    const { filter, key } = this.#settings;
    try {
      if (filter !== undefined && filter(request) !== true) return undefined;
      const made = key === undefined ? requestKey(request) : key(request);
      return made === undefined ? undefined : check.string(made, 'the result of options.key');
    } catch (error) {
      this.#report(error);
      return undefined;
    }
  }

  /**
   * Who asks; undefined for nobody in particular, null if that cannot be said: a promise or an object would look the same
   * for all users.
   * @param {any} request
   * @returns {string | number | undefined | null}
   */
  #identityOf(request) {
    try {
      const identity = /** @type {any} */ (this.#settings.identity)(request) ?? undefined;
      if (identity === undefined || typeof identity === 'number') return identity;
      return check.string(identity, 'the result of options.identity');
    } catch (error) {
      this.#report(error);
      return null;
    }
  }

  /** @param {Question} question @returns {any} */
  #look(question) {
    const { key, request } = question;
    if (this.#store.isSynchronous) return this.#answer(question, this.#find(key, request.headers));
    return this.#store
      .ask(key, request.headers)
      .catch((error) => this.#report(error))
      .then((found) => this.#answer(question, found ?? undefined))
      .catch(thrown);
  }

  /** @param {string} key @param {Record<string, any>} headers */
  #find(key, headers) {
    try {
      return this.#store.find(key, headers);
    } catch (error) {
      // Closed by its owner.
      this.#report(error);
      return undefined;
    }
  }

  /** @param {Question} question @param {StoredResponse | Variants | undefined} found @returns {any} */
  #answer(question, found) {
    const { directives, request, response } = question;
    if (response.destroyed) return undefined;
    const answer = found instanceof StoredResponse && suits(question, found) ? found : undefined;
    if (answer !== undefined) {
      const now = Date.now();
      if (isFresh(answer, directives, now)) {
        this.counts.hits++;
        return this.#send(question, answer, now, 'hit');
      }
      if (now < answer.servedUntil && asksForNothing(directives)) {
        this.counts.stale++;
        return this.#sendStale(question, answer, now);
      }
    }
    if (directives.onlyIfCached) {
      response.writeHead(504, { 'Content-Length': 0 });
      return response.end();
    }
    this.counts.misses++;
    // HEAD has no body to store.
    if (request.method === 'HEAD') return this.#bypass(request, question.next);
    return this.#miss(question, found, answer);
  }

  /**
   * @param {Question} question
   * @param {StoredResponse | Variants | undefined} found
   * @param {StoredResponse | undefined} stale
   */
  #miss(question, found, stale) {
    const flightKey = flightKeyOf(question, found);
    const isOpen = this.#settings.coalesce && !this.#flights.isAlone(flightKey);
    const flight = isOpen ? this.#flights.get(flightKey) : undefined;
    if (flight === undefined || !asksForNothing(question.directives) || question.waits >= WAITS) {
      return this.#lead(question, flightKey, isOpen, stale);
    }
    question.waits++;
    flight.wait((outcome) => {
      try {
        this.#afterWait(question, flightKey, outcome, stale);
      } catch (error) {
        thrown(error);
      }
    }, this.#settings.coalesceTimeoutMs);
  }

  /** @param {Question} question @param {string} flightKey @param {import('./flights.js').Outcome} outcome @param {StoredResponse | undefined} stale */
  #afterWait(question, flightKey, outcome, stale) {
    if (question.response.destroyed) return undefined;
    if (outcome === 'again') return this.#look(question);
    if (outcome === 'alone') return this.#lead(question, flightKey, false, stale);
    const { answer, vary, headers } = outcome;
    if (!suits(question, answer) || !sameVariant(vary, headers, question.request.headers)) return this.#look(question);
    this.counts.coalesced++;
    return this.#send(question, answer, Date.now(), 'coalesced');
  }

  /** @param {Question} question @param {string} flightKey @param {boolean} isOpen @param {StoredResponse | undefined} stale */
  #lead(question, flightKey, isOpen, stale) {
    const { request, next } = question;
    const flight = this.#flights.begin(flightKey, urlOf(request), isOpen);
    markOf(request).handled.add(this);
    return new Miss(this.#host, question, flight, stale).run(next);
  }

  /** Answers with what is out of date, and sees to it that the next will not be. @param {Question} question @param {StoredResponse} answer @param {number} now */
  #sendStale(question, answer, now) {
    const flightKey = flightKeyOf(question, answer);
    const behind = question.app;
    const app = behind ?? this.#settings.app ?? rootOf(question.request.app);
    const isUnderWay = this.#flights.get(flightKey) !== undefined;
    if (isUnderWay || (app === undefined && question.request.method === 'HEAD')) {
      return this.#send(question, answer, now, 'stale');
    }
    // Whoever cannot be asked in the background is asked now, while others still get the old answer.
    if (app === undefined) return this.#lead(question, flightKey, true, answer);
    this.#send(question, answer, now, 'stale');
    this.counts.renewals++;
    const renewal = backgroundRequest(question.request);
    const flight = this.#flights.begin(flightKey, urlOf(question.request), true);
    let isSeen = false;
    const giveUp = () => {
      flight.end('again');
      // Nothing will be stored by a request that has not come back to this cache.
      if (!isSeen) this.#flights.forget(flight);
    };
    const run = (/** @type {() => unknown} */ next) => {
      isSeen = true;
      const { key, identified } = question;
      const asked = { ...renewal, next, key, identified, directives: NO_DIRECTIVES, waits: WAITS, app };
      markOf(renewal.request).handled.add(this);
      return new Miss(this.#host, asked, flight, undefined).run(next);
    };
    renewal.response.on('close', () => setImmediate(giveUp));
    try {
      if (behind === undefined) {
        Object.assign(markOf(renewal.request), { cache: this, renewal: run });
        app(renewal.request, renewal.response);
      } else {
        run(() => app(renewal.request, renewal.response));
      }
    } catch (error) {
      giveUp();
      this.#report(error);
    }
  }

  /**
   * @param {Question} question
   * @param {StoredResponse} answer
   * @param {number} now
   * @param {string} status
   */
  #send(question, answer, now, status) {
    const { request, response } = question;
    const { headers } = request;
    const age = answer.ageAt(now);
    if (this.#settings.cacheStatus) response.setHeader('Cache-Status', `hotpath; ${STATUS[status]}`);
    if (
      (headers['if-none-match'] !== undefined || headers['if-modified-since'] !== undefined) &&
      answer.isKnownTo(headers)
    ) {
      this.counts.notModified++;
      return write(question, 304, undefined, answer.notModified.headAt(age), undefined);
    }
    const encoding = answer.compressible ? this.#negotiator.accepted(headers['accept-encoding'])[0] : undefined;
    const prepared = encoding === undefined ? answer.plain : answer.prepared(encoding);
    if (prepared === undefined) return this.#sendCoded(question, answer, /** @type {any} */ (encoding));
    return write(question, answer.status, answer.message, prepared.headAt(age), prepared.body);
  }

  /** Sends in a coding that the answer has not had so far. @param {Question} question @param {StoredResponse} answer @param {import('./encodings.js').Encoding} encoding */
  #sendCoded(question, answer, encoding) {
    const { compression } = this.#settings;
    const encode = (/** @type {Buffer} */ body) => coded(/** @type {any} */ (compression), encoding, body);
    return answer
      .prepare(encoding, () => this.#store.coded(answer, encoding, encode))
      .catch((error) => {
        this.#report(error);
        return answer.plain;
      })
      .then((prepared) => {
        if (question.response.destroyed) return;
        const head = prepared.headAt(answer.ageAt(Date.now()));
        write(question, answer.status, answer.message, head, prepared.body);
      })
      .catch(thrown);
  }

  /** Lets a request pass as if there were no cache. @param {any} request @param {() => unknown} next */
  #bypass(request, next) {
    this.counts.bypassed++;
    markOf(request).handled.add(this);
    return next();
  }

  /** A request that changes something: what is stored under its URL is out of date once it succeeds (RFC 9111, 4.4). @param {any} request @param {any} response @param {() => unknown} next */
  #change(request, response, next) {
    markOf(request).handled.add(this);
    onHead(response, () => {
      if (response.statusCode < 200 || response.statusCode >= 400) return;
      const urls = new Set([urlOf(request)]);
      for (const name of ['location', 'content-location']) {
        const url = sameOrigin(request, response.getHeader(name));
        if (url !== undefined) urls.add(url);
      }
      for (const url of urls) this.deleteUrl(url, requestKey(request)).catch((error) => this.#report(error));
    });
    return next();
  }

  /** @param {string} url @param {string} [key] */
  async deleteUrl(url, key) {
    this.counts.invalidations++;
    this.#flights.overtake((flight) => flight.url === url);
    await this.#store.deleteUrl(url, key);
  }

  /** @param {string} key */
  async deleteKey(key) {
    this.counts.invalidations++;
    this.#flights.overtake((flight) => flight.key === key || flight.key.startsWith(`${key}\n`));
    return this.#store.delete(key);
  }

  /** @param {string} pattern */
  async deletePattern(pattern) {
    this.counts.invalidations++;
    this.#flights.overtake(() => true);
    return this.#store.deletePattern(pattern);
  }

  /** @param {string[]} tags */
  async invalidateTags(tags) {
    this.counts.invalidations++;
    this.#flights.overtake(() => false, tags);
    return this.#store.invalidateTags(tags);
  }

  async clear() {
    this.counts.invalidations++;
    this.#flights.overtake(() => true);
    await this.#store.clear();
  }

  /** @param {(request: any, response: any) => unknown} app @returns {(request: any, response: any) => void} */
  front(app) {
    return (request, response) => {
      this.handle(request, response, () => app(request, response), app);
    };
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#flights.overtake(() => true);
    this.#unwatch();
    this.#store.close();
  }

  /** @param {keyof typeof COUNTS} name */
  #count(name) {
    this.counts[name]++;
  }

  /** The store failed, or an option's function: the application answers instead. @param {unknown} error */
  #report(error) {
    this.counts.errors++;
    this.#settings.onError?.(error);
  }
}

/** @param {any} request @returns {Mark} */
function markOf(request) {
  request[MARK] ??= { handled: new Set() };
  return request[MARK];
}

/** Words of Cache-Status (RFC 9211). @type {Record<string, string>} */
const STATUS = Object.freeze({
  hit: 'hit',
  stale: 'hit; detail=stale',
  coalesced: 'hit; collapsed',
  stored: 'fwd=miss; stored',
});

/**
 * @param {Question} question
 * @param {number} status
 * @param {string | undefined} message
 * @param {(string | string[])[]} head
 * @param {Buffer | undefined} body
 */
function write({ request, response }, status, message, head, body) {
  if (request.httpVersionMajor >= 2) {
    // HTTP/2 takes lists in another form.
    for (let index = 0; index < head.length; index += 2) response.setHeader(head[index], head[index + 1]);
    response.writeHead(status);
  } else if (message === undefined) response.writeHead(status, head);
  else response.writeHead(status, message, head);
  return body === undefined || request.method === 'HEAD' ? response.end() : response.end(body);
}

/** Whether an answer is for whoever asks. @param {Question} question @param {StoredResponse} answer */
function suits({ request: { headers }, identified }, answer) {
  if (identified) return true;
  if (headers.authorization !== undefined && !answer.forAuthorized) return false;
  return headers.cookie === undefined || answer.forCookies;
}

/** @param {StoredResponse} answer @param {import('./cache-control.js').Directives} directives @param {number} now */
function isFresh(answer, directives, now) {
  if (directives === NO_DIRECTIVES) return now < answer.freshUntil;
  const { noCache, maxAge, minFresh = 0, maxStale } = directives;
  if (noCache || (maxAge !== undefined && answer.ageAt(now) > maxAge)) return false;
  if (maxAge === 0) return false;
  if (now < answer.freshUntil - minFresh * 1000) return true;
  return maxStale !== undefined && !answer.mustRevalidate && now - answer.freshUntil <= maxStale * 1000;
}

/** Whether a request takes what any other gets. @param {import('./cache-control.js').Directives} directives */
function asksForNothing({ noCache, maxAge, minFresh }) {
  return !noCache && maxAge === undefined && minFresh === undefined;
}

/**
 * Requests with and without credentials do not wait for each other: what is for one may not be for the other.
 * @param {Question} question
 * @param {StoredResponse | Variants | undefined} found
 */
function flightKeyOf({ key, request: { headers }, identified }, found) {
  const variant = found instanceof Variants ? variantKey(key, found, headers) : key;
  if (identified || (headers.authorization === undefined && headers.cookie === undefined)) return variant;
  return `${variant}\n ${headers.authorization === undefined ? '' : 'a'}${headers.cookie === undefined ? '' : 'c'}`;
}

/** The application that a mounted one belongs to. @param {any} app */
function rootOf(app) {
  let root = app;
  while (root?.parent !== undefined) root = root.parent;
  return typeof root === 'function' ? root : undefined;
}

/** The path of a URL on the same host as a request's. @param {any} request @param {unknown} location */
function sameOrigin(request, location) {
  if (typeof location !== 'string') return undefined;
  const host = request.headers.host ?? request.headers[':authority'];
  try {
    const url = new URL(location, `http://${host}${urlOf(request)}`);
    return url.host === new URL(`http://${host}`).host ? url.pathname + url.search : undefined;
  } catch {
    return undefined;
  }
}

/** As if it had been thrown without a promise around it. @param {unknown} error */
function thrown(error) {
  process.nextTick(() => {
    throw error;
  });
}

module.exports = { ResponseCache };
