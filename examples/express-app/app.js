'use strict';

// The Express app: two expensive questions whose answers are cached, two cheap ones that are computed natively, and
// everything that hotpath can tell about itself under /api/performance.

const { createHash, timingSafeEqual } = require('node:crypto');
const express = require('express');
const { legacyRoutes, performanceRouter, timingMiddleware } = require('hotpath');
const places = require('./places.js');
const { RequestError, numberIn, textIn, wholeIn } = require('./query.js');

const ANSWER_TTL_MS = 10 * 60_000;

/** @param {ReturnType<import('./services.js').openServices>} services */
function createApp(services, { adminToken } = {}) {
  const { cache, jobs, matcher, monitoring, parallel, pool, responses } = services;
  const app = express();
  app.disable('x-powered-by');

  // Before everything that is measured: looking at the figures shall not be in them.
  const router = performanceRouter(services.shown, { authorize: isOwner });
  app.use('/api/performance', router);
  app.use(legacyRoutes(services.shown));

  app.use(timingMiddleware({ slowMs: 5000 }));
  app.use((_req, res, next) => {
    const started = performance.now();
    res.once('finish', () => monitoring.recordRequest(performance.now() - started, res.statusCode < 500));
    next();
  });

  // The whole of the caching: those who ask while an answer is being worked out wait for that one answer. It is worked out
  // in a worker thread, so that nobody else waits for it.
  const loading = new Set();
  async function answer(res, kind, question) {
    const key = `${kind}:${JSON.stringify(question)}`;
    let missed = loading.has(key);
    const load = async () => {
      missed = true;
      loading.add(key);
      try {
        return await pool.execute({ kind, question });
      } finally {
        loading.delete(key);
      }
    };
    const body = await cache.getOrSet(key, load, { ttlMs: ANSWER_TTL_MS, tags: [kind] });
    monitoring.recordCacheOperation(!missed);
    // What many ask for is answered before Express is asked, a second long.
    if (!missed) res.set({ 'Cache-Control': 'public, max-age=1', 'Cache-Tag': kind });
    res.set('X-Cache', missed ? 'miss' : 'hit').json(body);
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

  app.get('/intent', async ({ query }, res) => {
    const intent = await matcher.match(textIn(query, 'text', { longest: 200 }));
    res.json({ intent: intent?.id ?? null });
  });

  app.get('/populations', async ({ query }, res) => {
    const country = textIn(query, 'country', { longest: 2 }).toUpperCase();
    const numbers = places.populations(country);
    if (numbers.length === 0) throw new RequestError(404, 'ERR_NOT_FOUND', `No places in ${country}`);
    res.json({ country, places: numbers.length, ...(await parallel.executeTask('statistics', numbers)) });
  });

  app.post('/reports/:country', async (req, res) => {
    const { jobId } = await jobs.submitJob('report', { country: req.params.country.slice(0, 2).toUpperCase() });
    res.status(202).json({ jobId });
  });

  app.get('/stats', (_req, res) =>
    res.json({ hitRatio: services.hitRatio(), cache: cache.stats, responses: responses.stats }),
  );

  app.delete('/cache/tags/:tag', async (req, res) => {
    const allowed = adminToken && sameText(req.get('authorization') ?? '', `Bearer ${adminToken}`);
    if (!allowed) throw new RequestError(403, 'ERR_FORBIDDEN', 'Invalidating needs the ADMIN_TOKEN as a bearer token');
    const removed = await cache.invalidateTags(req.params.tag);
    await responses.invalidateTags(req.params.tag);
    res.json({ removed });
  });

  app.use(() => {
    throw new RequestError(
      404,
      'ERR_NOT_FOUND',
      'Try /search, /nearby, /intent, /populations, /stats or /api/performance/',
    );
  });

  app.use((error, _req, res, next) => {
    if (res.headersSent) return next(error);
    // Nobody waits for this answer any more.
    if (res.destroyed) return;
    // Express marks the client's mistakes with a status too. Whatever has none is ours, and stays in the log.
    const theirs = error.status >= 400 && error.status < 500;
    if (!theirs) console.error(error);
    const { code = 'ERR_BAD_REQUEST', message } = theirs ? error : { code: 'ERR_INTERNAL', message: 'Internal error' };
    res.status(theirs ? error.status : 500).json({ error: { code, message } });
  });
  return { app, close: () => router.close() };
}

/**
 * Who may press the dashboard's buttons: whoever sits at this machine, in a page of this very app. A page of somebody else
 * reaches 127.0.0.1 as well, but by another name (DNS rebinding) or with another origin.
 */
function isOwner(req) {
  const host = req.headers.host ?? '';
  const { origin } = req.headers;
  const here = ['127.0.0.1', '::1', '::ffff:127.0.0.1'].includes(req.socket.remoteAddress);
  const named = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host);
  return here && named && (origin === undefined || origin === `http://${host}`);
}

// Digests have one length, as timingSafeEqual requires, and hide the secret's.
function sameText(a, b) {
  const digest = (text) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

module.exports = { createApp };
