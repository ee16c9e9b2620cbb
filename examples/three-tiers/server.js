'use strict';

// An Express app whose results stand in memory, on disk and in Redis: see README.md.

const os = require('node:os');
const path = require('node:path');
const express = require('express');
const { DiskCache, MemoryCache, MultiLevelCache, RedisCache } = require('../..');

const port = Number(process.env.PORT ?? 3000);
const url = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379';
const directory = process.env.CACHE_DIRECTORY ?? path.join(os.tmpdir(), 'hotpath-three-tiers');

const MOST = 2_000_000;
const STEPS = 50_000;

// The nearest first: this process, this machine, all machines.
const memory = new MemoryCache({ maxMemoryMB: 64 });
const disk = new DiskCache({ directory, diskLimit: 256 * 1024 * 1024 });
const redis = new RedisCache({ url, keyPrefix: 'three-tiers:', commandTimeoutMs: 250, clientTracking: true });
const cache = new MultiLevelCache({
  l1Cache: memory,
  l2Cache: disk,
  l3Cache: redis,
  ttlMs: 600_000,
  graceMs: 3_600_000, // an old result is better than none
  jitter: 0.1,
});

cache.on('error', ({ tier, operation, code }) => console.log(`${tier} failed in ${operation}: ${code}`));
cache.on('breaker', ({ tier, state }) => console.log(`the breaker of ${tier} is ${state}`));

/** The number below a bound with the most steps to 1 by Collatz's rule. Slow, and gives other requests their turn. */
async function longestChain(bound) {
  let best = { number: 1, steps: 0 };
  for (let first = 1; first < bound; first += STEPS) {
    for (let number = first; number < Math.min(first + STEPS, bound); number += 1) {
      let steps = 0;
      for (let at = number; at !== 1; steps += 1) at = at % 2 === 0 ? at / 2 : 3 * at + 1;
      if (steps > best.steps) best = { number, steps };
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { bound, ...best, computedBy: process.pid, at: new Date() };
}

const app = express();

app.get('/chains/:bound', async (request, response) => {
  const bound = /^\d{1,7}$/.test(request.params.bound) ? Number(request.params.bound) : Number.NaN;
  if (!(bound <= MOST)) return response.status(404).json({ error: `Ask for /chains/N, N at most ${MOST}` });
  // However many ask, here and on other machines: it is computed once.
  response.json(await cache.getOrSet(`chain:${bound}`, () => longestChain(bound), { tags: ['chains'] }));
});

app.get('/metrics', (_request, response) => {
  const { levels, stale, promotions, loads } = cache.stats;
  response.json({ ...cache.getMetrics(), stale, promotions, loads, levels });
});

const server = app.listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));

async function end() {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await cache.close(); // first: what it still has to write goes into the tiers
  await Promise.all([disk.close(), redis.close()]);
  memory.close();
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, end);
