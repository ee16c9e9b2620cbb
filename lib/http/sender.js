'use strict';

// Stored answers on their way to clients: whole, without their body, or as a 304; in the coding that the client prefers.

const { ServerResponse } = require('node:http');
const { coded } = require('./coding.js');
const { Negotiator } = require('./encodings.js');
const { surface } = require('../listening.js');

/** @typedef {import('./question.js').Question} Question */
/** @typedef {import('./stored-response.js').StoredResponse} StoredResponse */

/** Words of Cache-Status (RFC 9211). @type {Record<string, string>} */
const STATUS = Object.freeze({
  hit: 'hit',
  stale: 'hit; detail=stale',
  coalesced: 'hit; collapsed',
  stored: 'fwd=miss; stored',
});

const WRITE_HEAD = ServerResponse.prototype.writeHead;

class Sender {
  #host;
  #negotiator;

  /** @param {Pick<import('./miss.js').Host, 'settings' | 'store' | 'count' | 'report'>} host */
  constructor(host) {
    this.#host = host;
    this.#negotiator = new Negotiator(host.settings.compression?.encodings ?? []);
  }

  /**
   * @param {Question} question
   * @param {StoredResponse} answer
   * @param {number} now
   * @param {string} status
   */
  send(question, answer, now, status) {
    const { request, response } = question;
    const { headers } = request;
    const age = answer.ageAt(now);
    if (this.#host.settings.cacheStatus) response.setHeader('Cache-Status', `hotpath; ${STATUS[status]}`);
    if (
      (headers['if-none-match'] !== undefined || headers['if-modified-since'] !== undefined) &&
      answer.isKnownTo(headers)
    ) {
      this.#host.count('notModified');
      return write(question, 304, undefined, answer.notModified.headAt(age), undefined);
    }
    const encoding = answer.compressible ? this.#negotiator.accepted(headers['accept-encoding'])[0] : undefined;
    const prepared = encoding === undefined ? answer.plain : answer.prepared(encoding);
    if (prepared === undefined) return this.#sendCoded(question, answer, /** @type {any} */ (encoding));
    return write(question, answer.status, answer.message, prepared.headAt(age), prepared.body);
  }

  /** Sends in a coding that the answer has not had so far. @param {Question} question @param {StoredResponse} answer @param {import('./encodings.js').Encoding} encoding */
  #sendCoded(question, answer, encoding) {
    const { settings, store } = this.#host;
    const { compression } = settings;
    const encode = (/** @type {Buffer} */ body) => coded(/** @type {any} */ (compression), encoding, body);
    return answer
      .prepare(encoding, () => store.coded(answer, encoding, encode))
      .catch((error) => {
        this.#host.report(error);
        return answer.plain;
      })
      .then((prepared) => {
        if (question.response.destroyed) return;
        const head = prepared.headAt(answer.ageAt(Date.now()));
        write(question, answer.status, answer.message, head, prepared.body);
      })
      .catch(surface);
  }
}

/**
 * @param {Question} question
 * @param {number} status
 * @param {string | undefined} message
 * @param {(string | string[])[]} head
 * @param {Buffer | undefined} body
 */
function write({ request, response }, status, message, head, body) {
  const vary = response.getHeader('vary');
  if (vary !== undefined) head = withVary(head, vary);
  if (response.writeHead === WRITE_HEAD) {
    if (message === undefined) response.writeHead(status, head);
    else response.writeHead(status, message, head);
  } else {
    // HTTP/2 knows no lists, nor do many of those who put a method of their own in place of this one.
    for (let index = 0; index < head.length; index += 2) response.setHeader(head[index], head[index + 1]);
    if (message === undefined) response.writeHead(status);
    else response.writeHead(status, message);
  }
  return body === undefined || request.method === 'HEAD' ? response.end() : response.end(body);
}

/**
 * A head that says, beside its own, what others before the cache vary by: they have put their fields there already.
 * @param {(string | string[])[]} head
 * @param {unknown} vary
 */
function withVary(head, vary) {
  const at = head.findIndex((name, index) => index % 2 === 0 && name === 'Vary');
  if (at === -1) return head;
  const said = [vary, head[at + 1]].flat().join(',').split(',');
  /** @type {Map<string, string>} */
  const names = new Map();
  for (const name of said.map((each) => each.trim())) names.set(name.toLowerCase(), name);
  const merged = head.slice();
  merged[at + 1] = [...names.values()].join(', ');
  return merged;
}

module.exports = { Sender };
