'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { MemoryCache, responseCache } = require('hotpath');
const { deferred, errors, waitFor } = require('../support');
const { ask, listen, serveCached, text } = require('../support/http');

const BIG = JSON.stringify(Array.from({ length: 2000 }, (_, id) => ({ id, name: `product ${id}` })));

function json(_request, response) {
  response.setHeader('Content-Type', 'application/json');
  response.end(BIG);
}

describe('what is stored is served', () => {
  it('with status, headers and body, and its age', async (t) => {
    const server = await serveCached(t, {}, (_request, response) => {
      response.writeHead(404, 'Nowhere', { 'Content-Type': 'text/plain', 'X-Twice': ['a', 'b'] });
      response.end('not here');
    });
    const [first, second] = [await ask(server.url), await ask(server.url)];
    for (const answer of [first, second]) {
      assert.equal(answer.status, 404);
      assert.equal(answer.response.statusMessage, 'Nowhere');
      assert.equal(answer.headers['content-type'], 'text/plain');
      assert.equal(answer.headers['x-twice'], 'a, b');
      assert.equal(answer.headers['content-length'], '8');
      assert.match(answer.headers.age, /^\d+$/);
      assert.equal(text(answer), 'not here');
    }
    assert.equal(first.headers.date, second.headers.date);
    assert.equal(server.calls, 1);
  });

  it('when it was written in pieces', async (t) => {
    const server = await serveCached(t, {}, (_request, response) => {
      response.setHeader('Content-Type', 'text/plain');
      response.write('one ');
      setImmediate(() => {
        response.write(Buffer.from('two '));
        response.end('three');
      });
    });
    for (let turn = 0; turn < 3; turn++) assert.equal(text(await ask(server.url)), 'one two three');
    assert.equal(server.calls, 1);
  });

  it('by URL, query and Host', async (t) => {
    const server = await serveCached(t, {}, (request, response) => response.end(request.headers.host + request.url));
    for (const [path, host] of [
      ['/a', 'x'],
      ['/a?1', 'x'],
      ['/a?2', 'x'],
      ['/a', 'y'],
      ['/A', 'x'],
    ]) {
      for (let turn = 0; turn < 2; turn++) {
        assert.equal(text(await ask(server.url + path, { headers: { host } })), host + path);
      }
    }
    assert.equal(server.calls, 5);
  });

  it('no older than it says it is', async (t) => {
    const at = (seconds) => new Date(Date.now() + seconds * 1000).toUTCString();
    const server = await serveCached(t, { ttlMs: undefined }, (request, response) => {
      const heads = {
        '/dated': { 'Cache-Control': 'max-age=60', Date: at(-30) },
        '/expired': { 'Cache-Control': 'max-age=60', Date: at(-90) },
        '/ahead': { 'Cache-Control': 'max-age=60', Date: at(90) },
        '/expires': { Expires: at(30), Date: at(-30) },
        '/expires-expired': { Expires: at(-30), Date: at(-90) },
      };
      response.writeHead(200, heads[request.url]).end('from elsewhere');
    });
    const again = async (path) => {
      await ask(server.url + path);
      const before = server.responses.stats.hits;
      const { headers } = await ask(server.url + path);
      return server.responses.stats.hits > before ? Number(headers.age) : undefined;
    };
    for (const path of ['/dated', '/expires']) assert.ok((await again(path)) >= 30, path);
    assert.ok((await again('/ahead')) < 30);
    assert.equal(await again('/expired'), undefined);
    assert.equal(await again('/expires-expired'), undefined);
  });

  it('with what others before it vary by', async (t) => {
    const responses = responseCache({ ttlMs: 60_000 });
    t.after(() => responses.close());
    const url = await listen(t, (request, response) => {
      response.setHeader('Vary', 'Origin, Accept-Encoding');
      responses(request, response, () => {
        response.setHeader('Content-Type', 'text/plain');
        response.end('text '.repeat(1000));
      });
    });
    for (const headers of [{}, {}, { 'accept-encoding': 'gzip' }, { 'if-none-match': '*' }]) {
      assert.equal((await ask(url, { headers })).headers.vary, 'Origin, Accept-Encoding');
    }
  });

  it('to HEAD, without the body', async (t) => {
    const server = await serveCached(t, {}, json);
    await ask(server.url);
    const answer = await ask(server.url, { method: 'HEAD' });
    assert.equal(answer.headers['content-length'], String(BIG.length));
    assert.equal(answer.body.length, 0);
    assert.equal(server.calls, 1);
  });

  it('while HEAD alone stores nothing', async (t) => {
    const server = await serveCached(t, {}, json);
    await ask(server.url, { method: 'HEAD' });
    assert.equal(text(await ask(server.url)), BIG);
    assert.equal(server.calls, 2);
  });

  for (const encoding of ['br', 'gzip', 'zstd', 'deflate']) {
    it(`in ${encoding}, made once`, async (t) => {
      const server = await serveCached(t, {}, json);
      const headers = { 'accept-encoding': encoding };
      const plain = await ask(server.url);
      const first = await ask(server.url, { headers });
      const second = await ask(server.url, { headers });
      assert.equal(first.headers['content-encoding'], encoding);
      assert.equal(text(first), BIG);
      assert.deepEqual(second.body, first.body);
      assert.equal(first.headers['content-length'], String(first.body.length));
      assert.ok(first.body.length < BIG.length / 3);
      assert.equal(first.headers.vary, 'Accept-Encoding');
      assert.equal(plain.headers.vary, 'Accept-Encoding');
      assert.equal(first.headers.etag, `W/${plain.headers.etag}`);
      const coded = server.responses.cache.keys(`http-coded:${encoding}:*`);
      assert.equal(coded.length, 1);
      assert.equal(server.calls, 1);
    });
  }

  it('as it is where compression would be wrong', async (t) => {
    const cases = {
      '/small': { 'Content-Type': 'text/plain', body: 'small' },
      '/image': { 'Content-Type': 'image/png', body: BIG },
      '/fixed': { 'Content-Type': 'text/plain', 'Cache-Control': 'max-age=9, no-transform', body: BIG },
      '/coded': { 'Content-Type': 'text/plain', 'Content-Encoding': 'x-own', body: BIG },
    };
    const server = await serveCached(t, {}, (request, response) => {
      const { body, ...headers } = cases[request.url];
      response.writeHead(200, headers).end(body);
    });
    for (const [path, { body, 'Content-Encoding': encoding }] of Object.entries(cases)) {
      for (let turn = 0; turn < 2; turn++) {
        const answer = await ask(server.url + path, { headers: { 'accept-encoding': 'gzip, br, zstd' } });
        assert.equal(answer.headers['content-encoding'], encoding, path);
        assert.equal(answer.body.toString(), body);
      }
    }
    assert.equal(server.calls, 4);
  });
});

describe('conditional requests', () => {
  it('are answered by 304 with what a 304 has', async (t) => {
    const server = await serveCached(t, {}, (_request, response) => {
      response.setHeader('Cache-Control', 'max-age=60');
      response.setHeader('Content-Type', 'text/plain');
      response.setHeader('X-Other', '1');
      response.end(BIG);
    });
    const { headers } = await ask(server.url);
    for (const condition of [headers.etag, `"x", ${headers.etag}`, `W/${headers.etag}`, '*']) {
      const answer = await ask(server.url, { headers: { 'if-none-match': condition } });
      assert.equal(answer.status, 304, condition);
      assert.equal(answer.headers.etag, headers.etag);
      assert.equal(answer.headers['cache-control'], 'max-age=60');
      assert.equal(answer.headers.vary, 'Accept-Encoding');
      assert.equal(answer.headers['content-type'], undefined);
      assert.equal(answer.headers['x-other'], undefined);
      assert.equal(answer.body.length, 0);
    }
    for (const condition of ['"other"', headers.etag.slice(0, -2), 'W/"', '', '""']) {
      assert.equal((await ask(server.url, { headers: { 'if-none-match': condition } })).status, 200, condition);
    }
    assert.equal(server.calls, 1);
  });

  it('by date, where there is no tag', async (t) => {
    const modified = 'Wed, 21 Oct 2015 07:28:00 GMT';
    const server = await serveCached(t, {}, (_request, response) => {
      response.setHeader('Last-Modified', modified);
      response.end('dated');
    });
    await ask(server.url);
    const status = async (headers) => (await ask(server.url, { headers })).status;
    assert.equal(await status({ 'if-modified-since': modified }), 304);
    assert.equal(await status({ 'if-modified-since': 'Wed, 21 Oct 2015 07:27:59 GMT' }), 200);
    assert.equal(await status({ 'if-modified-since': 'yesterday' }), 200);
    assert.equal(await status({ 'if-modified-since': modified, 'if-none-match': '"other"' }), 200);
    assert.equal(server.calls, 1);
  });

  it('store a whole answer on a miss, and get their 304', async (t) => {
    const server = await serveCached(t, {}, (request, response) => {
      assert.equal(request.headers['if-none-match'], undefined);
      response.setHeader('ETag', '"v1"');
      response.end('whole');
    });
    assert.equal((await ask(server.url, { headers: { 'if-none-match': '"v1"' } })).status, 304);
    assert.equal(text(await ask(server.url)), 'whole');
    assert.equal(server.calls, 1);
  });

  it('get their 304 also for what must not be stored', async (t) => {
    const server = await serveCached(t, {}, (_request, response) => {
      response.setHeader('ETag', '"v1"');
      response.setHeader('Cache-Control', 'private');
      response.setHeader('Content-Length', '5');
      response.end('whole');
    });
    const answer = await ask(server.url, { headers: { 'if-none-match': '"v1"' } });
    assert.equal(answer.status, 304);
    assert.equal(answer.body.length, 0);
    assert.equal(answer.headers['content-length'], undefined);
    assert.equal(text(await ask(server.url)), 'whole');
    assert.equal(server.calls, 2);
  });
});

describe('invalidation', () => {
  it('by URL, by tag, by pattern, and of everything', async (t) => {
    const server = await serveCached(
      t,
      { tags: (request) => [request.url.split('/')[1]] },
      (request, response, { calls }) => {
        response.setHeader('Cache-Tag', `all, ${request.url}`);
        response.end(`call ${calls}`);
      },
    );
    const { responses, url } = server;
    const get = async (path) => {
      const answer = await ask(url + path);
      assert.equal(answer.headers['cache-tag'], undefined);
      return text(answer);
    };
    const isRenewed = async (path, invalidate) => {
      const old = await get(path);
      assert.equal(await get(path), old);
      await invalidate();
      assert.notEqual(await get(path), old);
    };
    await isRenewed('/a/1', () => responses.delete('/a/1'));
    await isRenewed('/a/1', () => responses.invalidateTags('a'));
    await isRenewed('/a/1', () => responses.invalidateTags(['x', 'all']));
    await isRenewed('/a/1', () => responses.invalidateTags('/a/1'));
    await isRenewed('/a/1', () => responses.deletePattern('/a/*'));
    await isRenewed('/a/1', () => responses.clear());
    await isRenewed('/a/1', () => responses.deleteKey(`/a/1 ${url}`));
    const kept = await get('/a/1');
    await responses.delete('/a/2');
    await responses.deletePattern('/b/*');
    await responses.invalidateTags('b');
    assert.equal(await get('/a/1'), kept);
  });

  it('by requests that change something', async (t) => {
    const server = await serveCached(t, {}, (request, response, { calls }) => {
      if (request.url === '/fails') response.statusCode = 400;
      if (request.url === '/elsewhere') response.setHeader('Location', '/a');
      response.end(`call ${calls}`);
    });
    const get = async (path) => text(await ask(server.url + path));
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const old = await get('/a');
      await ask(`${server.url}/a`, { method });
      assert.notEqual(await get('/a'), old, method);
    }
    const kept = await get('/a');
    for (const method of ['OPTIONS', 'PROPFIND', 'SEARCH', 'GET']) await ask(`${server.url}/a`, { method });
    await ask(`${server.url}/b`, { method: 'POST' });
    await get('/fails');
    await ask(`${server.url}/fails`, { method: 'POST' });
    assert.equal(await get('/a'), kept);
    await ask(`${server.url}/elsewhere`, { method: 'POST' });
    assert.notEqual(await get('/a'), kept);
  });

  it('reaches all variants', async (t) => {
    const server = await serveCached(t, {}, (request, response, { calls }) => {
      response.setHeader('Vary', 'X-Language');
      response.end(`${request.headers['x-language']} ${calls}`);
    });
    const get = async (language) => text(await ask(server.url, { headers: { 'x-language': language } }));
    const old = [await get('de'), await get('en')];
    assert.deepEqual([await get('de'), await get('en')], old);
    await server.responses.delete('/');
    const renewed = [await get('de'), await get('en')];
    assert.notEqual(renewed[0], old[0]);
    assert.notEqual(renewed[1], old[1]);
  });

  it('keeps what was begun before from being stored', async (t) => {
    const gate = deferred();
    const server = await serveCached(t, { tags: ['all'] }, async (_request, response, { calls }) => {
      if (calls % 2 === 1) await gate.promise;
      response.end(`call ${calls}`);
    });
    for (const invalidate of [
      () => server.responses.delete('/'),
      () => server.responses.invalidateTags('all'),
      () => server.responses.clear(),
      () => ask(server.url, { method: 'POST' }),
    ]) {
      const { calls } = server;
      const begun = ask(server.url);
      await waitFor(() => server.calls === calls + 1);
      await invalidate();
      const after = text(await ask(server.url));
      assert.notEqual(after, `call ${calls + 1}`, 'whoever asks afterwards gets a new answer');
      gate.resolve();
      assert.equal(text(await begun), `call ${calls + 1}`);
      assert.equal(text(await ask(server.url)), after);
      await server.responses.clear();
      if (server.calls % 2 === 1) await ask(server.url);
      await server.responses.clear();
    }
  });
});

describe('options', () => {
  it('are checked', (t) => {
    const wrong = [
      [{ ttl: 5 }, 'ERR_HOTPATH_UNKNOWN_OPTION'],
      [{ ttlMs: '5' }, 'ERR_INVALID_ARG_TYPE'],
      [{ ttlMs: 0 }, 'ERR_OUT_OF_RANGE'],
      [{ ttlMs: Number.NaN }, 'ERR_OUT_OF_RANGE'],
      [{ staleIfErrorMs: -1 }, 'ERR_OUT_OF_RANGE'],
      [{ cache: {} }, 'ERR_INVALID_ARG_TYPE'],
      [{ statuses: [99] }, 'ERR_OUT_OF_RANGE'],
      [{ compression: { encodings: ['lz4'] } }, 'ERR_OUT_OF_RANGE'],
      [{ compression: 1 }, 'ERR_INVALID_ARG_TYPE'],
      [{ key: 'x' }, 'ERR_INVALID_ARG_TYPE'],
      [{ maxBodyBytes: 0.5 }, 'ERR_OUT_OF_RANGE'],
      ['x', 'ERR_INVALID_ARG_TYPE'],
    ];
    for (const [options, code] of wrong) assert.throws(() => responseCache(options), { code }, JSON.stringify(options));
    const cache = new MemoryCache();
    t.after(() => cache.close());
    assert.throws(() => responseCache({ cache, name: 'x' }), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => responseCache.front({}), { code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('keep long bodies out', async (t) => {
    const server = await serveCached(t, { maxBodyBytes: 100 }, (request, response) => {
      if (request.url === '/known') response.setHeader('Content-Length', '101');
      if (request.url === '/pieces') response.write('x'.repeat(60));
      response.end('x'.repeat(request.url === '/pieces' ? 41 : 101));
    });
    for (const path of ['/known', '/pieces', '/whole']) {
      for (let turn = 0; turn < 2; turn++) assert.equal(text(await ask(server.url + path)), 'x'.repeat(101));
    }
    assert.equal(server.calls, 6);
  });

  it('choose requests and answers', async (t) => {
    const server = await serveCached(
      t,
      {
        filter: (request) => request.url !== '/never',
        storable: (_request, response) => response.getHeader('x-store') !== 'no',
        key: (request) => (request.url === '/no-key' ? undefined : request.url.split('?')[0]),
      },
      (request, response, { calls }) => {
        if (request.url === '/no') response.setHeader('X-Store', 'no');
        response.end(`call ${calls}`);
      },
    );
    const isStored = async (path, other = path) => {
      const [one, two] = [text(await ask(server.url + path)), text(await ask(server.url + other))];
      return one === two;
    };
    assert.equal(await isStored('/never'), false);
    assert.equal(await isStored('/no'), false);
    assert.equal(await isStored('/no-key'), false);
    assert.equal(await isStored('/yes?a', '/yes?b'), true);
  });

  it('that fail let the application answer', async (t) => {
    const seen = [];
    const server = await serveCached(
      t,
      {
        tags: () => {
          throw new Error('no tags');
        },
        onError: (error) => seen.push(error.message),
      },
      json,
    );
    for (let turn = 0; turn < 2; turn++) assert.equal(text(await ask(server.url)), BIG);
    assert.deepEqual(seen, ['no tags', 'no tags']);
    assert.equal(server.responses.stats.errors, 2);
  });

  it('tell in Cache-Status what happened', async (t) => {
    const server = await serveCached(t, { cacheStatus: true }, json);
    assert.equal((await ask(server.url)).headers['cache-status'], 'hotpath; fwd=miss; stored');
    assert.equal((await ask(server.url)).headers['cache-status'], 'hotpath; hit');
  });
});

describe('closed', () => {
  it('lets everything pass', async (t) => {
    const server = await serveCached(t, {}, json);
    await ask(server.url);
    server.responses.close();
    server.responses.close();
    assert.equal(server.responses.closed, true);
    for (let turn = 0; turn < 2; turn++) assert.equal(text(await ask(server.url)), BIG);
    assert.equal(server.calls, 3);
    for (const call of [
      () => server.responses.delete('/'),
      () => server.responses.deleteKey('/'),
      () => server.responses.deletePattern('*'),
      () => server.responses.invalidateTags('a'),
      () => server.responses.clear(),
    ]) {
      await assert.rejects(call, errors.closed ?? { code: 'ERR_HOTPATH_CLOSED' });
    }
  });

  it('while the application answers', async (t) => {
    const gate = deferred();
    const server = await serveCached(t, { onError: undefined }, async (_request, response) => {
      await gate.promise;
      response.end(BIG);
    });
    const asked = [ask(server.url), ask(server.url)];
    await waitFor(() => server.responses.stats.misses === 2);
    server.responses.close();
    gate.resolve();
    for (const answer of await Promise.all(asked)) assert.equal(text(answer), BIG);
  });
});
