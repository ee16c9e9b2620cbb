'use strict';

// One user's answer never reaches another, whatever the application, the clients or a proxy say.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { responseCache } = require('hotpath');
const { deferred, waitFor } = require('../support');
const { ask, listen, raw, serveCached, text } = require('../support/http');

/** Who asks, as the application finds out. */
function greet(request, response) {
  response.end(`hello ${request.headers.cookie ?? request.headers.authorization ?? 'nobody'}`);
}

/** Asks twice in a row with each of several heads, and says how often the application was asked. */
async function callsFor(server, heads) {
  const { calls } = server;
  for (const headers of [...heads, ...heads]) {
    const who = headers.cookie ?? headers.authorization ?? 'nobody';
    assert.equal(text(await ask(server.url, { headers })), `hello ${who}`);
  }
  return server.calls - calls;
}

const COOKIES = [{ cookie: 'user=ann' }, { cookie: 'user=bob' }, {}];
const AUTHORIZED = [{ authorization: 'Bearer ann' }, { authorization: 'Bearer bob' }, {}];

describe('answers to requests with credentials', () => {
  it('are not stored by themselves', async (t) => {
    assert.equal(await callsFor(await serveCached(t, {}, greet), COOKIES), 5);
    assert.equal(await callsFor(await serveCached(t, {}, greet), AUTHORIZED), 5);
  });

  it('are stored for each user who can be told apart', async (t) => {
    const identity = (request) => request.headers.cookie ?? request.headers.authorization;
    const app = (request, response) => {
      response.setHeader('Cache-Control', 'private, max-age=60');
      greet(request, response);
    };
    const server = await serveCached(t, { identity }, app);
    // Nobody in particular gets nothing private from the store.
    assert.equal(await callsFor(server, COOKIES), 4);
    assert.equal(await callsFor(server, AUTHORIZED), 4);
  });

  it('are stored by Cookie where they vary by it', async (t) => {
    const server = await serveCached(t, {}, (request, response) => {
      response.setHeader('Vary', 'Cookie');
      greet(request, response);
    });
    assert.equal(await callsFor(server, COOKIES), 3);
  });

  it('are stored for all where they say so, or an option does', async (t) => {
    const heads = [...COOKIES, ...AUTHORIZED];
    for (const [options, control] of [
      [{}, 'public, max-age=60'],
      [{}, 's-maxage=60'],
      [{ ignoreCookies: true, ignoreAuthorization: true }, 'max-age=60'],
    ]) {
      const server = await serveCached(t, options, (_request, response) => {
        response.setHeader('Cache-Control', control);
        response.end('for all');
      });
      for (const headers of heads) assert.equal(text(await ask(server.url, { headers })), 'for all');
      assert.equal(server.calls, 1, control);
    }
  });

  it('are not answered by what was stored for nobody', async (t) => {
    const server = await serveCached(t, {}, greet);
    assert.equal(text(await ask(server.url)), 'hello nobody');
    for (const headers of [...COOKIES, ...AUTHORIZED]) {
      const who = headers.cookie ?? headers.authorization ?? 'nobody';
      assert.equal(text(await ask(server.url, { headers })), `hello ${who}`);
    }
  });

  it('are not mixed when they come at the same time', async (t) => {
    const gate = deferred();
    const server = await serveCached(t, {}, async (request, response) => {
      await gate.promise;
      greet(request, response);
    });
    const heads = Array.from(
      { length: 30 },
      (_, user) => [{ cookie: `u=${user}` }, { authorization: `B ${user}` }, {}][user % 3],
    );
    const asked = heads.map((headers) => ask(server.url, { headers }));
    await waitFor(() => server.responses.stats.misses === 30);
    gate.resolve();
    for (const [index, answer] of (await Promise.all(asked)).entries()) {
      const { cookie, authorization } = heads[index];
      assert.equal(text(answer), `hello ${cookie ?? authorization ?? 'nobody'}`);
    }
  });
});

describe('what must not be stored', () => {
  const never = {
    'no-store': { 'Cache-Control': 'no-store' },
    'No-Store in a list': { 'Cache-Control': 'max-age=60, NO-STORE' },
    private: { 'Cache-Control': 'private, max-age=60' },
    'private with a field': { 'Cache-Control': 'private="x-a, x-b", max-age=60' },
    'no-cache': { 'Cache-Control': 'no-cache' },
    'max-age=0': { 'Cache-Control': 'max-age=0' },
    'max-age that cannot be read': { 'Cache-Control': 'max-age=soon' },
    's-maxage=0': { 'Cache-Control': 's-maxage=0, max-age=60' },
    'expired long ago': { Expires: 'Thu, 01 Jan 1970 00:00:00 GMT' },
    'expired at no time': { Expires: '0' },
    'Set-Cookie': { 'Set-Cookie': 'session=secret' },
    'Vary: *': { Vary: 'Accept, *' },
    'part of an answer': { status: 206, 'Content-Range': 'bytes 0-1/2' },
    events: { 'Content-Type': 'text/event-stream' },
    'an error': { status: 500 },
    'a status without a default': { status: 302, Location: '/' },
    trailers: { Trailer: 'X-Sum' },
  };
  for (const [name, { status = 200, ...headers }] of Object.entries(never)) {
    it(name, async (t) => {
      const server = await serveCached(t, {}, (_request, response, { calls }) => {
        response.writeHead(status, headers).end(`call ${calls}`);
      });
      for (let turn = 1; turn < 4; turn++) {
        const answer = await ask(server.url);
        assert.equal(text(answer), `call ${turn}`);
        assert.equal(answer.status, status);
      }
      assert.equal(server.responses.stats.stored, 0);
    });
  }

  it('a body that was broken off', async (t) => {
    let isWhole = false;
    const server = await serveCached(t, {}, (_request, response) => {
      if (isWhole) return response.end('whole');
      response.write('bro');
      setImmediate(() => response.destroy());
    });
    await assert.rejects(ask(server.url));
    await assert.rejects(ask(server.url));
    isWhole = true;
    assert.equal(text(await ask(server.url)), 'whole');
  });

  it('a body shorter than it says', async (t) => {
    const server = await serveCached(t, {}, (_request, response) => {
      response.setHeader('Content-Length', '10');
      response.write('short');
      response.end();
      response.destroy();
    });
    await assert.rejects(ask(server.url));
    assert.equal(server.responses.stats.stored, 0);
  });

  it('Set-Cookie and private answers, unless an option says so', async (t) => {
    const server = await serveCached(t, { storeSetCookie: true, storePrivate: true }, (_request, response) => {
      response.setHeader('Set-Cookie', ['a=1', 'b=2']);
      response.setHeader('Cache-Control', 'private, max-age=60');
      response.end('x');
    });
    for (let turn = 0; turn < 2; turn++)
      assert.deepEqual((await ask(server.url)).headers['set-cookie'], ['a=1', 'b=2']);
    assert.equal(server.calls, 1);
  });

  it('headers that others set for one request', async (t) => {
    const responses = responseCache({ ttlMs: 60_000 });
    t.after(() => responses.close());
    let number = 0;
    const url = await listen(t, (request, response) => {
      response.setHeader('X-Request-Id', ++number);
      responses(request, response, () => {
        response.setHeader('X-Own', 'yes');
        response.end('x');
      });
    });
    for (let turn = 1; turn < 4; turn++) {
      const { headers } = await ask(url);
      assert.equal(headers['x-request-id'], String(turn));
      assert.equal(headers['x-own'], 'yes');
    }
  });
});

describe('what is not stored', () => {
  it('goes out with its length, as without a cache', async (t) => {
    const { url } = await serveCached(t, { maxBodyBytes: 10, statuses: [200] }, (request, response) => {
      const long = request.url === '/long';
      if (request.url === '/error') response.statusCode = 500;
      if (request.url === '/secret') response.setHeader('Cache-Control', 'no-store');
      if (request.url === '/nothing') return response.writeHead(204).end();
      response.end(long ? 'ünd so weiter' : 'ünd', () => {});
    });
    for (const [path, length] of [
      ['/error', '4'],
      ['/secret', '4'],
      ['/long', '14'],
      ['/nothing', undefined],
    ]) {
      for (let round = 0; round < 2; round++) {
        const { headers } = await ask(url + path);
        assert.deepEqual([headers['content-length'], headers['transfer-encoding']], [length, undefined], path);
      }
    }
  });
});

describe('hostile requests', () => {
  it('cannot put what they say into others’ answers', async (t) => {
    const server = await serveCached(t, {}, (request, response) => {
      const host = request.headers['x-forwarded-host'] ?? request.headers.host;
      response.end(
        `${request.headers['x-forwarded-proto'] ?? 'http'}://${host}${request.headers['x-original-url'] ?? ''} ${
          request.headers['x-forwarded-port'] ?? ''
        } ${request.headers['x-forwarded-prefix'] ?? ''} ${request.headers['x-method-override'] ?? 'GET'}`,
      );
    });
    const plain = text(await ask(server.url));
    for (const headers of [
      { 'x-forwarded-host': 'evil' },
      { 'x-forwarded-proto': 'https' },
      { 'x-forwarded-port': '81' },
      { 'x-forwarded-prefix': '/evil' },
      { 'x-original-url': '/admin' },
      { 'x-method-override': 'DELETE' },
      { host: 'evil' },
    ]) {
      const poisoned = text(await ask(server.url, { headers }));
      assert.notEqual(poisoned, plain);
      assert.equal(text(await ask(server.url)), plain);
    }
  });

  it('cannot make two keys meet', async (t) => {
    const server = await serveCached(t, {}, (request, response) => {
      response.setHeader('Vary', 'X-A, X-B');
      response.end(JSON.stringify([request.headers['x-a'], request.headers['x-b']]));
    });
    const heads = [
      { 'x-a': 'one', 'x-b': 'two' },
      { 'x-a': 'one"', 'x-b': 'two' },
      { 'x-a': 'one" "two' },
      { 'x-b': 'one two' },
      { 'x-a': '', 'x-b': '' },
      {},
      { 'x-a': '""' },
    ];
    for (const headers of [...heads, ...heads]) {
      const answer = JSON.parse(text(await ask(server.url, { headers })));
      assert.deepEqual(answer, [headers['x-a'] ?? null, headers['x-b'] ?? null]);
    }
    assert.equal(server.calls, heads.length);
  });

  it('cannot make a Host look like what a proxy says', async (t) => {
    const server = await serveCached(t, {}, (request, response) =>
      response.end(request.headers['x-forwarded-host'] ?? request.headers.host),
    );
    const { host } = new URL(server.url);
    const honest = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'shop' };
    for (const evil of [`${host} https://shop`, `${host} ["https","shop"]`, JSON.stringify([host, 'https', 'shop'])]) {
      await raw(server.url, `GET / HTTP/1.1\r\nHost: ${evil}\r\nConnection: close\r\n\r\n`);
      assert.equal(text(await ask(server.url, { headers: honest })), 'shop');
    }
    assert.equal(server.calls, 4);
  });

  it('with a body are for the application', async (t) => {
    const server = await serveCached(t, {}, async (request, response) => {
      const pieces = await request.toArray();
      response.end(Buffer.concat(pieces).toString() || 'nothing');
    });
    const search = (body, headers) => ask(server.url, { body, headers });
    for (let turn = 0; turn < 2; turn++) {
      assert.equal(text(await search('cats', { 'content-length': 4 })), 'cats');
      assert.equal(text(await search('dogs', { 'transfer-encoding': 'chunked' })), 'dogs');
      assert.equal(text(await ask(server.url)), 'nothing');
    }
    assert.equal(server.calls, 5);
  });

  it('may say the origin in their URL, and are forgotten with all others', async (t) => {
    const server = await serveCached(t, {}, (_request, response, { calls }) => response.end(String(calls)));
    const absolute = async () => {
      const answer = await raw(
        server.url,
        'GET http://proxied/page?q=1 HTTP/1.1\r\nHost: proxied\r\nConnection: close\r\n\r\n',
      );
      return answer.split('\r\n\r\n')[1];
    };
    assert.deepEqual([await absolute(), await absolute()], ['1', '1']);
    assert.equal(text(await ask(`${server.url}/page?q=1`)), '2');
    await server.responses.delete('/page?q=1');
    assert.equal(await absolute(), '3');
    await ask(`${server.url}/page?q=1`, { method: 'POST' });
    assert.equal(await absolute(), '5');
  });

  it('ask for parts, and get them from the application', async (t) => {
    const server = await serveCached(t, {}, (request, response) => {
      if (request.headers.range === undefined) return response.end('0123456789');
      response.writeHead(206, { 'Content-Range': 'bytes 0-1/10', 'Content-Length': 2 }).end('01');
    });
    assert.equal(text(await ask(server.url)), '0123456789');
    for (let turn = 0; turn < 2; turn++) {
      const answer = await ask(server.url, { headers: { range: 'bytes=0-1' } });
      assert.equal(answer.status, 206);
      assert.equal(text(answer), '01');
    }
    assert.equal(text(await ask(server.url)), '0123456789');
    assert.equal(server.calls, 3);
  });

  it('with strange heads are answered like others', async (t) => {
    const server = await serveCached(t, { compression: { threshold: 0 } }, (_request, response) => {
      response.setHeader('Content-Type', 'text/plain');
      response.end('fine');
    });
    await ask(server.url);
    for (const headers of [
      { 'accept-encoding': ',;q=,gzip;q=9,br;q=x,*;q=-1' },
      { 'accept-encoding': 'gzip;q=0, *;q=0' },
      { 'accept-encoding': `${'a,'.repeat(3000)}` },
      { 'if-none-match': '"'.repeat(5000) },
      { 'if-none-match': `${'W/"'.repeat(3000)}` },
      { 'if-modified-since': 'x'.repeat(5000) },
      { 'cache-control': 'max-age="' },
      { 'cache-control': `${'max-age=1,'.repeat(1000)}max-stale` },
      { 'cache-control': 'constructor=1, __proto__=2, toString' },
      { pragma: 'x' },
    ]) {
      const answer = await ask(server.url, { headers });
      assert.equal(answer.status, 200, JSON.stringify(headers).slice(0, 60));
      assert.equal(text(answer), 'fine');
    }
    const answer = await raw(server.url, 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 (?:200|400)/);
    assert.match(await raw(server.url, 'GET / HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200/);
  });

  it('fill the cache with nothing but bounded memory', async (t) => {
    const server = await serveCached(t, { maxMemoryMB: 1 }, (request, response) =>
      response.end(request.url + 'x'.repeat(10_000)),
    );
    for (let turn = 0; turn < 300; turn++) await ask(`${server.url}/${turn}`);
    const { bytes, maxBytes, evictions } = server.responses.cache.stats;
    assert.ok(bytes <= maxBytes);
    assert.ok(evictions === undefined || evictions > 0);
  });
});

describe('Cache-Control of requests', () => {
  it('is followed', async (t) => {
    const server = await serveCached(t, {}, (_request, response, { calls }) => response.end(`call ${calls}`));
    const get = async (control, name = 'cache-control') => {
      const answer = await ask(server.url, { headers: control === undefined ? {} : { [name]: control } });
      return answer.status === 200 ? text(answer) : answer.status;
    };
    assert.equal(await get('only-if-cached'), 504);
    assert.equal(await get(), 'call 1');
    assert.equal(await get('only-if-cached'), 'call 1');
    assert.equal(await get('no-store'), 'call 2');
    assert.equal(await get(), 'call 1');
    assert.equal(await get('max-age=100'), 'call 1');
    assert.equal(await get('min-fresh=10'), 'call 1');
    assert.equal(await get('min-fresh=100'), 'call 3');
    assert.equal(await get(), 'call 3');
    assert.equal(await get('no-cache'), 'call 4');
    assert.equal(await get('max-age=0'), 'call 5');
    assert.equal(await get('no-cache', 'pragma'), 'call 6');
    assert.equal(await get(), 'call 6');
  });

  it('lets nobody have stale what s-maxage or must-revalidate forbids to serve so', async (t) => {
    for (const [control, stale] of [
      ['max-age=0', true],
      ['max-age=0, must-revalidate', false],
      ['s-maxage=0, stale-if-error=60', false],
    ]) {
      const server = await serveCached(t, { staleIfErrorMs: 60_000 }, (_request, response, { calls }) => {
        response.setHeader('Cache-Control', control);
        response.end(`call ${calls}`);
      });
      const headers = { 'cache-control': 'max-stale' };
      await ask(server.url, { headers });
      assert.equal(text(await ask(server.url, { headers })), stale ? 'call 1' : 'call 2', control);
    }
  });

  it('unless an option says no', async (t) => {
    const server = await serveCached(t, { requestDirectives: false }, (_request, response, { calls }) =>
      response.end(`call ${calls}`),
    );
    for (const control of ['no-cache', 'no-store', 'max-age=0']) {
      assert.equal(text(await ask(server.url, { headers: { 'cache-control': control } })), 'call 1');
    }
  });
});
