'use strict';

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const path = require('node:path');
const { it } = require('node:test');
const { waitFor } = require('../support');
const { ask } = require('../support/router');

const folder = path.join(__dirname, '..', '..', 'examples', 'performance-router');

for (const name of ['express', 'fastify', 'plain']) {
  it(`the router runs under ${name}, and ends on a signal`, async (t) => {
    const env = { ...process.env, PORT: '0', ADMIN_TOKEN: 'secret' };
    const child = spawn(process.execPath, [path.join(folder, `${name}.js`)], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => child.kill('SIGKILL'));
    let said = '';
    child.stdout.on('data', (text) => {
      said += text;
    });
    const [, base] = await waitFor(() => /^(http:\S+)\/\n/.exec(said), { what: 'an address', timeoutMs: 60_000 });
    assert.deepEqual((await ask(new URL('/api/hello', base))).body, { hello: 'world' });
    assert.equal((await ask(`${base}/summary`)).body.data.status.length > 0, true);
    assert.equal((await ask(`${base}/cache`, { method: 'DELETE' })).status, 403);
    const headers = { authorization: 'Bearer secret' };
    assert.equal((await ask(`${base}/cache`, { method: 'DELETE', headers })).status, 200);
    const body = { requests: 50, concurrency: 5, endpoint: '/api/hello' };
    const load = await ask(`${base}/test/load`, { method: 'POST', body, headers });
    assert.equal(load.body.data.successfulRequests, 50, load.text);
    const controller = new AbortController();
    t.after(() => controller.abort());
    await fetch(`${base}/stream`, { signal: controller.signal });
    child.kill('SIGTERM');
    const code = await new Promise((resolve) => child.once('exit', resolve));
    assert.equal(code, 0);
  });
}
