'use strict';

// Sessions of express in a cache that all worker threads of the process share, with what visitors look at cached beside.
//
//   node examples/sessions/server.js [port]
//
// The address is printed; `curl -c jar -b jar <address>/visit`, twice or more, counts.

const express = require('express');
const session = require('express-session');
const { CacheService, SessionStore } = require('hotpath');

const PORT = Number(process.argv[2] ?? 3000);

const store = new SessionStore({ name: 'sessions', maxMemoryMB: 64 });
// On Redis where there is one: the same service, shared with other machines.
const cache = new CacheService({ prefix: 'pages:', ...(process.env.REDIS_URL && { redis: process.env.REDIS_URL }) });

const app = express();
app.use(session({ secret: 'an example', resave: false, saveUninitialized: false, store }));

app.get('/visit', async (request, response) => {
  request.session.visits = (request.session.visits ?? 0) + 1;
  let page = await cache.get('front');
  if (page === undefined) {
    page = { title: 'Front', madeAt: new Date() };
    await cache.setWithIntelligentTTL('front', page);
  }
  response.json({ visits: request.session.visits, page: page.title, age: Date.now() - page.madeAt.getTime() });
});

app.get('/leave', (request, response, next) => {
  request.session.destroy((error) => (error ? next(error) : response.json({ visits: 0 })));
});

const server = app.listen(PORT, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});

process.once('SIGTERM', () => {
  server.close(async () => {
    await Promise.all([store.close(), cache.close()]);
  });
  server.closeAllConnections();
});
