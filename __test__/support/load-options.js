'use strict';

const errors = require('./errors');

const { invalidType, outOfRange, unknownOption } = errors;

/** Options of a load test that are wrong, and what they are rejected with. */
const wrongValues = [
  [{ url: undefined }, invalidType('options.url')],
  [{ url: 'not a url' }, outOfRange('options.url')],
  [{ url: 'file:///etc/passwd' }, outOfRange('options.url')],
  [{ url: 'http://me:secret@127.0.0.1/' }, outOfRange('options.url')],
  [{ request: 5 }, unknownOption('request', 'requests')],
  [{ requests: 0 }, outOfRange('options.requests')],
  [{ requests: 1.5 }, outOfRange('options.requests')],
  [{ requests: Number.NaN }, outOfRange('options.requests')],
  [{ concurrency: '10' }, invalidType('options.concurrency')],
  [{ concurrency: 1e6 }, outOfRange('options.concurrency')],
  [{ durationMs: -1 }, outOfRange('options.durationMs')],
  [{ durationMs: Number.POSITIVE_INFINITY }, outOfRange('options.durationMs')],
  [{ durationMs: 1e300 }, outOfRange('options.durationMs')],
  [{ rate: 0 }, outOfRange('options.rate')],
  [{ rate: 1e300 }, outOfRange('options.rate')],
  [{ method: 'get' }, outOfRange('options.method')],
  [{ method: 'CONNECT' }, outOfRange('options.method')],
  [{ headers: { 'a b': 'c' } }, outOfRange('options.headers')],
  [{ headers: { a: 'x\r\ny: z' } }, outOfRange('options.headers.a')],
  [{ headers: { 'Content-Length': 5 } }, outOfRange('options.headers')],
  [{ headers: { a: {} } }, invalidType('options.headers')],
  [{ headers: ['a'] }, invalidType('options.headers')],
  [{ body: 5 }, invalidType('options.body')],
  [{ body: 'a', json: 1 }, outOfRange('options.body')],
  [{ json: () => {} }, invalidType('options.json')],
  [{ connections: 3 }, outOfRange('options.connections')],
  [{ connections: 11, http2: true }, outOfRange('options.connections')],
  [{ keepAlive: 1 }, invalidType('options.keepAlive')],
  [{ http2: 'yes' }, invalidType('options.http2')],
  [{ ca: 5 }, invalidType('options.ca')],
  [{ threads: 0 }, outOfRange('options.threads')],
  [{ threads: 65 }, outOfRange('options.threads')],
  [{ timeoutMs: 0 }, outOfRange('options.timeoutMs')],
  [{ timeoutMs: 1e300 }, outOfRange('options.timeoutMs')],
  [{ signal: {} }, invalidType('options.signal')],
  [{ progressBar: 'yes' }, invalidType('options.progressBar')],
];

module.exports = { wrongValues };
