'use strict';

// Compression of answers as they are made, away from the event loop. What users of the npm package `compression` rely on
// holds here, too: `res.flush()`, `compression.filter`, backpressure, and which answers stay as they are.

const { cacheControl } = require('./cache-control.js');
const { coded, levelOf } = require('./coding.js');
const { compressionOptions } = require('./compression-options.js');
const { Compressor } = require('./compressor.js');
const { weakened } = require('./conditions.js');
const { FORMATS, addVary, isCompressible } = require('./encodings.js');
const { bytesOf, isChunk, isSendable, lengthOf, onHead, stateLength, writeArguments } = require('./response-head.js');

/** @typedef {import('./compression-options.js').Settings} Settings */

/** Whether the type of an answer is one that gets smaller. @param {any} _request @param {any} response */
function filter(_request, response) {
  return isCompressible(response.getHeader('Content-Type'));
}

/** One answer. */
class Compressing {
  #settings;
  #request;
  #response;
  #originals;
  /** @type {Compressor | undefined} */
  #compressor;
  /** @type {import('./encodings.js').Encoding | undefined} */
  #encoding;
  #isDecided = false;
  #isEnded = false;
  /** What passes is compressed already. */
  #isSending = false;
  /** Every write goes to the client at once. */
  #isImmediate = false;
  /** How long the whole body is, once that is known. @type {number | undefined} */
  #length;

  /** @param {Settings} settings @param {any} request @param {any} response */
  constructor(settings, request, response) {
    this.#settings = settings;
    this.#request = request;
    this.#response = response;
    onHead(response, () => this.#decide());
    const { write, end, flushHeaders } = response;
    this.#originals = { write, end, flushHeaders };
    response.write = (/** @type {any[]} */ ...given) => this.#write(given);
    response.end = (/** @type {any[]} */ ...given) => this.#end(given);
    response.flush = () => this.#compressor?.flush();
    response.on('close', () => this.#compressor?.close());
  }

  /** Called when the head is complete. */
  #decide() {
    this.#isDecided = true;
    const encoding = this.#chosen();
    const response = this.#response;
    if (encoding === undefined || response.destroyed) {
      stateLength(response, this.#length);
      return;
    }
    this.#encoding = encoding;
    this.#isImmediate = this.#settings.isImmediate || isEventStream(response.getHeader('Content-Type'));
    response.setHeader('Content-Encoding', encoding);
    response.removeHeader('Content-Length');
    const etag = response.getHeader('ETag');
    // The bytes differ from those that a strong tag was made for (RFC 9110, 8.8.1).
    if (typeof etag === 'string') response.setHeader('ETag', weakened(etag));
  }

  /** The coding for this answer; undefined if it stays as it is. */
  #chosen() {
    const { negotiator, threshold, enforced } = this.#settings;
    const [request, response] = [this.#request, this.#response];
    const status = response.statusCode;
    if (!isSendable(response)) return undefined;
    if (!this.#settings.filter(request, response)) return undefined;
    if (cacheControl(response.getHeader('Cache-Control')).noTransform) return undefined;
    // Also where there is no body: a 304 stands for an answer that may have been compressed (RFC 9110, 15.4.5).
    addVary(response, 'Accept-Encoding');
    if (status < 200 || status === 204 || status === 304) return undefined;
    const stated = response.getHeader('Content-Length');
    const length = stated === undefined ? this.#length : Number(stated);
    if (length !== undefined && length < threshold) return undefined;
    // Someone has done it already; and a part of one representation is not a part of another.
    if ((response.getHeader('Content-Encoding') ?? 'identity') !== 'identity') return undefined;
    if (status === 206 || response.hasHeader('Content-Range') || request.method === 'HEAD') return undefined;
    const header = request.headers['accept-encoding'];
    return header === undefined || header === '' ? enforced : negotiator.accepted(header)[0];
  }

  #needHead() {
    if (!this.#isDecided && !this.#response.headersSent) this.#response.writeHead(this.#response.statusCode);
  }

  /** @param {any[]} given */
  #write(given) {
    if (this.#isSending) return this.#originals.write.apply(this.#response, given);
    // Nothing comes after the end.
    if (this.#isEnded && this.#encoding !== undefined) return false;
    const { chunk, encoding, callback } = writeArguments(given);
    this.#needHead();
    if (this.#encoding === undefined || !isChunk(chunk)) return this.#originals.write.apply(this.#response, given);
    this.#compressor ??= this.#open(this.#encoding);
    // A string becomes bytes of its own; bytes may be changed by their owner after the call.
    const bytes = bytesOf(chunk, encoding);
    const isRoom = this.#compressor.write(typeof chunk === 'string' ? bytes : Buffer.from(bytes), callback);
    if (this.#isImmediate) this.#compressor.flush();
    return isRoom;
  }

  /** @param {any[]} given */
  #end(given) {
    const response = this.#response;
    const { chunk, encoding, callback } = writeArguments(given);
    if (this.#isEnded) return this.#encoding === undefined ? this.#originals.end.apply(response, given) : false;
    if (!this.#isDecided) {
      if (chunk === undefined || isChunk(chunk)) this.#length = lengthOf(chunk, encoding);
      this.#needHead();
    }
    if (this.#encoding === undefined) {
      this.#isEnded = true;
      return this.#originals.end.apply(response, given);
    }
    if (chunk !== undefined && !isChunk(chunk)) return this.#originals.end.apply(response, given);
    if (typeof callback === 'function') response.once('finish', callback);
    this.#isEnded = true;
    if (this.#compressor !== undefined) {
      if (chunk !== undefined) this.#compressor.write(Buffer.from(bytesOf(chunk, encoding)), undefined);
      this.#compressor.end();
    } else {
      this.#encodeWhole(this.#encoding, chunk === undefined ? Buffer.alloc(0) : bytesOf(chunk, encoding));
    }
    return response;
  }

  /** The whole body came at once: no stream is needed. @param {import('./encodings.js').Encoding} encoding @param {Buffer} body */
  #encodeWhole(encoding, body) {
    const response = this.#response;
    coded(this.#settings, encoding, body)
      .then((bytes) => {
        if (response.destroyed) return;
        this.#isSending = true;
        this.#originals.end.call(response, bytes);
      })
      .catch((error) => response.destroy(error));
  }

  /** @param {import('./encodings.js').Encoding} encoding */
  #open(encoding) {
    const response = this.#response;
    const { write, end } = this.#originals;
    const { emit } = response;
    const compressor = new Compressor(FORMATS[encoding], levelOf(this.#settings, encoding), {
      write: (bytes) => response.destroyed || write.call(response, bytes) !== false,
      end: () => end.call(response),
      drained: () => emit.call(response, 'drain'),
      failed: (error) => response.destroy(error),
    });
    // The socket's drain tells the compressor to go on. There is room for the application when the compressor says so.
    response.emit = (/** @type {any} */ name, /** @type {any[]} */ ...given) => {
      if (name !== 'drain') return emit.call(response, name, ...given);
      compressor.resume();
      return true;
    };
    return compressor;
  }
}

/** @param {unknown} type */
function isEventStream(type) {
  return /^\s*text\/event-stream\b/i.test(String(type));
}

/** @param {unknown} [options] */
function compression(options) {
  const settings = compressionOptions(options, filter);
  return (/** @type {any} */ request, /** @type {any} */ response, /** @type {() => unknown} */ next) => {
    new Compressing(settings, request, response);
    return next();
  };
}

compression.filter = filter;

module.exports = { compression };
