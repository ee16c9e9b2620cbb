'use strict';

const assert = require('node:assert/strict');
const http = require('node:http');
const { Readable, Writable, pipeline } = require('node:stream');
const zlib = require('node:zlib');
const { describe, it } = require('node:test');
const peer = require('compression');
const { compression } = require('hotpath');
const { deferred, settled, waitFor } = require('../support');
const { EXPRESS, ask, before, listen, text } = require('../support/http');

const BIG = 'compression makes what repeats itself smaller. '.repeat(5_000);
const CODINGS = ['br', 'zstd', 'gzip', 'deflate'];

function serve(t, app, options) {
  return listen(t, before(compression(options), app));
}

function plain(_request, response) {
  response.setHeader('Content-Type', 'text/plain');
  response.setHeader('ETag', '"strong"');
  response.end(BIG);
}

describe('each coding', () => {
  for (const encoding of CODINGS) {
    const headers = { 'accept-encoding': encoding };

    it(`${encoding}, of a body that comes at once`, async (t) => {
      const answer = await ask(await serve(t, plain), { headers });
      assert.equal(answer.headers['content-encoding'], encoding);
      // As with the npm package: the head needs no length, and does not wait for it.
      assert.equal(answer.headers['transfer-encoding'], 'chunked');
      assert.equal(answer.headers['content-length'], undefined);
      assert.equal(answer.headers.vary, 'Accept-Encoding');
      assert.equal(answer.headers.etag, 'W/"strong"');
      assert.ok(answer.body.length < BIG.length / 20);
      assert.equal(text(answer), BIG);
    });

    it(`${encoding}, of a body in pieces`, async (t) => {
      const url = await serve(t, (_request, response) => {
        response.setHeader('Content-Type', 'text/plain');
        pipeline(Readable.from([...BIG.matchAll(/.{1,777}/gs)].map(([piece]) => piece)), response, (error) =>
          assert.ifError(error),
        );
      });
      const answer = await ask(url, { headers });
      assert.equal(answer.headers['transfer-encoding'], 'chunked');
      assert.equal(text(answer), BIG);
    });

    it(`${encoding}, at every level`, async (t) => {
      const names = { br: 'brotliLevel', zstd: 'zstdLevel', gzip: 'level', deflate: 'level' };
      const most = { br: 11, zstd: 19, gzip: 9, deflate: 9 }[encoding];
      for (const level of [encoding === 'zstd' ? 1 : 0, most]) {
        assert.equal(text(await ask(await serve(t, plain, { [names[encoding]]: level }), { headers })), BIG);
      }
    });
  }

  it('is what the client prefers, else the first of those that are offered', async (t) => {
    const url = await serve(t, plain);
    const cases = {
      'gzip, deflate, br, zstd': 'br',
      'gzip, deflate': 'gzip',
      'gzip;q=0.5, deflate;q=0.8': 'deflate',
      'br;q=0, *': 'zstd',
      '*': 'br',
      '*;q=0': undefined,
      identity: undefined,
      'identity, gzip;q=0.5': undefined,
      'gzip;q=0.0': undefined,
      'x-gzip': 'gzip',
      GZIP: 'gzip',
      'sdch, GZip ; Q=1.0': 'gzip',
      compress: undefined,
      '': undefined,
    };
    for (const [header, encoding] of Object.entries(cases)) {
      const answer = await ask(url, { headers: { 'accept-encoding': header } });
      assert.equal(answer.headers['content-encoding'], encoding, header);
      assert.equal(text(answer), BIG);
    }
    assert.equal((await ask(url)).headers['content-encoding'], undefined);
    const own = await serve(t, plain, { encodings: ['gzip', 'br'], enforceEncoding: 'gzip' });
    assert.equal((await ask(own, { headers: { 'accept-encoding': 'br, gzip' } })).headers['content-encoding'], 'gzip');
    assert.equal((await ask(own)).headers['content-encoding'], 'gzip');
  });
});

/** Applications whose answers ours and the npm package leave as they are, or not, alike. */
const APPLICATIONS = {
  'an answer in Express': (_request, response) => response.json(BIG),
  'writeHead with headers': (_request, response) => response.writeHead(200, { 'Content-Type': 'text/plain' }).end(BIG),
  'writeHead with a list': (_request, response) =>
    response.writeHead(201, 'Made', ['Content-Type', 'text/css']).end(BIG),
  'a small body': (_request, response) => response.type('text').send('small'),
  'a small body in pieces': (_request, response) => {
    response.type('text').write('sm');
    response.end('all');
  },
  'a known small length': (_request, response) => {
    response.type('text').set('Content-Length', '5').write('small');
    response.end();
  },
  'no body': (_request, response) => response.type('text').end(),
  'no content': (_request, response) => response.status(204).end(),
  'no content of a type': (_request, response) => response.status(204).type('text').end(),
  'not modified': (_request, response) => response.status(304).type('text').end(),
  'no type': (_request, response) => response.end(BIG),
  'an image': (_request, response) => response.type('png').send(Buffer.from(BIG)),
  svg: (_request, response) => response.type('image/svg+xml').send(BIG),
  'a coding already': (_request, response) => response.type('text').set('Content-Encoding', 'x-own').send(BIG),
  'no-transform': (_request, response) => response.type('text').set('Cache-Control', 'public, no-transform').send(BIG),
  'Vary already': (_request, response) => response.type('text').vary('Origin').send(BIG),
  'Vary: *': (_request, response) => response.type('text').set('Vary', '*').send(BIG),
  'an error': (_request, response) => response.status(500).type('text').send(BIG),
  'a length that was set': (_request, response) => response.type('text').set('Content-Length', BIG.length).end(BIG),
  latin1: (_request, response) => response.type('text').end(`${'é'.repeat(3000)}`, 'latin1'),
  base64: (_request, response) => response.type('text').end(Buffer.from(BIG).toString('base64'), 'base64'),
  bytes: (_request, response) => response.type('text').end(Buffer.from(BIG)),
  'a later end': (_request, response) => {
    response.type('text').write(BIG);
    setImmediate(() => response.end());
  },
  flush: (_request, response) => {
    response.type('text').write(BIG);
    response.flush();
    response.end(BIG);
  },
  flushHeaders: (_request, response) => {
    response.type('text').flushHeaders();
    response.end(BIG);
  },
};

describe('the same as the npm package', () => {
  const shown = ['content-encoding', 'content-type', 'vary', 'cache-control'];
  const lengths = ['content-length', 'transfer-encoding'];
  for (const [version, framework] of EXPRESS) {
    for (const [name, app] of Object.entries(APPLICATIONS)) {
      it(`${version}: ${name}`, async (t) => {
        const express = require(framework);
        const urls = [];
        for (const middleware of [compression({ encodings: ['gzip'] }), peer()]) {
          const server = express().use(middleware).all('/', app);
          server.set('env', 'test');
          urls.push(await listen(t, server));
        }
        for (const method of ['GET', 'HEAD']) {
          for (const headers of [{ 'accept-encoding': 'gzip' }, {}]) {
            const [ours, theirs] = await Promise.all(urls.map((url) => ask(url, { method, headers })));
            assert.equal(ours.status, theirs.status);
            assert.equal(text(ours), text(theirs));
            // Ours says the length of what stays as it is, also where the package's is chunked.
            const fields = theirs.headers['content-encoding'] === 'gzip' ? [...shown, ...lengths] : shown;
            for (const field of fields) assert.equal(ours.headers[field], theirs.headers[field], `${method} ${field}`);
          }
        }
      });
    }
  }

  it('has a filter that knows the same types', () => {
    for (const type of [
      'text/html; charset=utf-8',
      'application/json',
      'application/javascript',
      'image/svg+xml',
      'image/png',
      'application/octet-stream',
      'video/mp4',
      'application/vnd.api+json',
      'application/wasm',
      'font/ttf',
      'font/woff2',
      'application/xhtml+xml',
      'text/event-stream',
      undefined,
      'nonsense',
    ]) {
      const response = { getHeader: () => type };
      assert.equal(compression.filter({}, response), peer.filter({}, response), String(type));
    }
  });
});

describe('streams', () => {
  it('call back when a piece was taken, and when the answer is sent', async (t) => {
    const ended = deferred();
    const url = await serve(t, (_request, response) => {
      response.setHeader('Content-Type', 'text/plain');
      response.write('one ', 'utf8', () =>
        response.write(Buffer.from('two '), () => response.end('three', ended.resolve)),
      );
    });
    for (const headers of [{}, { 'accept-encoding': 'gzip' }]) {
      assert.equal(text(await ask(url, { headers })), 'one two three');
      await settled(ended.promise);
    }
  });

  it('of events reach the client one by one', async (t) => {
    for (const encoding of CODINGS.filter((coding) => coding !== 'zstd')) {
      const gates = [deferred(), deferred()];
      const url = await serve(t, async (_request, response) => {
        response.setHeader('Content-Type', 'text/event-stream');
        for (const [index, gate] of gates.entries()) {
          response.write(`data: ${index}\n\n`);
          await gate.promise;
        }
        response.end('data: end\n\n');
      });
      const decoder = { br: zlib.createBrotliDecompress, gzip: zlib.createGunzip, deflate: zlib.createInflate }[
        encoding
      ]();
      let seen = '';
      http.get(url, { headers: { 'accept-encoding': encoding }, agent: false }, (response) => {
        response.pipe(decoder).on('data', (chunk) => {
          seen += chunk;
        });
      });
      await waitFor(() => seen === 'data: 0\n\n');
      gates[0].resolve();
      await waitFor(() => seen.endsWith('data: 1\n\n'));
      gates[1].resolve();
      await waitFor(() => seen.endsWith('data: end\n\n'));
    }
  });

  it('are held back by a client that does not read, and go on when it does', async (t) => {
    let written = 0;
    const total = 64;
    const noise = require('node:crypto').randomBytes(1 << 20);
    const url = await serve(t, (_request, response) => {
      response.setHeader('Content-Type', 'text/plain');
      const next = () => {
        while (written < total) {
          written++;
          if (!response.write(noise)) return response.once('drain', next);
        }
        response.end();
      };
      next();
    });
    const response = await new Promise((resolve) =>
      http.get(url, { headers: { 'accept-encoding': 'gzip' }, agent: false }, resolve),
    );
    response.pause();
    let before = -1;
    // Stands still once buffers are full.
    await waitFor(async () => {
      const stands = before === written;
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 200));
      return stands && before === written;
    });
    assert.ok(written < total, `${written} of ${total} MiB were written`);
    let bytes = 0;
    const done = new Promise((resolve, reject) =>
      pipeline(
        response,
        zlib.createGunzip(),
        new Writable({
          write(chunk, _encoding, next) {
            bytes += chunk.length;
            next();
          },
        }),
        (error) => (error ? reject(error) : resolve()),
      ),
    );
    await settled(done, { timeoutMs: 60_000 });
    assert.equal(bytes, total << 20);
  });

  it('take nothing after their end', async (t) => {
    const url = await serve(t, (_request, response) => {
      response.setHeader('Content-Type', 'text/plain');
      response.end(BIG);
      assert.equal(response.write('x'), false);
      assert.equal(response.headersSent, true);
      response.end('x');
    });
    assert.equal(text(await ask(url, { headers: { 'accept-encoding': 'gzip' } })), BIG);
  });

  it('end with the client', async (t) => {
    const closed = deferred();
    const url = await serve(t, (_request, response) => {
      response.setHeader('Content-Type', 'text/plain');
      pipeline(
        Readable.from(
          (async function* () {
            for (;;) {
              yield BIG;
              await new Promise((resolve) => setImmediate(resolve));
            }
          })(),
        ),
        response,
        (error) => closed.resolve(error),
      );
    });
    const controller = new AbortController();
    const request = http.get(url, { headers: { 'accept-encoding': 'gzip' }, agent: false, signal: controller.signal });
    request.on('error', () => {});
    await new Promise((resolve) => request.on('response', (response) => response.once('data', resolve)));
    controller.abort();
    const error = await settled(closed.promise);
    assert.ok(error instanceof Error);
  });

  it('that fail in the middle never look whole', async (t) => {
    const url = await serve(t, (_request, response) => {
      response.setHeader('Content-Type', 'text/plain');
      response.write(BIG);
      response.flush();
      setImmediate(() => response.destroy());
    });
    for (const encoding of CODINGS) {
      await assert.rejects(ask(url, { headers: { 'accept-encoding': encoding } }));
    }
  });

  it('may change their bytes after the call', async (t) => {
    const url = await serve(t, (_request, response) => {
      response.setHeader('Content-Type', 'text/plain');
      const bytes = Buffer.alloc(10_000, 'a');
      for (const letter of 'bcd') {
        response.write(bytes);
        bytes.fill(letter);
      }
      response.end(bytes);
      bytes.fill('x');
    });
    const answer = await ask(url, { headers: { 'accept-encoding': 'gzip' } });
    assert.equal(text(answer), ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(10_000)).join(''));
  });

  it('come many at a time, and are not mixed', async (t) => {
    const url = await serve(t, async (request, response) => {
      response.setHeader('Content-Type', 'text/plain');
      for (let turn = 0; turn < 20; turn++) {
        response.write(`${request.url} `.repeat(500));
        if (turn % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      response.end();
    });
    const asked = Array.from({ length: 40 }, (_, index) =>
      ask(`${url}/${index}`, { headers: { 'accept-encoding': CODINGS[index % 4] } }),
    );
    for (const [index, answer] of (await Promise.all(asked)).entries()) {
      assert.equal(text(answer), `/${index} `.repeat(10_000));
    }
  });
});

describe('options', () => {
  it('are checked', () => {
    for (const [options, code] of [
      [{ levels: 5 }, 'ERR_HOTPATH_UNKNOWN_OPTION'],
      [{ level: 10 }, 'ERR_OUT_OF_RANGE'],
      [{ level: Number.NaN }, 'ERR_OUT_OF_RANGE'],
      [{ threshold: '1 furlong' }, 'ERR_INVALID_ARG_TYPE'],
      [{ threshold: -1 }, 'ERR_OUT_OF_RANGE'],
      [{ filter: true }, 'ERR_INVALID_ARG_TYPE'],
      [{ encodings: 'gzip' }, 'ERR_INVALID_ARG_TYPE'],
      [{ encodings: ['lz4'] }, 'ERR_OUT_OF_RANGE'],
      [{ enforceEncoding: 'lz4' }, 'ERR_OUT_OF_RANGE'],
    ]) {
      assert.throws(() => compression(options), { code }, JSON.stringify(options));
    }
    for (const options of [undefined, {}, { level: -1 }, { threshold: '1kb' }, { threshold: 0 }]) compression(options);
  });

  it('choose what is compressed', async (t) => {
    const headers = { 'accept-encoding': 'gzip' };
    const small = (_request, response) => response.setHeader('Content-Type', 'text/plain').end('x'.repeat(600));
    const encodingOf = async (options, more) =>
      (await ask(await serve(t, small, options), { headers: { ...headers, ...more } })).headers['content-encoding'];
    assert.equal(await encodingOf({}), undefined);
    assert.equal(await encodingOf({ threshold: 600 }), 'gzip');
    assert.equal(await encodingOf({ threshold: '0.5kb' }), 'gzip');
    assert.equal(await encodingOf({ threshold: 601 }), undefined);
    const filter = (request, response) =>
      request.headers['x-no-compression'] === undefined && compression.filter(request, response);
    assert.equal(await encodingOf({ threshold: 0, filter }), 'gzip');
    assert.equal(await encodingOf({ threshold: 0, filter }, { 'x-no-compression': '1' }), undefined);
  });
});
