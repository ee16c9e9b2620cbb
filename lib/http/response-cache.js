'use strict';

// A cache of answers, in front of whatever makes them: as middleware, or before the application sees a request at all.
// Shared by all users, so it stores what is for all of them, and nothing else unless it is told (RFC 9111).

const { watchService } = require('../services.js');
const { surface } = require('../listening.js');
const { NO_DIRECTIVES, requestDirectives } = require('./cache-control.js');
const { Flights } = require('./flights.js');
const { Invalidation } = require('./invalidation.js');
const { Miss } = require('./miss.js');
const { asksForNothing, flightKeyOf, identityByOptions, isFresh, keyByOptions, suits } = require('./question.js');
const { applicationFor, renew } = require('./renewal.js');
const { hasBody } = require('./request-body.js');
const { requestKey, sameVariant, urlOf } = require('./request-key.js');
const { MARK, markOf } = require('./request-mark.js');
const { responseCacheOptions } = require('./response-cache-options.js');
const { ResponseStore } = require('./response-store.js');
const { Sender } = require('./sender.js');
const { StoredResponse } = require('./stored-response.js');

/** @typedef {import('./question.js').Question} Question */
/** @typedef {import('./question.js').Listener} Listener */
/** @typedef {import('./stored-response.js').Variants} Variants */

/** Methods that change nothing (RFC 9110, 9.2.1, and IANA's registry). */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'PROPFIND', 'QUERY', 'REPORT', 'SEARCH', 'TRACE']);

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

class ResponseCache {
  #settings;
  #store;
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
    this.#unwatch = watchService('responses', settings.name, this, (cache) => ({ ...cache.counts }));
    /** @type {import('./miss.js').Host} */
    this.#host = {
      settings,
      store: this.#store,
      flights: this.#flights,
      count: (name) => {
        this.counts[/** @type {keyof typeof COUNTS} */ (name)]++;
      },
      report: (error) => this.#report(error),
      send: (question, answer, status) => this.#sender.send(question, answer, Date.now(), status),
    };
    this.#sender = new Sender(this.#host);
    this.invalidation = new Invalidation(this.#host);
  }
  #host;
  #sender;

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
    if (method !== 'GET' && method !== 'HEAD') return this.#other(request, response, next);
    if (mark?.renewal !== undefined && mark.cache === this) return mark.renewal(next);
    // What an answer to a GET with a body depends on stands in no key.
    if (headers.range !== undefined || hasBody(request)) return this.#bypass(request, next);
    const directives = this.#settings.requestDirectives ? requestDirectives(headers) : NO_DIRECTIVES;
    if (directives.noStore) return this.#bypass(request, next);
    const settings = this.#settings;
    let key = this.#usesOwnKey ? requestKey(request) : this.#asked(() => keyByOptions(settings, request), undefined);
    if (key === undefined) return this.#bypass(request, next);
    const identity =
      settings.identity === undefined ? undefined : this.#asked(() => identityByOptions(settings, request), null);
    if (identity === null) return this.#bypass(request, next);
    // Nothing in a URL or a Host looks like a line break.
    if (identity !== undefined) key = `${key} \n${identity}`;
    const question = { request, response, next, key, identified: identity !== undefined, directives, waits: 0, app };
    return this.#look(question);
  }

  /** What the options' functions say of a request; `otherwise` when they fail. @template T @param {() => T} ask @param {T} otherwise @returns {T} */
  #asked(ask, otherwise) {
    try {
      return ask();
    } catch (error) {
      this.#report(error);
      return otherwise;
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
      .catch(surface);
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
        return this.#sender.send(question, answer, now, 'hit');
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
        surface(error);
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
    return this.#sender.send(question, answer, Date.now(), 'coalesced');
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
    const app = applicationFor(question, this.#settings);
    const isUnderWay = this.#flights.get(flightKey) !== undefined;
    if (isUnderWay || (app === undefined && question.request.method === 'HEAD')) {
      return this.#sender.send(question, answer, now, 'stale');
    }
    // Whoever cannot be asked in the background is asked now, while others still get the old answer.
    if (app === undefined) return this.#lead(question, flightKey, true, answer);
    this.#sender.send(question, answer, now, 'stale');
    renew(this, this.#host, question, flightKey, app);
  }

  /** Anything but GET and HEAD. @param {any} request @param {any} response @param {() => unknown} next */
  #other(request, response, next) {
    if (!SAFE.has(request.method)) {
      markOf(request).handled.add(this);
      this.invalidation.watch(request, response);
    }
    return next();
  }

  /** Lets a request pass as if there were no cache. @param {any} request @param {() => unknown} next */
  #bypass(request, next) {
    this.counts.bypassed++;
    markOf(request).handled.add(this);
    return next();
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

  /** The store failed, or an option's function: the application answers instead. @param {unknown} error */
  #report(error) {
    this.counts.errors++;
    this.#settings.onError?.(error);
  }
}

module.exports = { ResponseCache };
