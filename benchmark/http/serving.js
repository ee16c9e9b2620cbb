const { execFile, fork } = require('node:child_process');
const { once } = require('node:events');
const http = require('node:http');
const path = require('node:path');
const { promisify } = require('node:util');
const { digestOf } = require('../harness/digest.js');

const SERVER = path.join(__dirname, 'server.js');
const CONNECTIONS = 32;

/** @param {string} url @param {Record<string, string>} headers @returns {Promise<{ status: number, etag?: string, text: string }>} */
function ask(url, headers) {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { headers, agent: false }, (response) => {
      /** @type {Buffer[]} */
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => {
        const body = Buffer.concat(chunks);
        const isCoded = response.headers['content-encoding'] === 'gzip';
        const text = (isCoded ? require('node:zlib').gunzipSync(body) : body).toString();
        resolve({ status: Number(response.statusCode), etag: response.headers.etag, text });
      });
    });
    request.on('error', reject);
  });
}

/** Requests in some seconds: by wrk, which costs the machine least, where it is installed. @param {string} url @param {number} seconds @param {Record<string, string>} headers @returns {Promise<number>} */
async function load(url, seconds, headers) {
  const fields = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  try {
    const words = ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, ...fields, url];
    const { stdout } = await promisify(execFile)('wrk', words);
    return Number(/(\d+) requests in/.exec(stdout)?.[1]);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ENOENT') throw error;
    const { requests } = await require('autocannon')({ url, connections: CONNECTIONS, duration: seconds, headers });
    return requests.total;
  }
}

/**
 * @template T
 * @param {string} kind
 * @param {number} bytes
 * @param {(url: string, server: import('node:child_process').ChildProcess) => Promise<T>} use
 */
async function withServer(kind, bytes, use) {
  const server = fork(SERVER, [kind, String(bytes)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  try {
    const [port] = await once(server, 'message');
    return await use(`http://127.0.0.1:${port}/`, server);
  } finally {
    server.kill();
    await once(server, 'exit');
  }
}

/** A contender, by what it is called in server.js. @param {string} name @param {string} kind @returns {import('../harness/types.js').Contender} */
const served = (name, kind) => ({ package: name, options: () => ({}), open: () => kind });

/**
 * @param {{ name: string, title: string, description: string, bytes: number, headers?: Record<string, string>,
 *   conditional?: boolean, floors: import('../harness/types.js').Floor[],
 *   contenders: Record<string, import('../harness/types.js').Contender> }} of
 * @returns {import('../harness/types.js').Trial}
 */
function servingTrial({ name, title, description, bytes, headers = {}, conditional = false, floors, contenders }) {
  /** What each request says. @param {string} url */
  const fieldsFor = async (url) => {
    // The second answer comes from the cache, if there is one.
    await ask(url, headers);
    const { etag = '' } = await ask(url, headers);
    return conditional ? { ...headers, 'If-None-Match': etag } : headers;
  };
  return {
    name,
    title,
    description,
    settings: {
      smoke: { rounds: 1, operations: 1 },
      quick: { rounds: 3, operations: 3 },
      full: { rounds: 7, operations: 10 },
    },
    cases: { served: { title: 'one URL' } },
    measures: {
      rate: { label: 'requests', unit: 'perSecond', better: 'higher', chart: true },
      processor: { label: 'processor time of the server per request', unit: 'nanoseconds', better: 'lower' },
    },
    floors,
    contenders,

    check: ({ open }) =>
      withServer(/** @type {string} */ (open()), bytes, async (url) => {
        const { status, text } = await ask(url, await fieldsFor(url));
        return digestOf([status, text]);
      }),

    run: ({ open, settings }) =>
      withServer(/** @type {string} */ (open()), bytes, async (url, server) => {
        const fields = await fieldsFor(url);
        await load(url, 1, fields);
        server.send('begin');
        await once(server, 'message');
        const requests = await load(url, settings.operations, fields);
        server.send('end');
        const [{ user, system }] = await once(server, 'message');
        return {
          measures: { rate: requests / settings.operations, processor: ((user + system) * 1000) / requests },
        };
      }),
  };
}

module.exports = { served, servingTrial };
