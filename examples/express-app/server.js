'use strict';

// The whole of hotpath in one Express app over 135,233 places.
//   node server.js          loads itself for a few seconds, prints what it measured, then keeps serving, with visitors
//   node server.js --once   the same, then stops
// Environment: PORT (3000), LOAD_SECONDS (6), VISITORS (0 for none), and ADMIN_TOKEN, without which nobody can invalidate.

const { once } = require('node:events');
const http = require('node:http');
const { tuneServer } = require('hotpath');
const { createApp } = require('./app.js');
const { keepBusy } = require('./background.js');
const { drive, heapInUse } = require('./load.js');
const places = require('./places.js');
const { RequestError, numberIn, wholeIn } = require('./query.js');
const { openServices } = require('./services.js');
const { report } = require('./table.js');

const DISTINCT = 300;
const CONNECTIONS = 8;
const GRACE_MS = 2000;
const EXAMPLES = [
  '/search?name=budapset',
  '/nearby?lat=48.86&lon=2.35&radiusKm=50',
  '/populations?country=HU',
  '/stats',
];
const FIGURES = [
  ['dashboard', '/api/performance/'],
  ['summary', '/api/performance/summary'],
  ['Prometheus', '/api/performance/metrics/prometheus'],
  ['description', '/api/performance/openapi.json'],
];

async function listen(listener, port) {
  const server = tuneServer(http.createServer(listener).listen(port, '127.0.0.1'));
  try {
    await once(server, 'listening');
    return server;
  } catch (error) {
    if (error.code !== 'EADDRINUSE') throw error;
    console.log(`Port ${port} is taken: using a free one.`);
    return listen(listener, 0);
  }
}

async function main() {
  const port = wholeIn(process.env, 'PORT', { from: 0, to: 65535, otherwise: 3000 });
  const seconds = numberIn(process.env, 'LOAD_SECONDS', { from: 0.1, to: 60, decimals: 1, otherwise: 6 });
  const crowded = wholeIn(process.env, 'VISITORS', { from: 0, to: 1, otherwise: 1 }) === 1;

  const services = openServices();
  const { app, close: endStreams } = createApp(services, { adminToken: process.env.ADMIN_TOKEN });
  const server = await listen(services.responses.front(app), port);
  const url = `http://127.0.0.1:${server.address().port}`;

  const stopping = new AbortController();
  const { signal } = stopping;
  let busy = Promise.resolve();
  let ended;
  // Requests under way are answered first, and still need what is closed last.
  const end = async () => {
    stopping.abort();
    const closed = new Promise((resolve) => server.close(resolve));
    endStreams();
    const impatience = setTimeout(() => server.closeAllConnections(), GRACE_MS);
    await busy;
    await closed;
    clearTimeout(impatience);
    await services.close();
  };
  const stop = () => {
    ended ??= end();
    return ended;
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);

  console.log(`Serving ${url}. Asking ${DISTINCT} different questions for ${seconds} s ...`);
  await services.warm();
  if (signal.aborted) return;
  const paths = places.examplePaths(DISTINCT);
  const heapBefore = heapInUse();
  const load = await drive(url, paths, { seconds, connections: CONNECTIONS, signal });
  if (signal.aborted) return;

  console.log(report({ load, services, heapBefore, heapAfter: heapInUse(), places: places.count }));
  if (load.failures > 0) process.exitCode = 1;
  if (process.argv.includes('--once')) return stop();

  services.monitor.on('alert', ({ type, value, threshold }) => {
    console.log(`Alert: ${type} is ${Number(value).toFixed(2)}, above ${threshold}`);
  });
  if (crowded) busy = keepBusy(url, services, { paths, signal });
  console.log(`\nStill serving ${url} (Ctrl-C stops it)${crowded ? ', with a few visitors a second' : ''}. Look at:`);
  for (const [what, path] of FIGURES) console.log(`  ${what.padEnd(12)} ${url}${path}`);
  console.log('Try:');
  for (const path of EXAMPLES) console.log(`  curl '${url}${path}'`);
}

if (require.main === module) {
  main().catch((error) => {
    console.error(error instanceof RequestError ? error.message : error);
    process.exit(1);
  });
}

module.exports = { createApp };
