'use strict';

// What a store survives: closing, kill -9, busy event loops, several processes.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { it } = require('node:test');
const { AsyncProcessingEngine } = require('../..');
const { jobIn, openJobs } = require('../support/job-queues');
const { outcomeOf, temporaryDirectory } = require('../support/pools');
const { settled, startChild, waitFor } = require('../support');

const KILLS = Number(process.env.HOTPATH_KILLS ?? 12);
const BLOCKED_MS = Number(process.env.HOTPATH_BLOCKED_MS ?? 7_000);

/** Lines of a file that may not be there yet. */
function linesOf(file) {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
}

it(`${KILLS} times kill -9: every acknowledged job is done at least once, none vanishes`, async (t) => {
  const folder = temporaryDirectory(t);
  const files = {
    store: path.join(folder, 'store'),
    acked: path.join(folder, 'acked'),
    done: path.join(folder, 'done'),
  };
  const body = async ({ load, require }, { run, store, acked, done }) => {
    const fs = require('node:fs');
    const engine = new (load().AsyncProcessingEngine)({ store, maxConcurrentJobs: 4, maxFinishedJobs: 100_000 });
    engine.registerProcessor('mark', async (id, context) => {
      context.progress(id);
      await null;
      fs.appendFileSync(done, `${id}\n`);
    });
    for (let round = 0; ; round++) {
      const submit = async (number) => {
        const id = `${run}-${round}-${number}`;
        await engine.submitJob('mark', id, { id });
        fs.appendFileSync(acked, `${id}\n`);
      };
      await Promise.all([0, 1, 2, 3, 4, 5].map(submit));
    }
  };
  for (let run = 0; run < KILLS; run++) {
    const before = linesOf(files.acked).length;
    const { child, ended } = startChild(body, { run, ...files });
    // At a different point each time, and never before something was acknowledged.
    const wanted = before + 1 + ((run * 7) % 40);
    await waitFor(() => linesOf(files.acked).length >= wanted || child.exitCode !== null);
    child.kill('SIGKILL');
    const { signal, stderr } = await ended;
    assert.equal(signal, 'SIGKILL', stderr);
  }
  const engine = openJobs(t, { store: files.store, maxFinishedJobs: 100_000 });
  engine.validate();
  engine.registerProcessor('mark', (id) => fs.appendFileSync(files.done, `${id}\n`));
  const acked = linesOf(files.acked);
  const { queue } = await engine.getStats();
  t.diagnostic(`${acked.length} acknowledged, ${queue.pending + queue.active} not done when the last one was killed`);
  await waitFor(async () => {
    const { pending, active } = (await engine.getStats()).queue;
    return pending + active === 0;
  });
  const done = new Set(linesOf(files.done));
  assert.deepEqual(
    acked.filter((id) => !done.has(id)),
    [],
  );
  for (const id of acked) assert.equal((await engine.getJob(id)).status, 'completed', id);
  assert.ok(acked.length >= KILLS);
});

it('a process whose event loop is blocked never looks dead', async (t) => {
  const store = path.join(temporaryDirectory(t), 'store');
  const flag = path.join(path.dirname(store), 'flag');
  const calls = path.join(path.dirname(store), 'calls');
  const body = async ({ load, require, say }, { store, flag, calls }) => {
    const fs = require('node:fs');
    const engine = new (load().AsyncProcessingEngine)({ store });
    engine.registerProcessor('block', () => {
      fs.appendFileSync(calls, '.');
      say('blocked');
      while (!fs.existsSync(flag));
    });
    await engine.submitJob('block', null, { id: 'block' });
    await engine.drain();
    say('done');
  };
  const { child, ended, hears } = startChild(body, { store, flag, calls });
  t.after(() => child.kill('SIGKILL'));
  await hears('blocked');
  const engine = openJobs(t, { store });
  engine.registerProcessor('block', () => fs.appendFileSync(calls, '.'));
  // Another process looks for the dead whenever it says that it is alive itself: every five seconds.
  const begun = Date.now();
  const isOver = async () => (await engine.getJob('block')).status !== 'active' || Date.now() - begun > BLOCKED_MS;
  await waitFor(isOver, { timeoutMs: 2 * BLOCKED_MS });
  fs.writeFileSync(flag, '');
  await settled(ended);
  await jobIn(engine, 'block', 'completed');
  assert.equal(fs.readFileSync(calls, 'utf8'), '.');
});

it('processes share a store', async (t) => {
  const store = path.join(temporaryDirectory(t), 'store');
  const body = async ({ load, say }, { store }) => {
    const engine = new (load().AsyncProcessingEngine)({ store });
    engine.registerProcessor('there', (value, context) => {
      if (value !== 'wait') return `there: ${value}`;
      say('waits');
      return new Promise((_resolve, reject) => {
        context.signal.addEventListener('abort', () => {
          say(context.signal.reason.code);
          reject(context.signal.reason);
        });
      });
    });
    say('ready');
    setInterval(() => {}, 1_000);
  };
  const { child, hears } = startChild(body, { store });
  t.after(() => child.kill('SIGKILL'));
  await hears('ready');
  const engine = openJobs(t, { store });
  const { jobId } = await engine.submitJob('there', 'value');
  assert.equal((await jobIn(engine, jobId, 'completed')).result, 'there: value');
  // Cancelled here, aborted there.
  const waiting = await engine.submitJob('there', 'wait');
  await hears('waits');
  assert.equal(await engine.cancelJob(waiting.jobId), true);
  await hears('ABORT_ERR');
  // What it works on when it dies goes back, and somebody else does it.
  const lost = await engine.submitJob('there', 'wait', { id: 'lost' });
  await jobIn(engine, lost.jobId, 'active');
  const died = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await died;
  engine.registerProcessor('there', () => 'here');
  assert.equal((await jobIn(engine, 'lost', 'completed')).result, 'here');
  assert.equal((await engine.getStats()).jobs.interrupted, 1);
});

it('everything is there when a store is opened again', async (t) => {
  const store = temporaryDirectory(t);
  const first = new AsyncProcessingEngine({ store, retryAttempts: 0 });
  first.registerProcessor('ok', (value, context) => {
    context.progress('half');
    return { value, at: new Date(5) };
  });
  first.registerProcessor('bad', () => {
    throw new RangeError('bad');
  });
  await first.submitJob('ok', 1, { id: 'ok' });
  await first.submitJob('bad', { deep: [2] }, { id: 'bad' });
  await first.submitJob('later', 3, { id: 'later', priority: 7, group: 'g', timeout: Number.POSITIVE_INFINITY });
  await first.submitJob('later', 4, { id: 'delayed', delayMs: 3_600_000 });
  await first.submitJob('later', 5, { id: 'cancelled' });
  await first.cancelJob('cancelled');
  await jobIn(first, 'ok', 'completed');
  await jobIn(first, 'bad', 'failed');
  await settled(first.close());
  const second = openJobs(t, { store });
  second.validate();
  const ok = await second.getJob('ok');
  assert.deepEqual([ok.status, ok.result, ok.progress], ['completed', { value: 1, at: new Date(5) }, 'half']);
  const bad = await second.getJob('bad');
  assert.ok(bad.error instanceof RangeError);
  assert.deepEqual([bad.status, bad.data], ['failed', { deep: [2] }]);
  const later = await second.getJob('later');
  assert.deepEqual(
    [later.status, later.data, later.priority, later.group, later.timeout],
    ['queued', 3, 7, 'g', Number.POSITIVE_INFINITY],
  );
  assert.equal((await second.getJob('delayed')).status, 'delayed');
  assert.equal((await second.getJob('cancelled')).status, 'cancelled');
  assert.deepEqual((await second.submitJob('ok', 9, { id: 'ok' })).jobId, 'ok');
});

it('close leaves what waits in the store, and destroy gives back what is being worked on', async (t) => {
  const store = temporaryDirectory(t);
  const first = new AsyncProcessingEngine({ store, maxConcurrentJobs: 1 });
  const reasons = [];
  first.registerProcessor('hang', (_data, { signal }) => {
    signal.addEventListener('abort', () => reasons.push(signal.reason.code));
    return new Promise(() => {});
  });
  for (const id of ['a', 'b']) await first.submitJob('hang', id, { id });
  await jobIn(first, 'a', 'active');
  await settled(first.destroy());
  assert.deepEqual(reasons, ['ERR_HOTPATH_CLOSED']);
  const second = openJobs(t, { store });
  const jobs = await Promise.all(['a', 'b'].map((id) => second.getJob(id)));
  assert.deepEqual(
    jobs.map(({ status, attempts }) => [status, attempts]),
    [
      ['queued', 0],
      ['queued', 0],
    ],
  );
});

it('a full store refuses jobs, says so, and goes on when there is room', async (t) => {
  const store = temporaryDirectory(t);
  const engine = openJobs(t, { store, maxStoreBytes: 1, maxFinishedJobs: 0 });
  engine.registerProcessor('drop', () => {});
  await engine.pause();
  const payload = Buffer.alloc(8 << 20);
  let refused;
  let accepted = 0;
  while (refused === undefined && accepted < 100) {
    const { error } = await outcomeOf(engine.submitJob('drop', payload));
    refused = error;
    if (error === undefined) accepted += 1;
  }
  assert.equal(refused?.code, 'ERR_HOTPATH_STORAGE_FULL');
  await engine.resume();
  await waitFor(async () => (await engine.getStats()).jobs.completed === accepted);
  await engine.submitJob('drop', payload);
  await waitFor(async () => (await engine.getStats()).jobs.completed === accepted + 1);
});

it('a directory of somebody else, or that is damaged, is refused and left alone', (t) => {
  const store = temporaryDirectory(t);
  const file = path.join(store, 'data.mdb');
  fs.writeFileSync(file, Buffer.alloc(64 << 10, 7));
  assert.throws(() => new AsyncProcessingEngine({ store }), { code: /^ERR_HOTPATH_STORAGE/ });
  assert.ok(fs.readFileSync(file).every((byte) => byte === 7));
});
