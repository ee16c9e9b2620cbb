'use strict';

// Answers that are renewed, and misses that wait for one another.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { responseCache } = require('hotpath');
const { deferred, waitFor } = require('../support');
const { EXPRESS, ask, listen, serveCached, text } = require('../support/http');

const BIG = JSON.stringify(Array.from({ length: 2000 }, (_, id) => ({ id, name: `product ${id}` })));

describe('stale answers', () => {
  it('are served while Express makes a new one in the background', async (t) => {
    for (const [, framework] of EXPRESS) {
      const express = require(framework);
      let version = 1;
      const responses = responseCache({ ttlMs: 1, staleWhileRevalidateMs: 60_000 });
      const app = express();
      app.use(
        '/shop',
        express.Router().get('/:id', responses, (request, response) => {
          response.json({ version, id: request.params.id, method: request.method });
        }),
      );
      const url = `${await listen(t, app)}/shop/1`;
      assert.equal(JSON.parse(text(await ask(url))).version, 1);
      version = 2;
      await waitFor(async () => JSON.parse(text(await ask(url))).version === 2, { what: 'the new version' });
      const { stale, renewals, misses } = responses.stats;
      assert.ok(stale >= 1 && renewals >= 1, framework);
      assert.equal(misses, 1);
      responses.close();
    }
  });

  it('are served by a front meanwhile, and to others where nobody else can be asked', async (t) => {
    let version = 1;
    const app = (_request, response) => response.end(`version ${version}`);
    const front = responseCache.front(app, { ttlMs: 1, staleWhileRevalidateMs: 60_000 });
    t.after(() => front.responses.close());
    const url = await listen(t, front);
    assert.equal(text(await ask(url)), 'version 1');
    version = 2;
    await waitFor(async () => text(await ask(url)) === 'version 2', { what: 'the new version' });
    assert.equal(front.responses.stats.misses, 1);

    const gate = deferred();
    const server = await serveCached(
      t,
      { ttlMs: 1, staleWhileRevalidateMs: 60_000 },
      async (_request, response, { calls }) => {
        if (calls > 1) await gate.promise;
        response.end(`call ${calls}`);
      },
    );
    assert.equal(text(await ask(server.url)), 'call 1');
    await waitFor(() => Date.now() > Date.now() - 1);
    let leader;
    await waitFor(async () => {
      // The first to find it stale asks the application, and waits.
      leader ??= ask(server.url);
      return server.calls === 2;
    });
    assert.equal(text(await ask(server.url)), 'call 1');
    gate.resolve();
    assert.equal(text(await leader), 'call 2');
  });

  it('are served while renewals get lost', async (t) => {
    let asked = 0;
    const lost = (_request, response) => {
      asked++;
      if (asked % 2 === 0) throw new Error('no renewal');
      response.end('never seen by the cache');
    };
    const errors = [];
    const server = await serveCached(
      t,
      { ttlMs: 1, staleWhileRevalidateMs: 60_000, app: lost, onError: (error) => errors.push(error.message) },
      (_request, response) => response.end('first'),
    );
    assert.equal(text(await ask(server.url)), 'first');
    await waitFor(async () => {
      assert.equal(text(await ask(server.url)), 'first');
      return asked >= 4;
    });
    assert.ok(errors.length >= 2 && errors.every((message) => message === 'no renewal'));
    assert.equal(server.calls, 1);
  });

  it('stand in for errors', async (t) => {
    let fails = false;
    const server = await serveCached(t, { ttlMs: 1, staleIfErrorMs: 60_000 }, (_request, response) => {
      response.statusCode = fails ? 503 : 200;
      response.setHeader('Content-Type', 'text/plain');
      if (fails) response.setHeader('X-Error', '1');
      response.write(fails ? 'bro' : 'who');
      response.end(fails ? 'ken' : 'le');
    });
    assert.equal(text(await ask(server.url)), 'whole');
    fails = true;
    const answer = await waitFor(async () => {
      const answer = await ask(server.url);
      return server.calls > 1 && answer;
    });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['x-error'], undefined);
    assert.equal(text(answer), 'whole');
    assert.ok(server.responses.stats.rescued >= 1);
  });

  it('are never served when they must be revalidated', async (t) => {
    let version = 0;
    const server = await serveCached(
      t,
      { staleWhileRevalidateMs: 60_000, staleIfErrorMs: 60_000 },
      (_request, response) => {
        response.setHeader('Cache-Control', 'max-age=0, must-revalidate');
        response.end(`version ${++version}`);
      },
    );
    for (let turn = 1; turn < 4; turn++) assert.equal(text(await ask(server.url)), `version ${turn}`);
  });
});

describe('misses at the same time', () => {
  it('ask the application once', async (t) => {
    const gate = deferred();
    const server = await serveCached(t, {}, async (_request, response) => {
      await gate.promise;
      response.end(BIG);
    });
    const asked = Array.from({ length: 20 }, () => ask(server.url));
    await waitFor(() => server.responses.stats.misses === 20);
    gate.resolve();
    for (const answer of await Promise.all(asked)) assert.equal(text(answer), BIG);
    assert.equal(server.calls, 1);
    assert.equal(server.responses.stats.coalesced, 19);
  });

  it('go each alone when the answer is for one', async (t) => {
    const gate = deferred();
    const server = await serveCached(t, {}, async (request, response) => {
      await gate.promise;
      response.setHeader('Cache-Control', 'private');
      response.end(`for ${request.headers['x-user']}`);
    });
    const asked = Array.from({ length: 10 }, (_, user) => ask(server.url, { headers: { 'x-user': user } }));
    await waitFor(() => server.responses.stats.misses === 10);
    gate.resolve();
    for (const [user, answer] of (await Promise.all(asked)).entries()) assert.equal(text(answer), `for ${user}`);
    assert.equal(server.calls, 10);
  });

  it('do not wait for one whose client has gone', async (t) => {
    const gates = [];
    const server = await serveCached(t, {}, async (_request, response) => {
      const gate = deferred();
      gates.push(gate);
      await gate.promise;
      if (!response.destroyed) response.end('whole');
    });
    const controller = new AbortController();
    const gone = ask(server.url, { signal: controller.signal }).catch(() => 'gone');
    await waitFor(() => gates.length === 1);
    const waiting = ask(server.url);
    await waitFor(() => server.responses.stats.misses === 2);
    controller.abort();
    assert.equal(await gone, 'gone');
    await waitFor(() => gates.length === 2);
    for (const gate of gates) gate.resolve();
    assert.equal(text(await waiting), 'whole');
  });

  it('never share what varies', async (t) => {
    const gate = deferred();
    const server = await serveCached(t, {}, async (request, response) => {
      await gate.promise;
      response.setHeader('Vary', 'X-Language');
      response.end(`in ${request.headers['x-language']}`);
    });
    const languages = ['de', 'en', 'fr', 'de', 'en', 'fr'];
    const asked = languages.map((language) => ask(server.url, { headers: { 'x-language': language } }));
    await waitFor(() => server.responses.stats.misses === 6);
    gate.resolve();
    for (const [index, answer] of (await Promise.all(asked)).entries()) {
      assert.equal(text(answer), `in ${languages[index]}`);
    }
    assert.ok(server.calls <= 4, `${server.calls} calls`);
  });

  it('wait no longer than they are told to', async (t) => {
    const gate = deferred();
    const server = await serveCached(t, { coalesceTimeoutMs: 5 }, async (_request, response, { calls }) => {
      if (calls === 1) await gate.promise;
      response.end(`call ${calls}`);
    });
    const first = ask(server.url);
    await waitFor(() => server.calls === 1);
    assert.equal(text(await ask(server.url)), 'call 2');
    gate.resolve();
    assert.equal(text(await first), 'call 1');
  });
});
