'use strict';

// An Express app that answers two expensive questions about 135,233 places and keeps the answers in a MemoryCache.
//   node server.js          loads itself for a few seconds, prints what it measured, then keeps serving
//   node server.js --once   the same, then stops
// Environment: PORT (3000), LOAD_SECONDS (6), and ADMIN_TOKEN, without which nobody can invalidate anything.

const { createHash, timingSafeEqual } = require('node:crypto');
const { once } = require('node:events');
const express = require('express');
const { MemoryCache } = require('hotpath');
const { drive, heapInUse } = require('./load.js');
const places = require('./places.js');
const { RequestError, numberIn, textIn, wholeIn } = require('./query.js');
const { report } = require('./table.js');

const DISTINCT = 300;
const CONNECTIONS = 8;
const GRACE_MS = 2000;
const EXAMPLES = ['/search?name=budapset', '/nearby?lat=48.86&lon=2.35&radiusKm=50', '/stats'];

function createApp(cache, { adminToken } = {}) {
  const app = express();
  app.disable('x-powered-by');

  // The whole of the caching. Those who ask while an answer is being worked out wait for that one answer.
  async function answer(res, kind, question) {
    const key = `${kind}:${JSON.stringify(question)}`;
    res.set('X-Cache', cache.has(key) ? 'hit' : 'miss');
    res.json(await cache.getOrSet(key, () => places[kind](question), { ttlMs: 10 * 60_000, tags: [kind] }));
  }

  app.get('/search', ({ query }, res) =>
    answer(res, 'search', {
      name: places.fold(textIn(query, 'name', { longest: 64 })),
      limit: wholeIn(query, 'limit', { from: 1, to: 50, otherwise: 10 }),
    }),
  );

  // Two decimals are about a kilometre: neighbours share an answer.
  app.get('/nearby', ({ query }, res) =>
    answer(res, 'nearby', {
      lat: numberIn(query, 'lat', { from: -90, to: 90, decimals: 2 }),
      lon: numberIn(query, 'lon', { from: -180, to: 180, decimals: 2 }),
      radiusKm: wholeIn(query, 'radiusKm', { from: 1, to: 2000, otherwise: 100 }),
      limit: wholeIn(query, 'limit', { from: 1, to: 50, otherwise: 10 }),
    }),
  );

  app.get('/stats', (_req, res) => res.json(cache.stats));

  app.delete('/cache/tags/:tag', (req, res) => {
    const allowed = adminToken && sameText(req.get('authorization') ?? '', `Bearer ${adminToken}`);
    if (!allowed) throw new RequestError(403, 'ERR_FORBIDDEN', 'Invalidating needs the ADMIN_TOKEN as a bearer token');
    res.json({ removed: cache.invalidateTags(req.params.tag) });
  });

  app.use(() => {
    throw new RequestError(404, 'ERR_NOT_FOUND', 'Try /search, /nearby or /stats');
  });

  app.use((error, _req, res, next) => {
    if (res.headersSent) return next(error);
    // Express marks the client's mistakes with a status too. Whatever has none is ours, and stays in the log.
    const theirs = error.status >= 400 && error.status < 500;
    if (!theirs) console.error(error);
    const { code = 'ERR_BAD_REQUEST', message } = theirs ? error : { code: 'ERR_INTERNAL', message: 'Internal error' };
    res.status(theirs ? error.status : 500).json({ error: { code, message } });
  });
  return app;
}

// Digests have one length, as timingSafeEqual requires, and hide the secret's.
function sameText(a, b) {
  const digest = (text) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

async function listen(app, port) {
  const server = app.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return server;
  } catch (error) {
    if (error.code !== 'EADDRINUSE') throw error;
    console.log(`Port ${port} is taken: using a free one.`);
    return listen(app, 0);
  }
}

async function main() {
  const port = wholeIn(process.env, 'PORT', { from: 0, to: 65535, otherwise: 3000 });
  const seconds = numberIn(process.env, 'LOAD_SECONDS', { from: 0.1, to: 60, decimals: 1, otherwise: 6 });

  const cache = new MemoryCache({ maxMemoryMB: 64 });
  const server = await listen(createApp(cache, { adminToken: process.env.ADMIN_TOKEN }), port);
  const url = `http://127.0.0.1:${server.address().port}`;

  const stopping = new AbortController();
  const stop = () => {
    stopping.abort();
    server.close(() => cache.close()); // requests under way are answered first, and still need the cache
    setTimeout(() => server.closeAllConnections(), GRACE_MS).unref();
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);

  console.log(`Serving ${url}. Asking ${DISTINCT} different questions for ${seconds} s ...`);
  const paths = places.examplePaths(DISTINCT);
  const heapBefore = heapInUse();
  const load = await drive(url, paths, { seconds, connections: CONNECTIONS, signal: stopping.signal });
  if (stopping.signal.aborted) return;

  console.log(report({ load, stats: cache.stats, heapBefore, heapAfter: heapInUse(), places: places.count }));
  if (load.failures > 0) process.exitCode = 1;
  if (process.argv.includes('--once')) return stop();

  console.log(`\nStill serving ${url} (Ctrl-C stops it). Try:`);
  for (const path of EXAMPLES) console.log(`  curl '${url}${path}'`);
}

if (require.main === module) {
  main().catch((error) => {
    console.error(error instanceof RequestError ? error.message : error);
    process.exit(1);
  });
}

module.exports = { createApp };
