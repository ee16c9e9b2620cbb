'use strict';

// Conditional requests: whether the client has already what it would get (RFC 9110, 13).

/**
 * @param {string} header an If-None-Match
 * @param {string | undefined} etag
 */
function matches(header, etag) {
  // Quickest for what nearly all clients send: the very ETag they were given.
  if (header === etag) return true;
  if (header.trim() === '*') return true;
  if (etag === undefined) return false;
  const opaque = weakless(etag);
  // Commas may stand inside of a tag.
  for (const [tag] of header.matchAll(/(?:W\/)?"[^"]*"/g)) if (weakless(tag) === opaque) return true;
  return false;
}

/** Comparison is weak for If-None-Match: the mark does not count. @param {string} etag */
function weakless(etag) {
  return etag.startsWith('W/') ? etag.slice(2) : etag;
}

/**
 * True when a GET or HEAD is to be answered by 304.
 * @param {Record<string, any>} headers of the request
 * @param {string | undefined} etag
 * @param {number} modified milliseconds since 1970, of Last-Modified; NaN for none
 */
function isNotModified(headers, etag, modified) {
  const tags = headers['if-none-match'];
  // RFC 9110, 13.2.2: the date counts only where there are no tags.
  if (tags !== undefined) return matches(tags, etag);
  const since = headers['if-modified-since'];
  return since !== undefined && modified <= Date.parse(since);
}

/** @param {string} etag */
function weakened(etag) {
  return etag.startsWith('W/') ? etag : `W/${etag}`;
}

module.exports = { isNotModified, weakened };
