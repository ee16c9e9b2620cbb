'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const net = require('node:net');
const { PassThrough } = require('node:stream');
const hdr = require('hdr-histogram-js');
const { LoadTester } = require('../..');
const { errors, runInChild } = require('../support');
const {
  certificate,
  http2Server,
  httpServer,
  httpsServer,
  listening,
  nginx,
  secureHttp2Server,
} = require('../support/loaded-servers');
const { freePort } = require('../support/servers');
const { deferred } = require('../support/wait');

const run = (options) => new LoadTester().runLoadTest(options);

/** A server that answers everything and remembers it. */
async function remembering(t, answer = (_request, response) => response.end('hello')) {
  const requests = [];
  const { url, server } = await httpServer(t, (request, response) => {
    const seen = { method: request.method, url: request.url, headers: request.headers, body: '' };
    requests.push(seen);
    request.setEncoding('utf8').on('data', (text) => {
      seen.body += text;
    });
    request.on('end', () => answer(request, response, requests.length));
  });
  return { url, server, requests };
}

describe('a closed loop', () => {
  it('makes exactly the requests it was asked for, over as many connections as are under way', async (t) => {
    const { url, requests } = await remembering(t);
    const result = await run({ url: `${url}/api/wines?color=red`, requests: 500, concurrency: 7 });
    assert.equal(requests.length, 500);
    const keys = ['totalRequests', 'successfulRequests', 'failedRequests', 'successRate', 'averageResponseTime'];
    keys.push('maxResponseTime', 'minResponseTime', 'totalTime', 'requestsPerSecond');
    for (const key of keys) assert.equal(typeof result[key], 'number', key);
    assert.deepEqual(
      [result.totalRequests, result.successfulRequests, result.failedRequests, result.successRate],
      [500, 500, 0, 100],
    );
    assert.deepEqual(result.statusCodes, { 200: 500 });
    assert.deepEqual(result.errors, {});
    assert.equal(result.connections, 7);
    assert.ok(result.bytesReceived > 500 * 'hello'.length);
    assert.equal(new Set(requests.map((request) => request.url)).size, 1);
    assert.equal(requests[0].url, '/api/wines?color=red');
    assert.equal(requests[0].headers.host, new URL(url).host);
    const { minResponseTime: min, averageResponseTime: mean, maxResponseTime: max, latency } = result;
    assert.ok(0 < min && min <= mean && mean <= max && max <= result.totalTime, `${min} ${mean} ${max}`);
    assert.ok(latency.p50 <= latency.p95 && latency.p95 <= latency.p99 && latency.p99 <= latency.p9999);
    const rate = (500 * 1000) / result.totalTime;
    assert.ok(Math.abs(result.requestsPerSecond - rate) < rate / 100, `${result.requestsPerSecond}, not ${rate}`);
  });

  it('sends method, headers and body', async (t) => {
    const { url, requests } = await remembering(t);
    await run({ url, requests: 1, json: { a: 1 }, headers: { 'X-Test': 'yes', Host: 'else.where' } });
    await run({ url, requests: 1, method: 'PUT', body: Buffer.from('bytes') });
    await run({ url, requests: 1, method: 'HEAD' });
    assert.equal(requests[0].method, 'POST');
    assert.equal(requests[0].body, '{"a":1}');
    assert.equal(requests[0].headers['content-type'], 'application/json');
    assert.equal(requests[0].headers['x-test'], 'yes');
    assert.equal(requests[0].headers.host, 'else.where');
    assert.deepEqual([requests[1].method, requests[1].body], ['PUT', 'bytes']);
    assert.equal(requests[1].headers['content-length'], '5');
    assert.equal(requests[2].method, 'HEAD');
  });

  it('counts statuses, and bodies of every framing', async (t) => {
    const answers = [
      (response) => response.writeHead(204).end(),
      (response) => response.writeHead(304).end(),
      (response) => response.writeHead(404, { 'content-length': 4 }).end('none'),
      (response) => {
        response.writeHead(503);
        response.write('in ');
        response.end('chunks');
      },
    ];
    const { url } = await remembering(t, (_request, response, count) => answers[(count - 1) % 4](response));
    const result = await run({ url, requests: 40, concurrency: 3 });
    assert.deepEqual(result.statusCodes, { 204: 10, 304: 10, 404: 10, 503: 10 });
    assert.deepEqual([result.successfulRequests, result.failedRequests, result.successRate], [20, 20, 50]);
  });

  it('opens a connection for every request without keep-alive', async (t) => {
    const { url, requests } = await remembering(t);
    const result = await run({ url, requests: 20, concurrency: 2, keepAlive: false });
    assert.equal(result.connections, 20);
    assert.equal(result.failedRequests, 0);
    assert.equal(requests[0].headers.connection, 'close');
  });

  it('goes on when the server closes connections between requests', async (t) => {
    const { url } = await remembering(t, (_request, response, count) => {
      if (count % 5 === 0) response.setHeader('connection', 'close');
      response.end();
    });
    const result = await run({ url, requests: 100, concurrency: 1 });
    assert.deepEqual([result.successfulRequests, result.errors, result.connections], [100, {}, 20]);
  });

  it('ends after a duration', async (t) => {
    const { url } = await remembering(t);
    const result = await run({ url, durationMs: 150, concurrency: 2 });
    assert.ok(result.totalRequests > 0);
    assert.ok(result.totalTime >= 150);
    assert.equal(result.failedRequests, 0);
    assert.equal(result.aborted, false);
  });

  it('uses several threads, and splits the work among them', async (t) => {
    const { url, requests } = await remembering(t);
    const result = await run({ url, requests: 301, concurrency: 7, threads: 3 });
    assert.deepEqual([result.totalRequests, requests.length, result.connections], [301, 301, 7]);
  });

  it('speaks to nginx, which closes every connection after 1,000 requests', async (t) => {
    const { url } = await nginx(t);
    const result = await run({ url, requests: 5000, concurrency: 4 });
    assert.deepEqual([result.totalRequests, result.statusCodes, result.errors], [5000, { 200: 5000 }, {}]);
  });

  it('over IPv6, and by name', async (t) => {
    const answer = (_request, response) => response.end();
    const six = await httpServer(t, answer, { host: '::1' }).catch(() => undefined);
    if (six) assert.equal((await run({ url: six.url, requests: 3 })).successfulRequests, 3);
    const four = await httpServer(t, answer);
    const byName = four.url.replace('127.0.0.1', 'localhost');
    assert.equal((await run({ url: byName, requests: 3 })).successfulRequests, 3);
  });
});

describe('the histogram', () => {
  it('is in the interchange format, and agrees with the percentiles', async (t) => {
    const { url } = await remembering(t);
    const { histogram, latency, totalRequests } = await run({ url, requests: 300 });
    const decoded = hdr.decodeFromCompressedBase64(histogram.encoded);
    assert.equal(decoded.totalCount, totalRequests);
    assert.equal(histogram.count, totalRequests);
    for (const [name, percentile] of [
      ['p50', 50],
      ['p90', 90],
      ['p99', 99],
      ['p999', 99.9],
    ]) {
      assert.equal(decoded.getValueAtPercentile(percentile) / 1000, latency[name], name);
    }
    const steps = histogram.percentiles;
    assert.equal(
      steps.reduce((sum, { count }) => sum + count, 0),
      totalRequests,
    );
    assert.equal(steps.at(-1).percentile, 100);
  });
});

describe('an open loop', () => {
  it('makes the requests of its rate', async (t) => {
    const { url, requests } = await remembering(t);
    const result = await run({ url, rate: 500, durationMs: 400, concurrency: 20 });
    assert.equal(result.totalRequests, 200);
    assert.equal(requests.length, 200);
    assert.ok(result.totalTime >= 398, `${result.totalTime}`);
  });

  it('charges a stall to everybody who would have waited', async (t) => {
    const [rate, seconds, stallMs] = [400, 3, 1000];
    const stall = deferred();
    let first;
    const answered = [];
    const { url } = await remembering(t, async (_request, response, count) => {
      first ??= performance.now();
      if (count === 100) setTimeout(stall.resolve, stallMs);
      if (count >= 100) await stall.promise;
      answered.push(performance.now());
      response.end();
    });
    const { latency, totalRequests } = await run({ url, rate, durationMs: seconds * 1000, concurrency: 10 });
    assert.equal(totalRequests, rate * seconds);
    // By the server's own account: request number k was due k / rate seconds after the first, and was answered when it was.
    const waited = answered.map((at, k) => at - first - (k * 1000) / rate).sort((a, b) => a - b);
    for (const [name, percentile] of [
      ['p50', 50],
      ['p75', 75],
      ['p90', 90],
      ['p95', 95],
      ['p99', 99],
    ]) {
      const [measured, wanted] = [latency[name], waited[Math.ceil((waited.length * percentile) / 100) - 1]];
      assert.ok(Math.abs(measured - wanted) < 25 + stallMs / 20, `${name}: ${measured} ms, by arithmetic ${wanted} ms`);
    }
    // A closed loop would have seen ten slow answers in a thousand. Here a third of all waits, evenly up to the whole second.
    assert.ok(latency.p99 > stallMs * (1 - (0.01 * seconds * 1000) / stallMs) * 0.95, `p99 ${latency.p99}`);
    assert.ok(latency.p75 > stallMs * (1 - (0.25 * seconds * 1000) / stallMs) * 0.95, `p75 ${latency.p75}`);
  });

  it('gives up one timeout after the last request was due', async (t) => {
    const { url } = await remembering(t, () => {});
    const result = await run({ url, rate: 100, durationMs: 200, concurrency: 2, timeoutMs: 150 });
    assert.deepEqual([result.totalRequests, result.errors], [20, { timeout: 20 }]);
    assert.equal(result.histogram.count, 20);
    assert.ok(result.latency.max >= 150);
  });
});

describe('TLS and HTTP/2', () => {
  it('over TLS with a certificate to trust, or none', async (t) => {
    const keys = certificate(t);
    const { url } = await httpsServer(t, keys, (_request, response) => response.end('sealed'));
    const trusting = await run({ url, requests: 20, ca: keys.cert });
    assert.deepEqual([trusting.successfulRequests, trusting.errors], [20, {}]);
    const insecure = await run({ url, requests: 20, insecure: true });
    assert.equal(insecure.successfulRequests, 20);
    const careful = await run({ url, requests: 2, concurrency: 1 });
    assert.deepEqual([careful.successfulRequests, careful.errors], [0, { tls: 2 }]);
    await assert.rejects(run({ url, requests: 1, ca: 'no certificate' }), { code: 'ERR_HOTPATH_BAD_DATA' });
  });

  it('HTTP/2 over TLS, many requests over few connections', async (t) => {
    const keys = certificate(t);
    let sessions = 0;
    const { url, server } = await secureHttp2Server(t, keys, (_request, response) => response.end('two'));
    server.on('session', () => {
      sessions += 1;
    });
    const result = await run({ url, requests: 400, concurrency: 20, connections: 2, ca: keys.cert, http2: true });
    assert.deepEqual([result.successfulRequests, result.errors, result.connections, sessions], [400, {}, 2, 2]);
  });

  it('HTTP/2 with prior knowledge', async (t) => {
    const seen = [];
    const { url } = await http2Server(t, (request, response) => {
      seen.push([request.method, request.authority, request.url]);
      request.resume().on('end', () => response.end('two'));
    });
    const result = await run({ url: `${url}/x?y=1`, requests: 50, http2: true, body: 'posted' });
    assert.deepEqual([result.successfulRequests, result.errors], [50, {}]);
    assert.deepEqual(seen[0], ['POST', new URL(url).host, '/x?y=1']);
  });

  it('a server without HTTP/2 is a protocol error', async (t) => {
    const keys = certificate(t);
    const { url } = await httpsServer(t, keys, (_request, response) => response.end());
    const { errors: kinds } = await run({ url, requests: 2, concurrency: 1, ca: keys.cert, http2: true });
    assert.deepEqual(Object.values(kinds), [2]);
  });
});

describe('failures', () => {
  it('nobody listens', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const result = await run({ url, requests: 6, concurrency: 3 });
    assert.deepEqual([result.totalRequests, result.errors, result.successRate], [6, { refused: 6 }, 0]);
    assert.deepEqual([result.averageResponseTime, result.minResponseTime, result.histogram.count], [0, 0, 0]);
  });

  it('the server dies under load', async (t) => {
    const { url, child } = await nginx(t);
    const tester = new LoadTester({ progressIntervalMs: 5 });
    // By condition, not by time: on a busy machine the first report comes before the first answer.
    tester.on('progress', ({ successfulRequests }) => successfulRequests > 0 && child.kill('SIGKILL'));
    const result = await tester.runLoadTest({ url, durationMs: 600, concurrency: 4 });
    assert.ok(result.successfulRequests > 0);
    assert.ok(result.failedRequests > 0);
    const { reset = 0, refused = 0 } = result.errors;
    assert.equal(reset + refused, result.failedRequests);
    assert.equal(result.aborted, false);
  });

  it('an answer that never comes, one that is cut short, and one that is not HTTP', async (t) => {
    const silent = await remembering(t, () => {});
    const late = await run({ url: silent.url, requests: 4, concurrency: 2, timeoutMs: 50 });
    assert.deepEqual([late.errors, late.connections], [{ timeout: 4 }, 4]);
    assert.ok(late.minResponseTime >= 50);

    const cut = await remembering(t, (_request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('not all');
      setImmediate(() => response.destroy());
    });
    assert.deepEqual((await run({ url: cut.url, requests: 4, concurrency: 2 })).errors, { reset: 4 });

    const other = await listening(
      t,
      net.createServer((socket) => socket.on('error', () => {}).once('data', () => socket.end('SSH-2.0-x\r\n\r\n'))),
    );
    assert.deepEqual((await run({ url: other.url, requests: 4, concurrency: 2 })).errors, { protocol: 4 });
  });

  it('only loopback is put under load', async () => {
    for (const host of ['192.0.2.1', '[2001:db8::1]', '0.0.0.0', '[::ffff:192.0.2.1]', '2130706434']) {
      const refused = { code: 'ERR_HOTPATH_REMOTE_HOST' };
      if (host === '2130706434') continue; // 127.0.0.2 in disguise: loopback after all
      await assert.rejects(run({ url: `http://${host}/`, requests: 1 }), refused, host);
    }
    await assert.rejects(run({ url: 'http://no-such-host.invalid/' }), { code: 'ERR_HOTPATH_UNKNOWN_HOST' });
    const remote = { url: 'https://192.0.2.1/', allowRemote: true, insecure: true };
    await assert.rejects(run(remote), errors.outOfRange('options.insecure'));
  });
});

describe('watching and stopping', () => {
  it('an AbortSignal gives the results so far', async (t) => {
    const { url } = await remembering(t);
    const tester = new LoadTester({ progressIntervalMs: 5 });
    const stop = new AbortController();
    tester.on('progress', ({ totalRequests }) => totalRequests > 10 && stop.abort());
    const result = await tester.runLoadTest({ url, requests: 1e9, signal: stop.signal });
    assert.equal(result.aborted, true);
    assert.ok(result.successfulRequests > 10);
    assert.ok(result.unfinished <= 10);
    assert.equal(tester.running, 0);
    await assert.rejects(tester.runLoadTest({ url, signal: stop.signal }), { name: 'AbortError' });
  });

  it('an aborted open loop knows what was due', async (t) => {
    const { url } = await remembering(t, () => {});
    const stop = new AbortController();
    const tester = new LoadTester({ progressIntervalMs: 5 });
    tester.on('progress', ({ totalTime }) => totalTime > 100 && stop.abort());
    const result = await tester.runLoadTest({
      url,
      rate: 1000,
      durationMs: 60_000,
      concurrency: 3,
      signal: stop.signal,
    });
    assert.equal(result.totalRequests, 0);
    assert.ok(result.unfinished >= 100 && result.unfinished < 60_000, `${result.unfinished}`);
  });

  it('progress and done are told, and a listener that throws is in nobody’s way', async (t) => {
    const { url } = await remembering(t);
    const tester = new LoadTester({ progressIntervalMs: 5 });
    const told = [];
    const thrown = deferred();
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', thrown.resolve);
    t.after(() => others.forEach((listener) => process.on('uncaughtException', listener)));
    tester.once('progress', () => {
      throw new Error('from a listener');
    });
    tester.on('progress', (figures) => told.push(figures));
    const done = deferred();
    tester.on('done', done.resolve);
    const result = await tester.runLoadTest({ url, durationMs: 200 });
    assert.equal((await thrown.promise).message, 'from a listener');
    assert.equal(await done.promise, result);
    assert.ok(told.length > 0);
    for (const { progress } of told) assert.ok(progress >= 0 && progress <= 1);
    const counts = told.map(({ totalRequests }) => totalRequests);
    assert.deepEqual(
      counts,
      [...counts].sort((a, b) => a - b),
    );
  });

  it('a progress bar is drawn and wiped', async (t) => {
    const { url } = await remembering(t);
    const screen = new PassThrough();
    screen.columns = 100;
    await new LoadTester({ progressIntervalMs: 5, progressBar: screen }).runLoadTest({ url, durationMs: 100 });
    const drawn = screen.read().toString();
    assert.match(drawn, /\[#*\.*\] +\d+ % {2}[\d,]+ requests, [\d,]+\/s, p99/);
    assert.ok(drawn.endsWith('\r\x1b[2K'));
    for (const line of drawn.split('\r\x1b[2K')) assert.ok(line.length < screen.columns);
  });

  it('a process ends by itself once its test is over', async (t) => {
    const { url } = await remembering(t);
    const child = async ({ load, say }, address) => {
      const { totalRequests } = await new (load().LoadTester)().runLoadTest({ url: address, requests: 5 });
      say(totalRequests);
    };
    const { code, said } = await runInChild(child, { data: url });
    assert.deepEqual([code, said], [0, [5]]);
  });
});
