'use strict';

// Groups, several threads, blocked loops, and how processes end.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { freshName, heard, jobIn, openJobs } = require('../support/job-queues');
const { temporaryDirectory } = require('../support/pools');
const { deferred, runInChild, runInWorker, startWorker, waitFor } = require('../support');

for (const place of ['memory', 'store']) {
  const storeOf = (t) => (place === 'store' ? temporaryDirectory(t) : undefined);

  describe(`groups: ${place}`, () => {
    it('take turns, however many jobs each has', async (t) => {
      const engine = openJobs(t, { store: storeOf(t), maxConcurrentJobs: 1 });
      const order = [];
      engine.registerProcessor('note', (group) => void order.push(group));
      await engine.pause();
      for (const [group, count] of [
        ['a', 20],
        ['b', 3],
        ['c', 3],
      ]) {
        for (let job = 0; job < count; job++) await engine.submitJob('note', group, { group });
      }
      await engine.resume();
      await waitFor(() => order.length === 26);
      for (const turn of [0, 3, 6]) assert.deepEqual([...order.slice(turn, turn + 3)].sort(), ['a', 'b', 'c']);
      assert.equal(order.slice(9).join(''), 'a'.repeat(17));
    });

    it('priorities count inside a group', async (t) => {
      const engine = openJobs(t, { store: storeOf(t), maxConcurrentJobs: 1 });
      const order = [];
      engine.registerProcessor('note', (value) => void order.push(value));
      await engine.pause();
      for (const [group, priority] of [
        ['a', 1],
        ['a', 9],
        ['b', 0],
        ['b', 5],
      ]) {
        await engine.submitJob('note', `${group}${priority}`, { group, priority });
      }
      await engine.resume();
      await waitFor(() => order.length === 4);
      assert.deepEqual(
        [order.indexOf('a9') < order.indexOf('a1'), order.indexOf('b5') < order.indexOf('b0')],
        [true, true],
      );
      assert.notEqual(order[0][0], order[1][0]);
    });
  });

  it(`jobs are worked on while the thread that submitted them is busy: ${place}`, async (t) => {
    const name = freshName();
    const store = storeOf(t);
    const engine = openJobs(t, { name, store, retryDelay: 1, retryAttempts: 2 });
    const thread = startWorker(
      async ({ load, hearOnce, say }, { name, store, state }) => {
        const engine = new (load().AsyncProcessingEngine)({ name, store });
        const calls = new Int32Array(state);
        engine.registerProcessor('flaky', () => {
          if (Atomics.add(calls, 0, 1) < 2) throw new Error('not yet');
          return 'done';
        });
        say('ready');
        await hearOnce();
        await engine.close();
      },
      { name, store, state: new SharedArrayBuffer(8) },
    );
    t.after(() => thread.terminate());
    await thread.said('ready');
    const { jobId } = await engine.submitJob('flaky');
    // Retries are native: nothing of this thread is needed for them.
    const blocked = Date.now();
    while (Date.now() - blocked < 300);
    const job = await jobIn(engine, jobId, 'completed');
    assert.deepEqual([job.result, job.attempts], ['done', 3]);
    thread.tell('end');
    await thread.result;
  });

  it(`what a thread works on when it ends goes to another one: ${place}`, async (t) => {
    const name = freshName();
    const store = storeOf(t);
    const engine = openJobs(t, { name, store });
    const events = heard(engine, 'active');
    const thread = startWorker(
      async ({ load, say }, { name, store }) => {
        const engine = new (load().AsyncProcessingEngine)({ name, store });
        engine.registerProcessor('hang', () => {
          say('works');
          return new Promise(() => {});
        });
      },
      { name, store },
    );
    t.after(() => thread.terminate());
    const { jobId } = await engine.submitJob('hang');
    await thread.said('works');
    engine.registerProcessor('hang', () => 'here');
    await thread.terminate();
    const job = await jobIn(engine, jobId, 'completed');
    assert.deepEqual([job.result, job.attempts], ['here', 1]);
    await waitFor(() => events.length === 2);
    assert.equal((await engine.getStats()).jobs.interrupted, 1);
  });

  it(`threads share the work and the figures: ${place}`, async (t) => {
    const name = freshName();
    const store = storeOf(t);
    const engine = openJobs(t, { name, store, maxConcurrentJobs: 8 });
    const work = async ({ load, hearOnce, say }, { name, store }) => {
      const engine = new (load().AsyncProcessingEngine)({ name, store });
      let count = 0;
      engine.registerProcessor('count', async () => {
        await null;
        count += 1;
      });
      say('ready');
      await hearOnce();
      await engine.close();
      return count;
    };
    const threads = [0, 1].map(() => startWorker(work, { name, store }));
    t.after(() => Promise.all(threads.map((thread) => thread.terminate())));
    for (const thread of threads) await thread.said('ready');
    await Promise.all(Array.from({ length: 200 }, () => engine.submitJob('count')));
    await waitFor(async () => (await engine.getStats()).jobs.completed === 200);
    for (const thread of threads) thread.tell('end');
    const counts = await Promise.all(threads.map((thread) => thread.result));
    assert.equal(counts[0] + counts[1], 200);
  });

  it(`a thread may exit without closing: ${place}`, async (t) => {
    const store = storeOf(t);
    const name = freshName();
    for (let round = 0; round < 5; round++) {
      await runInWorker(
        async ({ load }, { name, store }) => {
          const engine = new (load().AsyncProcessingEngine)({ name, store });
          engine.registerProcessor('quick', () => {});
          await engine.submitJob('quick');
        },
        { name, store },
      );
    }
  });

  describe(`processes: ${place}`, () => {
    it('do their jobs though listeners throw', async (t) => {
      const { code, said, stderr } = await runInChild(
        async ({ load, say }, { store }) => {
          process.on('uncaughtException', (error) => say(error.message));
          const engine = new (load().AsyncProcessingEngine)({ store });
          engine.on('active', () => {
            throw new Error('a listener');
          });
          engine.on('completed', () => say('completed'));
          engine.registerProcessor('quick', () => {});
          await engine.submitJob('quick');
        },
        { data: { store: storeOf(t) } },
      );
      assert.deepEqual([code, said.sort()], [0, ['a listener', 'completed']], stderr);
    });

    it('stay until what they have to do is done, and exit by themselves', async (t) => {
      const { code, said, stderr } = await runInChild(
        async ({ load, say }, { store }) => {
          const engine = new (load().AsyncProcessingEngine)({ store, retryDelay: 20 });
          let calls = 0;
          engine.registerProcessor('slow', async () => {
            await new Promise((resolve) => setTimeout(resolve, 50).unref());
            calls += 1;
            say(calls);
          });
          for (let job = 0; job < 3; job++) await engine.submitJob('slow');
          await engine.submitJob('nobody');
        },
        { data: { store: storeOf(t) } },
      );
      assert.deepEqual([code, said], [0, [1, 2, 3]], stderr);
    });

    it('exit at once when nothing is to be done, and in the middle of everything', async (t) => {
      const idle = await runInChild(
        ({ load }, { store }) => {
          new (load().AsyncProcessingEngine)({ store }).registerProcessor('never', () => {});
        },
        { data: { store: storeOf(t) } },
      );
      assert.equal(idle.code, 0, idle.stderr);
      const busy = await runInChild(
        async ({ load }, { store }) => {
          const engine = new (load().AsyncProcessingEngine)({ store });
          engine.registerProcessor('exit', () => process.exit(7));
          for (let job = 0; job < 20; job++) engine.submitJob('exit');
        },
        { data: { store: storeOf(t) } },
      );
      assert.equal(busy.code, 7, busy.stderr);
    });
  });
}

it('engines started and stopped 200 times leave no threads, handles or memory', async (t) => {
  const { code, said, stderr } = await runInChild(
    async ({ load, say, leftBehind }, { store }) => {
      const { AsyncProcessingEngine } = load();
      const round = async (n) => {
        const engine = new AsyncProcessingEngine({
          store: n % 2 ? store : undefined,
          name: n % 4 ? undefined : 'named',
        });
        engine.registerProcessor('echo', (value) => value);
        engine.on('completed', () => {});
        await engine.submitJob('echo', n);
        if (n % 3) await engine.drain();
        await (n % 5 ? engine.close() : engine.destroy());
      };
      say(await leftBehind(round));
    },
    { nodeArgs: ['--expose-gc'], data: { store: temporaryDirectory(t) }, timeoutMs: 150_000 },
  );
  assert.equal(code, 0, stderr);
  const [{ threads, rss, heap, handles }] = said;
  assert.ok(threads <= 0, `${threads} threads are left`);
  assert.ok(rss < 64 << 20, `RSS grew by ${rss} bytes`);
  assert.ok(heap < 4 << 20, `the heap grew by ${heap} bytes`);
  assert.deepEqual(handles, []);
});

it('an engine that is lost is collected, and its jobs are done before', async () => {
  const { code, said, stderr } = await runInChild(
    async ({ load, say, collectThoroughly, waitFor }) => {
      const { AsyncProcessingEngine } = load();
      let lost;
      await (async () => {
        const engine = new AsyncProcessingEngine();
        lost = new WeakRef(engine);
        engine.registerProcessor('late', async () => {
          await new Promise((resolve) => setTimeout(resolve, 30));
          say('done');
        });
        await engine.submitJob('late');
      })();
      await collectThoroughly();
      await waitFor(async () => {
        await collectThoroughly();
        return lost.deref() === undefined;
      });
      say('collected');
    },
    { nodeArgs: ['--expose-gc'] },
  );
  assert.deepEqual([code, said], [0, ['done', 'collected']], stderr);
});

it('a processor that does not heed its signal gives its place back after a second', async (t) => {
  const engine = openJobs(t, { maxConcurrentJobs: 1, retryAttempts: 0 });
  const gate = deferred();
  engine.registerProcessor('deaf', () => gate.promise);
  engine.registerProcessor('next', () => 'next');
  const deaf = await engine.submitJob('deaf', null, { timeout: 5 });
  const next = await engine.submitJob('next');
  assert.equal((await jobIn(engine, next.jobId, 'completed')).result, 'next');
  assert.equal((await engine.getJob(deaf.jobId)).status, 'failed');
  gate.resolve('too late');
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await engine.getJob(deaf.jobId)).status, 'failed');
});

it('monitors are told how deep the queue is', async (t) => {
  const { serviceSnapshots } = require('../../lib/services.js');
  const name = freshName();
  const engine = openJobs(t, { name });
  await engine.submitJob('nobody');
  const figures = serviceSnapshots().get(name);
  assert.deepEqual([figures.queueDepth, figures.submitted], [1, 1]);
  await engine.close();
  assert.equal(serviceSnapshots().has(name), false);
});
