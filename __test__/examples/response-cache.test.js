'use strict';

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const path = require('node:path');
const { it } = require('node:test');
const { ask } = require('../support/http');

/** Starts an example, and gives the URL that it prints. */
async function start(t, file) {
  const example = path.join(__dirname, '..', '..', 'examples', 'response-cache', file);
  const child = spawn(process.execPath, [example], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill());
  const line = await new Promise((resolve, reject) => {
    child.stdout.once('data', (data) => resolve(String(data).trim()));
    child.once('exit', (code) => reject(new Error(`${file} exited with ${code}`)));
  });
  return line;
}

for (const file of ['express.js', 'fastify.js', 'plain.js']) {
  it(`${file} answers from its cache`, async (t) => {
    const url = await start(t, file);
    const first = await ask(url);
    const second = await ask(url);
    assert.equal(first.status, 200);
    assert.deepEqual(second.body, first.body);
    assert.equal(first.headers['cache-status'], 'hotpath; fwd=miss; stored');
    assert.equal(second.headers['cache-status'], 'hotpath; hit');
    if (file !== 'express.js') return;
    const headers = { 'content-type': 'application/json' };
    await ask(new URL('/products/1', url), { method: 'PUT', headers, body: '{"price":55}' });
    assert.match(String((await ask(url)).body), /"price":55/);
  });
}
