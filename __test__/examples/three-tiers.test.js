'use strict';

const { it } = require('node:test');
const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { settled, waitFor } = require('../support/wait');
const { temporaryDirectory } = require('../support/disks');
const { startRedis } = require('../support/redis');

const SERVER = path.join(__dirname, '../../examples/three-tiers/server.js');

/** Starts the app as its user would. */
async function start(t, env) {
  const app = spawn(process.execPath, [SERVER], { env: { ...process.env, PORT: '0', ...env } });
  t.after(() => app.kill('SIGKILL'));
  const exited = once(app, 'exit');
  let output = '';
  for (const stream of [app.stdout, app.stderr]) stream.on('data', (text) => (output += text));
  const [url] = await waitFor(() => output.match(/http:\/\/127\.0\.0\.1:\d+/), { what: 'the app to listen' });
  return {
    pid: app.pid,
    ask: async (route) => (await fetch(`${url}${route}`)).json(),
    printed: (pattern) => waitFor(() => pattern.test(output), { what: `the app to print ${pattern}: ${output}` }),
    async stop() {
      app.kill('SIGTERM');
      const [code] = await settled(exited, { what: 'the app to exit' });
      assert.equal(code, 0, output);
    },
  };
}

it('three tiers: computed once, found after a restart, on another machine, and without Redis', async (t) => {
  const redis = await startRedis(t);
  const [here, there] = [temporaryDirectory(t), temporaryDirectory(t)];
  const first = await start(t, { REDIS_URL: redis.url, CACHE_DIRECTORY: here });
  const answers = await Promise.all(Array.from({ length: 20 }, () => first.ask('/chains/30000')));
  assert.equal(answers[0].number, 26_623);
  assert.equal(answers[0].steps, 307);
  for (const answer of answers) assert.deepEqual(answer, answers[0]);
  const metrics = await first.ask('/metrics');
  assert.equal(metrics.loads, 1);
  assert.deepEqual(
    metrics.levels.map(({ tier }) => tier),
    ['memory', 'disk', 'redis'],
  );
  assert.match((await first.ask('/chains/many')).error, /Ask for/);
  // Redis tells of what scripts write, and the lease's is one: the read after it brings the value back into all tiers.
  await waitFor(async () => {
    await first.ask('/chains/30000');
    return (await first.ask('/metrics')).l1Hits > 0;
  });
  await first.stop();

  const again = await start(t, { REDIS_URL: redis.url, CACHE_DIRECTORY: here });
  assert.deepEqual(await again.ask('/chains/30000'), answers[0]);
  assert.equal((await again.ask('/metrics')).l2Hits, 1);

  const elsewhere = await start(t, { REDIS_URL: redis.url, CACHE_DIRECTORY: there });
  assert.deepEqual(await elsewhere.ask('/chains/30000'), answers[0]);
  assert.equal((await elsewhere.ask('/metrics')).l3Hits, 1);

  await redis.kill();
  assert.deepEqual(await elsewhere.ask('/chains/30000'), answers[0]);
  assert.equal((await elsewhere.ask('/chains/20000')).computedBy, elsewhere.pid);
  await elsewhere.printed(/redis failed in/);
  await elsewhere.stop();
  await again.stop();
});
