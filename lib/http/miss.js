'use strict';

// A request that the store cannot answer: the application is asked, and what it answers is looked at while it passes.

const { isNotModified } = require('./conditions.js');
const { ResponseCapture } = require('./response-capture.js');
const { GivenHead, clearHead, isHttp2, isSendable } = require('./response-head.js');
const { StoredResponse } = require('./stored-response.js');
const { describe, planFor } = require('./storing.js');

/** @typedef {import('./question.js').Question} Question */

/** Fields of a condition that is answered from the stored answer, so that the application makes a whole one. */
const CONDITIONS = ['if-none-match', 'if-modified-since'];

/** The answer that another had to give way to. @typedef {import('./stored-response.js').StoredResponse | undefined} Stale */

/**
 * What a miss needs of its cache.
 * @typedef {object} Host
 * @property {import('./response-cache-options.js').Settings} settings
 * @property {import('./response-store.js').ResponseStore} store
 * @property {import('./flights.js').Flights} flights
 * @property {(name: string) => void} count
 * @property {(error: unknown) => void} report
 * @property {(question: Question, answer: StoredResponse, status: string) => void} send
 */

class Miss {
  /** @type {ReturnType<typeof planFor>} */
  #plan;
  /** What is stored of the head. @type {GivenHead | undefined} */
  #head;
  #host;
  #question;
  #flight;
  #stale;
  #own;
  /** As the client sent them: what answers vary by. The application may change its own. */
  #headers;
  #begun;
  #conditions;

  /**
   * @param {Host} host
   * @param {Question} question
   * @param {ReturnType<import('./flights.js').Flights['begin']>} flight
   * @param {Stale} stale
   */
  constructor(host, question, flight, stale) {
    this.#host = host;
    this.#question = question;
    this.#flight = flight;
    this.#stale = stale;
    this.#own = question.response.getHeaders();
    this.#begun = host.store.now;
    this.#headers = { ...question.request.headers };
    this.#conditions = withoutConditions(question.request.headers);
  }

  /** Asks the application. @param {() => unknown} next */
  run(next) {
    new ResponseCapture(this.#question.response, {
      decide: () => this.#decide(),
      replace: (held) => this.#replace(held),
      whole: (held, body) => this.#unfailing(this.#whole(held, body)),
      collected: (body) => this.#unfailing(this.#store(body)),
      lost: (isAborted) => this.#lost(isAborted),
      maxBytes: this.#host.settings.maxBodyBytes,
    });
    try {
      return next();
    } catch (error) {
      this.#lost(true);
      throw error;
    }
  }
  /** @returns {import('./response-capture.js').Decision} */
  #decide() {
    const { request, response, identified } = this.#question;
    const { settings } = this.#host;
    Object.assign(request.headers, this.#conditions);
    const stale = this.#stale;
    if (stale !== undefined && response.statusCode >= 500 && Date.now() < stale.rescuesUntil) return 'replace';
    try {
      this.#plan = planFor(settings, { request, identified }, response);
    } catch (error) {
      this.#host.report(error);
    }
    response.removeHeader('cache-tag');
    const length = Number(response.getHeader('content-length') ?? 0);
    if (this.#plan !== undefined && !(length > settings.maxBodyBytes) && isSendable(response)) {
      this.#head = new GivenHead(response);
      return 'store';
    }
    this.#plan = undefined;
    return this.#isKnown() ? 'replace' : 'pass';
  }

  /** Whether the client has what the application answers; it was not told about the condition. */
  #isKnown() {
    const { response } = this.#question;
    if (response.statusCode !== 200 || Object.keys(this.#conditions).length === 0) return false;
    const etag = response.getHeader('etag');
    const modified = Date.parse(String(response.getHeader('last-modified')));
    return isNotModified(this.#conditions, etag === undefined ? undefined : String(etag), modified);
  }

  /** @param {ResponseCapture} capture */
  #replace(capture) {
    const { response } = this.#question;
    if (response.statusCode < 500 || this.#stale === undefined) {
      for (const name of ['content-type', 'content-length', 'content-encoding', 'transfer-encoding']) {
        response.removeHeader(name);
      }
      this.#lost(false);
      if (!isHttp2(response)) response.statusMessage = undefined;
      capture.writeHead(304);
      capture.end();
      return;
    }
    this.#host.count('rescued');
    this.#answer(capture, this.#stale, 'stale');
    this.#end({ answer: this.#stale, vary: [], headers: this.#headers });
  }

  /** @param {ResponseCapture} capture @param {Buffer} body */
  async #whole(capture, body) {
    const answer = await this.#keep(body);
    this.#answer(capture, answer, 'stored');
  }

  /** Nobody waits for this promise: what goes wrong in it is reported, and costs this answer only. @param {Promise<unknown>} work */
  #unfailing(work) {
    work.catch((error) => {
      this.#host.report(error);
      this.#end('again');
      if (!this.#question.response.writableEnded) this.#question.response.destroy?.();
    });
  }

  /** Sends a stored answer in place of what the application has begun. @param {ResponseCapture} capture @param {StoredResponse} answer @param {string} status */
  #answer(capture, answer, status) {
    const question = this.#question;
    if (question.response.destroyed) return;
    capture.lift();
    clearHead(question.response, this.#own);
    this.#host.send({ ...question, response: capture }, answer, status);
  }

  /** @param {Buffer} body */
  async #store(body) {
    const length = this.#head?.getHeader('content-length');
    // A body that was broken off must not be served to anybody.
    if (length !== undefined && Number(length) !== body.length) this.#lost(true);
    else await this.#keep(body);
  }

  /** Stores the answer, and gives it to all who wait for it. @param {Buffer} body @returns {Promise<StoredResponse>} */
  async #keep(body) {
    const { settings, store, flights, report, count } = this.#host;
    const { key } = this.#question;
    const head = /** @type {GivenHead} */ (this.#head);
    const plan = /** @type {import('./storing.js').Plan} */ (this.#plan);
    const description = describe(settings, plan, head, { body, own: this.#own, now: Date.now() });
    let answer = new StoredResponse(description, body);
    try {
      if (await this.#put(answer)) {
        count('stored');
        const found = store.isSynchronous ? store.find(key, this.#headers) : undefined;
        // The same again, but with its body in native memory.
        if (found instanceof StoredResponse && found.description.id === description.id) answer = found;
      }
    } catch (error) {
      report(error);
    }
    flights.unmarkAlone(this.#flight.key);
    this.#end({ answer, vary: plan.vary, headers: this.#headers });
    return answer;
  }

  /** Stores the answer, unless it is out of date already. @param {StoredResponse} answer */
  async #put(answer) {
    const { store } = this.#host;
    const { key } = this.#question;
    const { url } = this.#flight;
    const { tags } = answer.description;
    const isOvertaken = () => this.#flight.isOutdated(tags) || store.isOvertaken(this.#begun, url, tags);
    if (isOvertaken()) return false;
    await store.put(key, url, this.#headers, /** @type {import('./storing.js').Plan} */ (this.#plan).vary, answer);
    if (!isOvertaken()) return true;
    await store.remove(key);
    return false;
  }

  /** @param {boolean} isAborted */
  #lost(isAborted) {
    this.#host.count('passed');
    if (!isAborted) this.#host.flights.markAlone(this.#flight.key);
    this.#end(isAborted ? 'again' : 'alone');
  }

  /** @param {import('./flights.js').Outcome} outcome */
  #end(outcome) {
    this.#flight.end(outcome);
    this.#host.flights.forget(this.#flight);
  }
}

/**
 * Takes conditions out of a request, and returns them.
 * @param {Record<string, any>} headers
 */
function withoutConditions(headers) {
  /** @type {Record<string, any>} */
  const conditions = {};
  for (const name of CONDITIONS) {
    if (headers[name] === undefined) continue;
    conditions[name] = headers[name];
    // Not there at all: a proxy would try to send an undefined one.
    delete headers[name];
  }
  return conditions;
}

module.exports = { Miss };
