// A server under load, in a process of its own: tells its port, and what a number of requests has cost it.

const http = require('node:http');

const [kind, size] = [process.argv[2], Number(process.argv[3])];

/** Rows of a shop, as many as make an answer of the size asked for. */
function rows() {
  /** @type {object[]} */
  const rows = [];
  let bytes = 2;
  for (let id = 0; bytes < size; id++) {
    const row = {
      id,
      name: `Product ${id}`,
      price: ((id * 7_919) % 10_007) / 100,
      tags: [`a${id % 13}`, `b${id % 7}`],
      code: ((id * 2_654_435_761) % 4_294_967_296).toString(36),
    };
    bytes += JSON.stringify(row).length + 1;
    rows.push(row);
  }
  return rows;
}

/** An application that makes its answer anew each time. @param {any[]} middlewares */
function application(...middlewares) {
  const app = require('express')();
  const answer = rows();
  for (const middleware of middlewares) app.use(middleware);
  app.get('/', (/** @type {any} */ _request, /** @type {any} */ response) => response.json(answer));
  return app;
}

const TTL_MS = 600_000;

/** @type {Record<string, () => any>} */
const LISTENERS = {
  middleware: () => application(require('../..').responseCache({ ttlMs: TTL_MS })),
  front: () => require('../..').responseCache.front(application(), { ttlMs: TTL_MS }),
  apicache: () => application(require('apicache').middleware('10 minutes')),
  compression: () => application(require('compression')()),
  express: () => application(),
  http() {
    const bytes = Buffer.from(JSON.stringify(rows()));
    const head = ['Content-Type', 'application/json; charset=utf-8', 'Content-Length', String(bytes.length)];
    return (/** @type {any} */ _request, /** @type {any} */ response) => {
      response.writeHead(200, head);
      response.end(bytes);
    };
  },
};

/** @type {NodeJS.CpuUsage} */
let before;
process.on('message', (message) => {
  if (message === 'begin') before = process.cpuUsage();
  process.send?.(process.cpuUsage(before));
});
process.on('disconnect', () => process.exit());

const server = http.createServer(LISTENERS[kind]());
server.listen(0, '127.0.0.1', () =>
  process.send?.(/** @type {import('node:net').AddressInfo} */ (server.address()).port),
);
