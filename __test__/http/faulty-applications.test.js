'use strict';

// Applications that do what they should not: they get to know it as with node:http alone, and take nobody else with them.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const http = require('node:http');
const { pipeline } = require('node:stream');
const { describe, it } = require('node:test');
const { compression, responseCache } = require('hotpath');
const { EXPRESS, ask, listen, serveCached, text } = require('../support/http');
const { waitFor } = require('../support/wait');

const LONG = 'a line of text\n'.repeat(2000);

/** What a call throws, by its code. */
function codeOf(call) {
  try {
    call();
    return undefined;
  } catch (error) {
    return error.code;
  }
}

describe('an application behind the response cache', () => {
  it('that gives the head twice hears of it, and its first head counts', async (t) => {
    const codes = [];
    const { url } = await serveCached(t, {}, (_request, response) => {
      response.writeHead(200, { 'X-Head': 'first' });
      codes.push(codeOf(() => response.writeHead(201)));
      codes.push(codeOf(() => response.setHeader('X-Head', 'second')));
      codes.push(codeOf(() => response.removeHeader('X-Head')));
      response.statusCode = 500;
      response.end('one');
    });
    for (let round = 0; round < 2; round++) {
      const answer = await ask(url);
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['x-head'], 'first');
    }
    assert.deepEqual(codes, new Array(3).fill('ERR_HTTP_HEADERS_SENT'));
  });

  it('that changes its answer after the end changes nothing', async (t) => {
    const { url } = await serveCached(t, {}, (_request, response) => {
      response.end('whole');
      response.statusCode = 500;
      response.setHeader('X-Late', 'yes');
      response.writeHead(404);
      response.end('again');
    });
    for (let round = 0; round < 2; round++) {
      const answer = await ask(url);
      assert.deepEqual([answer.status, text(answer), answer.headers['x-late']], [200, 'whole', undefined]);
    }
  });

  it('hears at once of a status that cannot be sent', async (t) => {
    const { url } = await serveCached(t, {}, (request, response) => {
      if (request.url === '/message') response.statusMessage = 'two\nlines';
      else response.statusCode = Number.NaN;
      response.setHeader('Cache-Control', 'max-age=60');
      const code = codeOf(() => response.end('not this'));
      response.statusMessage = 'Fine';
      response.statusCode = 500;
      response.end(code);
    });
    assert.equal(text(await ask(`${url}/message`)), 'ERR_INVALID_CHAR');
    assert.equal(text(await ask(`${url}/status`)), 'ERR_HTTP_INVALID_STATUS_CODE');
  });

  it('may pass a request on, with all that is in its head', async (t) => {
    const origin = await listen(t, (request, response) => response.end(String(request.headers['if-none-match'])));
    const { url } = await serveCached(t, {}, (request, response) => {
      const further = http.request(origin, { headers: request.headers, agent: false }, (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
      });
      further.end();
    });
    const answer = await ask(url, { headers: { 'if-none-match': '"other"' } });
    assert.deepEqual([answer.status, text(answer)], [200, 'undefined']);
  });

  it('may change the request, which is stored as it was sent', async (t) => {
    const { url, responses } = await serveCached(t, {}, (request, response, { calls }) => {
      request.url = request.url.replace('/v1', '');
      const language = request.headers['accept-language'];
      delete request.headers['accept-language'];
      response.setHeader('Vary', 'Accept-Language');
      response.end(`${language} ${calls}`);
    });
    const get = async (language) => text(await ask(`${url}/v1/page`, { headers: { 'accept-language': language } }));
    assert.deepEqual([await get('de'), await get('en'), await get('de')], ['de 1', 'en 2', 'de 1']);
    await ask(`${url}/v1/page`, { method: 'POST' });
    assert.equal(await get('de'), 'de 4');
    await responses.delete('/v1/page');
    assert.equal(await get('de'), 'de 5');
  });

  for (const [version, framework] of EXPRESS) {
    it(`${version}: may destroy an answer that is made in the background`, async (t) => {
      const app = require(framework)();
      const responses = responseCache({ ttlMs: 1, staleWhileRevalidateMs: 60_000 });
      t.after(() => responses.close());
      let calls = 0;
      let failed = 0;
      app.use(responses);
      app.get('/', (_request, response) => {
        calls++;
        if (calls === 1) return response.end('old');
        pipeline(fs.createReadStream('/does/not/exist'), response, (error) => {
          failed += error.code === 'ENOENT' ? 1 : 0;
        });
      });
      const url = await listen(t, app);
      await ask(url);
      for (let round = 1; round <= 2; round++) {
        await waitFor(async () => {
          assert.equal(text(await ask(url)), 'old');
          return failed >= round;
        });
      }
    });
  }
});

describe('an application behind compression', () => {
  const headers = { 'accept-encoding': 'gzip' };
  const serve = (t, app) => {
    const squeeze = compression();
    return listen(t, (request, response) => squeeze(request, response, () => app(request, response)));
  };

  it('that changes its answer after the end changes nothing, and hears of it', async (t) => {
    let heard;
    const url = await serve(t, (_request, response) => {
      response.setHeader('Content-Type', 'text/plain');
      response.end(LONG);
      response.statusCode = 500;
      heard = [codeOf(() => response.setHeader('X-Late', 'yes')), codeOf(() => response.writeHead(404))];
    });
    const answer = await ask(url, { headers });
    assert.deepEqual(heard, ['ERR_HTTP_HEADERS_SENT', 'ERR_HTTP_HEADERS_SENT']);
    assert.deepEqual([answer.status, answer.headers['x-late'], text(answer)], [200, undefined, LONG]);
  });

  it('hears at once of a status that cannot be sent', async (t) => {
    const url = await serve(t, (_request, response) => {
      response.setHeader('Content-Type', 'text/plain');
      response.statusMessage = 'two\nlines';
      const code = codeOf(() => response.end(LONG));
      response.statusMessage = 'Fine';
      response.end(code);
    });
    assert.equal(text(await ask(url, { headers })), 'ERR_INVALID_CHAR');
  });

  it('may give its status as a text', async (t) => {
    const url = await serve(t, (_request, response) => {
      response.setHeader('Content-Type', 'text/plain');
      response.statusCode = '203';
      response.end(LONG);
    });
    const answer = await ask(url, { headers });
    assert.deepEqual([answer.status, answer.headers['content-encoding'], text(answer)], [203, 'gzip', LONG]);
  });

  it('that goes on writing when its client has gone keeps nothing of it', async (t) => {
    let gone;
    const url = await serve(t, (_request, response) => {
      response.setHeader('Content-Type', 'text/plain');
      response.write(LONG);
      response.flush();
      response.on('close', () => {
        gone = response;
      });
    });
    http.get(url, { headers, agent: false }, (answer) => answer.destroy());
    const response = await waitFor(() => gone);
    const error = await new Promise((resolve) => {
      assert.equal(response.write(LONG, resolve), false);
    });
    assert.equal(error.code, 'ERR_HOTPATH_CLOSED');
  });
});
