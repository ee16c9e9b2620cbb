'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const { json } = require('node:stream/consumers');
const { describe, test } = require('node:test');
const { promisify } = require('node:util');
const express = require('express');
const session = require('express-session');
const { MemoryCache, SessionStore } = require('../../index.js');
const { waitFor } = require('../support/wait.js');

/** The store's methods as promises. */
function promises(store) {
  const methods = ['get', 'set', 'touch', 'destroy', 'all', 'length', 'clear', 'load'];
  return Object.fromEntries(methods.map((name) => [name, promisify(store[name].bind(store))]));
}

/** An application with sessions, on a port of its own for the length of a test. */
async function serve(t, store, options = {}) {
  const app = express();
  app.use(session({ secret: 'test', resave: false, saveUninitialized: false, store, ...options }));
  app.get('/count', (request, response) => {
    request.session.count = (request.session.count ?? 0) + 1;
    response.json({ count: request.session.count, id: request.sessionID });
  });
  app.get('/look', (request, response) => response.json({ count: request.session.count ?? null }));
  app.get('/renew', (request, response, next) => {
    request.session.regenerate((error) => (error ? next(error) : response.json({ id: request.sessionID })));
  });
  app.get('/leave', (request, response, next) => {
    request.session.destroy((error) => (error ? next(error) : response.json({})));
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address();
  // Connections stay open: with thousands of requests they would be most of the work.
  const agent = new http.Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  return async (path, cookie) => {
    const request = http.get({ host: '127.0.0.1', port, path, agent, headers: cookie ? { cookie } : {} });
    const [response] = await once(request, 'response');
    const set = response.headers['set-cookie']?.[0];
    return { body: await json(response), cookie: set?.split(';')[0] ?? cookie };
  };
}

describe('under express-session', () => {
  test('a session lives from request to request', async (t) => {
    const get = await serve(t, new SessionStore());
    const { body, cookie } = await get('/count');
    assert.equal(body.count, 1);
    assert.equal((await get('/count', cookie)).body.count, 2);
    assert.equal((await get('/look', cookie)).body.count, 2);
    assert.equal((await get('/look')).body.count, null);
  });

  test('regenerate gives another, destroy ends it', async (t) => {
    const store = new SessionStore();
    const get = await serve(t, store);
    const { body, cookie } = await get('/count');
    const renewed = await get('/renew', cookie);
    assert.notEqual(renewed.body.id, body.id);
    assert.equal(await promises(store).get(body.id), undefined);
    const { cookie: second } = await get('/count', renewed.cookie);
    await get('/leave', second);
    assert.equal(await promises(store).length(), 0);
  });

  test('ten thousand sessions at once lose nothing', async (t) => {
    const store = new SessionStore();
    const get = await serve(t, store);
    const visitors = 10_000;
    const lanes = 50;
    let lost = 0;
    const visit = async () => {
      let { body, cookie } = await get('/count');
      ({ body, cookie } = await get('/count', cookie));
      if (body.count !== 2) lost++;
    };
    const lane = async () => {
      for (let done = 0; done < visitors / lanes; done++) await visit();
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    assert.equal(lost, 0);
    assert.equal(await promises(store).length(), visitors);
  });

  test("a cookie's age is the session's", async (t) => {
    const store = new SessionStore();
    const get = await serve(t, store, { cookie: { maxAge: 3_000 } });
    const { body } = await get('/count');
    const remaining = store.cache.getTtl(`sess:${body.id}`);
    assert.ok(remaining > 0 && remaining <= 3_000, `${remaining}`);
    await waitFor(() => store.cache.size === 0);
  });
});

describe('the store itself', () => {
  const cookie = { originalMaxAge: null, expires: null };

  test('keeps, lists, counts and clears', async () => {
    const store = promises(new SessionStore());
    await store.set('a', { cookie, user: 1 });
    await store.set('b', { cookie, user: 2 });
    assert.deepEqual(await store.get('a'), { cookie, user: 1 });
    assert.deepEqual(await store.all(), { a: { cookie, user: 1 }, b: { cookie, user: 2 } });
    assert.equal(await store.length(), 2);
    await store.destroy('a');
    assert.equal(await store.get('a'), undefined);
    await store.clear();
    assert.deepEqual(await store.all(), {});
  });

  test('touch lengthens a life and changes nothing else', async () => {
    const plain = new SessionStore({ ttlMs: 1000 });
    const store = promises(plain);
    await store.set('a', { cookie, cart: ['book'] });
    await store.touch('a', { cookie: { expires: new Date(Date.now() + 60_000) }, cart: [] });
    assert.ok(plain.cache.getTtl('sess:a') > 30_000);
    assert.deepEqual((await store.get('a')).cart, ['book']);
    await store.touch('missing', { cookie });
    assert.equal(await store.get('missing'), undefined);
  });

  test('a session that has expired is not kept', async () => {
    const store = promises(new SessionStore());
    await store.set('a', { cookie, user: 1 });
    await store.set('a', { cookie: { expires: new Date(Date.now() - 1) }, user: 1 });
    assert.equal(await store.get('a'), undefined);
  });

  test('a cookie that says only its age is believed', async () => {
    const plain = new SessionStore();
    const store = promises(plain);
    await store.set('a', { cookie: { maxAge: 60_000 } });
    assert.ok(plain.cache.getTtl('sess:a') <= 60_000);
    await store.touch('a', { cookie: { maxAge: 120_000 } });
    assert.ok(plain.cache.getTtl('sess:a') > 60_000);
    await store.set('a', { cookie: { maxAge: 0 } });
    assert.equal(await store.length(), 0);
    await store.set('b', { cookie: { maxAge: null } });
    assert.ok(plain.cache.getTtl('sess:b') > 120_000);
  });

  test('over a cache in memory, calls take effect in their order, whoever waits for them', async () => {
    const store = new SessionStore();
    const { length, all } = promises(store);
    for (const id of ['a', 'b', 'c']) store.set(id, { cookie });
    store.destroy('a');
    const two = length();
    store.clear();
    const [none, nobody] = [length(), all()];
    store.set('d', { cookie });
    assert.equal(await two, 2);
    assert.equal(await none, 0);
    assert.deepEqual(await nobody, {});
    assert.equal(await length(), 1);
  });

  test('shares a cache with others, by its prefix', async () => {
    const cache = new MemoryCache();
    cache.set('other', 1);
    const store = promises(new SessionStore({ cache, prefix: 'shop[1]:' }));
    await store.set('a', { cookie });
    assert.equal(await store.length(), 1);
    await store.clear();
    assert.equal(cache.get('other'), 1);
  });

  test('load makes a Session of express-session', async () => {
    const plain = new SessionStore();
    const store = promises(plain);
    await store.set('a', { cookie: { originalMaxAge: 60_000, expires: new Date(Date.now() + 60_000) }, user: 1 });
    const loaded = await store.load('a');
    assert.ok(loaded instanceof session.Session);
    assert.equal(loaded.user, 1);
    assert.ok(loaded.cookie.expires instanceof Date);
    assert.equal(await store.load('missing'), undefined);
  });

  test('failures reach the callback', async () => {
    const broken = {
      async get() {
        throw new Error('away');
      },
      set() {},
      has() {},
      delete() {},
      clear() {},
    };
    await assert.rejects(promises(new SessionStore({ cache: broken })).get('a'), /away/);
  });

  test('wrong options are named', () => {
    assert.throws(() => new SessionStore({ ttlMs: 0 }), { code: 'ERR_OUT_OF_RANGE', message: /options\.ttlMs/ });
    assert.throws(() => new SessionStore({ prefx: 'a' }), { code: 'ERR_HOTPATH_UNKNOWN_OPTION' });
    assert.throws(() => new SessionStore({ cache: 5 }), { code: 'ERR_INVALID_ARG_TYPE' });
  });
});
