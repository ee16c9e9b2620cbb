'use strict';

// A request that nobody sent, and a response that nobody reads: how a stored answer is made anew while clients still get
// the old one.

const http = require('node:http');
const { Duplex } = require('node:stream');
const { sentUrlOf } = require('./request-key.js');

/** Fields that ask for less than a whole new answer. */
const LEFT_OUT = new Set([
  'cache-control',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'pragma',
  'range',
]);

/** Takes everything, gives nothing. @param {any} origin the socket of the request that it stands for */
function sink(origin) {
  const socket = /** @type {any} */ (
    new Duplex({
      read() {},
      write(_chunk, _encoding, done) {
        done();
      },
    })
  );
  // Applications destroy answers with an error, and a server's sockets know how to take that.
  socket.on('error', () => {});
  socket.encrypted = origin?.encrypted;
  socket.remoteAddress = origin?.remoteAddress;
  socket.remotePort = origin?.remotePort;
  socket.localAddress = origin?.localAddress;
  socket.localPort = origin?.localPort;
  socket.setTimeout = () => socket;
  socket.setKeepAlive = () => socket;
  socket.setNoDelay = () => socket;
  return socket;
}

/**
 * A GET like the given one, on its own.
 * @param {any} original
 * @returns {{ request: any, response: any }}
 */
function backgroundRequest(original) {
  const socket = sink(original.socket);
  const request = /** @type {any} */ (new http.IncomingMessage(socket));
  request.method = 'GET';
  request.url = sentUrlOf(original);
  request.httpVersion = '1.1';
  request.httpVersionMajor = 1;
  request.httpVersionMinor = 1;
  /** @type {Record<string, any>} */
  const headers = {};
  for (const [name, value] of Object.entries(original.headers)) {
    if (value === undefined || name.startsWith(':') || LEFT_OUT.has(name)) continue;
    headers[name] = value;
    for (const each of [value].flat()) request.rawHeaders.push(name, each);
  }
  headers.host ??= original.headers[':authority'];
  request.headers = headers;
  request.complete = true;
  request.push(null);
  const response = /** @type {any} */ (new http.ServerResponse(request));
  response.assignSocket(socket);
  response.on('finish', () => {
    response.detachSocket(socket);
    socket.destroy();
    response.emit('close');
  });
  return { request, response };
}

module.exports = { backgroundRequest };
