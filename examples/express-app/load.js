'use strict';

// A short load over real HTTP. It runs in a worker thread: a client that shared the server's event loop would measure
// itself too.

const http = require('node:http');
const { once } = require('node:events');
const v8 = require('node:v8');
const vm = require('node:vm');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');

/** Asks for `paths`, the earlier the more often, until the seconds are over or `signal` aborts; returns what was measured. */
async function drive(url, paths, { seconds, connections, signal }) {
  const worker = new Worker(__filename, { workerData: { url, paths, seconds, connections } });
  const abort = () => worker.terminate();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const [measured] = await Promise.race([once(worker, 'message'), once(worker, 'exit').then(() => [undefined])]);
    return measured;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

/** Zipf's law, the usual shape of popularity: path number n is asked for 1/n times as often as the first. */
function byPopularity(paths) {
  let sum = 0;
  const reached = paths.map((_, rank) => {
    sum += 1 / (rank + 1);
    return sum;
  });
  let state = 20_240_601; // a fixed start: every run asks the same questions in the same order
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const wanted = (state / 2 ** 32) * sum;
    let [low, high] = [0, paths.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (reached[middle] > wanted) high = middle;
      else low = middle + 1;
    }
    return paths[low];
  };
}

function get(url, agent) {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent, timeout: 10_000 }, (response) => {
      response
        .on('error', reject)
        .on('end', () => resolve(response))
        .resume();
    });
    request.on('error', reject).on('timeout', () => request.destroy(new Error('no answer within 10 s')));
  });
}

async function measure({ url, paths, seconds, connections }) {
  const latencies = { hit: [], miss: [] };
  const next = byPopularity(paths);
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  const started = performance.now();
  const end = started + seconds * 1000;
  let failures = 0;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (performance.now() < end) {
        const asked = performance.now();
        try {
          const { statusCode, headers } = await get(url + next(), agent);
          if (statusCode === 200) latencies[headers['x-cache']].push(performance.now() - asked);
          else failures += 1;
        } catch {
          failures += 1;
        }
      }
    }),
  );
  agent.destroy();
  const elapsed = (performance.now() - started) / 1000;
  const requests = latencies.hit.length + latencies.miss.length;
  return {
    requests,
    failures,
    perSecond: requests / elapsed,
    cold: summary(latencies.miss),
    cached: summary(latencies.hit),
  };
}

function summary(list) {
  list.sort((a, b) => a - b);
  const at = (share) => list[Math.max(0, Math.ceil(list.length * share) - 1)];
  return { requests: list.length, p50: at(0.5), p99: at(0.99) };
}

if (!isMainThread && workerData?.paths) measure(workerData).then((measured) => parentPort.postMessage(measured));

/** Bytes of the JavaScript heap that are in use, without what only waits to be collected. */
function heapInUse() {
  v8.setFlagsFromString('--expose-gc');
  vm.runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}

module.exports = { drive, heapInUse };
