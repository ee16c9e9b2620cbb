'use strict';

// HTTP/2 for applications that were written for HTTP/1.1.
//
// Express gives requests and responses the prototypes of its own, which descend from those of node:http and know nothing
// of streams. What makes an HTTP/2 request and response work is therefore put on each of them directly: own properties
// stay, whatever becomes of the prototype, in Express 4 and 5 and in mounted applications.

const http2 = require('node:http2');
const { invalidArgType } = require('../errors.js');
const check = require('../validate.js');
const { tuneServer } = require('./tune-server.js');

/** Fields that an HTTP/2 answer must not have (RFC 9113, 8.2.2): handlers for HTTP/1.1 set them in good faith. */
const CONNECTION_FIELDS = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/** What a class of node:http2 puts on its prototype, without what belongs to streams in general. @param {any} Class */
function membersOf(Class) {
  const { constructor: _, ...members } = Object.getOwnPropertyDescriptors(Class.prototype);
  return members;
}

const REQUEST = membersOf(http2.Http2ServerRequest);
const RESPONSE = membersOf(http2.Http2ServerResponse);

/** @param {any} response */
function withoutConnectionFields(response) {
  const { setHeader, appendHeader } = response;
  const isOne = (/** @type {unknown} */ name) => CONNECTION_FIELDS.has(String(name).trim().toLowerCase());
  response.setHeader = (/** @type {any} */ name, /** @type {any} */ value) => {
    if (!isOne(name)) setHeader.call(response, name, value);
    return response;
  };
  response.appendHeader = (/** @type {any} */ name, /** @type {any} */ value) => {
    if (!isOne(name)) appendHeader.call(response, name, value);
    return response;
  };
}

/** @param {(request: any, response: any) => unknown} app */
function bridged(app) {
  return (/** @type {any} */ request, /** @type {any} */ response) => {
    if (request.httpVersionMajor >= 2) {
      Object.defineProperties(request, REQUEST);
      Object.defineProperties(response, RESPONSE);
      // What HTTP/1.1 calls it.
      request.headers.host ??= request.headers[':authority'];
      // How HTTP/1.1 says that there is a body whose length is not known: parsers look for it.
      if (!request.stream.endAfterHeaders && request.headers['content-length'] === undefined) {
        request.headers['transfer-encoding'] ??= 'chunked';
      }
      withoutConnectionFields(response);
    }
    return app(request, response);
  };
}

/**
 * @param {unknown} options those of http2.createSecureServer
 * @param {unknown} [app]
 */
function createHttp2Server(options, app) {
  if (typeof options === 'function' && app === undefined) [options, app] = [undefined, options];
  const given = { .../** @type {any} */ (options === undefined ? {} : check.plainObject(options, 'options')) };
  if (app !== undefined && typeof app !== 'function') throw invalidArgType('a function', 'app', app);
  const isSecure = ['key', 'cert', 'pfx', 'SNICallback'].some((name) => given[name] !== undefined);
  const server = isSecure ? http2.createSecureServer({ allowHTTP1: true, ...given }) : http2.createServer(given);
  if (app !== undefined) server.on('request', bridged(/** @type {any} */ (app)));
  return isSecure ? tuneServer(server) : server;
}

module.exports = { createHttp2Server };
