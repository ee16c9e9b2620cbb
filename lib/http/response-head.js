'use strict';

// The head of an answer before it is sent: wherever it was given, it stands in the response then, to be seen and changed.

/**
 * Puts what `writeHead` was given into the response.
 * @param {any} response
 * @param {any[]} given status, perhaps a message, perhaps headers
 */
function adoptHead(response, given) {
  const [status, second, third] = given;
  response.statusCode = status;
  if (typeof second === 'string' && !isHttp2(response)) response.statusMessage = second;
  const headers = typeof second === 'string' ? third : (third ?? second);
  if (headers === undefined || headers === null) return;
  if (Array.isArray(headers)) adoptList(response, headers);
  else for (const name of Object.keys(headers)) if (name) response.setHeader(name, headers[name]);
}

/** What Node.js refuses as the text beside a status. */
const UNSENDABLE = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * Whether Node.js will take the status and its message. What it will not take goes to it at once, so that the application
 * hears of it: later nobody would.
 * @param {any} response
 */
function isSendable(response) {
  // A text that is a number will do.
  const status = Math.trunc(Number(response.statusCode));
  if (!(status >= 100 && status <= 999)) return false;
  return isHttp2(response) || !UNSENDABLE.test(response.statusMessage ?? '');
}

/** Over HTTP/2 there are no messages beside statuses, and asking for them gives a warning. @param {any} response */
function isHttp2(response) {
  return response.req?.httpVersionMajor >= 2;
}

/** Pairs, or names and values in turns. The same name twice is two fields. @param {any} response @param {any[]} list */
function adoptList(response, list) {
  const pairs = Array.isArray(list[0])
    ? list
    : list.flatMap((name, at) => (at % 2 === 0 ? [[name, list[at + 1]]] : []));
  const seen = new Set();
  for (const [name, value] of pairs) {
    const key = String(name).toLowerCase();
    if (!seen.has(key)) response.setHeader(name, value);
    else response.setHeader(name, [response.getHeader(name), value].flat());
    seen.add(key);
  }
}

/**
 * Says how long an answer is that stays as it is, as Node.js would if the head had come with the body.
 * @param {any} response
 * @param {number | undefined} length of the whole body, if it is known
 */
function stateLength(response, length) {
  const { statusCode } = response;
  const isBare = response.req?.method === 'HEAD' || statusCode < 200 || statusCode === 204 || statusCode === 304;
  if (length === undefined || isBare || response.hasHeader('Transfer-Encoding')) return;
  // Node.js refuses such a head, and the application makes another one, with another body.
  if (isSendable(response) && !response.hasHeader('Content-Length')) response.setHeader('Content-Length', length);
}

/**
 * Calls back once, when the head is complete and not yet sent.
 * @param {any} response
 * @param {() => void} listener
 */
function onHead(response, listener) {
  const { writeHead } = response;
  let told = false;
  response.writeHead = (/** @type {any[]} */ ...given) => {
    if (told) return writeHead.apply(response, given);
    told = true;
    adoptHead(response, given);
    listener();
    return writeHead.call(response, response.statusCode);
  };
}

/**
 * Takes away what the application has said, but for what stood there before it was asked.
 * @param {any} response
 * @param {Record<string, any>} own the headers that stood there before
 */
function clearHead(response, own) {
  for (const name of response.getHeaderNames()) {
    if (name !== 'connection' && !name.startsWith(':') && own[name] !== response.getHeader(name))
      response.removeHeader(name);
  }
  if (!isHttp2(response)) response.statusMessage = undefined;
}

/**
 * A head as the application gave it. What stands around the cache adds to the response while it is sent: a coding, a
 * session's cookie. That is one client's, and not for the store.
 */
class GivenHead {
  #headers;

  /** @param {any} response */
  constructor(response) {
    this.req = response.req;
    this.statusCode = response.statusCode;
    this.statusMessage = isHttp2(response) ? undefined : response.statusMessage;
    this.#headers = response.getHeaders();
  }

  getHeaders() {
    return this.#headers;
  }

  /** @param {string} name */
  getHeader(name) {
    return this.#headers[name];
  }
}

/** The bytes of a chunk, as `write` takes them. @param {any} chunk @param {any} [encoding] @returns {Buffer} */
function bytesOf(chunk, encoding) {
  if (typeof chunk === 'string') {
    return Buffer.from(chunk, typeof encoding === 'string' ? /** @type {BufferEncoding} */ (encoding) : 'utf8');
  }
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

/**
 * The arguments of `end` and `write`, in order. Anything that is no bytes is left to Node.js to refuse.
 * @param {any[]} given
 */
function writeArguments([chunk, encoding, callback]) {
  if (typeof chunk === 'function') return { chunk: undefined, encoding: undefined, callback: chunk };
  if (typeof encoding === 'function') return { chunk, encoding: undefined, callback: encoding };
  return { chunk: chunk ?? undefined, encoding, callback };
}

/** Bytes of the last chunk, if that is one. @param {any} chunk @param {any} encoding */
function lengthOf(chunk, encoding) {
  if (chunk === undefined) return 0;
  return typeof chunk === 'string' ? Buffer.byteLength(chunk, encoding) : chunk.byteLength;
}

/** @param {unknown} chunk */
function isChunk(chunk) {
  return typeof chunk === 'string' || chunk instanceof Uint8Array;
}

module.exports = {
  GivenHead,
  adoptHead,
  bytesOf,
  clearHead,
  isChunk,
  isHttp2,
  isSendable,
  lengthOf,
  onHead,
  stateLength,
  writeArguments,
};
