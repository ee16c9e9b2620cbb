'use strict';

const fastify = require('fastify')();
const { performanceRouter, timingMiddleware } = require('hotpath');
const { performance, untilSignal } = require('./services.js');

const { services, options } = performance();
const router = performanceRouter(services, options);

async function main() {
  await fastify.register(require('@fastify/middie'));
  fastify.use(timingMiddleware({ route: (request) => request.url.split('?', 1)[0] }));
  fastify.use('/api/performance', router);
  fastify.get('/api/hello', async () => ({ hello: 'world' }));
  await fastify.listen({ port: Number(process.env.PORT ?? 3000) });
  untilSignal(fastify.server, router, services);
}

main();
