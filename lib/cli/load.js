'use strict';

const fs = require('node:fs');
const { LoadTester } = require('../http/load-tester.js');
const { UsageError, readArguments } = require('./arguments.js');
const { describe } = require('./load-report.js');

const usage = `Usage: npx hotpath load <url or scenario file> [options]

  A URL is asked over and over; a file (YAML or JSON in the format of Artillery) says what users do.
  Only this machine is put under load, unless you say --allow-remote.

  -n, --requests <number>     how many requests (1000 unless there is a --duration)
  -d, --duration <time>       for how long, such as 10s
  -c, --concurrency <number>  how many at a time (10)
  -r, --rate <number>         requests a second: an open loop, latencies from the moment each was due
  -m, --method <name>         GET, or POST with a body
  -H, --header <name: value>  may be repeated
  -b, --body <text>           or @file
      --json <text>           the same, as application/json
      --http2                 HTTP/2: by ALPN over TLS, with prior knowledge without
      --connections <number>  over HTTP/2: connections that the requests share
      --close                 a new connection for every request
      --ca <file>             certificates to trust, as PEM
      --insecure              accept any certificate; this machine only
      --timeout <time>        what a request may take (10s)
      --threads <number>      threads that make the load
      --target <url>          with a file: instead of its config.target
      --seed <number>         with a file: repeat the same random choices (1)
      --output <json>         print the whole result as JSON
      --allow-remote          other machines, too; ask their owners

Ctrl-C ends it and prints the results so far.
Exit codes: 0, 1 (nothing answered, or the file's limits were broken), 2 (wrong use), 130 (Ctrl-C).`;

/** @type {Record<string, import('./arguments.js').Option>} */
const OPTIONS = {
  requests: { type: 'number', short: 'n' },
  duration: { type: 'duration', short: 'd' },
  concurrency: { type: 'number', short: 'c' },
  rate: { type: 'number', short: 'r' },
  method: { type: 'text', short: 'm' },
  header: { type: 'text', short: 'H', many: true },
  body: { type: 'text', short: 'b' },
  json: { type: 'text' },
  http2: { type: 'flag' },
  connections: { type: 'number' },
  close: { type: 'flag' },
  ca: { type: 'text' },
  insecure: { type: 'flag' },
  timeout: { type: 'duration' },
  threads: { type: 'number' },
  target: { type: 'text' },
  seed: { type: 'number' },
  output: { type: 'text' },
  'allow-remote': { type: 'flag' },
};

const OF_REQUESTS = ['requests', 'duration', 'concurrency', 'rate', 'method', 'header', 'body', 'json', 'connections'];
const OF_FILES = ['target', 'seed'];

/** @param {string[]} args */
async function run(args) {
  const { options, rest } = readArguments(args, OPTIONS);
  const [target, ...others] = rest;
  if (target === undefined) throw new UsageError('What is to be put under load? Give a URL or a scenario file');
  if (others.length > 0) throw new UsageError(`One target at a time: ${others[0].slice(0, 40)} is too much`);
  if (options.output !== undefined && options.output !== 'json') throw new UsageError('--output knows only json');
  const isUrl = /^https?:\/\//.test(target);
  const foreign = (isUrl ? OF_FILES : [...OF_REQUESTS, 'close']).find((name) => options[name] !== undefined);
  if (foreign) throw new UsageError(`--${foreign} is for ${isUrl ? 'scenario files' : 'URLs'}`);

  const stopping = new AbortController();
  const stop = () => stopping.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const tester = new LoadTester({ progressBar: true });
  try {
    const common = commonOptions(options, stopping.signal);
    const result = isUrl
      ? await tester.runLoadTest({ url: target, ...common, ...requestOptions(options) })
      : await tester.runScenario(target, { ...common, target: options.target, seed: options.seed });
    print(result, options);
    if (result.aborted) return 130;
    return Object.keys(result.statusCodes).length === 0 && result.totalRequests > 0 ? 1 : 0;
  } catch (error) {
    const { result } = /** @type {any} */ (error);
    if (result) print(result, options);
    throw error;
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

/** @param {any} result @param {Record<string, any>} options */
function print(result, { output }) {
  console.log(output === 'json' ? JSON.stringify(result, null, 2) : describe(result));
}

/** @param {Record<string, any>} options @param {AbortSignal} signal */
function commonOptions({ http2, ca, insecure, timeout, threads, 'allow-remote': allowRemote }, signal) {
  return {
    http2,
    insecure,
    threads,
    allowRemote,
    ca: ca === undefined ? undefined : readFile(ca),
    timeoutMs: timeout,
    signal,
  };
}

/** @param {Record<string, any>} options */
function requestOptions({
  requests,
  duration,
  concurrency,
  rate,
  method,
  header = [],
  body,
  json,
  connections,
  close,
}) {
  const headers = Object.fromEntries(header.map(readHeader));
  if (json !== undefined) {
    if (body !== undefined) throw new UsageError('Give --body or --json, not both');
    if (!Object.keys(headers).some((name) => name.toLowerCase() === 'content-type')) {
      headers['content-type'] = 'application/json';
    }
  }
  const text = body ?? json;
  return {
    requests,
    durationMs: duration,
    concurrency,
    rate,
    method: method?.toUpperCase(),
    headers,
    body: text?.startsWith('@') ? readFile(text.slice(1)) : text,
    connections,
    keepAlive: close ? false : undefined,
  };
}

/** @param {string} header */
function readHeader(header) {
  const at = header.indexOf(':');
  if (at < 1) throw new UsageError('--header needs a name, a colon and a value');
  return [header.slice(0, at).trim(), header.slice(at + 1).trim()];
}

/** @param {string} file */
function readFile(file) {
  try {
    return fs.readFileSync(file);
  } catch (error) {
    throw new UsageError(`Cannot read ${file}: ${/** @type {NodeJS.ErrnoException} */ (error).code}`);
  }
}

module.exports = { run, usage };
