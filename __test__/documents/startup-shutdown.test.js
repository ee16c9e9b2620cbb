'use strict';

// Document 003's startup and shutdown sequences in a process of their own, which has to end by itself afterwards.

const assert = require('node:assert/strict');
const { it } = require('node:test');
const { fixture, temporaryDirectory } = require('../support/pools');
const { runInChild } = require('../support');

/** The sequences, with the imports changed and `app.close()` read as the server's. Serialised: runs in a child. */
async function startAndStop({ load, require, say }, { workerFile }) {
  const { WorkerPool, advancedCache, performanceMonitor } = load();
  const express = require('express');
  const logger = { info: say, warn: say, error: say };

  await advancedCache.init();
  performanceMonitor.startMonitoring();
  const videoWorkerPool = new WorkerPool(workerFile, { maxWorkers: 8, minWorkers: 2, reuseWorkers: true });
  advancedCache.on('cacheEviction', ({ key, level }) => {
    logger.info(`Cache eviction: ${key} from ${level}`);
  });
  performanceMonitor.on('alert', ({ type, value }) => {
    logger.warn(`Performance alert: ${type} = ${value}`);
  });
  videoWorkerPool.on('jobFailed', ({ jobId, error }) => {
    logger.error(`Job ${jobId} failed: ${error}`);
  });

  const app = express();
  app.get('/transcode/:name', async (request, response) => {
    const { name } = request.params;
    const known = await advancedCache.get(name);
    if (known) return response.json(known);
    const done = await videoWorkerPool.execute({ input: name, operation: 'transcode' });
    await advancedCache.set(name, done);
    return response.json(done);
  });
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${server.address().port}/transcode/video.mp4`;
  const [first, second] = [await (await fetch(url)).json(), await (await fetch(url)).json()];
  say({ output: first.output, same: JSON.stringify(first) === JSON.stringify(second) });
  say(videoWorkerPool.getStats().jobs.total);
  await videoWorkerPool
    .execute({ operation: 'fail' }, { retries: 0 })
    .catch((error) => say(`rejected: ${error.message}`));

  server.close();
  server.closeAllConnections();
  await videoWorkerPool.terminate();
  await advancedCache.shutdown();
  performanceMonitor.stopMonitoring();
  say('stopped');
}

it('start up, serve, shut down', async (t) => {
  const home = temporaryDirectory(t);
  const { code, said, stderr } = await runInChild(startAndStop, {
    data: { workerFile: fixture('ffmpeg-worker.js') },
    // Where the system's cache folder is: the instance that everybody shares must not be the user's own in a test.
    env: { XDG_CACHE_HOME: home, HOME: home },
  });
  assert.equal(code, 0, stderr);
  assert.deepEqual(said.slice(0, 2), [{ output: 'transcode:video.mp4', same: true }, 1]);
  assert.equal(said.at(-1), 'stopped');
  assert.ok(said.some((line) => /^rejected: /.test(line)));
  assert.ok(
    said.some((line) => /^Job \S+ failed: /.test(line)),
    JSON.stringify(said),
  );
});
