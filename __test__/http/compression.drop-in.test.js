'use strict';

// What code written for the npm package `compression` gives, and what it relies on. Each is asked of the package, too.

const assert = require('node:assert/strict');
const { randomBytes } = require('node:crypto');
const http = require('node:http');
const zlib = require('node:zlib');
const { describe, it } = require('node:test');
const peer = require('compression');
const { compression } = require('hotpath');
const { deferred, settled, waitFor } = require('../support');
const { ask, before, listen, text } = require('../support/http');

const TEXT = 'what repeats itself becomes small. '.repeat(400);
const BOTH = [
  ['hotpath', compression],
  ['the package', peer],
];

function serve(t, middleware, app) {
  return listen(t, before(middleware, app));
}

function plain(_request, response) {
  response.setHeader('Content-Type', 'text/plain');
  response.end(TEXT);
}

/** The answer's head, with its body unread. */
function openAnswer(url, encoding) {
  return new Promise((resolve) =>
    http.get(url, { headers: { 'accept-encoding': encoding }, agent: false }, (answer) => resolve(answer.pause())),
  );
}

for (const [name, make] of BOTH) {
  describe(`options, ${name}`, () => {
    it('of zlib make answers that clients can read', async (t) => {
      const { Z_FILTERED, Z_FINISH } = zlib.constants;
      for (const options of [
        { chunkSize: 1024, windowBits: 12, memLevel: 4, strategy: Z_FILTERED, finishFlush: Z_FINISH },
        { level: -1, memLevel: 9 },
        { brotli: {} },
        { brotli: { params: { [zlib.constants.BROTLI_PARAM_LGWIN]: 16 } } },
        null,
        undefined,
      ]) {
        const url = await serve(t, make(options), plain);
        for (const encoding of ['gzip', 'deflate', 'br']) {
          const answer = await ask(url, { headers: { 'accept-encoding': encoding } });
          assert.equal(answer.headers['content-encoding'], encoding);
          assert.equal(text(answer), TEXT);
        }
      }
    });

    it('of brotli set its quality, and nothing of gzip', async (t) => {
      const lengths = {};
      for (const quality of [0, 11]) {
        const brotli = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: quality } };
        const url = await serve(t, make({ brotli }), (_request, response) => {
          response.setHeader('Content-Type', 'text/plain');
          response.end(Array.from({ length: 900 }, (_, n) => `${n * n} squared`).join());
        });
        for (const encoding of ['br', 'gzip']) {
          const { body } = await ask(url, { headers: { 'accept-encoding': encoding } });
          lengths[`${encoding} ${quality}`] = body.length;
        }
      }
      assert.ok(lengths['br 11'] < lengths['br 0']);
      assert.equal(lengths['gzip 11'], lengths['gzip 0']);
    });

    it('flush every write, if they say so', async (t) => {
      const gate = deferred();
      const url = await serve(t, make({ flush: zlib.constants.Z_SYNC_FLUSH }), async (_request, response) => {
        response.setHeader('Content-Type', 'text/plain');
        response.write('first');
        await gate.promise;
        response.end('last');
      });
      let seen = '';
      const answer = await openAnswer(url, 'gzip');
      answer.pipe(zlib.createGunzip()).on('data', (chunk) => {
        seen += chunk;
      });
      await waitFor(() => seen === 'first');
      gate.resolve();
      await waitFor(() => seen === 'firstlast');
    });

    it('enforce a coding where the client names none', async (t) => {
      const url = await serve(t, make({ enforceEncoding: 'deflate' }), plain);
      for (const [headers, encoding] of [
        [{}, 'deflate'],
        [{ 'accept-encoding': '' }, 'deflate'],
        [{ 'accept-encoding': 'gzip' }, 'gzip'],
        [{ 'accept-encoding': 'identity' }, undefined],
      ]) {
        assert.equal((await ask(url, { headers })).headers['content-encoding'], encoding, JSON.stringify(headers));
      }
    });
  });

  describe(`responses, ${name}`, () => {
    it('answer false to what comes after their end', async (t) => {
      const outcomes = [];
      const url = await serve(t, make(), (_request, response) => {
        response.setHeader('Content-Type', 'text/plain');
        response.end(TEXT);
        outcomes.push(response.write('more'), response.end(), response.end('more'));
      });
      assert.equal(text(await ask(url, { headers: { 'accept-encoding': 'gzip' } })), TEXT);
      assert.deepEqual(outcomes, [false, false, false]);
    });

    it('drain once for each time that they were full, and have room then', async (t) => {
      const noise = randomBytes(128 * 1024);
      const finished = deferred();
      const heard = [];
      const url = await serve(t, make(), (_request, response) => {
        // Listeners that came before the head was sent, and after it, hear the same.
        response.on('drain', () => heard.push('early'));
        response.setHeader('Content-Type', 'text/plain');
        const fill = () => {
          while (response.write(noise)) response.flush();
        };
        fill();
        response.on('drain', () => {
          heard.push('late', response.write('there is room'));
          if (heard.length < 15) fill();
          else response.end();
        });
        response.on('finish', finished.resolve);
      });
      const answer = await openAnswer(url, 'gzip');
      answer.resume();
      await settled(finished.promise);
      assert.deepEqual(heard, Array(5).fill(['early', 'late', true]).flat());
    });
  });
}

describe('options that mean nothing', () => {
  it('are refused', () => {
    for (const [options, code] of [
      [{ memLevels: 4 }, 'ERR_HOTPATH_UNKNOWN_OPTION'],
      [{ memLevel: 'much' }, 'ERR_INVALID_ARG_TYPE'],
      [{ flush: -1 }, 'ERR_OUT_OF_RANGE'],
      [{ brotli: 4 }, 'ERR_INVALID_ARG_TYPE'],
      [{ brotli: { params: [] } }, 'ERR_INVALID_ARG_TYPE'],
      [{ brotli: { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 12 } } }, 'ERR_OUT_OF_RANGE'],
    ]) {
      assert.throws(() => compression(options), { code }, JSON.stringify(options));
    }
  });
});
