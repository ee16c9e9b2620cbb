'use strict';

// Whether an answer may be stored, and for how long it may be used (RFC 9111, 3 and 4.2).

const { createHash } = require('node:crypto');
const { STATUS_CODES } = require('node:http');
const { cacheControl } = require('./cache-control.js');
const { isCompressible } = require('./encodings.js');
const { isHttp2 } = require('./response-head.js');
const { newId } = require('./stored-response.js');

/** Fields that belong to one connection (RFC 9110, 7.6.1), or that every answer from the store gets anew. */
const LEFT_OUT = new Set([
  'age',
  'cache-tag',
  'connection',
  'content-length',
  'date',
  'etag',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * @typedef {object} Plan
 * @property {string[]} vary names of fields that tell answers apart, in lower case and order
 * @property {import('./cache-control.js').Directives} directives
 * @property {number} freshMs
 * @property {number} staleWhileRevalidateMs
 * @property {number} staleIfErrorMs
 * @property {number} age seconds that the answer had when it came
 * @property {string[]} tags
 */

/**
 * @param {import('./response-cache-options.js').Settings} settings
 * @param {{ request: any, identified: boolean }} asked
 * @param {any} response whose head is known
 * @returns {Plan | undefined} undefined for what must not be stored
 */
function planFor(settings, { request, identified }, response) {
  const status = response.statusCode;
  const directives = cacheControl(response.getHeader('cache-control'));
  if (!mayStore(settings, request, identified, response, directives)) return undefined;
  const vary = varyNames(response.getHeader('vary'));
  if (vary === undefined) return undefined;
  const stated = statedSeconds(response, directives);
  const byDefault = settings.statuses.has(status) ? settings.ttlMs : undefined;
  const age = Math.max(seconds(response.getHeader('age')), apparentAge(response.getHeader('date')));
  const freshMs = stated === undefined ? byDefault : Math.max(0, stated - age) * 1000;
  if (freshMs === undefined) return undefined;
  const stale = !directives.mustRevalidate;
  const staleOf = (/** @type {number | undefined} */ said, /** @type {number} */ usual) =>
    stale ? (said === undefined ? (directives.sharedMaxAge === undefined ? usual : 0) : said * 1000) : 0;
  const staleWhileRevalidateMs = staleOf(directives.staleWhileRevalidate, settings.staleWhileRevalidateMs);
  const staleIfErrorMs = staleOf(directives.staleIfError, settings.staleIfErrorMs);
  if (freshMs + Math.max(staleWhileRevalidateMs, staleIfErrorMs) <= 0) return undefined;
  const tags = tagsOf(settings, request, response);
  return { vary, directives, freshMs, staleWhileRevalidateMs, staleIfErrorMs, age, tags };
}

/**
 * @param {import('./response-cache-options.js').Settings} settings
 * @param {any} request
 * @param {boolean} identified
 * @param {any} response
 * @param {import('./cache-control.js').Directives} directives
 */
function mayStore(settings, request, identified, response, directives) {
  const status = response.statusCode;
  // A part of an answer, and what is no final answer.
  if (status < 200 || status === 206 || status === 304 || status >= 600) return false;
  if (directives.noStore || directives.noCache) return false;
  if (directives.isPrivate && !identified && !settings.storePrivate) return false;
  if (!settings.storeSetCookie && response.hasHeader('set-cookie')) return false;
  if (response.hasHeader('content-range') || response.hasHeader('trailer')) return false;
  if (isEventStream(response.getHeader('content-type'))) return false;
  const { headers } = request;
  if (headers.authorization !== undefined && !identified && !isForAuthorized(settings, directives)) return false;
  if (headers.cookie !== undefined && !identified && !isForCookies(settings, response, directives)) return false;
  return settings.storable === undefined || settings.storable(request, response) === true;
}

/** RFC 9111, 3.5. @param {import('./response-cache-options.js').Settings} settings @param {import('./cache-control.js').Directives} directives */
function isForAuthorized(settings, directives) {
  const { isPublic, sharedMaxAge, mustRevalidate } = directives;
  return settings.ignoreAuthorization || isPublic || sharedMaxAge !== undefined || mustRevalidate;
}

/**
 * HTTP lets caches answer requests with cookies like any others. An answer that nobody has called public may be one
 * user's all the same.
 * @param {import('./response-cache-options.js').Settings} settings
 * @param {any} response
 * @param {import('./cache-control.js').Directives} directives
 */
function isForCookies(settings, response, directives) {
  if (settings.ignoreCookies || directives.isPublic || directives.sharedMaxAge !== undefined) return true;
  return varyNames(response.getHeader('vary'))?.includes('cookie') === true;
}

/** @param {unknown} type */
function isEventStream(type) {
  return typeof type === 'string' && /^\s*text\/event-stream\b/i.test(type);
}

/** Names in a Vary; undefined for `*`, which no request matches. @param {unknown} header */
function varyNames(header) {
  if (header === undefined) return [];
  const text = Array.isArray(header) ? header.join(',') : String(header);
  const names = new Set(text.split(',').map((name) => name.trim().toLowerCase()));
  names.delete('');
  return names.has('*') ? undefined : [...names].sort();
}

/** For how many seconds the answer says it is fresh. @param {any} response @param {import('./cache-control.js').Directives} directives */
function statedSeconds(response, { sharedMaxAge, maxAge }) {
  if (sharedMaxAge !== undefined || maxAge !== undefined) return sharedMaxAge ?? maxAge;
  const expires = response.getHeader('expires');
  if (expires === undefined) return undefined;
  const date = response.getHeader('date');
  const from = date === undefined ? Date.now() : Date.parse(String(date));
  const left = (Date.parse(String(expires)) - from) / 1000;
  // What cannot be read lies in the past (RFC 9111, 5.3).
  return Number.isNaN(left) ? 0 : Math.max(0, left);
}

/** Seconds since an answer was made, by what it says: it may have come from elsewhere (RFC 9111, 4.2.3). @param {unknown} date */
function apparentAge(date) {
  const passed = Math.floor((Date.now() - Date.parse(String(date))) / 1000);
  return Number.isNaN(passed) ? 0 : Math.max(0, passed);
}

/** @param {unknown} header */
function seconds(header) {
  return /^\d+$/.test(String(header)) ? Number(header) : 0;
}

/** @param {import('./response-cache-options.js').Settings} settings @param {any} request @param {any} response @returns {string[]} */
function tagsOf(settings, request, response) {
  const header = response.getHeader('cache-tag');
  const named = header === undefined ? [] : String(header).split(',');
  const tags = new Set(named.map((tag) => tag.trim()).filter((tag) => tag !== ''));
  for (const tag of settings.tags(request, response) ?? []) tags.add(String(tag));
  return [...tags];
}

/**
 * What is stored beside the body.
 * @param {import('./response-cache-options.js').Settings} settings
 * @param {Plan} plan
 * @param {any} response
 * @param {{ body: Buffer, own: Record<string, any>, now: number }} rest `own`: the headers that stood there before the
 *   application was asked, which are not its own
 * @returns {import('./stored-response.js').Description}
 */
function describe(settings, plan, response, { body, own, now }) {
  const { directives, freshMs, staleWhileRevalidateMs, staleIfErrorMs, age, tags } = plan;
  const compressible = mayCompress(settings, directives, response, body);
  const etag = response.getHeader('etag');
  return {
    id: newId(),
    status: response.statusCode,
    message: ownMessage(response),
    headers: keptHeaders(response, own, compressible),
    etag: etag === undefined ? (response.statusCode === 200 ? etagOf(body) : undefined) : String(etag),
    made: now - age * 1000,
    // Counted from when it was made, as ages are.
    freshMs: freshMs + age * 1000,
    staleWhileRevalidateMs,
    staleIfErrorMs,
    forAuthorized: isForAuthorized(settings, directives),
    forCookies: isForCookies(settings, response, directives),
    compressible,
    // RFC 9111, 5.2.2.10: to a shared cache, `s-maxage` says that, too.
    mustRevalidate: directives.mustRevalidate || directives.sharedMaxAge !== undefined,
    tags,
  };
}

/** The message beside the status, if it is another than the usual one. @param {any} response @returns {string | undefined} */
function ownMessage(response) {
  if (isHttp2(response) || !response.statusMessage) return undefined;
  return response.statusMessage === STATUS_CODES[response.statusCode] ? undefined : response.statusMessage;
}

/** @param {Buffer} body */
function etagOf(body) {
  return `"${createHash('sha1').update(body).digest('base64url')}"`;
}

/**
 * @param {import('./response-cache-options.js').Settings} settings
 * @param {import('./cache-control.js').Directives} directives
 * @param {any} response
 * @param {Buffer} body
 */
function mayCompress(settings, directives, response, body) {
  const { compression } = settings;
  if (compression === undefined || body.length < compression.threshold || directives.noTransform) return false;
  const encoding = response.getHeader('content-encoding');
  if (encoding !== undefined && encoding !== 'identity') return false;
  return isCompressible(response.getHeader('content-type'));
}

/** @param {any} response @param {Record<string, any>} own @param {boolean} compressible @returns {(string | string[])[]} */
function keptHeaders(response, own, compressible) {
  const connection = String(response.getHeader('connection') ?? '').toLowerCase();
  const named = new Set(connection.split(',').map((name) => name.trim()));
  /** @type {(string | string[])[]} */
  const kept = [];
  let varies = false;
  for (const [name, value] of Object.entries(response.getHeaders())) {
    // Over HTTP/2 the status stands among them.
    if (name.startsWith(':') || LEFT_OUT.has(name) || named.has(name) || own[name] === value) continue;
    // Added below, for all codings.
    if (compressible && name === 'content-encoding') continue;
    if (name === 'vary' && compressible) {
      const text = String(value);
      varies = true;
      kept.push('Vary', /\baccept-encoding\b/i.test(text) ? text : `${text}, Accept-Encoding`);
    } else {
      // Several fields of one name stay together: one by one, they would replace each other.
      kept.push(titleCase(name), Array.isArray(value) ? value.map(String) : String(value));
    }
  }
  if (compressible && !varies) kept.push('Vary', 'Accept-Encoding');
  return kept;
}

/** Node.js tells names in lower case; HTTP/1.1 clients are used to this form. @param {string} name */
function titleCase(name) {
  return name.replace(/(?:^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

module.exports = { describe, planFor, varyNames };
