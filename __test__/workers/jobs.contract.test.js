'use strict';

// What a queue does, wherever it is: in memory, in a store, in Redis.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { sharedRedis } = require('../support/redis');
const { backends, heard, jobIn, openJobs } = require('../support/job-queues');
const { fixture, outcomeOf } = require('../support/pools');
const { deferred, settled, waitFor } = require('../support');

const redis = sharedRedis();

for (const [name, place] of Object.entries(backends(redis))) {
  describe(`jobs: ${name}`, () => {
    const open = (t, options) => openJobs(t, place(t)(options));

    it('a job is worked on and remembered', async (t) => {
      const engine = open(t);
      engine.registerProcessor('double', (number) => number * 2);
      const { jobId, status } = await engine.submitJob('double', 21);
      assert.equal(status, 'queued');
      const job = await jobIn(engine, jobId, 'completed');
      assert.equal(job.result, 42);
      assert.equal(job.type, 'double');
      assert.equal(job.attempts, 1);
      assert.ok(job.createdAt <= job.startedAt && job.startedAt <= job.finishedAt);
      assert.equal(await engine.getJob('nobody'), undefined);
    });

    it('values come back as they were', async (t) => {
      const engine = open(t);
      engine.registerProcessor('echo', (value, context) => {
        context.progress(value);
        return value;
      });
      const values = [
        undefined,
        null,
        true,
        -0,
        Number.NaN,
        'text',
        'ä€',
        { a: [1, { b: new Date(7) }] },
        new Map([[1, new Set([2])]]),
        Buffer.from('bytes'),
        12345678901234567890n,
      ];
      for (const value of values) {
        const { jobId } = await engine.submitJob('echo', value);
        const { result } = await jobIn(engine, jobId, 'completed');
        assert.deepStrictEqual(result, value);
        const told = async () => {
          const { progress } = await engine.getJob(jobId);
          return progress !== undefined || value === undefined ? { progress } : undefined;
        };
        assert.deepStrictEqual((await waitFor(told)).progress, value);
      }
    });

    it('the native tasks need no processor', async (t) => {
      const engine = open(t);
      const { jobId } = await engine.submitJob('matrix_multiplication', { matrixA: [[2]], matrixB: [[3]] });
      assert.deepEqual((await jobIn(engine, jobId, 'completed')).result, [[6]]);
      assert.ok(engine.types.includes('similarity_calculation'));
    });

    it('a worker file works on jobs', async (t) => {
      const engine = open(t);
      engine.registerProcessor('task', fixture('tasks.js'), { maxWorkers: 1 });
      const { jobId } = await engine.submitJob('task', { do: 'echo', value: 'from a thread' });
      assert.equal((await jobIn(engine, jobId, 'completed')).result, 'from a thread');
    });

    it('larger priorities come first, equal ones in the order of their submission', async (t) => {
      const engine = open(t, { maxConcurrentJobs: 1 });
      const order = [];
      engine.registerProcessor('note', (value) => void order.push(value));
      await engine.pause();
      for (const [value, priority] of [
        ['a', 0],
        ['b', 5],
        ['c', -5],
        ['d', 0],
        ['e', 5],
      ]) {
        await engine.submitJob('note', value, { priority });
      }
      assert.deepEqual(order, []);
      await engine.resume();
      await waitFor(() => order.length === 5);
      assert.deepEqual(order.join(''), 'beadc');
    });

    it('no more jobs are worked on at once than may be', async (t) => {
      const engine = open(t, { maxConcurrentJobs: 2 });
      const gate = deferred();
      let running = 0;
      let most = 0;
      engine.registerProcessor('wait', async () => {
        most = Math.max(most, ++running);
        await gate.promise;
        running -= 1;
      });
      const jobs = [];
      for (let job = 0; job < 5; job++) jobs.push(await engine.submitJob('wait'));
      await waitFor(() => running === 2);
      assert.equal((await engine.getStats()).concurrency.running, 2);
      gate.resolve();
      for (const { jobId } of jobs) await jobIn(engine, jobId, 'completed');
      assert.equal(most, 2);
    });

    // BullMQ looks at the number when a job of its worker ends.
    it('may be given more places while it runs', { skip: name === 'bullmq' }, async (t) => {
      const engine = open(t, { maxConcurrentJobs: 1 });
      const gate = deferred();
      let running = 0;
      engine.registerProcessor('wait', async () => {
        running += 1;
        await gate.promise;
      });
      for (let job = 0; job < 3; job++) await engine.submitJob('wait');
      await waitFor(() => running === 1);
      engine.resize({ maxConcurrentJobs: 3 });
      await waitFor(() => running === 3);
      assert.throws(() => engine.resize({ maxConcurrentJobs: 0 }), { code: 'ERR_OUT_OF_RANGE' });
      gate.resolve();
    });

    it('a failed attempt is repeated, and the last one leaves a dead letter', async (t) => {
      const engine = open(t, { retryAttempts: 2 });
      const events = heard(engine, 'failed', 'retrying', 'dead', 'completed');
      let calls = 0;
      engine.registerProcessor('fail', () => {
        calls += 1;
        throw new Error(`failure ${calls}`);
      });
      const { jobId } = await engine.submitJob('fail', 'data');
      const job = await jobIn(engine, jobId, 'failed');
      assert.equal(job.error.message, 'failure 3');
      assert.equal(job.data, 'data');
      await waitFor(() => events.some(([event]) => event === 'dead'));
      assert.deepEqual(
        events.map(([event, { attempt, attempts, error }]) => `${event} ${attempt ?? attempts} ${error.message}`),
        [
          'failed 1 failure 1',
          'retrying 1 failure 1',
          'failed 2 failure 2',
          'retrying 2 failure 2',
          'failed 3 failure 3',
          'dead 3 failure 3',
        ],
      );
      assert.equal(events[1][1].delayMs, 5);
      assert.equal(events[3][1].delayMs, 10);
      const { queue, jobs } = await engine.getStats();
      assert.equal(queue.deadLetters, 1);
      assert.deepEqual([jobs.failed, jobs.retried, jobs.successRate], [1, 2, '0.00%']);
    });

    it('the success rate is of all jobs, also of those that wait', async (t) => {
      const engine = open(t);
      engine.registerProcessor('echo', (value) => value);
      await engine.submitJob('echo', 1, { delayMs: 3_600_000 });
      const { jobId } = await engine.submitJob('echo', 2);
      await jobIn(engine, jobId, 'completed');
      const { jobs } = await waitFor(async () => {
        const stats = await engine.getStats();
        return stats.jobs.completed === 1 && stats;
      });
      assert.deepEqual([jobs.total, jobs.successRate], [2, '50.00%']);
    });

    it('an error that says so is not tried again', async (t) => {
      const engine = open(t);
      let calls = 0;
      engine.registerProcessor('fail', () => {
        calls += 1;
        throw Object.assign(new Error('hopeless'), { retryable: false });
      });
      const { jobId } = await engine.submitJob('fail');
      assert.equal((await jobIn(engine, jobId, 'failed')).error.message, 'hopeless');
      assert.equal(calls, 1);
    });

    it('dead letters get another chance', async (t) => {
      const engine = open(t, { retryAttempts: 0 });
      let broken = true;
      engine.registerProcessor('mend', () => {
        if (broken) throw new Error('broken');
        return 'mended';
      });
      const jobs = [];
      for (let job = 0; job < 3; job++) jobs.push(await engine.submitJob('mend'));
      for (const { jobId } of jobs) await jobIn(engine, jobId, 'failed');
      broken = false;
      assert.equal(await engine.retryDeadLetters({ jobIds: [jobs[1].jobId, 'nobody'] }), 1);
      await jobIn(engine, jobs[1].jobId, 'completed');
      assert.equal(await engine.retryDeadLetters(), 2);
      for (const { jobId } of jobs) assert.equal((await jobIn(engine, jobId, 'completed')).result, 'mended');
      assert.equal(await engine.retryDeadLetters(), 0);
    });

    it('what takes too long fails, and its signal aborts', async (t) => {
      const engine = open(t, { retryAttempts: 0 });
      const reasons = [];
      engine.registerProcessor('wait', (_data, { signal }) => {
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reasons.push(signal.reason);
            reject(signal.reason);
          });
        });
      });
      const { jobId } = await engine.submitJob('wait', null, { timeout: 20 });
      const { error } = await jobIn(engine, jobId, 'failed');
      assert.match(error.message, /longer than 20 ms/);
      await waitFor(() => reasons.length === 1);
      assert.equal(reasons[0].code, 'ERR_HOTPATH_TIMEOUT');
      assert.equal(reasons[0].jobId, jobId);
      assert.equal((await engine.getStats()).jobs.timeouts, 1);
    });

    it('a delayed job waits for its time', async (t) => {
      const engine = open(t);
      engine.registerProcessor('now', () => Date.now());
      const { jobId } = await engine.submitJob('now', null, { delayMs: 60 });
      assert.equal((await engine.getJob(jobId)).status, 'delayed');
      const { result, createdAt } = await jobIn(engine, jobId, 'completed');
      assert.ok(result - createdAt >= 60, `${result - createdAt} ms`);
    });

    it('the same id is the same job', async (t) => {
      const engine = open(t);
      let calls = 0;
      engine.registerProcessor('once', () => (calls += 1));
      const ids = ['order:7', '7', 'ä %/'];
      for (const id of ids) {
        assert.deepEqual(await engine.submitJob('once', 1, { id }), { jobId: id, status: 'queued' });
        await engine.submitJob('once', 2, { id });
        await jobIn(engine, id, 'completed');
        await engine.submitJob('once', 3, { id });
      }
      assert.equal(calls, ids.length);
      assert.equal((await engine.getStats()).jobs.total, ids.length);
    });

    it('a job is cancelled while it waits', async (t) => {
      const engine = open(t);
      const events = heard(engine, 'cancelled');
      await engine.pause();
      engine.registerProcessor('never', () => assert.fail('it was cancelled'));
      const { jobId } = await engine.submitJob('never');
      const later = await engine.submitJob('never', null, { delayMs: 60_000 });
      assert.equal(await engine.cancelJob(jobId), true);
      assert.equal(await engine.cancelJob(later.jobId), true);
      assert.equal(await engine.cancelJob(jobId), false);
      assert.equal(await engine.cancelJob('nobody'), false);
      assert.equal((await engine.getJob(jobId)).status, 'cancelled');
      await engine.resume();
      await waitFor(() => events.length === 2);
      assert.deepEqual(events[0], ['cancelled', { jobId, type: 'never', active: false }]);
      const { queue, jobs } = await engine.getStats();
      assert.deepEqual([queue.pending, jobs.cancelled], [0, 2]);
    });

    it('a job is cancelled while it is being worked on', async (t) => {
      const engine = open(t);
      const events = heard(engine, 'active', 'cancelled', 'failed');
      const ended = deferred();
      engine.registerProcessor('wait', (_data, { signal }) => {
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            ended.resolve(signal.reason);
            reject(signal.reason);
          });
        });
      });
      const { jobId } = await engine.submitJob('wait');
      await waitFor(() => events.length === 1);
      assert.equal(await engine.cancelJob(jobId), true);
      const reason = await settled(ended.promise);
      assert.deepEqual([reason.name, reason.code, reason.jobId], ['AbortError', 'ABORT_ERR', jobId]);
      assert.equal((await engine.getJob(jobId)).status, 'cancelled');
      assert.equal(await engine.cancelJob(jobId), false);
      await waitFor(async () => (await engine.getStats()).concurrency.running === 0);
      assert.deepEqual(
        events.map(([event]) => event),
        ['active', 'cancelled'],
      );
    });

    it('a worker file is ended when its job is cancelled', async (t) => {
      const engine = open(t);
      engine.registerProcessor('task', fixture('tasks.js'), { maxWorkers: 1 });
      const { jobId } = await engine.submitJob('task', { do: 'spin' });
      await jobIn(engine, jobId, 'active');
      assert.equal(await engine.cancelJob(jobId), true);
      const next = await engine.submitJob('task', { do: 'echo', value: 'next' });
      assert.equal((await jobIn(engine, next.jobId, 'completed')).result, 'next');
    });

    it('progress is told and kept', async (t) => {
      const engine = open(t);
      const gate = deferred();
      const events = heard(engine, 'progress');
      engine.registerProcessor('steps', async (_data, context) => {
        for (let step = 1; step <= 3; step++) assert.equal(context.progress({ step }), true);
        await gate.promise;
      });
      const { jobId } = await engine.submitJob('steps');
      const { progress } = await waitFor(async () => {
        const job = await engine.getJob(jobId);
        return job.progress?.step === 3 && job;
      });
      assert.deepEqual(progress, { step: 3 });
      assert.deepEqual(
        events.map(([, details]) => details),
        [1, 2, 3].map((step) => ({ jobId, type: 'steps', attempt: 1, progress: { step } })),
      );
      gate.resolve();
      assert.deepEqual((await jobIn(engine, jobId, 'completed')).progress, { step: 3 });
    });

    it('a worker file tells how far it is', async (t) => {
      const engine = open(t);
      const events = heard(engine, 'progress');
      engine.registerProcessor('task', fixture('tasks.js'), { maxWorkers: 1 });
      const { jobId } = await engine.submitJob('task', { do: 'steps', steps: 3 });
      assert.equal((await jobIn(engine, jobId, 'completed')).result, 3);
      assert.deepEqual(
        events.map(([, { progress }]) => progress.step),
        [1, 2, 3],
      );
    });

    it('a type that nobody works on waits until somebody does', async (t) => {
      const engine = open(t);
      engine.registerProcessor('other', () => 'other');
      const waiting = await engine.submitJob('later', 'data');
      const other = await engine.submitJob('other');
      await jobIn(engine, other.jobId, 'completed');
      assert.ok(['queued', 'delayed', 'active'].includes((await engine.getJob(waiting.jobId)).status));
      engine.registerProcessor('later', (data) => data);
      assert.equal((await jobIn(engine, waiting.jobId, 'completed')).result, 'data');
    });

    it('two handles share a queue', async (t) => {
      const options = place(t);
      const first = openJobs(t, options());
      const second = openJobs(t, options());
      second.registerProcessor('here', () => 'second');
      const { jobId } = await first.submitJob('here');
      assert.equal((await jobIn(first, jobId, 'completed')).result, 'second');
    });

    it('events tell a life', async (t) => {
      const engine = open(t);
      const events = heard(engine, 'queued', 'active', 'completed');
      engine.registerProcessor('quick', (value) => value);
      const { jobId } = await engine.submitJob('quick', 'value', { priority: 3 });
      await waitFor(() => events.length === 3);
      const [queued, active, completed] = events.map(([, details]) => details);
      assert.deepEqual(queued, { jobId, type: 'quick', priority: 3, delayMs: 0 });
      assert.deepEqual({ ...active, waitMs: 0 }, { jobId, type: 'quick', attempt: 1, waitMs: 0 });
      assert.deepEqual(
        { ...completed, durationMs: 0 },
        { jobId, type: 'quick', attempt: 1, durationMs: 0, result: 'value' },
      );
    });

    it('what cannot be encoded is refused, as data and as result', async (t) => {
      const engine = open(t, { retryAttempts: 0 });
      assert.equal((await outcomeOf(engine.submitJob('any', () => {}))).error.code, 'ERR_INVALID_ARG_TYPE');
      engine.registerProcessor('strange', () => ({ call: () => {} }));
      const { jobId } = await engine.submitJob('strange');
      assert.match((await jobIn(engine, jobId, 'failed')).error.message, /value\.call/);
    });

    it('close waits for what is being worked on', async (t) => {
      const engine = open(t);
      const gate = deferred();
      const events = heard(engine, 'active', 'completed');
      engine.registerProcessor('wait', () => gate.promise);
      await engine.submitJob('wait');
      await waitFor(() => events.length === 1);
      const closing = engine.close();
      assert.equal(engine.closed, true);
      assert.equal((await outcomeOf(engine.submitJob('wait'))).error.code, 'ERR_HOTPATH_CLOSED');
      gate.resolve();
      await settled(closing);
      assert.equal((await engine.getStats()).concurrency.running, 0);
      assert.equal((await outcomeOf(engine.getJob('x'))).error.code, 'ERR_HOTPATH_CLOSED');
    });

    it('drain does what waits, and closes', async (t) => {
      const engine = open(t, { maxConcurrentJobs: 2 });
      let done = 0;
      engine.registerProcessor('count', async () => {
        await null;
        done += 1;
      });
      for (let job = 0; job < 20; job++) await engine.submitJob('count');
      await settled(engine.drain());
      assert.equal(done, 20);
      assert.equal(engine.closed, true);
    });
  });
}
