'use strict';

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { it } = require('node:test');

it('the sessions example counts visits, forgets who leaves, and ends when it is told to', async (t) => {
  const file = path.join(__dirname, '..', '..', 'examples', 'sessions', 'server.js');
  const env = { ...process.env };
  delete env.REDIS_URL;
  const child = spawn(process.execPath, [file, '0'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
  const get = async (page, cookie) => {
    const response = await fetch(`${line.trim()}${page}`, { headers: cookie ? { cookie } : {} });
    return { ...(await response.json()), cookie: response.headers.getSetCookie()[0]?.split(';')[0] ?? cookie };
  };
  const first = await get('/visit');
  assert.equal(first.visits, 1);
  const second = await get('/visit', first.cookie);
  assert.equal(second.visits, 2);
  assert.equal(second.page, 'Front');
  assert.equal((await get('/visit')).visits, 1);
  await get('/leave', second.cookie);
  assert.equal((await get('/visit', second.cookie)).visits, 1);
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});
