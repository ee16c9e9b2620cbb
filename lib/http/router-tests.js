'use strict';

// Load and memory tests that are asked for over HTTP. A load test can hit nothing but the application itself, and no more
// of it than the limits say.

const check = require('../validate.js');
const { Refusal, badRequest } = require('./router-errors.js');

const LIMITS = Object.freeze({
  requests: 100_000,
  concurrency: 200,
  iterations: 1_000_000,
  dataSize: 1024 * 1024,
  bytes: 2 ** 30,
});

/** Addresses of this machine, as URLs have them. */
const LOOPBACK = /^(127(\.\d{1,3}){3}|\[::1\]|localhost)$/;

/** One test at a time: two would measure each other. */
let testing = false;

/** @template T @param {() => Promise<T>} run */
async function alone(run) {
  if (testing) throw new Refusal(429, 'ERR_TEST_RUNNING', 'A test is running already', { 'Retry-After': '5' });
  testing = true;
  try {
    return await run();
  } finally {
    testing = false;
  }
}

/** What must not be reached through a load test: the router itself, which could start the next one. @param {string} path @param {string} mount */
function isOwn(path, mount) {
  let plain = path;
  try {
    plain = decodeURIComponent(path);
  } catch {
    throw badRequest('ERR_OUT_OF_RANGE', 'Expected a path that is encoded as URLs are for body.endpoint');
  }
  const normal = (/** @type {string} */ text) => text.toLowerCase().replace(/\/+/g, '/');
  return mount !== '' && mount !== '/' && `${normal(plain)}/`.startsWith(`${normal(mount)}/`);
}

/** @param {unknown} endpoint @param {URL} base @param {string} mount */
function targetOf(endpoint, base, mount) {
  const text = check.nonEmptyString(endpoint, 'body.endpoint');
  const refused = () => badRequest('ERR_OUT_OF_RANGE', 'Expected a path of this application for body.endpoint');
  // A second slash, or a backslash, would make a host of what follows.
  if (!/^\/(?![/\\])[\x21-\x7e]*$/.test(text) || text.includes('\\') || text.length > 2_048) throw refused();
  const url = new URL(text, base);
  if (url.origin !== base.origin || isOwn(url.pathname, mount)) throw refused();
  return url;
}

/**
 * Where the application listens: what the router was told, or the very socket that this request came in by. Never what a
 * header says.
 * @param {import('./router-endpoints.js').Call} call
 */
function baseOf({ request, settings }) {
  if (settings.loadTestTarget !== undefined) return settings.loadTestTarget;
  const { localAddress, localPort, encrypted } = request.socket;
  if (localPort === undefined) {
    throw new Refusal(
      409,
      'ERR_NO_TARGET',
      'The router needs the option loadTestTarget here: there is no port to be seen',
    );
  }
  const plain = String(localAddress).replace(/^::ffff:/, '');
  return new URL(`${encrypted ? 'https' : 'http'}://${plain.includes(':') ? `[${plain}]` : plain}:${localPort}`);
}

/** Tools of the load tester, which only those load who test. @returns {any} */
function tools() {
  return require('./index.js');
}

/** @param {import('./router-endpoints.js').Call} call */
async function loadTest(call) {
  const given = check.options(call.body, 'body', ['requests', 'concurrency', 'endpoint']);
  const requests = check.integerBetween(given.requests ?? 1_000, 'body.requests', 1, LIMITS.requests);
  const concurrency = check.integerBetween(given.concurrency ?? 10, 'body.concurrency', 1, LIMITS.concurrency);
  const url = targetOf(given.endpoint === undefined ? '/' : given.endpoint, baseOf(call), call.mount);
  return alone(async () => {
    // Its own certificate may be for a name that is not in this address.
    const insecure = url.protocol === 'https:' && LOOPBACK.test(url.hostname);
    const tester = new (tools().LoadTester)({ allowRemote: true });
    return { data: await tester.runLoadTest({ url: url.href, requests, concurrency, insecure, signal: call.signal }) };
  });
}

/** @param {import('./router-endpoints.js').Call} call */
async function memoryTest({ body }) {
  const given = check.options(body, 'body', ['iterations', 'dataSize']);
  const iterations = check.integerBetween(given.iterations ?? 1_000, 'body.iterations', 1, LIMITS.iterations);
  const dataSize = check.integerBetween(given.dataSize ?? 1_000, 'body.dataSize', 1, LIMITS.dataSize);
  if (iterations * dataSize > LIMITS.bytes) {
    throw badRequest('ERR_OUT_OF_RANGE', `Expected iterations times dataSize to be at most ${LIMITS.bytes}`);
  }
  return alone(async () => ({ data: await tools().runMemoryTest({ iterations, dataSize }) }));
}

module.exports = { LIMITS, loadTest, memoryTest };
