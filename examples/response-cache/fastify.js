// The same cache in Fastify, by its plugin for middleware. Run it: node examples/response-cache/fastify.js

const fastify = require('fastify')();
const { responseCache } = require('hotpath');

async function main() {
  await fastify.register(require('@fastify/middie'));
  fastify.use(responseCache({ ttlMs: 60_000, cacheStatus: true }));
  fastify.get('/products', async () => [{ id: 1, name: 'Lamp' }]);
  await fastify.listen({ port: Number(process.env.PORT ?? 0), host: '127.0.0.1' });
  console.log(`http://127.0.0.1:${fastify.server.address().port}/products`);
}

main();
