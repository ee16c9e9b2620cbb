'use strict';

// Four processes, one cache on disk: see README.md.

const cluster = require('node:cluster');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { DiskCache } = require('../..');

const port = Number(process.env.PORT ?? 3000);
const workers = Number(process.env.WORKERS ?? 4);
const directory = process.env.CACHE_DIRECTORY ?? path.join(os.tmpdir(), 'hotpath-cluster-example');

const MOST = 5_000_000;

/** How many primes there are below a bound: slow enough to be worth a cache. */
function countPrimes(bound) {
  const composite = new Uint8Array(bound);
  let count = 0;
  for (let number = 2; number < bound; number += 1) {
    if (composite[number]) continue;
    count += 1;
    for (let multiple = number * number; multiple < bound; multiple += number) composite[multiple] = 1;
  }
  return count;
}

function serve() {
  const cache = new DiskCache({ directory, diskLimit: 64 * 1024 * 1024, maxAgeMs: 3_600_000 });

  async function answer(url) {
    if (url === '/stats') return { status: 200, body: cache.stats };
    const bound = Number(/^\/primes\/(\d{1,7})$/.exec(url)?.[1] ?? Number.NaN);
    if (!(bound <= MOST)) return { status: 404, body: { error: `Ask for /primes/N, N at most ${MOST}` } };
    const key = `primes:${bound}`;
    const known = await cache.get(key);
    if (known !== undefined) return { status: 200, body: { ...known, found: true, answeredBy: process.pid } };
    const result = { bound, primes: countPrimes(bound), computedBy: process.pid };
    await cache.set(key, result);
    return { status: 200, body: { ...result, found: false, answeredBy: process.pid } };
  }

  const server = http.createServer((request, response) => {
    answer(request.url).then(
      ({ status, body }) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
      () => response.writeHead(500).end(),
    );
  });
  server.listen(port, '127.0.0.1', () => process.send?.({ listening: server.address().port }));
  process.once('SIGTERM', () => {
    server.closeAllConnections();
    server.close(async () => {
      await cache.close();
      process.disconnect();
    });
  });
}

if (cluster.isPrimary) {
  let listening = 0;
  for (let count = 0; count < workers; count += 1) {
    cluster.fork().on('message', (message) => {
      listening += 1;
      if (listening === workers) console.log(`${workers} workers on http://127.0.0.1:${message.listening}`);
    });
  }
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => Object.values(cluster.workers).forEach((worker) => worker.process.kill('SIGTERM')));
  }
} else {
  serve();
}
