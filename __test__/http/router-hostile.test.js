'use strict';

// Traffic that means no good: it costs the client its connection, and the server nothing.

const assert = require('node:assert/strict');
const http = require('node:http');
const net = require('node:net');
const { describe, it } = require('node:test');
const hotpath = require('hotpath');
const { waitFor } = require('../support');
const { allServices, ask, listen, processors, raw, serveRouter } = require('../support/router');

/** A socket, and what has come back so far. */
function connect(origin) {
  const { port } = new URL(origin);
  const socket = net.connect({ port: Number(port), host: '127.0.0.1' });
  const state = { socket, answer: '', closed: false };
  socket.on('data', (piece) => {
    state.answer += piece;
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    state.closed = true;
  });
  return state;
}

describe('the router', () => {
  it('stands malformed bodies of every kind', async (t) => {
    const { base } = await serveRouter(t, allServices(t), { authorize: () => true, processors });
    const bodies = [
      '{',
      '{"key":',
      `${'['.repeat(200_000)}`,
      `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
      '\u0000',
      '{"key":"\ud800","value":1}',
      `{"key":"a","value":${'9'.repeat(5_000)}}`,
      '{"key":"a","value":1,"value":2}',
      `{"${'k'.repeat(100_000)}":1}`,
      Buffer.from([0xff, 0xfe, 0x7b, 0x7d]).toString('latin1'),
    ];
    for (const path of ['/cache/set', '/batch/process', '/parallel/task', '/memory/compress', '/optimization/run']) {
      for (const body of bodies) {
        const { status } = await ask(`${base}${path}`, { method: 'POST', body });
        assert.ok(status < 500, `${path} ${status}`);
      }
    }
    const deep = `{"key":"deep","value":${'['.repeat(5_000)}${']'.repeat(5_000)}}`;
    const stored = await ask(`${base}/cache/set`, { method: 'POST', body: deep });
    assert.ok(stored.status === 200 || stored.status === 400, stored.text);
    const shown = await ask(`${base}/cache/get/deep`);
    assert.ok([200, 404, 406].includes(shown.status));
    assert.equal((await ask(`${base}/metrics`)).status, 200);
  });

  it('stands malformed requests', async (t) => {
    const { origin, base } = await serveRouter(t, allServices(t), { authorize: () => true });
    const requests = [
      'GET\r\n\r\n',
      'GET /api/performance/summary HTTP/9.9\r\n\r\n',
      'POST /api/performance/cache/set HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
      'POST /api/performance/cache/set HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'POST /api/performance/cache/set HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n',
      'GET /api/performance/%00%ff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      'GET /api/performance/cache/get/%ff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      `GET /api/performance/${'a/'.repeat(5_000)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      'BREW /api/performance/summary HTTP/1.1\r\nHost: x\r\n\r\n',
      'GET * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      'OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    ];
    for (const request of requests) {
      const answer = await raw(origin, request);
      assert.doesNotMatch(answer, /^HTTP\/1\.1 5/, request.slice(0, 80));
    }
    assert.equal((await ask(`${base}/metrics`)).status, 200);
  });

  it('stands ten megabytes of headers', async (t) => {
    const { origin, base } = await serveRouter(t, allServices(t), {});
    const state = connect(origin);
    state.socket.write('GET /api/performance/summary HTTP/1.1\r\nHost: x\r\n');
    const line = `X-Long: ${'x'.repeat(8_000)}\r\n`;
    for (let sent = 0; sent < 10 * 1024 * 1024 && !state.socket.destroyed; sent += line.length) {
      if (!state.socket.write(line))
        await Promise.race([
          new Promise((resolve) => state.socket.once('drain', resolve)),
          waitFor(() => state.closed),
        ]);
    }
    state.socket.end('\r\n');
    await waitFor(() => state.closed, { what: 'the server to hang up' });
    // Whoever was still sending may be cut off before the answer is read.
    if (state.answer !== '') assert.match(state.answer, /^HTTP\/1\.1 431 /);
    assert.equal((await ask(`${base}/metrics`)).status, 200);
  });

  it('stands clients that send a byte now and then', async (t) => {
    const router = hotpath.performanceRouter(allServices(t), { authorize: () => true });
    const server = http.createServer(
      { headersTimeout: 300, requestTimeout: 600, connectionsCheckingInterval: 50 },
      router,
    );
    const origin = await listen(t, server);
    const headers = connect(origin);
    headers.socket.write('GET /api/performance/summary HTTP/1.1\r\nHost: x\r\n');
    const bodies = connect(origin);
    bodies.socket.write(
      'POST /api/performance/cache/set HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
    );
    const drip = setInterval(() => {
      headers.socket.write('X: y\r\n');
      bodies.socket.write(' ');
    }, 50);
    t.after(() => clearInterval(drip));
    await waitFor(() => headers.closed && bodies.closed, { what: 'the server to hang up on both' });
    assert.match(headers.answer, /^HTTP\/1\.1 408 /);
    assert.equal((await ask(`${origin}/api/performance/metrics`)).status, 200);
  });

  it('forgets clients that hang up in the middle', async (t) => {
    const services = allServices(t);
    const errors = [];
    const { origin, base } = await serveRouter(t, services, {
      authorize: () => true,
      onError: (error) => errors.push(error),
    });
    for (let round = 0; round < 50; round += 1) {
      const state = connect(origin);
      const head =
        'POST /api/performance/cache/set HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"key"';
      await new Promise((resolve) => state.socket.write(head, resolve));
      state.socket.destroy();
    }
    assert.equal((await ask(`${base}/metrics`)).status, 200);
    assert.deepEqual(errors, []);
  });

  it('ends a task whose client has gone', async (t) => {
    const services = allServices(t);
    const { base } = await serveRouter(t, services, { authorize: () => true });
    const side = 1_200;
    const matrix = Array.from({ length: side }, (_, row) =>
      Array.from({ length: side }, (_, column) => (row === column ? 2 : 0)),
    );
    const controller = new AbortController();
    const gone = ask(`${base}/parallel/task`, {
      method: 'POST',
      body: { taskType: 'matrix_inverse', data: { matrix } },
      signal: controller.signal,
    });
    gone.catch(() => {});
    await waitFor(() => services.parallel.stats.tasks.running + services.parallel.stats.tasks.completed > 0);
    controller.abort();
    await waitFor(() => services.parallel.stats.tasks.running === 0);
    await assert.rejects(gone);
    assert.equal((await ask(`${base}/metrics`)).status, 200);
  });

  it('keeps nothing of a flood', async (t) => {
    const { base } = await serveRouter(t, allServices(t), { authorize: () => true });
    const flood = async (requests) => {
      for (let index = 0; index < requests; index += 20) {
        await Promise.all(
          Array.from({ length: 20 }, (_, at) =>
            ask(`${base}/nothing/${index + at}?q=${Math.random()}`, { headers: { 'x-id': `${index + at}` } }),
          ),
        );
      }
      global.gc();
      return process.memoryUsage().heapUsed;
    };
    await flood(1_000);
    const before = await flood(500);
    const after = await flood(1_500);
    assert.ok(after - before < 4 * 1024 * 1024, `${after - before} bytes more`);
  });
});
