'use strict';

// What an answer is stored under. Whatever may change an answer without standing in its Vary has to be in here: a cache
// that forgets it hands one client's answer to another.

/** The beginning of a URL as proxies are sent it, which servers have to understand, too (RFC 9112, 3.2.2). */
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i;

const SLASH = 47;

/**
 * Fields that frameworks let override the URL or the method behind a proxy: answers to such requests are not stored.
 * @param {Record<string, any>} headers
 */
function isOverridden(headers) {
  return (
    headers['x-original-url'] !== undefined ||
    headers['x-rewrite-url'] !== undefined ||
    headers['x-http-method-override'] !== undefined ||
    headers['x-http-method'] !== undefined ||
    headers['x-method-override'] !== undefined
  );
}

/** The URL as the client sent it, wherever the handler is mounted. @param {any} request @returns {string} */
function sentUrlOf(request) {
  return request.originalUrl ?? request.url;
}

/** Path and query of the URL as the client sent it: the same, whether or not it says the origin, too. @param {any} request @returns {string} */
function urlOf(request) {
  const url = sentUrlOf(request);
  if (url.charCodeAt(0) === SLASH) return url;
  const rest = url.replace(ORIGIN, '');
  return rest.charCodeAt(0) === SLASH || rest === url ? rest : `/${rest}`;
}

/**
 * Path and origin. Behind a proxy the origin is what the proxy says; as long as nobody checks who says it, it is part
 * of the key beside the Host.
 * @param {any} request
 * @returns {string | undefined} undefined for a request that must pass
 */
function requestKey(request) {
  const { headers, socket } = request;
  if (isOverridden(headers)) return undefined;
  const sent = sentUrlOf(request);
  const scheme = socket?.encrypted ? 'https' : 'http';
  const authority = headers[':authority'];
  const host = headers.host ?? authority ?? '';
  const [forwardedHost, forwardedProto] = [headers['x-forwarded-host'], headers['x-forwarded-proto']];
  const [port, prefix] = [headers['x-forwarded-port'], headers['x-forwarded-prefix']];
  const isForwarded = (forwardedHost ?? forwardedProto ?? port ?? prefix) !== undefined;
  const isOne = authority === undefined || authority === host;
  if (!isForwarded && isOne && sent.charCodeAt(0) === SLASH) return `${sent} ${scheme}://${host}`;
  // As a list, since a Host may hold anything but line breaks: no two lists look the same, and none looks like the above.
  const origin = isOne ? ORIGIN.exec(sent)?.[0] : authority;
  return `${urlOf(request)} ${scheme} ${JSON.stringify([host, forwardedProto, forwardedHost, port, prefix, origin])}`;
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

module.exports = { requestKey, sameVariant, sentUrlOf, urlOf, variantKey };
