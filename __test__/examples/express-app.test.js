'use strict';

const { test } = require('node:test');
const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const http = require('node:http');
const path = require('node:path');
const { settled, waitFor } = require('../support/wait');

const folder = path.join(__dirname, '../../examples/express-app');
const places = require(path.join(folder, 'places.js'));
const { editDistance } = require(path.join(folder, 'edit-distance.js'));

/** Starts the app as its user would, and collects what it prints. */
function run(t, args, env) {
  const app = spawn(process.execPath, [path.join(folder, 'server.js'), ...args], { env: { ...process.env, ...env } });
  t.after(() => app.kill('SIGKILL'));
  const exited = once(app, 'exit');
  let output = '';
  for (const stream of [app.stdout, app.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  return {
    app,
    get output() {
      return output;
    },
    async exitCode() {
      const [code] = await settled(exited, { what: 'the app to exit' });
      return code;
    },
    printed(pattern) {
      const match = () => {
        assert.ok(app.exitCode === null && app.signalCode === null, `ended before it printed ${pattern}:\n${output}`);
        return output.match(pattern);
      };
      return waitFor(match, { what: `the app to print ${pattern}` });
    },
  };
}

const json = async (url, init) => {
  const response = await fetch(url, init);
  return { status: response.status, cache: response.headers.get('x-cache'), body: await response.json() };
};

test('--once prints a table of real figures and exits by itself, on another port if its own is taken', async (t) => {
  const squatter = http.createServer().listen(0, '127.0.0.1');
  t.after(() => squatter.close());
  await once(squatter, 'listening');
  const { port } = squatter.address();
  const example = run(t, ['--once'], { PORT: String(port), LOAD_SECONDS: '1.5' });

  assert.equal(await example.exitCode(), 0, example.output);
  assert.match(example.output, new RegExp(`Port ${port} is taken`));

  const row = (label) => {
    const line = example.output.split('\n').find((text) => text.trim().startsWith(label));
    assert.ok(line, `no row "${label}" in:\n${example.output}`);
    return line
      .trim()
      .slice(label.length)
      .match(/\d[\d,.]*/g)
      .map((number) => Number(number.replaceAll(',', '')));
  };
  for (const label of ['latency p50', 'latency p99', 'requests']) {
    const [cold, cached] = row(label);
    assert.ok(cold > 0 && cached > 0, `${label}: ${cold}, ${cached}`);
  }
  const [hitPercent] = row('hit ratio');
  assert.ok(hitPercent > 0 && hitPercent < 100, `hit ratio ${hitPercent} %`);
  assert.ok(row('requests per second')[0] > 0);
  assert.deepEqual(row('failed requests'), [0]);
  const [answers] = row('answers held by the engine');
  assert.ok(answers > 0 && answers <= row('questions worked out')[0]);
  assert.ok(row('bytes held by the engine')[0] > 0);
  assert.ok(row('JavaScript heap after the load')[0] > 0);
});

test('keeps serving: cached answers equal fresh ones, bad queries are told why, SIGTERM ends it cleanly', async (t) => {
  const example = run(t, [], { PORT: '0', LOAD_SECONDS: '0.1', ADMIN_TOKEN: 'let me in' });
  const [, url] = await example.printed(/Still serving (http:\S+) /);

  const question = `${url}/search?name=constantinopel&limit=3`;
  const first = await json(question);
  const second = await json(question);
  assert.deepEqual([first.status, second.status, second.cache], [200, 200, 'hit']);
  assert.deepEqual(second.body, first.body);
  assert.deepEqual(first.body, await places.search({ name: 'constantinopel', limit: 3 }));

  const near = await json(`${url}/nearby?lat=47.5&lon=19.04&radiusKm=100`);
  assert.equal(near.body.nearest[0].name, 'Budapest');
  assert.equal(near.body.countries[0].country, 'HU');

  for (const [query, named] of [
    ['/search', 'name'],
    ['/search?name=', 'name'],
    ['/search?name=a&name=b', 'name'],
    [`/search?name=${'x'.repeat(65)}`, 'name'],
    ['/search?name=a&limit=0', 'limit'],
    ['/search?name=a&limit=1.5', 'limit'],
    ['/search?name=a&limit=many', 'limit'],
    ['/nearby?lon=1', 'lat'],
    ['/nearby?lat=91&lon=1', 'lat'],
    ['/nearby?lat=1&lon=Infinity', 'lon'],
    ['/nearby?lat=&lon=1', 'lat'],
    ['/nearby?lat=1&lon=1&radiusKm=-5', 'radiusKm'],
  ]) {
    const { status, body } = await json(url + query);
    assert.equal(status, 400, query);
    assert.equal(body.error.code, 'ERR_BAD_QUERY', query);
    assert.match(body.error.message, new RegExp(`^Expected .* for ${named} but received `), query);
  }
  assert.equal((await json(`${url}/nowhere`)).status, 404);

  const tag = `${url}/cache/tags/search`;
  assert.equal((await json(tag, { method: 'DELETE' })).status, 403);
  assert.equal((await json(tag, { method: 'DELETE', headers: { authorization: 'Bearer let me out' } })).status, 403);
  assert.equal((await json(question)).cache, 'hit');
  const invalidated = await json(tag, { method: 'DELETE', headers: { authorization: 'Bearer let me in' } });
  assert.ok(invalidated.body.removed > 0);
  assert.equal((await json(question)).cache, 'miss');

  const populations = await json(`${url}/populations?country=hu`);
  assert.deepEqual([populations.status, populations.body.country], [200, 'HU']);
  assert.equal((await json(`${url}/populations?country=zz`)).status, 404);
  const { body: intent } = await json(`${url}/intent?text=who%20lives%20near%20Paris`);
  assert.deepEqual(intent, { intent: 'nearby' });

  example.app.kill('SIGTERM');
  assert.equal(await example.exitCode(), 0, example.output);
});

test('shows itself: dashboard, figures that visitors move, jobs, and buttons for this machine alone', async (t) => {
  const example = run(t, [], { PORT: '0', LOAD_SECONDS: '0.5' });
  const [, dashboard] = await example.printed(/dashboard +(http:\S+)/);
  const page = await fetch(dashboard);
  assert.equal(page.status, 200);
  assert.match(page.headers.get('content-type'), /text\/html/);
  const base = dashboard.replace(/\/$/, '');
  const requests = async () => (await json(`${base}/monitoring/summary`)).body.data.application.requests;
  const before = await requests();
  await waitFor(async () => (await requests()) > before + 20, { what: 'visitors', timeoutMs: 60_000 });
  const { body: stats } = await json(`${base}/cache/stats`);
  assert.ok(stats.data.hits > 0 && stats.data.hitRate > 0);
  assert.match(await (await fetch(`${base}/metrics/prometheus`)).text(), /http_requests_total/);

  const origin = new URL(base).origin;
  const report = await json(`${origin}/reports/HU`, { method: 'POST' });
  assert.equal(report.status, 202);
  const job = async () => (await json(`${base}/async/job/${report.body.jobId}`)).body.data;
  const done = await waitFor(async () => ((await job())?.status === 'completed' ? job() : undefined), {
    what: 'the report',
  });
  assert.equal(done.result.largest.name, 'Budapest');

  // A page of somebody else that reaches this machine, by its own origin or by its own name.
  const post = (headers) =>
    new Promise((resolve, reject) => {
      const request = http.request(`${base}/cache/optimize`, { method: 'POST', headers }, (response) => {
        response.resume().once('end', () => resolve(response.statusCode));
      });
      request.once('error', reject).end();
    });
  assert.equal(await post({ origin: 'https://elsewhere.example' }), 403);
  assert.equal(await post({ host: 'elsewhere.example' }), 403);
  assert.equal(await post({ origin }), 200);

  example.app.kill('SIGINT');
  assert.equal(await example.exitCode(), 0, example.output);
  assert.doesNotMatch(example.output, /Error/);
});

test('Ctrl-C during the load ends it cleanly', async (t) => {
  const example = run(t, [], { PORT: '0', LOAD_SECONDS: '60' });
  const [, url] = await example.printed(/Serving (http:\S+)\. /);
  await json(`${url}/stats`);
  example.app.kill('SIGINT');
  assert.equal(await example.exitCode(), 0, example.output);
  assert.doesNotMatch(example.output, /latency|Error/);
});

test('bad settings end it with one clear line', async (t) => {
  const example = run(t, [], { PORT: 'http' });
  assert.equal(await example.exitCode(), 1);
  assert.equal(example.output.trim(), 'Expected a number from 0 to 65535 for PORT but received "http"');
});

test('edit distance agrees with its definition, and exceeds the bound whenever the distance does', () => {
  const distance = (a, b) => {
    if (a === '' || b === '') return a.length + b.length;
    const swapped =
      a.length > 1 && b.length > 1 && a[0] === b[1] && a[1] === b[0] ? distance(a.slice(2), b.slice(2)) + 1 : Infinity;
    return Math.min(
      swapped,
      distance(a.slice(1), b) + 1,
      distance(a, b.slice(1)) + 1,
      distance(a.slice(1), b.slice(1)) + (a[0] === b[0] ? 0 : 1),
    );
  };
  const words = ['', 'a', 'b', 'ab', 'ba', 'abc', 'acb', 'cab', 'bca', 'abcd', 'badc', 'aabb', 'bbaa'];
  for (const a of words) {
    for (const b of words) {
      const expected = distance(a, b);
      assert.equal(editDistance(a, b, Infinity), expected, `${a} to ${b}`);
      for (const bound of [0, 1, 2, 3]) {
        const bounded = editDistance(a, b, bound);
        if (expected <= bound) assert.equal(bounded, expected, `${a} to ${b} within ${bound}`);
        else assert.ok(bounded > bound, `${a} to ${b} beyond ${bound}`);
      }
    }
  }
});
