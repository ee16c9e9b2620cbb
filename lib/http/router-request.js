'use strict';

// What a request asks for: its path below the mount, its query, its body.

const { hasBody } = require('./request-body.js');
const { Refusal, badRequest } = require('./router-errors.js');

/** How long a body may take. Servers have limits of their own, unless somebody has turned them off. */
const BODY_MS = 30_000;

/** What is left of a body that is refused is read for so long, so that the client comes to read why. */
const DISCARD_MS = 1_000;

/**
 * @param {any} request
 * @param {string} basePath where the router is taken to be, when nobody has mounted it
 * @returns {{ path: string, mount: string, query: URLSearchParams } | undefined} undefined for what is outside
 */
function locate(request, basePath) {
  const [path, search] = split(String(request.url));
  const [whole] = split(String(request.originalUrl ?? request.url));
  const query = new URLSearchParams(search);
  const mounted = whole !== path || Boolean(request.baseUrl);
  if (mounted) {
    const mount = request.baseUrl ?? whole.slice(0, Math.max(0, whole.length - path.length));
    // Where nothing follows the mount, Express says `/`.
    return { path: path === '' ? '/' : path, mount, query };
  }
  if (path === basePath) return { path: '/', mount: basePath, query };
  if (path.startsWith(`${basePath}/`)) return { path: path.slice(basePath.length), mount: basePath, query };
  return undefined;
}

/** For a server that has nothing but the router: everything is below it. @param {any} request */
function wherever(request) {
  const [path, search] = split(String(request.url));
  return { path, mount: '', query: new URLSearchParams(search) };
}

/** @param {string} url @returns {[string, string]} */
function split(url) {
  const mark = url.indexOf('?');
  return mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)];
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badRequest('ERR_BAD_PATH', 'The path is not encoded as URLs are');
  }
}

/** @param {any} request */
function checkType(request) {
  const type = String(request.headers['content-type'] ?? '');
  const [media, ...parameters] = type.split(';').map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  const json = media === 'application/json' || /^application\/[a-z0-9.-]{1,64}\+json$/.test(media);
  if (!json || (charset !== undefined && !/^charset="?utf-8"?$/.test(charset))) {
    throw new Refusal(415, 'ERR_UNSUPPORTED_MEDIA_TYPE', 'The body must be application/json in UTF-8');
  }
  const encoding = String(request.headers['content-encoding'] ?? 'identity').toLowerCase();
  if (encoding !== 'identity') {
    throw new Refusal(415, 'ERR_UNSUPPORTED_ENCODING', 'The body must not be compressed');
  }
}

/** Reads away what is left for a moment, then hangs up. @param {any} request */
function discard(request) {
  if (request.readableEnded || request.destroyed) return;
  request.resume();
  const timer = setTimeout(() => request.destroy(), DISCARD_MS);
  timer.unref();
  request.once('close', () => clearTimeout(timer));
}

/** @param {any} request @param {number} maxBytes */
function tooLarge(request, maxBytes) {
  discard(request);
  return new Refusal(413, 'ERR_BODY_TOO_LARGE', `The body must have at most ${maxBytes} bytes`, {
    Connection: 'close',
  });
}

/** @param {any} request @param {number} maxBytes @returns {Promise<string>} */
function read(request, maxBytes) {
  return new Promise((resolve, reject) => {
    /** @type {Buffer[]} */
    const pieces = [];
    let bytes = 0;
    const timer = setTimeout(() => {
      end(new Refusal(408, 'ERR_BODY_TIMEOUT', `The body must come within ${BODY_MS} ms`, { Connection: 'close' }));
      discard(request);
    }, BODY_MS);
    timer.unref();
    const onData = (/** @type {Buffer} */ piece) => {
      bytes += piece.length;
      if (bytes > maxBytes) end(tooLarge(request, maxBytes));
      else pieces.push(piece);
    };
    const onEnd = () => end(undefined);
    const onGone = () => end(badRequest('ERR_BODY_ABORTED', 'The body broke off'));
    const end = (/** @type {Error | undefined} */ error) => {
      clearTimeout(timer);
      request.off('data', onData);
      request.off('end', onEnd);
      request.off('close', onGone);
      if (error === undefined) resolve(Buffer.concat(pieces).toString());
      else reject(error);
    };
    request.on('data', onData);
    request.on('end', onEnd);
    request.on('close', onGone);
    // Hung up connections are told of by `close`; without a listener they would end the process.
    request.once('error', () => {});
  });
}

/**
 * The body as an object. A parser that came before us may have read it.
 * @param {any} request
 * @param {{ required: boolean, maxBytes: number }} settings
 * @returns {Promise<Record<string, any>>}
 */
async function bodyOf(request, { required, maxBytes }) {
  if (!hasBody(request)) {
    if (required) throw badRequest('ERR_BODY_MISSING', 'A body of application/json is missing');
    return {};
  }
  checkType(request);
  if (Number(request.headers['content-length']) > maxBytes) throw tooLarge(request, maxBytes);
  const parsed = request._body === true || request.readableEnded;
  const body = parsed ? request.body : parse(await read(request, maxBytes));
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw badRequest('ERR_BODY_NOT_OBJECT', 'The body must be a JSON object');
  }
  return body;
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest('ERR_BODY_MALFORMED', 'The body is not JSON');
  }
}

module.exports = { bodyOf, decoded, locate, wherever };
