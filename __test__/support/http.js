'use strict';

// Servers and clients of tests: the client decodes nothing and hides nothing.

const assert = require('node:assert/strict');
const http = require('node:http');
const net = require('node:net');
const zlib = require('node:zlib');
const { responseCache } = require('hotpath');

/** Starts a server that ends with the test. @returns its URL */
async function listen(t, handler) {
  const server = typeof handler === 'function' ? http.createServer(handler) : handler;
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections?.();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

/** One request, on a connection of its own. */
function ask(url, { method = 'GET', headers = {}, body, signal } = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers, agent: false, signal }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks), response }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** The text of an answer, without its coding. */
function text({ headers, body }) {
  const { decompress } = require('zstd-napi');
  const decoders = {
    br: zlib.brotliDecompressSync,
    gzip: zlib.gunzipSync,
    deflate: zlib.inflateSync,
    zstd: decompress,
  };
  const decode = decoders[headers['content-encoding']];
  return (decode === undefined ? body : decode(body)).toString();
}

/** Sends bytes as they are, and gives what came back until the other side closed. */
function raw(url, bytes) {
  const { port } = new URL(url);
  return new Promise((resolve, reject) => {
    const chunks = [];
    const socket = net.connect(Number(port), '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
  });
}

/** A handler of (request, response, next) as a listener, with the application behind it. */
function before(middleware, app) {
  return (request, response) =>
    middleware(request, response, (error) => {
      if (error === undefined) return app(request, response);
      response.statusCode = 500;
      response.end(String(error));
    });
}

/** Both versions of Express that are served. */
const EXPRESS = [
  ['Express 5', 'express'],
  ['Express 4', 'express4'],
];

/** A server with a cache in front of an application that counts its calls. */
async function serveCached(t, options, app) {
  const responses = responseCache({ ttlMs: 60_000, onError: (error) => assert.fail(error), ...options });
  t.after(() => responses.close());
  const state = { calls: 0, responses };
  state.url = await listen(
    t,
    before(responses, (request, response) => {
      state.calls++;
      return app(request, response, state);
    }),
  );
  return state;
}

module.exports = { EXPRESS, ask, before, listen, raw, serveCached, text };
