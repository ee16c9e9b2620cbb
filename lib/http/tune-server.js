'use strict';

const { invalidArgType, outOfRange } = require('../errors.js');
const check = require('../validate.js');

/** Longer than the 60 s for which most load balancers keep a connection: the side that closes first causes errors. */
const KEEP_ALIVE_MS = 65_000;

/** Node.js checks it from the last byte of the request before, so it must be longer than keep-alive. */
const HEADERS_MS = 66_000;

/**
 * @template {object} S
 * @param {S} server
 * @param {unknown} [options]
 * @returns {S}
 */
function tuneServer(server, options) {
  if (typeof (/** @type {any} */ (server)?.listen) !== 'function') throw invalidArgType('a server', 'server', server);
  const known = ['keepAliveTimeout', 'headersTimeout'];
  const given = check.options(options, 'options', known);
  for (const name of known) {
    if (given[name] !== undefined) check.nonNegativeInteger(given[name], `options.${name}`);
  }
  const { keepAliveTimeout = KEEP_ALIVE_MS, headersTimeout = Math.max(HEADERS_MS, keepAliveTimeout + 1_000) } = given;
  // Zero switches the limit off.
  if (headersTimeout !== 0 && headersTimeout <= keepAliveTimeout) {
    throw outOfRange('more than keepAliveTimeout', 'options.headersTimeout', headersTimeout);
  }
  return Object.assign(server, { keepAliveTimeout, headersTimeout });
}

module.exports = { tuneServer };
