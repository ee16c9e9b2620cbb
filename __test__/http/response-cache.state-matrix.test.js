'use strict';

// Every method in every state: idle, busy, full, inside its own callbacks, closing, closed, and in a worker thread.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { responseCache } = require('hotpath');
const { deferred, runInWorker, waitFor } = require('../support');
const { ask, before, listen, text } = require('../support/http');

/** Calls of all methods, and what each resolves with on an empty cache. */
const METHODS = {
  delete: [(responses) => responses.delete('/x'), undefined],
  deleteKey: [(responses) => responses.deleteKey('/x'), false],
  deletePattern: [(responses) => responses.deletePattern('/x*'), 0],
  invalidateTags: [(responses) => responses.invalidateTags(['x']), 0],
  clear: [(responses) => responses.clear(), undefined],
};

const COUNTS = [
  'hits',
  'misses',
  'stale',
  'notModified',
  'coalesced',
  'stored',
  'passed',
  'bypassed',
  'rescued',
  'renewals',
  'invalidations',
  'errors',
];

async function setUp(t, options, app) {
  const responses = responseCache({ ttlMs: 60_000, ...options });
  t.after(() => responses.close());
  const state = { responses, calls: 0 };
  state.url = await listen(
    t,
    before(responses, (request, response) => {
      state.calls++;
      return app(request, response, state);
    }),
  );
  return state;
}

async function callAll(responses) {
  for (const [name, [call, expected]] of Object.entries(METHODS)) {
    assert.deepEqual(await call(responses), expected, name);
  }
  assert.deepEqual(Object.keys(responses.stats), COUNTS);
  assert.equal(typeof responses.front(() => {}), 'function');
}

describe('the response cache', () => {
  it('idle', async (t) => {
    const { responses } = await setUp(t, {}, () => {});
    await callAll(responses);
    assert.equal(responses.closed, false);
  });

  it('busy', async (t) => {
    const gate = deferred();
    const server = await setUp(t, {}, async (_request, response) => {
      await gate.promise;
      response.end('answer');
    });
    const asked = Array.from({ length: 5 }, () => ask(server.url));
    await waitFor(() => server.responses.stats.misses === 5);
    await callAll(server.responses);
    gate.resolve();
    for (const answer of await Promise.all(asked)) assert.equal(text(answer), 'answer');
  });

  it('full', async (t) => {
    const server = await setUp(t, { maxMemoryMB: 1 }, (_request, response) => response.end('x'.repeat(100_000)));
    for (let turn = 0; turn < 30; turn++) await ask(`${server.url}/${turn}`);
    await callAll(server.responses);
    assert.equal(text(await ask(server.url)).length, 100_000);
    // One that never fits is served all the same.
    const large = await setUp(t, { maxMemoryMB: 0.1 }, (_request, response) => response.end('x'.repeat(200_000)));
    for (let turn = 0; turn < 2; turn++) assert.equal(text(await ask(large.url)).length, 200_000);
  });

  it('inside its own callbacks', async (t) => {
    const called = new Set();
    const callbacks = (responses) =>
      Object.fromEntries(
        ['filter', 'key', 'identity', 'tags', 'storable'].map((name) => [
          name,
          (request) => {
            called.add(name);
            callAll(responses()).catch((error) => called.add(error));
            return { filter: true, key: request.url, identity: 'ann', tags: ['y'], storable: true }[name];
          },
        ]),
      );
    let responses;
    const server = await setUp(
      t,
      callbacks(() => responses),
      (_request, response) => response.end('answer'),
    );
    responses = server.responses;
    for (let turn = 0; turn < 3; turn++) assert.equal(text(await ask(server.url)), 'answer');
    assert.deepEqual([...called].sort(), ['filter', 'identity', 'key', 'storable', 'tags']);
  });

  it('closed inside its own callbacks, and by the application', async (t) => {
    for (const name of ['filter', 'key', 'identity', 'tags', 'storable', 'app']) {
      let responses;
      const close = (value) => () => {
        responses.close();
        return value;
      };
      const options = { filter: true, key: 'k', identity: 'i', tags: [], storable: true };
      const server = await setUp(t, name === 'app' ? {} : { [name]: close(options[name]) }, (_request, response) => {
        if (name === 'app') responses.close();
        response.end('answer');
      });
      responses = server.responses;
      for (let turn = 0; turn < 2; turn++) assert.equal(text(await ask(server.url)), 'answer', name);
      assert.equal(responses.closed, true);
    }
  });

  it('closed', async (t) => {
    const server = await setUp(t, {}, (_request, response) => response.end('answer'));
    server.responses[Symbol.dispose ?? Symbol.for('nodejs.dispose')]();
    server.responses.close();
    for (const [call] of Object.values(METHODS))
      await assert.rejects(call(server.responses), { code: 'ERR_HOTPATH_CLOSED' });
    assert.deepEqual(Object.keys(server.responses.stats), COUNTS);
    assert.equal(text(await ask(server.url)), 'answer');
  });

  it('with wrong arguments', async (t) => {
    const { responses } = await setUp(t, {}, () => {});
    for (const wrong of [undefined, null, 5, {}, Symbol('x')]) {
      await assert.rejects(responses.delete(wrong), { code: 'ERR_INVALID_ARG_TYPE' });
      await assert.rejects(responses.deleteKey(wrong), { code: 'ERR_INVALID_ARG_TYPE' });
      await assert.rejects(responses.deletePattern(wrong), { code: 'ERR_INVALID_ARG_TYPE' });
      await assert.rejects(responses.invalidateTags(wrong), { code: 'ERR_INVALID_ARG_TYPE' });
      assert.throws(() => responses.front(wrong), { code: 'ERR_INVALID_ARG_TYPE' });
    }
    await assert.rejects(responses.delete(''), { code: 'ERR_OUT_OF_RANGE' });
    await assert.rejects(responses.invalidateTags(['a', 5]), { code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('in a worker thread that ends with answers on their way', async () => {
    const status = await runInWorker(async ({ require }) => {
      const http = require('node:http');
      const { responseCache } = require('hotpath');
      const responses = responseCache({ ttlMs: 60_000 });
      const app = (_request, response) => response.setHeader('Content-Type', 'text/plain').end('x'.repeat(500_000));
      const server = http.createServer(responses.front(app));
      await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
      const answer = await fetch(`http://127.0.0.1:${server.address().port}/`);
      // Compression of this one is under way when the thread ends.
      fetch(`http://127.0.0.1:${server.address().port}/`, { headers: { 'accept-encoding': 'br' } }).catch(() => {});
      setImmediate(() => process.exit());
      return answer.status;
    });
    assert.equal(status, 200);
  });

  it('whose options’ functions fail, or answer with what tells nobody apart', async (t) => {
    for (const [name, wrong] of [
      ['identity', () => Promise.resolve('ann')],
      ['identity', () => ({ id: 1 })],
      [
        'identity',
        () => {
          throw new Error('who?');
        },
      ],
      ['key', () => ({})],
      [
        'filter',
        () => {
          throw new Error('what?');
        },
      ],
    ]) {
      const errors = [];
      const server = await setUp(t, { [name]: wrong, onError: (error) => errors.push(error) }, (request, response) =>
        response.end(request.headers['x-user']),
      );
      for (const user of ['ann', 'bob']) {
        assert.equal(text(await ask(server.url, { headers: { 'x-user': user } })), user);
      }
      assert.equal(errors.length, 2, name);
    }
  });

  it('asked for HEAD when its answer is stale', async (t) => {
    const server = await setUp(t, { ttlMs: 1, staleWhileRevalidateMs: 60_000 }, (_request, response, { calls }) =>
      response.end(`call ${calls}`),
    );
    await ask(server.url);
    for (let turn = 0; turn < 5; turn++) {
      const { headers } = await ask(server.url, { method: 'HEAD' });
      assert.equal(headers['content-length'], '6');
    }
    await waitFor(async () => text(await ask(server.url)) !== 'call 1');
  });
});
