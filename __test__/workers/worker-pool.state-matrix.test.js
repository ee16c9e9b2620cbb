'use strict';

// Every public member in every state that a pool can be in.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { WorkerPool } = require('../..');
const { fixture, outcomeOf } = require('../support/pools');
const { runInWorker, settled, waitFor } = require('../support');

/** What each member does; each gives something that can be compared. */
const OPERATIONS = {
  execute: async (pool) =>
    (await outcomeOf(pool.execute({ do: 'echo', value: 1 }, { retries: 0 }))).error?.code ?? 'done',
  getStats: (pool) => Object.keys(pool.getStats()).join(),
  stats: (pool) => typeof pool.stats.jobs.total,
  name: (pool) => pool.name,
  closed: (pool) => typeof pool.closed,
  validate: (pool) => {
    try {
      pool.validate();
      return 'valid';
    } catch (error) {
      return error.code;
    }
  },
  resize: (pool) => {
    try {
      return pool.resize({ maxWorkers: 2 });
    } catch (error) {
      return error.code;
    }
  },
  drain: (pool) => pool.drain(),
  close: (pool) => pool.close(),
  terminate: (pool) => pool.terminate(),
  on: (pool) => pool.on('jobQueued', () => {}) === pool,
  addListener: (pool) => pool.addListener('jobQueued', () => {}) === pool,
  prependListener: (pool) => pool.prependListener('jobQueued', () => {}) === pool,
  off: (pool) => pool.off('jobQueued', () => {}) === pool,
  removeListener: (pool) => pool.removeListener('jobQueued', () => {}) === pool,
  removeAllListeners: (pool) => pool.removeAllListeners('jobQueued') === pool,
};

const STATS = 'workers,queue,jobs,performance';
const OPEN = {
  execute: 'done',
  getStats: STATS,
  stats: 'number',
  name: undefined,
  closed: 'boolean',
  validate: 'valid',
  resize: undefined,
  drain: undefined,
  close: undefined,
  terminate: undefined,
  on: true,
  addListener: true,
  prependListener: true,
  off: true,
  removeListener: true,
  removeAllListeners: true,
};
const CLOSED = { ...OPEN, execute: 'ERR_HOTPATH_CLOSED', validate: 'ERR_HOTPATH_CLOSED', resize: 'ERR_HOTPATH_CLOSED' };

/** How a pool gets into a state, and what is expected there where it differs from an open pool. */
const STATES = {
  fresh: { prepare: () => {}, expected: OPEN },
  idle: { prepare: (pool) => pool.execute({ do: 'echo' }), expected: OPEN },
  busy: {
    prepare: async (pool) => {
      pool.execute({ do: 'sleep', ms: 30 }).catch(() => {});
      await waitFor(() => pool.stats.jobs.running === 1);
    },
    expected: OPEN,
  },
  closing: {
    prepare: (pool) => {
      pool.execute({ do: 'sleep', ms: 20 }).catch(() => {});
      pool.drain();
    },
    expected: { ...CLOSED, validate: 'valid' },
  },
  drained: { prepare: (pool) => pool.drain(), expected: CLOSED },
  terminated: { prepare: (pool) => pool.terminate(), expected: CLOSED },
};

it('the matrix knows every public member', () => {
  const members = Object.getOwnPropertyNames(WorkerPool.prototype).filter((name) => name !== 'constructor');
  assert.deepEqual(members.sort(), Object.keys(OPERATIONS).sort());
});

for (const [state, { prepare, expected }] of Object.entries(STATES)) {
  describe(`state matrix: ${state}`, () => {
    for (const [name, operation] of Object.entries(OPERATIONS)) {
      it(name, async (t) => {
        const pool = new WorkerPool(fixture('tasks.js'), { maxWorkers: 1 });
        t.after(() => pool.terminate());
        await prepare(pool);
        assert.deepEqual(await settled(Promise.resolve(operation(pool))), expected[name]);
        assert.equal(pool.closed, expected === OPEN ? ['drain', 'close', 'terminate'].includes(name) : true);
      });
    }
  });
}

describe('state matrix: inside a listener', () => {
  for (const [name, operation] of Object.entries(OPERATIONS)) {
    it(name, async (t) => {
      const pool = new WorkerPool(fixture('tasks.js'), { maxWorkers: 1 });
      t.after(() => pool.terminate());
      const inside = new Promise((resolve, reject) => {
        pool.once('jobStarted', () =>
          Promise.resolve()
            .then(() => operation(pool))
            .then(resolve, reject),
        );
      });
      const task = outcomeOf(pool.execute({ do: 'echo', value: 'outer' }));
      await settled(inside);
      const { value, error } = await settled(task);
      // The task had begun: whatever was called, it ended in one way or the other.
      assert.ok(value === 'outer' || error.code === 'ERR_HOTPATH_CLOSED');
    });
  }
});

it('state matrix: in a worker thread', async () => {
  const answers = await runInWorker(
    async ({ load }, { file, operations }) => {
      const results = {};
      const outcomeOf = (promise) =>
        promise.then(
          (value) => ({ value }),
          (error) => ({ error }),
        );
      for (const [name, source] of operations) {
        const pool = new (load().WorkerPool)(file, { maxWorkers: 1 });
        results[name] = await new Function('outcomeOf', `return ${source}`)(outcomeOf)(pool);
        await pool.terminate();
      }
      return results;
    },
    {
      file: fixture('tasks.js'),
      operations: Object.entries(OPERATIONS).map(([name, operation]) => [name, String(operation)]),
    },
  );
  assert.deepEqual(answers, OPEN);
});
