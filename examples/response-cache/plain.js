// A server of node:http, with compression of what is not cached. Run it: node examples/response-cache/plain.js

const http = require('node:http');
const { compression, responseCache } = require('hotpath');

const responses = responseCache({ cacheStatus: true });
const compress = compression();

function application(request, response) {
  response.setHeader('Content-Type', 'application/json');
  // Only what says for how long it is fresh is stored.
  if (request.url === '/products') response.setHeader('Cache-Control', 'public, max-age=60');
  response.end(JSON.stringify([{ id: 1, name: 'Lamp', asked: Date.now() }]));
}

const server = http.createServer((request, response) =>
  compress(request, response, () => responses(request, response, () => application(request, response))),
);
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/products`);
});
