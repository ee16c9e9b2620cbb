// An Express application behind a response cache that answers before Express is asked, with a rate limit for what
// changes something. Run it: node examples/response-cache/express.js

const http = require('node:http');
const express = require('express');
const { rateLimit, responseCache, tuneServer } = require('hotpath');

const products = new Map([
  [1, { id: 1, name: 'Lamp', price: 49 }],
  [2, { id: 2, name: 'Chair', price: 120 }],
]);

const responses = responseCache({ ttlMs: 60_000, staleWhileRevalidateMs: 30_000, cacheStatus: true });
const app = express();

app.get('/products', (_request, response) => {
  response.set('Cache-Tag', 'products').json([...products.values()]);
});

app.put('/products/:id', rateLimit({ limit: 10 }), express.json(), async (request, response) => {
  const id = Number(request.params.id);
  products.set(id, { ...products.get(id), ...request.body, id });
  // The product's own URL is let go of by itself; lists that show it have its tag.
  await responses.invalidateTags('products');
  response.json(products.get(id));
});

const server = tuneServer(http.createServer(responses.front(app)));
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/products`);
});
