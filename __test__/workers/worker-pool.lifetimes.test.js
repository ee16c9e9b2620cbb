'use strict';

// Pools and the processes and threads that they live in: gone when they shall be, and not before.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { fixture } = require('../support/pools');
const { runInChild } = require('../support');

const MIB = 1024 * 1024;
const data = { tasks: fixture('tasks.js'), identity: fixture('identity.js'), script: fixture('ffmpeg-worker.js') };

/** Runs a body in a process that has to end by itself. */
async function ends(body, { code = 0, ...options } = {}) {
  const ended = await runInChild(body, { data, timeoutMs: 60_000, ...options });
  assert.equal(ended.signal, null, ended.stderr);
  assert.equal(ended.code, code, ended.stderr);
  return ended;
}

describe('a process with a pool', () => {
  it('ends by itself when nothing is pending', async () => {
    const { said } = await ends(async ({ load, say }, { tasks, identity, script }) => {
      const { WorkerPool } = load();
      for (const [file, options] of [
        [tasks, { maxWorkers: 2 }],
        [identity, { maxWorkers: 1, blocking: false }],
        [identity, { name: 'named', concurrentTasksPerWorker: 4 }],
        [script, { maxWorkers: 1 }],
      ]) {
        const pool = new WorkerPool(file, options);
        pool.on('jobCompleted', () => {});
        await pool.execute({ do: 'echo', operation: 'x' });
      }
      new WorkerPool(tasks);
      say('done');
    });
    assert.deepEqual(said, ['done']);
  });

  it('ends by itself after terminate, with tasks that never would have ended', async () => {
    await ends(async ({ load, waitFor }, { tasks }) => {
      const pool = new (load().WorkerPool)(tasks, { maxWorkers: 2 });
      for (const kind of ['never', 'spin', 'spin']) pool.execute({ do: kind }).catch(() => {});
      await waitFor(() => pool.stats.jobs.running === 2);
      await pool.terminate();
    });
  });

  it('stays while tasks are pending, also between two attempts', async () => {
    const { said } = await ends(({ load, say }, { tasks }) => {
      const pool = new (load().WorkerPool)(tasks, { maxWorkers: 1 });
      pool.execute({ do: 'sleep', ms: 50, value: 'slept' }).then(say);
      pool
        .execute({ do: 'fail', message: 'failed twice' }, { retries: 1, backoff: 80 })
        .catch(({ message }) => say(message));
    });
    assert.deepEqual(said.sort(), ['failed twice', 'slept']);
  });

  for (const [state, task] of [
    ['idle', { do: 'echo' }],
    ['busy', { do: 'spin' }],
    ['waiting', { do: 'never' }],
  ]) {
    it(`ends at process.exit with ${state} workers`, async () => {
      await ends(
        async ({ load, waitFor }, { tasks, run }) => {
          const pool = new (load().WorkerPool)(tasks, { maxWorkers: 2 });
          const promise = pool.execute(run).catch(() => {});
          if (run.do === 'echo') await promise;
          else await waitFor(() => pool.stats.jobs.running === 1);
          process.exit(4);
        },
        { code: 4, data: { ...data, run: task } },
      );
    });

    it(`ends at an uncaught error with ${state} workers`, async () => {
      const { stderr } = await ends(
        async ({ load, waitFor }, { tasks, run }) => {
          const pool = new (load().WorkerPool)(tasks, { maxWorkers: 2 });
          const promise = pool.execute(run).catch(() => {});
          if (run.do === 'echo') await promise;
          else await waitFor(() => pool.stats.jobs.running === 1);
          throw new Error('expected by the test');
        },
        { code: 1, data: { ...data, run: task } },
      );
      assert.match(stderr, /expected by the test/);
    });

    it(`ends with a nested pool of ${state} workers, whose thread is terminated or exits`, async () => {
      const { said } = await ends(
        async ({ startWorker, say }, given) => {
          for (const how of ['terminate', 'exit', 'throw']) {
            const thread = startWorker(async ({ load, waitFor, say: tell, hearOnce }, { tasks, run }) => {
              const pool = new (load().WorkerPool)(tasks, { maxWorkers: 2 });
              const promise = pool.execute(run).catch(() => {});
              if (run.do === 'echo') await promise;
              else await waitFor(() => pool.stats.jobs.running === 1);
              tell('ready');
              const order = await hearOnce();
              if (order === 'exit') process.exit();
              setImmediate(() => {
                throw new Error('expected');
              });
            }, given);
            thread.worker.on('error', () => {});
            await thread.said('ready');
            if (how === 'terminate') await thread.terminate();
            else thread.tell(how);
            await thread.exited;
            say(how);
          }
        },
        { data: { ...data, run: task } },
      );
      assert.deepEqual(said, ['terminate', 'exit', 'throw']);
    });
  }

  it('from an ES module', async () => {
    await ends(async ({ root, require: load }, { identity }) => {
      const { execFileSync } = load('node:child_process');
      const url = load('node:url').pathToFileURL(load('node:path').join(root, 'index.js')).href;
      const source = `
        import { WorkerPool } from ${JSON.stringify(url)};
        const pool = new WorkerPool(${JSON.stringify(identity)});
        if (await pool.execute(3) !== 3) process.exit(9);
      `;
      execFileSync(process.execPath, ['--input-type=module', '-e', source]);
    });
  });
});

describe('pools started and stopped', () => {
  it('200 times leave no threads, handles or memory', async () => {
    const { said } = await ends(
      async ({ load, say, leftBehind }, { identity }) => {
        const { WorkerPool } = load();
        const round = async (n) => {
          const pool = new WorkerPool(identity, {
            maxWorkers: 2,
            minWorkers: n % 3,
            name: n % 4 ? undefined : 'named',
          });
          pool.on('jobCompleted', () => {});
          if (n % 5) await pool.execute(n);
          if (n % 2) await pool.terminate();
          else await pool.drain();
        };
        say(await leftBehind(round));
      },
      { nodeArgs: ['--expose-gc'], timeoutMs: 150_000 },
    );
    const [{ threads, rss, heap, handles }] = said;
    assert.ok(threads <= 0, `${threads} threads are left`);
    assert.ok(rss < 64 * MIB, `RSS grew by ${rss / MIB} MiB`);
    assert.ok(heap < 4 * MIB, `the heap grew by ${heap / MIB} MiB`);
    assert.deepEqual(handles, []);
  });

  it('that nobody closes and nobody holds end by themselves', async () => {
    const { said } = await ends(
      async ({ load, say, collectThoroughly, waitFor }, { identity }) => {
        const { WorkerPool } = load();
        let exits = 0;
        const make = async () => {
          const pool = new WorkerPool(identity, { maxWorkers: 1 });
          const pending = pool.execute('kept until it has ended');
          exits += (await pending) ? 0 : 1;
          return new WeakRef(pool);
        };
        const references = [];
        for (let n = 0; n < 10; n += 1) references.push(await make());
        await waitFor(async () => {
          await collectThoroughly();
          return references.every((reference) => reference.deref() === undefined);
        });
        await waitFor(() => process.getActiveResourcesInfo().filter((name) => name === 'Worker').length === 0);
        say(exits);
      },
      { nodeArgs: ['--expose-gc'] },
    );
    assert.deepEqual(said, [0]);
  });
});
