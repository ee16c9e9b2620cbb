'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const os = require('node:os');
const { ParallelProcessingEngine } = require('../..');
const { errors, turnOfTheLoop } = require('../support');
const { occupy } = require('../support/tasks');

function open(t, options) {
  const engine = new ParallelProcessingEngine({ maxWorkers: 1, ...options });
  t.after(() => engine.destroy());
  return engine;
}

const TIMEOUT = { name: 'HotpathTimeoutError', code: 'ERR_HOTPATH_TIMEOUT' };

it('the urgent overtake those that wait, equals keep their order', async (t) => {
  const engine = open(t);
  const stop = new AbortController();
  await occupy(engine, { signal: stop.signal });
  const order = [];
  const priorities = Object.entries({ low: -10, normal: 0, high: 10, 'normal too': undefined, highest: 2 ** 40 });
  const tasks = priorities.map(([name, priority]) =>
    engine.executeTask('sort', [2, 1], { priority }).then(() => order.push(name)),
  );
  await turnOfTheLoop();
  assert.deepEqual(engine.stats.queue, { pending: 5, byPriority: { high: 2, normal: 2, low: 1 } });
  stop.abort();
  await Promise.all(tasks);
  assert.deepEqual(order, ['highest', 'high', 'normal', 'normal too', 'low']);
});

describe('a signal', () => {
  it('stops a running task, and its reason is the error', async (t) => {
    const engine = open(t);
    const stop = new AbortController();
    const { task } = await occupy(engine, { signal: stop.signal });
    const reason = new Error('enough');
    stop.abort(reason);
    await assert.rejects(task, reason);
    assert.equal(engine.stats.tasks.running, 0);
    assert.equal(engine.stats.tasks.cancelled, 1);
    assert.equal(engine.stats.workers.busy, 0);
  });

  it('takes a waiting task out of the queue, and no other', async (t) => {
    const engine = open(t);
    const busy = new AbortController();
    await occupy(engine, { signal: busy.signal });
    const stop = new AbortController();
    const gone = engine.executeTask('sort', [2, 1], { signal: stop.signal });
    const stays = engine.executeTask('sort', [2, 1], { signal: new AbortController().signal });
    stop.abort();
    await assert.rejects(gone, { name: 'AbortError' });
    assert.equal(engine.stats.queue.pending, 1);
    busy.abort();
    assert.deepEqual(await stays, [1, 2]);
  });

  it('that was aborted before begins nothing; one aborted afterwards does nothing', async (t) => {
    const engine = open(t);
    await assert.rejects(engine.executeTask('sort', [1], { signal: AbortSignal.abort() }), { name: 'AbortError' });
    assert.equal(engine.stats.tasks.total, 0);
    const late = new AbortController();
    assert.deepEqual(await engine.executeTask('sort', [1], { signal: late.signal }), [1]);
    late.abort();
    assert.equal(engine.stats.tasks.completed, 1);
  });
});

describe('a timeout', () => {
  it('stops a running task', async (t) => {
    const engine = open(t);
    const { task } = await occupy(engine, { timeout: 100 });
    await assert.rejects(task, TIMEOUT);
    assert.equal(engine.stats.tasks.timedOut, 1);
    assert.equal(engine.stats.workers.busy, 0);
  });

  it('counts while a task waits', async (t) => {
    const engine = open(t);
    const stop = new AbortController();
    await occupy(engine, { signal: stop.signal });
    await assert.rejects(engine.executeTask('sort', [1], { timeout: 5 }), TIMEOUT);
    assert.equal(engine.stats.tasks.running, 1);
    stop.abort();
  });

  it('is the taskTimeout of the engine unless a task has its own', async (t) => {
    const engine = open(t, { taskTimeout: 50 });
    const { task } = await occupy(engine);
    await assert.rejects(task, { ...TIMEOUT, message: /50 ms/ });
    assert.deepEqual(await engine.executeTask('sort', [1], { timeout: Infinity }), [1]);
  });
});

describe('the event loop', () => {
  it('turns while a task is computed', async (t) => {
    const engine = open(t, { maxWorkers: 64 });
    assert.ok(engine.stats.workers.total <= Math.max(1, os.availableParallelism() - 1));
    const stop = new AbortController();
    const { task } = await occupy(engine, { signal: stop.signal });
    for (let turns = 0; turns < 100; turns++) await turnOfTheLoop();
    assert.equal(engine.stats.tasks.running, 1);
    stop.abort();
    await assert.rejects(task, { name: 'AbortError' });
  });
});

describe('counts', () => {
  it('have the shape of a pool’s, in numbers and in words', async (t) => {
    const engine = open(t, { maxWorkers: 3 });
    const { workers, ...empty } = engine.getStats();
    assert.deepEqual(Object.keys(workers), ['max', 'idle', 'busy', 'total']);
    assert.equal(workers.max, 3);
    assert.deepEqual(empty, {
      queue: { pending: 0, byPriority: { high: 0, normal: 0, low: 0 } },
      tasks: { total: 0, running: 0, completed: 0, failed: 0, cancelled: 0, timedOut: 0, successRate: '0.00%' },
      performance: { avgExecutionTime: 0, avgWaitTime: 0 },
    });
    await engine.executeTask('sort', [1]);
    await assert.rejects(engine.executeTask('matrix_inverse', { matrix: [[0]] }));
    const { tasks, performance } = engine.stats;
    assert.deepEqual([tasks.total, tasks.completed, tasks.failed, tasks.successRate], [2, 1, 1, 0.5]);
    assert.ok(performance.avgExecutionTime > 0 && performance.avgWaitTime > 0);
    assert.equal(engine.getStats().tasks.successRate, '50.00%');
  });
});

describe('the end', () => {
  it('close waits for what was begun, and refuses what comes', async (t) => {
    const engine = open(t);
    const tasks = [3, 2, 1].map((number) => engine.executeTask('sort', [number, 0]));
    const closed = engine.close();
    await assert.rejects(engine.executeTask('sort', [1]), errors.closed);
    await closed;
    assert.deepEqual(await Promise.all(tasks), [[0, 3], [0, 2], [0, 1]]); // biome-ignore format: rows
    assert.equal(engine.closed, true);
    await engine.close();
    assert.equal(engine.stats.tasks.completed, 3);
  });

  it('destroy stops what runs and what waits', async (t) => {
    const engine = open(t);
    const { task } = await occupy(engine);
    const waiting = engine.executeTask('sort', [1]);
    const ends = Promise.all([assert.rejects(task, errors.closed), assert.rejects(waiting, errors.closed)]);
    await engine.destroy();
    await ends;
    assert.equal(engine.stats.tasks.cancelled, 2);
    await assert.rejects(engine.executeTask('sort', [1]), errors.closed);
  });
});
