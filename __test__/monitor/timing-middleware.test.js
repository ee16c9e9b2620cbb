'use strict';

const assert = require('node:assert/strict');
const http = require('node:http');
const { describe, it } = require('node:test');
const {
  MetricsService,
  PerformanceCollector,
  PerformanceMonitor,
  performanceCollector,
  timingMiddleware,
} = require('hotpath');
const { errors, waitFor } = require('../support');

/** The middleware with a collector and a monitor of its own, and what it records. */
function setUp(t, options = {}) {
  const collector = new PerformanceCollector();
  const monitor = new PerformanceMonitor({ options: { enabled: false } });
  const metrics = new MetricsService();
  const warnings = [];
  const logger = { warn: (...words) => warnings.push(words) };
  t.after(() => [collector, monitor, metrics].forEach((each) => each.close()));
  const routes = metrics.histogram('http_route_duration_seconds', { labelNames: ['method', 'route', 'status'] });
  return {
    collector,
    monitor,
    warnings,
    middleware: timingMiddleware({ collector, monitor, metrics, logger, ...options }),
    count: (method, route, status) =>
      routes.values.find(
        ({ labels }) => labels.method === method && labels.route === route && labels.status === String(status),
      )?.value.count ?? 0,
  };
}

async function listen(t, handler) {
  const server = http.createServer(handler);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

async function get(url, options) {
  const response = await fetch(url, options);
  await response.arrayBuffer();
  return response.status;
}

for (const [framework, version] of [
  ['express', 5],
  ['express4', 4],
]) {
  describe(`Express ${version}`, () => {
    it('counts by route pattern, never by raw URL', async (t) => {
      const { middleware, collector, monitor, count } = setUp(t);
      const express = require(framework);
      const app = express();
      app.use(middleware);
      app.get('/users/:id', (request, response) => response.json({ id: request.params.id }));
      const router = express.Router();
      router.post('/items/:item', (_request, response) => response.status(201).end());
      app.use(`/v${version}`, router);
      app.get('/broken', (_request, response) => response.status(503).end());
      const url = await listen(t, app);
      const before = count('GET', '/users/:id', 200);
      for (const id of [1, 2, 3]) assert.equal(await get(`${url}/users/${id}?token=secret`), 200);
      assert.equal(await get(`${url}/v${version}/items/5`, { method: 'POST' }), 201);
      assert.equal(await get(`${url}/nowhere/${'x'.repeat(50)}`), 404);
      assert.equal(await get(`${url}/broken`), 503);
      await waitFor(() => collector.getStats('request_duration')?.count === 6);
      assert.equal(count('GET', '/users/:id', 200) - before, 3);
      assert.equal(count('POST', `/v${version}/items/:item`, 201), 1);
      assert.ok(count('GET', 'unmatched', 404) >= 1);
      assert.equal(collector.getStats('request_duration_GET').count, 5);
      assert.equal(collector.getStats('request_duration_POST').count, 1);
      const endpoints = monitor.getEndpointStats();
      assert.equal(endpoints['GET /users/:id'].requests, 3);
      assert.equal(endpoints['GET /broken'].failed, 1);
      assert.equal(monitor.stats.requests.failed, 1, 'a 404 is an answer, a 503 a failure');
    });
  });
}

describe('routers behind a parameter', () => {
  it('are counted by its name where they know it, and never without end', async (t) => {
    const { middleware, count } = setUp(t);
    const app = require('express')();
    const { Router } = require('express');
    const merging = Router({ mergeParams: true }).get('/posts/:post', (_request, response) => response.end());
    const other = Router().get('/posts', (_request, response) => response.end());
    app.use(middleware).use('/users/:user', merging).use('/teams/:team', other);
    const url = await listen(t, app);
    for (const user of ['1', '2', 'a%20b']) await get(`${url}/users/${user}/posts/1`);
    await waitFor(() => count('GET', '/users/:user/posts/:post', 200) === 3);
    for (let team = 0; team < 250; team++) await get(`${url}/teams/${team}/posts`);
    await waitFor(() => count('GET', '/*/posts', 200) >= 50);
  });
});

describe('plain http', () => {
  it('survives URLs that the route cannot be made of', async (t) => {
    const { middleware, warnings, count } = setUp(t, { route: (request) => new URL(request.url, 'http://x').pathname });
    const url = await listen(t, (request, response) => middleware(request, response, () => response.end()));
    assert.equal(await get(`${url}//`), 200);
    await waitFor(() => count('GET', 'unmatched', 200) >= 1);
    assert.equal(warnings.length, 1);
  });

  it('works with a handler that calls it, with and without next', async (t) => {
    const { middleware, collector, count } = setUp(t, {
      route: (request) => new URL(request.url, 'http://x').pathname,
    });
    const url = await listen(t, (request, response) => {
      if (request.url === '/a') return middleware(request, response, () => response.end('a'));
      middleware(request, response);
      response.end('b');
    });
    await get(`${url}/a`);
    await get(`${url}/b`);
    await waitFor(() => collector.getStats('request_duration')?.count === 2);
    assert.equal(count('GET', '/a', 200), 1);
    assert.equal(count('GET', '/b', 200), 1);
  });

  it('is itself a handler, which records into what everybody shares', async (t) => {
    const url = await listen(t, (request, response) => timingMiddleware(request, response, () => response.end('x')));
    const before = performanceCollector.getStats('request_duration')?.count ?? 0;
    await get(url);
    await waitFor(() => performanceCollector.getStats('request_duration')?.count === before + 1);
  });

  it('counts requests that were aborted', async (t) => {
    const { middleware, collector, monitor, count } = setUp(t, { route: () => '/slow' });
    let arrived = 0;
    const url = await listen(t, (request, response) => {
      middleware(request, response, () => {});
      arrived += 1;
    });
    const abort = new AbortController();
    const request = fetch(url, { signal: abort.signal }).catch(({ name }) => name);
    await waitFor(() => arrived === 1);
    abort.abort();
    assert.equal(await request, 'AbortError');
    await waitFor(() => collector.getStats('request_duration')?.count === 1);
    assert.equal(count('GET', '/slow', 499), 1);
    assert.equal(monitor.stats.requests.failed, 1);
  });

  it('makes one series of all methods that nobody knows', async (t) => {
    const { middleware, collector } = setUp(t);
    const url = await listen(t, (request, response) => {
      Object.defineProperty(request, 'method', { value: 'BREW' });
      middleware(request, response, () => response.end());
    });
    await get(url);
    await waitFor(() => collector.getStats('request_duration_OTHER')?.count === 1);
  });
});

describe('slow requests', () => {
  it('are logged without their query strings', async (t) => {
    const { middleware, warnings } = setUp(t, { slowMs: 0 });
    const url = await listen(t, (request, response) => middleware(request, response, () => response.end()));
    await get(`${url}/login?password=secret`, { headers: { 'user-agent': 'test' } });
    await waitFor(() => warnings.length === 1);
    const [[words, details]] = warnings;
    assert.equal(words, 'Slow request detected:');
    assert.deepEqual(Object.keys(details), ['method', 'url', 'duration', 'userAgent']);
    assert.deepEqual({ ...details, duration: 0 }, { method: 'GET', url: '/login', duration: 0, userAgent: 'test' });
    assert.equal(Number.isInteger(details.duration), true);
  });

  it('show them when asked to, and are those above the limit', async (t) => {
    const { middleware, warnings } = setUp(t, { slowMs: 0, logQuery: true });
    const quiet = setUp(t);
    const url = await listen(t, (request, response) =>
      middleware(request, response, () => quiet.middleware(request, response, () => response.end())),
    );
    await get(`${url}/a?b=c`);
    await waitFor(() => warnings.length === 1 && quiet.collector.getStats('request_duration')?.count === 1);
    assert.equal(warnings[0][1].url, '/a?b=c');
    assert.equal(quiet.warnings.length, 0);
  });
});

describe('options', () => {
  it('are checked', () => {
    assert.throws(() => timingMiddleware({ slow: 5 }), errors.unknownOption('slow', 'slowMs'));
    assert.throws(() => timingMiddleware({ slowMs: '5' }), errors.invalidType('options.slowMs'));
    assert.throws(() => timingMiddleware({ slowMs: -5 }), errors.outOfRange('options.slowMs'));
    assert.throws(() => timingMiddleware({ logQuery: 1 }), errors.invalidType('options.logQuery'));
    assert.throws(() => timingMiddleware({ route: '/a' }), errors.invalidType('options.route'));
    assert.throws(() => timingMiddleware({ logger: {} }), errors.invalidType('options.logger'));
    assert.equal(timingMiddleware().length, 3);
  });
});
