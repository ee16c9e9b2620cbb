'use strict';

// Servers with the router on them, and how tests talk to them.

const http = require('node:http');
const net = require('node:net');
const hotpath = require('hotpath');

/** The processors of a test's batches. */
const processors = {
  default: (items) => items.map((item) => ({ ...item, processed: true })),
  double: (items) => items.map((item) => item * 2),
};

/** One of each engine, closed after the test. */
function allServices(t, { optimization } = {}) {
  const services = {
    cache: new hotpath.AdvancedCacheManager(),
    batch: new hotpath.BatchProcessingEngine(),
    jobs: new hotpath.AsyncProcessingEngine(),
    parallel: new hotpath.ParallelProcessingEngine(),
    memory: new hotpath.MemoryOptimizationEngine(),
    monitoring: new hotpath.PerformanceMonitoringEngine({ monitoringInterval: 1e9 }),
    metrics: new hotpath.MetricsService(),
    performance: new hotpath.PerformanceService({ logger: { warn() {} } }),
    optimization: new hotpath.OptimizationService({ trialMs: 40, ...optimization }),
    monitor: new hotpath.PerformanceMonitor({ logger: { warn() {} }, options: { enabled: false } }),
  };
  t.after(async () => {
    for (const service of Object.values(services)) await service.close?.();
  });
  return services;
}

/** Listens with a handler, or with a server that is there, and gives its address. */
async function listen(t, handlerOrServer) {
  const server = typeof handlerOrServer === 'function' ? http.createServer(handlerOrServer) : handlerOrServer;
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${server.address().port}`;
}

/** A router on a bare server, below `/api/performance`. */
async function serveRouter(t, services, options = {}) {
  const router = hotpath.performanceRouter(services, { onError() {}, ...options });
  t.after(() => router.close());
  const base = await listen(t, (request, response) => router(request, response));
  return { router, base: `${base}/api/performance`, origin: base };
}

/** Asks, and takes the answer apart. */
async function ask(url, { method = 'GET', body, headers = {}, ...more } = {}) {
  const asJson = body !== undefined && typeof body !== 'string';
  const response = await fetch(url, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    body: asJson ? JSON.stringify(body) : body,
    ...more,
  });
  const text = await response.text();
  const isJson = (response.headers.get('content-type') ?? '').startsWith('application/json') && text !== '';
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
}

/** What a server answers to raw bytes, until it hangs up. */
function raw(origin, bytes, { keep = false } = {}) {
  const { port, hostname } = new URL(origin);
  return new Promise((resolve) => {
    const socket = net.connect({ port: Number(port), host: hostname });
    let answer = '';
    socket.on('data', (piece) => {
      answer += piece;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
    socket.write(bytes);
    if (!keep) socket.end();
  });
}

module.exports = { allServices, ask, listen, processors, raw, serveRouter };
