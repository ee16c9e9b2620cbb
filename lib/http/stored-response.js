'use strict';

// An answer as it is stored, and as it is sent: one piece of bytes, a description in JSON in front of the body. The
// description is read once, and turned into heads that a hit writes without looking at them.

const { randomBytes } = require('node:crypto');
const { isNotModified, weakened } = require('./conditions.js');

/** First byte: what the rest is. Anything else is not ours. */
const ANSWER = 1;
const VARIANTS = 2;
const PREFIX_BYTES = 5;

/** Fields of a 304 (RFC 9110, 15.4.5), and those that have to change with it. */
const NOT_MODIFIED_FIELDS = new Set(['cache-control', 'content-location', 'date', 'etag', 'expires', 'vary']);

/**
 * What is stored of an answer beside its body.
 * @typedef {object} Description
 * @property {string} id tells it from all other answers, ever
 * @property {number} status
 * @property {string} [message]
 * @property {(string | string[])[]} headers names and values in turns, without those that `prepare` adds
 * @property {string} [etag]
 * @property {number} made milliseconds since 1970
 * @property {number} freshMs from then on
 * @property {number} staleWhileRevalidateMs after that
 * @property {number} staleIfErrorMs
 * @property {boolean} forAuthorized whether it may answer requests with an Authorization
 * @property {boolean} forCookies the same for Cookie
 * @property {boolean} compressible
 * @property {boolean} mustRevalidate whether clients may not have it stale even if they ask for that
 * @property {string[]} tags
 */

/** What one coding of an answer takes to be sent. */
class Prepared {
  /**
   * @param {(string | string[])[]} head names and values in turns, the Age last
   * @param {Buffer} body
   */
  constructor(head, body) {
    this.head = head;
    this.body = body;
    this.age = -1;
  }

  /** The head, with this age in it. @param {number} age seconds */
  headAt(age) {
    if (age !== this.age) {
      this.age = age;
      this.head[this.head.length - 1] = String(age);
    }
    return this.head;
  }
}

class StoredResponse {
  /** @type {Map<string, Prepared>} */
  #prepared = new Map();
  /** @type {Map<string, Promise<Prepared>>} */
  #preparing = new Map();
  /** @type {Prepared | undefined} */
  #notModified;
  /** @type {Prepared} */
  #plain;

  /** @param {Description} description @param {Buffer} body */
  constructor(description, body) {
    this.description = description;
    this.body = body;
    this.status = description.status;
    this.etag = description.etag;
    const { made, freshMs, staleWhileRevalidateMs, staleIfErrorMs } = description;
    this.made = made;
    this.freshUntil = made + freshMs;
    this.servedUntil = this.freshUntil + staleWhileRevalidateMs;
    this.rescuesUntil = this.freshUntil + staleIfErrorMs;
    this.forAuthorized = description.forAuthorized;
    this.forCookies = description.forCookies;
    this.compressible = description.compressible;
    this.mustRevalidate = description.mustRevalidate;
    this.message = description.message;
    this.modified = NaN;
    for (let index = 0; index < description.headers.length; index += 2) {
      if (description.headers[index] === 'Last-Modified') {
        this.modified = Date.parse(String(description.headers[index + 1]));
      }
    }
    this.#plain = this.#prepare(undefined, body);
  }

  /** The answer without a coding. */
  get plain() {
    return this.#plain;
  }

  /** The answer in a coding, if it is at hand. @param {string} encoding */
  prepared(encoding) {
    return this.#prepared.get(encoding);
  }

  /**
   * The answer in a coding. Only the first to ask makes it; a failure is forgotten.
   * @param {string} encoding
   * @param {() => Promise<Buffer>} encode
   * @returns {Promise<Prepared>}
   */
  prepare(encoding, encode) {
    const known = this.#preparing.get(encoding);
    if (known !== undefined) return known;
    const preparing = encode().then((body) => {
      // What did not get smaller is sent as it is.
      const prepared = body.length < this.body.length ? this.#prepare(encoding, body) : this.#plain;
      this.#prepared.set(encoding, prepared);
      return prepared;
    });
    this.#preparing.set(encoding, preparing);
    preparing.then(
      () => this.#preparing.delete(encoding),
      () => this.#preparing.delete(encoding),
    );
    return preparing;
  }

  /** @param {string | undefined} encoding @param {Buffer} body */
  #prepare(encoding, body) {
    const { headers, etag, made, status } = this.description;
    const head = headers.slice();
    // Representations with and without a coding differ by bytes, so a strong tag cannot stand for both.
    if (etag !== undefined) head.push('ETag', encoding === undefined ? etag : weakened(etag));
    if (encoding !== undefined) head.push('Content-Encoding', encoding);
    if (status !== 204) head.push('Content-Length', String(body.length));
    head.push('Date', new Date(made).toUTCString(), 'Age', '0');
    return new Prepared(head, body);
  }

  /** The head of a 304. */
  get notModified() {
    if (this.#notModified === undefined) {
      const { head } = this.#plain;
      const kept = [];
      for (let index = 0; index < head.length - 2; index += 2) {
        if (NOT_MODIFIED_FIELDS.has(String(head[index]).toLowerCase())) kept.push(head[index], head[index + 1]);
      }
      this.#notModified = new Prepared([...kept, 'Age', '0'], EMPTY);
    }
    return this.#notModified;
  }

  /** Whether the client has this answer already. @param {Record<string, any>} headers of the request */
  isKnownTo(headers) {
    return this.status === 200 && isNotModified(headers, this.etag, this.modified);
  }

  /** Seconds since it was made. @param {number} now */
  ageAt(now) {
    return now > this.made ? Math.floor((now - this.made) / 1000) : 0;
  }

  /** As bytes. */
  encode() {
    return encoded(ANSWER, this.description, this.body);
  }
}

const EMPTY = Buffer.alloc(0);

/** The fields that tell the answers of one URL apart. */
class Variants {
  /** @param {{ id: string, names: string[] }} description */
  constructor(description) {
    this.description = description;
    this.names = description.names;
    this.id = description.id;
  }

  encode() {
    return encoded(VARIANTS, this.description, EMPTY);
  }
}

/** @param {number} form @param {object} description @param {Buffer} body */
function encoded(form, description, body) {
  const text = JSON.stringify(description);
  const length = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + length + body.length);
  bytes[0] = form;
  bytes.writeUInt32LE(length, 1);
  bytes.write(text, PREFIX_BYTES);
  body.copy(bytes, PREFIX_BYTES + length);
  return bytes;
}

/**
 * What `encode` has made. The body stays where it is.
 * @param {unknown} bytes
 * @returns {StoredResponse | Variants | undefined} undefined for anything else, such as another program's value
 */
function decode(bytes) {
  if (!Buffer.isBuffer(bytes) || bytes.length < PREFIX_BYTES) return undefined;
  const form = bytes[0];
  const end = PREFIX_BYTES + bytes.readUInt32LE(1);
  if ((form !== ANSWER && form !== VARIANTS) || end > bytes.length) return undefined;
  try {
    const description = JSON.parse(bytes.toString('utf8', PREFIX_BYTES, end));
    return form === ANSWER ? new StoredResponse(description, bytes.subarray(end)) : new Variants(description);
  } catch {
    return undefined;
  }
}

/** A name that nothing else has. */
function newId() {
  return randomBytes(9).toString('base64url');
}

module.exports = { StoredResponse, Variants, decode, newId };
