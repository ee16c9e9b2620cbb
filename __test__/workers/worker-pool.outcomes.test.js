'use strict';

// Everything that can happen to a task, and that it happens to that task alone.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const { HotpathError, WorkerPool } = require('../..');
const { fixture, openPool, outcomeOf, temporaryDirectory, threadCount } = require('../support/pools');
const { settled, waitFor, errors } = require('../support');

const once = { retries: 0 };

/** Runs a task that goes wrong between two that do not. */
async function between(pool, task, options = once) {
  const before = pool.execute({ do: 'sleep', ms: 5, value: 'before' }, once);
  const wrong = outcomeOf(pool.execute(task, options));
  const after = pool.execute({ do: 'sleep', ms: 5, value: 'after' }, once);
  assert.deepEqual(await settled(Promise.all([before, after])), ['before', 'after']);
  return settled(wrong);
}

describe('a task that goes wrong', () => {
  it('throws an error of any kind', async (t) => {
    const pool = openPool(t);
    const { error } = await between(pool, { do: 'fail', message: 'wrong' });
    assert.ok(error instanceof RangeError);
    assert.deepEqual([error.message, error.detail], ['wrong', { n: 1 }]);
    assert.match(error.stack, /tasks\.js/);
    for (const value of ['text', 5, null, undefined, { plain: true }]) {
      assert.deepEqual(await between(pool, { do: 'throw', value }), { error: value });
    }
  });

  it('throws what cannot be cloned', async (t) => {
    const pool = openPool(t, {}, 'strange-errors.js');
    const { error } = await outcomeOf(pool.execute('function', once));
    assert.equal(error.message, 'The task failed');
    const held = await outcomeOf(pool.execute('held', once));
    assert.deepEqual([held.error.message, held.error.code], ['holds a function', 'E_HELD']);
  });

  it('returns what cannot be cloned', async (t) => {
    const pool = openPool(t);
    const { error } = await between(pool, { do: 'uncloneable' }, { retries: 3 });
    assert.ok(error instanceof TypeError);
    assert.equal(error.code, 'ERR_INVALID_ARG_TYPE');
    assert.equal(pool.getStats().jobs.retried, 0);
  });

  it('is given what cannot be cloned', async (t) => {
    const pool = openPool(t);
    const { error } = await between(pool, { do: 'echo', value: { deep: [() => {}] } });
    assert.equal(error.code, 'ERR_INVALID_ARG_TYPE');
    assert.match(error.message, /value\.value\.deep\[0\]/);
  });

  for (const [what, task, cause] of [
    ['calls process.exit', { do: 'exit', code: 7 }, undefined],
    ['throws outside its promise', { do: 'crash' }, 'uncaught'],
    ['leaves a rejection unhandled', { do: 'reject' }, 'unhandled'],
  ]) {
    it(what, async (t) => {
      const pool = openPool(t);
      const { error } = await between(pool, task);
      assert.ok(error instanceof HotpathError);
      assert.equal(error.code, 'ERR_HOTPATH_WORKER_EXITED');
      assert.equal(error.exitCode, task.code ?? 1);
      assert.equal(error.attempts, 1);
      assert.equal(error.cause?.message, cause);
      assert.equal(pool.stats.workers.died, 1);
    });
  }

  it('runs out of memory', async (t) => {
    const pool = openPool(t, { resourceLimits: { maxOldGenerationSizeMb: 16 } });
    const { error } = await between(pool, { do: 'exhaust' });
    assert.equal(error.code, 'ERR_HOTPATH_WORKER_EXITED');
    assert.equal(error.cause.code, 'ERR_WORKER_OUT_OF_MEMORY');
  });

  it('runs for ever', async (t) => {
    const pool = openPool(t);
    await pool.execute({ do: 'echo' });
    const { error } = await between(pool, { do: 'spin' }, { retries: 0, timeout: 30 });
    assert.equal(error.name, 'HotpathTimeoutError');
    assert.deepEqual([error.code, error.timeoutMs], ['ERR_HOTPATH_TIMEOUT', 30]);
    assert.equal(pool.stats.jobs.timeouts, 1);
    await waitFor(() => pool.stats.workers.exited === 1);
  });

  it('in a worker file that cannot be loaded', async (t) => {
    for (const [file, message] of [
      ['missing.js', /Cannot find module/],
      ['syntax-error.js', /this file is broken/],
      ['no-function.mjs', /exports no function/],
    ]) {
      const pool = openPool(t, {}, file);
      const results = await Promise.all([1, 2].map((value) => settled(outcomeOf(pool.execute(value)))));
      for (const { error } of results) {
        assert.equal(error.code, 'ERR_HOTPATH_WORKER_UNSTARTABLE');
        assert.match(error.cause.message, message);
      }
      const again = await settled(outcomeOf(pool.execute(3)));
      assert.equal(again.error.code, 'ERR_HOTPATH_WORKER_UNSTARTABLE');
      await settled(pool.terminate());
    }
  });

  it('beside others in the same worker', async (t) => {
    const pool = openPool(t, { maxWorkers: 1, concurrentTasksPerWorker: 3 });
    for (const [task, options, code] of [
      [{ do: 'crash' }, once, undefined],
      [{ do: 'exit', code: 5 }, once, 'ERR_HOTPATH_WORKER_EXITED'],
      [{ do: 'never' }, { retries: 0, timeout: 20 }, 'ERR_HOTPATH_TIMEOUT'],
      [{ do: 'spin' }, { retries: 0, timeout: 20 }, 'ERR_HOTPATH_TIMEOUT'],
    ]) {
      const neighbours = [40, 60].map((ms) => pool.execute({ do: 'sleep', ms, value: ms }, once));
      const wrong = outcomeOf(pool.execute(task, options));
      assert.deepEqual(await settled(Promise.all(neighbours)), [40, 60]);
      const { error } = await settled(wrong);
      assert.equal(error.code, code);
      if (code === undefined) assert.equal(error.message, 'uncaught');
    }
    assert.equal(pool.getStats().jobs.failed, 4);
  });
});

describe('retries', () => {
  it('repeat a task until it succeeds', async (t) => {
    const pool = openPool(t, { maxWorkers: 1 });
    const file = path.join(temporaryDirectory(t), 'calls');
    assert.equal(await pool.execute({ do: 'flaky', file, times: 3 }, { backoff: 1 }), 4);
    const { jobs } = pool.getStats();
    assert.deepEqual(jobs, { total: 1, completed: 1, failed: 0, retried: 3, successRate: '100.00%' });
  });

  it('are 3 unless told otherwise, after 1, 2 and 4 seconds', async (t) => {
    const pool = openPool(t, { maxWorkers: 1 });
    const delays = [];
    pool.on('jobRetry', ({ delayMs }) => {
      delays.push(delayMs);
    });
    const { error } = await outcomeOf(pool.execute({ do: 'fail', message: 'again' }));
    assert.equal(error.message, 'again');
    assert.deepEqual(delays, [1_000, 2_000, 4_000]);
  });

  it('follow a backoff of their own', async (t) => {
    const pool = openPool(t, { maxWorkers: 1 });
    const delays = [];
    pool.on('jobRetry', ({ delayMs }) => delays.push(delayMs));
    const backoff = { initialMs: 4, factor: 3, maxMs: 30, jitter: 0 };
    await outcomeOf(pool.execute({ do: 'fail' }, { retries: 4, backoff }));
    assert.deepEqual(delays, [4, 12, 30, 30]);
    delays.length = 0;
    await outcomeOf(pool.execute({ do: 'fail' }, { retries: 9, backoff: { initialMs: 20, factor: 1, jitter: 0.5 } }));
    assert.equal(delays.length, 9);
    assert.ok(delays.every((delay) => delay >= 10 && delay <= 20));
    assert.ok(new Set(delays).size > 1);
  });

  it('survive the death of workers', async (t) => {
    const pool = openPool(t, { maxWorkers: 1 });
    const { error } = await outcomeOf(pool.execute({ do: 'exit', code: 2 }, { retries: 2, backoff: 1 }));
    assert.deepEqual([error.exitCode, error.attempts], [2, 3]);
    assert.equal(pool.stats.workers.died, 3);
  });

  it('go on while the main thread is busy', async (t) => {
    const pool = openPool(t, { maxWorkers: 1 });
    const file = path.join(temporaryDirectory(t), 'calls');
    await pool.execute({ do: 'echo' });
    const task = pool.execute({ do: 'flaky', file, times: 2 }, { backoff: 5 });
    const giveUp = Date.now() + 20_000;
    // This thread gives its event loop no turn until the task has been called three times.
    const calls = () => (fs.existsSync(file) ? fs.statSync(file).size : 0);
    while (calls() < 3 && Date.now() < giveUp);
    assert.equal(calls(), 3);
    assert.equal(await task, 3);
  });
});

describe('abort', () => {
  const isAbort = (reason) => (error) => error === reason;

  it('before a task is queued', async (t) => {
    const pool = openPool(t);
    await assert.rejects(pool.execute({ do: 'echo' }, { signal: AbortSignal.abort('why') }), isAbort('why'));
    assert.equal(pool.getStats().jobs.total, 0);
  });

  it('while it waits', async (t) => {
    const pool = openPool(t, { maxWorkers: 1 });
    const gate = path.join(temporaryDirectory(t), 'gate');
    const running = pool.execute({ do: 'until', file: gate, value: 'done' });
    const controller = new AbortController();
    const waiting = pool.execute({ do: 'echo' }, { signal: controller.signal });
    const other = pool.execute({ do: 'echo', value: 'other' });
    controller.abort('enough');
    await assert.rejects(settled(waiting), isAbort('enough'));
    fs.writeFileSync(gate, '');
    assert.deepEqual(await Promise.all([running, other]), ['done', 'other']);
    assert.equal(pool.stats.jobs.cancelled, 1);
    assert.equal(pool.stats.workers.exited, 0);
  });

  it('while it runs, and its neighbours go on', async (t) => {
    const pool = openPool(t, { maxWorkers: 2, concurrentTasksPerWorker: 2 });
    for (const task of [{ do: 'never' }, { do: 'spin' }]) {
      const controller = new AbortController();
      const others = [50, 60, 70].map((ms) => pool.execute({ do: 'sleep', ms, value: ms }, once));
      const aborted = outcomeOf(pool.execute(task, { signal: controller.signal }));
      await waitFor(() => pool.stats.jobs.running >= 3);
      controller.abort();
      assert.equal((await settled(aborted)).error.name, 'AbortError');
      assert.deepEqual(await settled(Promise.all(others)), [50, 60, 70]);
    }
  });

  it('that a function heeds keeps its worker', async (t) => {
    const pool = openPool(t, { maxWorkers: 1 }, 'context.mjs');
    const { threadId } = await pool.execute({});
    const controller = new AbortController();
    const aborted = outcomeOf(pool.execute({ heed: true, wait: 60_000 }, { signal: controller.signal }));
    await waitFor(() => pool.stats.jobs.running === 1 && pool.stats.jobs.total === 2);
    // The function has to have got to its signal.
    await new Promise((resolve) => setTimeout(resolve, 50));
    controller.abort();
    assert.equal((await settled(aborted)).error.name, 'AbortError');
    assert.equal((await settled(pool.execute({}))).threadId, threadId);
  });

  it('ends many tasks with one signal, without a warning', async (t) => {
    const warnings = [];
    const warn = (warning) => warnings.push(warning.name);
    process.on('warning', warn);
    t.after(() => process.removeListener('warning', warn));
    const pool = openPool(t, { maxWorkers: 1 });
    const controller = new AbortController();
    const { signal } = controller;
    assert.equal(await pool.execute({ do: 'echo', value: 1 }, { signal }), 1);
    const tasks = Array.from({ length: 50 }, () => outcomeOf(pool.execute({ do: 'never' }, { signal })));
    await waitFor(() => pool.stats.jobs.running === 1);
    controller.abort();
    for (const { error } of await settled(Promise.all(tasks))) assert.equal(error.name, 'AbortError');
    assert.deepEqual(warnings, []);
  });

  it('after the task leaves nothing behind', async (t) => {
    const pool = openPool(t);
    const controller = new AbortController();
    assert.equal(await pool.execute({ do: 'echo', value: 1 }, { signal: controller.signal }), 1);
    controller.abort();
    assert.equal(await pool.execute({ do: 'echo', value: 2 }), 2);
  });
});

describe('counted', () => {
  it('1,000 tasks of which each tenth ends its worker: each has one outcome, and no thread is left', async (t) => {
    const before = threadCount();
    const pool = new WorkerPool(fixture('tasks.js'), { maxWorkers: 2, minWorkers: 2 });
    t.after(() => pool.terminate());
    const outcomes = new Map();
    const tasks = Array.from({ length: 1_000 }, (_, n) => {
      const task = n % 10 === 9 ? { do: n % 20 === 9 ? 'exit' : 'crash', code: 3 } : { do: 'echo', value: n };
      const count = (kind) => outcomes.set(n, [...(outcomes.get(n) ?? []), kind]);
      return pool.execute(task, once).then(
        (value) => count(value === n ? 'value' : 'wrong value'),
        (error) => count(error.code),
      );
    });
    await settled(Promise.all(tasks), { timeoutMs: 120_000 });
    assert.equal(outcomes.size, 1_000);
    for (const [n, kinds] of outcomes) {
      assert.deepEqual(kinds, [n % 10 === 9 ? 'ERR_HOTPATH_WORKER_EXITED' : 'value'], `task ${n}`);
    }
    const { jobs, workers } = pool.stats;
    assert.deepEqual([jobs.total, jobs.completed, jobs.failed, workers.died], [1_000, 900, 100, 100]);
    pool.validate();
    await pool.terminate();
    if (before !== undefined) {
      // The timers' thread, and those that Node keeps, may have come; workers are gone.
      await waitFor(() => threadCount() <= before + 4);
    }
  });

  it('a queue that is full refuses, and takes again when it is not', async (t) => {
    const pool = openPool(t, { maxWorkers: 1, maxQueue: 2 });
    const gate = path.join(temporaryDirectory(t), 'gate');
    const running = pool.execute({ do: 'until', file: gate });
    await waitFor(() => pool.stats.jobs.running === 1);
    const waiting = [1, 2].map((value) => pool.execute({ do: 'echo', value }));
    const { error } = await outcomeOf(pool.execute({ do: 'echo', value: 3 }));
    assert.equal(error.name, 'HotpathQueueFullError');
    assert.deepEqual([error.code, error.waiting], ['ERR_HOTPATH_QUEUE_FULL', 2]);
    fs.writeFileSync(gate, '');
    assert.deepEqual(await Promise.all(waiting), [1, 2]);
    await running;
    assert.equal(await pool.execute({ do: 'echo', value: 4 }), 4);
    assert.equal(pool.stats.jobs.refused, 1);
  });

  it('terminate rejects what is queued and what runs', async (t) => {
    const pool = openPool(t, { maxWorkers: 1 });
    const tasks = Array.from({ length: 50 }, () => outcomeOf(pool.execute({ do: 'spin' })));
    await waitFor(() => pool.stats.jobs.running === 1);
    await settled(Promise.all([pool.terminate(), pool.terminate()]));
    for (const { error } of await Promise.all(tasks)) {
      assert.equal(error.code, errors.closed.code);
      assert.equal(error.name, errors.closed.name);
    }
    assert.equal(pool.stats.jobs.cancelled, 50);
    assert.equal(pool.stats.workers.total, 0);
  });

  it('drain finishes what is queued and takes no more', async (t) => {
    const pool = openPool(t, { maxWorkers: 1 });
    const tasks = Array.from({ length: 50 }, (_, value) => pool.execute({ do: 'echo', value }));
    const drained = pool.drain();
    await assert.rejects(pool.execute({ do: 'echo' }), errors.closed);
    await settled(drained);
    assert.deepEqual(
      await Promise.all(tasks),
      Array.from({ length: 50 }, (_, value) => value),
    );
    assert.equal(pool.closed, true);
    await settled(Promise.all([pool.drain(), pool.close(), pool.terminate()]));
  });
});
