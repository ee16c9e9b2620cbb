'use strict';

// One named pool, used from several threads.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { HotpathConflictError, WorkerPool } = require('../..');
const { fixture, outcomeOf } = require('../support/pools');
const { runInWorker, settled, startWorker, uniqueName, waitFor } = require('../support');

const file = fixture('tasks.js');

function open(t, options) {
  const pool = new WorkerPool(file, options);
  t.after(() => pool.terminate());
  return pool;
}

describe('a named pool', () => {
  it('is one, whoever uses it', async (t) => {
    const name = uniqueName('pool');
    const pool = open(t, { name, maxWorkers: 2, minWorkers: 1 });
    await pool.execute({ do: 'echo' });
    const sums = await Promise.all(
      [1, 2, 3].map((thread) =>
        runInWorker(
          async ({ load }, { path, shared, n }) => {
            const own = new (load().WorkerPool)(path, { name: shared });
            const tasks = Array.from({ length: 200 }, (_, i) => own.execute({ do: 'add', a: n * 1_000, b: i }));
            const values = await Promise.all(tasks);
            await own.terminate();
            return values.reduce((sum, value) => sum + value, 0);
          },
          { path: file, shared: name, n: thread },
        ),
      ),
    );
    assert.deepEqual(
      sums,
      [1, 2, 3].map((n) => n * 200_000 + 19_900),
    );
    const { jobs, workers } = pool.stats;
    assert.equal(jobs.completed, 601);
    assert.ok(workers.created <= 2, 'all tasks were run by the workers of this thread');
    pool.validate();
    assert.equal(await pool.execute({ do: 'add', a: 1, b: 1 }), 2);
  });

  it('hears of the tasks of all threads', async (t) => {
    const name = uniqueName('pool');
    const pool = open(t, { name, maxWorkers: 1 });
    const failed = [];
    pool.on('jobFailed', ({ error }) => failed.push(error.message));
    await runInWorker(
      async ({ load }, { path, shared }) => {
        const own = new (load().WorkerPool)(path, { name: shared });
        await own.execute({ do: 'fail', message: 'over there' }, { retries: 0 }).catch(() => {});
      },
      { path: file, shared: name },
    );
    await waitFor(() => failed.length === 1);
    assert.deepEqual(failed, ['over there']);
  });

  it('copies what another thread transfers, and takes it away there', async (t) => {
    const name = uniqueName('pool');
    const pool = open(t, { name, maxWorkers: 1 });
    await pool.execute({ do: 'echo' });
    const [length, left, refused] = await runInWorker(
      async ({ load }, { path, shared }) => {
        const own = new (load().WorkerPool)(path, { name: shared });
        const buffer = new ArrayBuffer(10);
        const bytes = await own.execute({ do: 'bytes', buffer }, { transferList: [buffer] });
        const { port1 } = new MessageChannel();
        const error = await own.execute({ do: 'echo' }, { transferList: [port1] }).catch(({ code }) => code);
        return [bytes, buffer.byteLength, error];
      },
      { path: file, shared: name },
    );
    assert.deepEqual([length, left, refused], [10, 0, 'ERR_HOTPATH_NOT_TRANSFERABLE']);
  });

  it('goes on when the thread that hosts its workers ends', async (t) => {
    const name = uniqueName('pool');
    for (const end of ['terminate', 'process.exit']) {
      const host = startWorker(
        async ({ load, say, hearOnce }, { path, shared, how }) => {
          const own = new (load().WorkerPool)(path, { name: shared, maxWorkers: 2, minWorkers: 1 });
          await own.execute({ do: 'echo' });
          say('hosting');
          await hearOnce();
          if (how === 'process.exit') process.exit();
        },
        { path: file, shared: name, how: end },
      );
      await host.said('hosting');
      const pool = open(t, { name });
      const long = pool.execute({ do: 'sleep', ms: 100, value: 'survived' }, { retries: 0 });
      await waitFor(() => pool.stats.jobs.running === 1);
      if (end === 'terminate') await host.terminate();
      else host.tell('exit');
      await host.exited;
      assert.equal(await settled(long), 'survived');
      assert.equal(await settled(pool.execute({ do: 'add', a: 2, b: 3 })), 5);
      await pool.terminate();
    }
  });

  it('terminated in one thread still serves the others', async (t) => {
    const name = uniqueName('pool');
    const first = open(t, { name, maxWorkers: 2, minWorkers: 1 });
    const second = open(t, { name });
    const own = outcomeOf(first.execute({ do: 'never' }));
    const other = second.execute({ do: 'sleep', ms: 60, value: 'other' }, { retries: 0 });
    await waitFor(() => first.stats.jobs.running === 2);
    await settled(first.terminate());
    assert.equal((await settled(own)).error.code, 'ERR_HOTPATH_CLOSED');
    assert.equal(await settled(other), 'other');
    assert.equal(await settled(second.execute({ do: 'add', a: 1, b: 2 })), 3);
    assert.equal(second.stats.jobs.failed, 0);
    second.validate();
  });

  it('refuses other options than those it was made with', (t) => {
    const name = uniqueName('pool');
    const options = { name, maxWorkers: 2, timeout: 1_000, recycle: { maxTasks: 5 } };
    open(t, options);
    open(t, { name });
    open(t, options);
    const conflict = (option, existing, requested) => (error) => {
      assert.ok(error instanceof HotpathConflictError);
      assert.deepEqual([error.engine, error.option], [name, option]);
      assert.deepEqual([error.existing, error.requested], [existing, requested]);
      return true;
    };
    assert.throws(() => new WorkerPool(file, { name, maxWorkers: 3 }), conflict('maxWorkers', 2, 3));
    assert.throws(() => new WorkerPool(file, { name, timeout: Infinity }), conflict('timeout', 1_000, 'unlimited'));
    assert.throws(() => new WorkerPool(file, { name, recycle: { maxTasks: 6 } }), conflict('recycle.maxTasks', 5, 6));
    assert.throws(() => new WorkerPool(fixture('identity.js'), { name }), { option: 'file' });
  });
});
