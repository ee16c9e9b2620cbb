'use strict';

const http = require('node:http');
const { performanceRouter, timingMiddleware } = require('hotpath');
const { performance, untilSignal } = require('./services.js');

const { services, options } = performance();
const router = performanceRouter(services, options);
const timed = timingMiddleware({ route: () => '/api/hello' });

/** What is not below /api/performance. */
function hello(request, response) {
  timed(request, response);
  response.setHeader('Content-Type', 'application/json');
  response.end('{"hello":"world"}');
}

const server = http
  .createServer((request, response) => router(request, response, () => hello(request, response)))
  .listen(Number(process.env.PORT ?? 3000), () => untilSignal(server, router, services));
