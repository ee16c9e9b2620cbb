'use strict';

// What an answer is stored under. Whatever may change an answer without standing in its Vary has to be in here: a cache
// that forgets it hands one client's answer to another.

/**
 * Fields that frameworks let override the URL or the method behind a proxy: answers to such requests are not stored.
 * @param {Record<string, any>} headers
 */
function isOverridden(headers) {
  return (
    headers['x-original-url'] !== undefined ||
    headers['x-rewrite-url'] !== undefined ||
    headers['x-http-method-override'] !== undefined
  );
}

/** The URL as the client sent it, wherever the handler is mounted. @param {any} request @returns {string} */
function urlOf(request) {
  return request.originalUrl ?? request.url;
}

/**
 * Path and origin. Behind a proxy the origin is what the proxy says; as long as nobody checks who says it, it is part
 * of the key beside the Host.
 * @param {any} request
 * @returns {string | undefined} undefined for a request that must pass
 */
function requestKey(request) {
  const { headers, socket } = request;
  const host = headers.host ?? headers[':authority'] ?? '';
  const key = `${urlOf(request)} ${socket?.encrypted ? 'https' : 'http'}://${host}`;
  const forwardedHost = headers['x-forwarded-host'];
  const forwardedProto = headers['x-forwarded-proto'];
  if (isOverridden(headers)) return undefined;
  if (forwardedHost === undefined && forwardedProto === undefined) return key;
  return `${key} ${forwardedProto ?? ''}://${forwardedHost ?? ''}`;
}

/** Lists of codings are compared as lists. @param {string} header */
function codings(header) {
  const names = header.toLowerCase().split(',');
  return names
    .map((name) => name.replace(/\s/g, ''))
    .sort()
    .join(',');
}

/** One of a field's many spellings. @param {string} name @param {unknown} value */
function normal(name, value) {
  if (value === undefined) return '';
  const text = Array.isArray(value) ? value.join(', ') : String(value);
  // The quotes tell an empty field from none.
  return `"${name === 'accept-encoding' ? codings(text) : text.trim().replace(/\s+/g, ' ')}"`;
}

/**
 * The key of one variant. Header values hold no line breaks, so nothing that a client sends can look like another's.
 * @param {string} key
 * @param {{ id: string, names: string[] }} variants
 * @param {Record<string, any>} headers of the request
 */
function variantKey(key, { id, names }, headers) {
  return `${key}\n${id}\n${names.map((name) => normal(name, headers[name])).join('\n')}`;
}

/** Whether two requests are for the same variant. @param {readonly string[]} names @param {Record<string, any>} one @param {Record<string, any>} other */
function sameVariant(names, one, other) {
  return names.every((name) => normal(name, one[name]) === normal(name, other[name]));
}

module.exports = { requestKey, sameVariant, urlOf, variantKey };
