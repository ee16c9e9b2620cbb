'use strict';

// How many workers there are, and for how long.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const { openPool, outcomeOf, temporaryDirectory } = require('../support/pools');
const { errors, settled, waitFor } = require('../support');

const threads = async (pool, count, options) =>
  Promise.all(Array.from({ length: count }, () => pool.execute({ do: 'thread' }, options)));

describe('workers', () => {
  it('are started up to the minimum at once', async (t) => {
    const pool = openPool(t, { minWorkers: 3, maxWorkers: 4 });
    await waitFor(() => pool.stats.workers.idle === 3);
    assert.deepEqual(pool.getStats().workers, { max: 4, min: 3, idle: 3, busy: 0, total: 3 });
  });

  it('are started on demand, up to the maximum, and leave when idle', async (t) => {
    const pool = openPool(t, { minWorkers: 0, maxWorkers: 3, idleTimeoutMs: 40 });
    assert.equal(pool.getStats().workers.total, 0);
    const reasons = [];
    pool.on('workerExited', ({ reason }) => reasons.push(reason));
    const gate = path.join(temporaryDirectory(t), 'gate');
    const tasks = Array.from({ length: 6 }, () => pool.execute({ do: 'until', file: gate }));
    await waitFor(() => pool.stats.workers.busy === 3);
    assert.equal(pool.getStats().workers.total, 3);
    fs.writeFileSync(gate, '');
    await settled(Promise.all(tasks));
    await waitFor(() => pool.getStats().workers.total === 0);
    await waitFor(() => reasons.length === 3);
    assert.deepEqual(reasons, ['idle', 'idle', 'idle']);
    assert.equal(await settled(pool.execute({ do: 'echo', value: 'again' })), 'again');
  });

  it('become more and fewer when the pool is resized', async (t) => {
    const pool = openPool(t, { minWorkers: 1, maxWorkers: 1 });
    const gate = path.join(temporaryDirectory(t), 'gate');
    const tasks = Array.from({ length: 4 }, () => pool.execute({ do: 'until', file: gate }));
    await waitFor(() => pool.stats.workers.busy === 1);
    pool.resize({ maxWorkers: 3 });
    await waitFor(() => pool.stats.workers.busy === 3);
    assert.deepEqual([pool.stats.workers.max, pool.stats.workers.min], [3, 1]);
    pool.resize({ maxWorkers: 2, minWorkers: 2 });
    fs.writeFileSync(gate, '');
    await settled(Promise.all(tasks));
    await waitFor(() => pool.stats.workers.total === 2);
    pool.resize({ maxWorkers: 1 });
    assert.equal(pool.stats.workers.min, 1, 'the minimum follows');
    await waitFor(() => pool.stats.workers.total === 1);
    assert.equal(await settled(pool.execute({ do: 'echo', value: 'still' })), 'still');
    pool.validate();
    assert.throws(() => pool.resize({ maxWorkers: 0 }), errors.outOfRange('maxWorkers'));
    assert.throws(() => pool.resize({ minWorkers: 9 }), errors.outOfRange('minWorkers'));
    assert.throws(() => pool.resize({ workers: 9 }), { code: 'ERR_HOTPATH_UNKNOWN_OPTION' });
    await pool.terminate();
    assert.throws(() => pool.resize({ maxWorkers: 2 }), errors.closed);
  });

  it('are few while tasks are short', async (t) => {
    const pool = openPool(t, { minWorkers: 1, maxWorkers: 8 }, 'identity.js');
    await pool.execute(0);
    // One after the other: nothing ever waits.
    for (let n = 0; n < 500; n += 1) await pool.execute(n);
    assert.ok(pool.stats.workers.created <= 3, `${pool.stats.workers.created} were started`);
    assert.ok(pool.stats.performance.workerReuses >= 490);
  });

  it('serve one task each without reuse', async (t) => {
    const pool = openPool(t, { minWorkers: 1, maxWorkers: 2, reuseWorkers: false });
    const used = await settled(threads(pool, 6));
    assert.equal(new Set(used).size, 6);
    const { performance } = pool.getStats();
    assert.deepEqual([performance.workerReuses, performance.reuseRate], [0, '0.00%']);
  });

  it('are replaced after so many tasks', async (t) => {
    const pool = openPool(t, { minWorkers: 1, maxWorkers: 1, recycle: { maxTasks: 3 } });
    const reasons = [];
    pool.on('workerExited', ({ reason, tasks }) => reasons.push([reason, tasks]));
    const used = await settled(threads(pool, 9));
    assert.deepEqual(
      [0, 3, 6].map((from) => new Set(used.slice(from, from + 3)).size),
      [1, 1, 1],
    );
    assert.equal(new Set(used).size, 3);
    await waitFor(() => reasons.length === 3);
    assert.deepEqual(reasons[0], ['recycled', 3]);
  });

  it('are replaced when their heap has grown', async (t) => {
    const pool = openPool(t, { minWorkers: 1, maxWorkers: 1, recycle: { maxHeapMB: 40 } });
    const [small] = await threads(pool, 1);
    const grown = await pool.execute({ do: 'grow', megabytes: 60 });
    assert.equal(grown, small);
    const [fresh] = await settled(threads(pool, 1));
    assert.notEqual(fresh, small);
  });

  it('that keep dying are replaced as long as tasks come', async (t) => {
    const pool = openPool(t, { minWorkers: 2, maxWorkers: 2 });
    for (let n = 0; n < 10; n += 1) {
      const { error } = await settled(outcomeOf(pool.execute({ do: 'exit', code: 1 }, { retries: 0 })));
      assert.equal(error.exitCode, 1);
    }
    assert.equal(await settled(pool.execute({ do: 'echo', value: 'whole' })), 'whole');
    await waitFor(() => pool.stats.workers.idle === 2);
  });

  it('figures say how long tasks ran and waited', async (t) => {
    const pool = openPool(t, { minWorkers: 1, maxWorkers: 1 });
    await Promise.all(Array.from({ length: 5 }, () => pool.execute({ do: 'sleep', ms: 20 })));
    const { runMs, waitMs, performance } = pool.stats;
    assert.equal(runMs.count, 5);
    assert.equal(waitMs.count, 5);
    assert.ok(runMs.min >= 15 && runMs.max >= runMs.p50 && runMs.p99 >= runMs.p50);
    assert.ok(waitMs.max >= 60, 'the last one waited for the others');
    assert.ok(performance.avgExecutionMs >= 15);
    assert.equal(pool.getStats().performance.workerReuses, 4);
    assert.equal(pool.getStats().performance.reuseRate, '80.00%');
  });
});
