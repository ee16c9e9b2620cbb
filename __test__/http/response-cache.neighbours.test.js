'use strict';

// What stands before the cache and behind it, and does things to the same response.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { compression, responseCache } = require('hotpath');
const { EXPRESS, ask, listen, text } = require('../support/http');

const LINE = 'a line of text\n'.repeat(100);
const gzip = { 'accept-encoding': 'gzip' };

/** An application whose answers come in one piece and in several, behind and between handlers. */
async function serve(t, framework, handlers) {
  const app = require(framework)();
  const responses = responseCache({ ttlMs: 60_000, onError: (error) => assert.fail(error) });
  t.after(() => responses.close());
  for (const handler of handlers(responses)) app.use(handler);
  app.get('/whole', (_request, response) => response.type('text').send(LINE + LINE));
  app.get('/pieces', (_request, response) => {
    response.type('text');
    response.write(LINE);
    response.end(LINE);
  });
  const url = await listen(t, app);
  return { url, responses };
}

/** Both ways of answering, the first time and from the store, with a coding and without. */
async function assertServed({ url, responses }, check = () => {}) {
  for (const path of ['/whole', '/pieces']) {
    for (const headers of [gzip, gzip, {}, gzip]) {
      const answer = await ask(url + path, { headers });
      assert.equal(answer.status, 200);
      assert.equal(text(answer), LINE + LINE, `${path} ${answer.headers['content-encoding']}`);
      assert.ok(headers === gzip || answer.headers['content-encoding'] === undefined);
      check(answer);
    }
  }
  assert.ok(responses.stats.hits >= 4);
}

/** Calls back before a head is sent, and knows heads as most handlers do: a status, and perhaps names with values. */
function beforeHead(listener) {
  return (_request, response, next) => {
    const { writeHead } = response;
    response.writeHead = (status, ...more) => {
      const headers = more.at(-1);
      assert.ok(!Array.isArray(headers), 'a list');
      for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value);
      listener(response);
      return writeHead.call(response, status);
    };
    next();
  };
}

describe('compression', () => {
  const others = { 'of the package of that name': require('compression'), 'of hotpath': compression };
  for (const [version, framework] of EXPRESS) {
    for (const [name, squeeze] of Object.entries(others)) {
      it(`${version}: ${name}, before the cache`, async (t) => {
        await assertServed(await serve(t, framework, (responses) => [squeeze(), responses]));
      });

      it(`${version}: ${name}, behind the cache`, async (t) => {
        await assertServed(await serve(t, framework, (responses) => [responses, squeeze()]));
      });
    }
  }
});

describe('handlers before the cache', () => {
  for (const [version, framework] of EXPRESS) {
    it(`${version}: that add a cookie to each head give it to one client each`, async (t) => {
      let count = 0;
      const cookies = beforeHead((response) => {
        count++;
        response.setHeader('Set-Cookie', `session=${count}`);
      });
      const seen = new Set();
      await assertServed(await serve(t, framework, (responses) => [cookies, responses]), ({ headers }) => {
        const [cookie] = headers['set-cookie'];
        assert.equal(seen.has(cookie), false, cookie);
        seen.add(cookie);
      });
    });
  }
});

describe('handlers behind the cache', () => {
  for (const [version, framework] of EXPRESS) {
    it(`${version}: that make the head themselves before each piece, as long as they see none`, async (t) => {
      const implicit = (_request, response, next) => {
        for (const name of ['write', 'end']) {
          const original = response[name];
          response[name] = (...given) => {
            if (!response._header) response._implicitHeader();
            if (!response._header) response._implicitHeader();
            return original.apply(response, given);
          };
        }
        next();
      };
      await assertServed(await serve(t, framework, (responses) => [responses, implicit]));
    });
  }
});
