'use strict';

// A small application for tests of performance that are given no other: objects behind a cache, over HTTP, in a worker
// thread, so that its event loop is its own.

const { once } = require('node:events');
const http = require('node:http');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');

const OBJECTS = 500;
const SAMPLE = 'hotpath: sample application';

async function startSample() {
  const worker = new Worker(__filename, { workerData: SAMPLE });
  const [port] = await once(worker, 'message');
  return {
    url: `http://127.0.0.1:${port}/objects`,
    async close() {
      await worker.terminate();
    },
  };
}

async function serve() {
  const { MemoryDataProvider, OptimizedDataService } = require('../batch/index.js');
  const { MemoryCache } = require('../cache/index.js');
  const service = new OptimizedDataService(new MemoryDataProvider());
  const cache = new MemoryCache({ ttlMs: 1000 });
  const objects = Array.from({ length: OBJECTS }, (_, id) => ({ id, name: `Object ${id}`, tags: ['a', 'b'] }));
  const uuids = await service.addBatch('objects', objects);
  let asked = 0;
  const server = http.createServer(async (_request, response) => {
    try {
      const uuid = uuids[asked++ % OBJECTS];
      const object = await cache.getOrSet(uuid, () => service.load('objects', uuid));
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(object));
    } catch {
      response.statusCode = 500;
      response.end();
    }
  });
  server.listen(0, '127.0.0.1', () => {
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    parentPort?.postMessage(port);
  });
}

if (!isMainThread && workerData === SAMPLE) serve();

module.exports = { startSample };
