'use strict';

const assert = require('node:assert/strict');
const path = require('node:path');
const { describe, it } = require('node:test');
const { pathToFileURL } = require('node:url');
const { WorkerPool } = require('../..');
const { fixture, openPool, outcomeOf, temporaryDirectory } = require('../support/pools');
const { runInChild, waitFor } = require('../support');

describe('WorkerPool', () => {
  it('runs the usage example of document 003', async (t) => {
    const pool = new WorkerPool(path.relative(process.cwd(), fixture('ffmpeg-worker.js')), {
      maxWorkers: 8,
      minWorkers: 2,
      reuseWorkers: true,
      timeout: 5 * 60 * 1000,
    });
    t.after(() => pool.terminate());
    const answer = await pool.execute(
      { input: 'video.mp4', operation: 'transcode' },
      { priority: WorkerPool.PRIORITY.HIGH, retries: 3, timeout: 300_000 },
    );
    assert.deepEqual(answer, { success: true, output: 'transcode:video.mp4', bytes: undefined, workerData: undefined });
    await waitFor(() => pool.getStats().workers.idle === 2);
    assert.deepEqual(pool.getStats(), {
      workers: { max: 8, min: 2, idle: 2, busy: 0, total: 2 },
      queue: { pending: 0, byPriority: { high: 0, normal: 0, low: 0 } },
      jobs: { total: 1, completed: 1, failed: 0, retried: 0, successRate: '100.00%' },
      performance: {
        avgExecutionTime: pool.getStats().performance.avgExecutionTime,
        workerReuses: 0,
        reuseRate: '0.00%',
      },
    });
    assert.ok(pool.getStats().performance.avgExecutionTime > 0);
  });

  it('names three priorities', () => {
    assert.deepEqual(WorkerPool.PRIORITY, { HIGH: 10, NORMAL: 0, LOW: -10 });
    assert.ok(Object.isFrozen(WorkerPool.PRIORITY));
  });

  it('gives back every value that structured clone takes', async (t) => {
    const pool = openPool(t, {}, 'identity.js');
    const examples = [
      1,
      -0,
      'text',
      'ünï ☃ \ud800',
      'x'.repeat(100_000),
      true,
      null,
      undefined,
      10n ** 30n,
      { a: [1, { b: new Date(5) }], m: new Map([[1, new Set([2])]]) },
      Buffer.from('bytes'),
      new Uint8Array(200_000).fill(7),
      new Float64Array([1.5, Number.NaN]),
      /x/gi,
      new RangeError('an error as a value'),
    ];
    for (const value of examples) assert.deepEqual(await pool.execute(value), value);
    const cyclic = { name: 'cycle' };
    cyclic.self = cyclic;
    const back = await pool.execute(cyclic);
    assert.equal(back.self, back);
    assert.equal(await pool.execute(), undefined);
  });

  it('shares memory that can be shared', async (t) => {
    const pool = openPool(t, { maxWorkers: 1 });
    const shared = new SharedArrayBuffer(8);
    assert.equal(await pool.execute({ do: 'bytes', buffer: shared }), 8);
  });

  it('takes functions from CommonJS, ESM and URLs', async (t) => {
    const pool = openPool(t, { maxWorkers: 1 }, 'context.mjs');
    const { jobId, attempt, aborted } = await pool.execute({});
    assert.deepEqual({ jobId, attempt, aborted }, { jobId: 1, attempt: 1, aborted: false });
    const byUrl = new WorkerPool(pathToFileURL(fixture('identity.js')), { maxWorkers: 1 });
    t.after(() => byUrl.terminate());
    assert.equal(await byUrl.execute(5), 5);
  });

  it('takes TypeScript where Node strips types', { skip: !process.features.typescript }, async (t) => {
    const pool = openPool(t, { maxWorkers: 1 }, 'typed.ts');
    assert.equal(await pool.execute(20), 21);
  });

  it('runs scripts that speak through parentPort, unchanged', async (t) => {
    const pool = openPool(t, { maxWorkers: 1 }, 'ffmpeg-worker.js');
    const jobs = Array.from({ length: 20 }, (_, n) => pool.execute({ input: n, operation: 'scale' }));
    assert.deepEqual(
      (await Promise.all(jobs)).map(({ output }) => output),
      Array.from({ length: 20 }, (_, n) => `scale:${n}`),
    );
    const { error } = await outcomeOf(pool.execute({ input: 'x', operation: 'fail' }, { retries: 0 }));
    assert.equal(error.code, 'ERR_HOTPATH_WORKER_EXITED');
    assert.equal(error.cause.message, 'cannot fail x');
    const closing = await outcomeOf(pool.execute({ operation: 'close' }, { retries: 0 }));
    assert.equal(closing.error.code, 'ERR_HOTPATH_WORKER_EXITED');
    const buffer = new ArrayBuffer(9);
    const { bytes } = await pool.execute({ input: 1, operation: 'scale', buffer }, { transferList: [buffer] });
    assert.deepEqual([bytes, buffer.byteLength], [9, 0]);
    const other = openPool(t, { maxWorkers: 1 }, 'event-target-worker.mjs');
    assert.equal(await other.execute(21), 42);
  });

  it('moves what is in the transfer list', async (t) => {
    const pool = openPool(t, { maxWorkers: 2 });
    const buffers = Array.from({ length: 20 }, (_, n) => new ArrayBuffer(1_000 + n));
    const lengths = await Promise.all(
      buffers.map((buffer) => pool.execute({ do: 'bytes', buffer }, { transferList: [buffer] })),
    );
    assert.deepEqual(
      lengths,
      buffers.map((_, n) => 1_000 + n),
    );
    assert.ok(buffers.every((buffer) => buffer.byteLength === 0));
    const bad = await outcomeOf(pool.execute({ f: () => {} }, { transferList: [new ArrayBuffer(1)] }));
    assert.equal(bad.error.name, 'DataCloneError');
    assert.equal(await pool.execute({ do: 'add', a: 1, b: 2 }), 3);
  });

  it('runs several asynchronous tasks in one worker', async (t) => {
    const pool = openPool(t, { maxWorkers: 1, concurrentTasksPerWorker: 4 });
    const directory = temporaryDirectory(t);
    assert.equal(await pool.execute({ do: 'add', a: 1, b: 1 }), 2);
    const running = [1, 2, 3].map(() => outcomeOf(pool.execute({ do: 'never' })));
    await waitFor(() => pool.stats.jobs.running === 3);
    assert.equal(await pool.execute({ do: 'log', file: path.join(directory, 'log'), value: 7 }), 7);
    assert.equal(pool.getStats().workers.total, 1);
    await pool.terminate();
    for (const { error } of await Promise.all(running)) assert.equal(error.code, 'ERR_HOTPATH_CLOSED');
  });

  it('lets timers of a worker run while it has nothing to do', async (t) => {
    for (const blocking of [true, false]) {
      const pool = openPool(t, { maxWorkers: 1, blocking });
      await pool.execute({ do: 'timer', ms: 1 });
      await waitFor(async () => (await pool.execute({ do: 'ticks' })) > 20);
    }
  });

  it('tells how far a task is, before its answer, and only to who ordered it', async (t) => {
    const pool = openPool(t, { maxWorkers: 2 });
    const told = { first: [], second: [] };
    const run = (name, steps) =>
      pool.execute({ do: 'steps', steps }, { onProgress: ({ step }) => told[name].push(step) });
    assert.deepEqual(await Promise.all([run('first', 3), run('second', 2)]), [3, 2]);
    assert.deepEqual(told, { first: [1, 2, 3], second: [1, 2] });
    assert.equal(await pool.execute({ do: 'steps', steps: 2 }), 2);
    const { error } = await outcomeOf(pool.execute(1, { onProgress: 1 }));
    assert.equal(error.code, 'ERR_INVALID_ARG_TYPE');
  });

  it('passes on what a function posts to its parentPort', async (t) => {
    const pool = openPool(t, { maxWorkers: 1 });
    const heard = [];
    pool.on('message', (value, workerId) => heard.push([value, workerId]));
    await pool.execute({ do: 'post', value: { percent: 50 } });
    await waitFor(() => heard.length === 1);
    assert.deepEqual(heard, [[{ percent: 50 }, 1]]);
  });
});

describe('WorkerPool events', () => {
  it('tell the life of a task and of a worker, in order', async (t) => {
    const pool = openPool(t, { maxWorkers: 1 });
    const log = [];
    const names = ['jobQueued', 'jobStarted', 'jobCompleted', 'jobFailed', 'jobRetry', 'workerCreated', 'workerExited'];
    for (const name of names) pool.on(name, (details) => log.push([name, details]));
    await pool.execute({ do: 'echo', value: 1 }, { priority: 3 });
    const failed = await outcomeOf(pool.execute({ do: 'fail', message: 'no' }, { retries: 1, backoff: 1 }));
    await pool.terminate();
    const of = (name) => log.filter(([event]) => event === name).map(([, details]) => details);
    assert.deepEqual(of('jobQueued'), [
      { jobId: 1, priority: 3, pending: 1 },
      { jobId: 2, priority: 0, pending: 1 },
    ]);
    assert.deepEqual(
      of('jobStarted').map(({ jobId, workerId, attempt }) => [jobId, workerId, attempt]),
      [
        [1, 1, 1],
        [2, 1, 1],
        [2, 1, 2],
      ],
    );
    const [{ durationMs, ...completed }] = of('jobCompleted');
    assert.deepEqual(completed, { jobId: 1, workerId: 1, attempt: 1 });
    assert.equal(typeof durationMs, 'number');
    const [{ error: retried, ...retry }] = of('jobRetry');
    assert.deepEqual(retry, { jobId: 2, attempt: 1, delayMs: 1 });
    assert.equal(retried.message, 'no');
    const [{ error, ...failure }] = of('jobFailed');
    assert.deepEqual(failure, { jobId: 2, attempts: 2 });
    assert.deepEqual(error, failed.error);
    assert.deepEqual(of('workerCreated'), [{ workerId: 1, total: 1 }]);
    const [{ exitCode, ...exited }] = of('workerExited');
    assert.equal(typeof exitCode, 'number');
    assert.deepEqual(exited, { workerId: 1, reason: 'terminated', tasks: 3, total: 0 });
  });

  it('a listener that throws harms nobody', async () => {
    const { said, code, stderr } = await runInChild(
      async ({ load, say }, file) => {
        const pool = new (load().WorkerPool)(file, { maxWorkers: 1 });
        process.on('uncaughtException', (error) => say(error.message));
        pool.once('jobCompleted', () => {
          throw new Error('listener');
        });
        say(await Promise.all([1, 2, 3].map((value) => pool.execute(value))));
      },
      { data: fixture('identity.js') },
    );
    assert.equal(code, 0, stderr);
    assert.deepEqual(said.sort(), [[1, 2, 3], 'listener'].sort());
  });
});

describe('WorkerPool priorities', () => {
  it('serve larger ones first, and equal ones in order', async (t) => {
    const pool = openPool(t, { maxWorkers: 1 });
    const directory = temporaryDirectory(t);
    const [gate, file] = [path.join(directory, 'gate'), path.join(directory, 'order')];
    const fs = require('node:fs');
    const gated = pool.execute({ do: 'until', file: gate });
    await waitFor(() => pool.stats.jobs.running === 1);
    const { HIGH, NORMAL, LOW } = WorkerPool.PRIORITY;
    const order = [LOW, NORMAL, HIGH, 5, LOW, HIGH, NORMAL, -1_000_000, Number.MAX_SAFE_INTEGER];
    const jobs = order.map((priority, n) => pool.execute({ do: 'log', file, value: `${priority}#${n}` }, { priority }));
    assert.deepEqual(pool.getStats().queue, { pending: 9, byPriority: { high: 4, normal: 2, low: 3 } });
    fs.writeFileSync(gate, '');
    await Promise.all([gated, ...jobs]);
    const sorted = order
      .map((priority, n) => ({ priority, n }))
      .sort((left, right) => right.priority - left.priority || left.n - right.n)
      .map(({ priority, n }) => `${priority}#${n}`);
    assert.deepEqual(fs.readFileSync(file, 'utf8').trim().split('\n'), sorted);
  });

  it('let nothing starve', async (t) => {
    const pool = openPool(t, { maxWorkers: 1 }, 'identity.js');
    const low = pool.execute('low', { priority: WorkerPool.PRIORITY.LOW });
    let served = false;
    low.then(() => (served = true));
    const flood = async () => {
      while (!served) await pool.execute('high', { priority: WorkerPool.PRIORITY.HIGH });
    };
    await Promise.all([low, ...Array.from({ length: 32 }, flood)]);
    assert.equal(await low, 'low');
  });
});
