'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { ParallelProcessingEngine } = require('../..');
const { errors } = require('../support');
const { occupy } = require('../support/tasks');

/** Every public member, and what it gives while the engine is open. */
const MEMBERS = {
  executeTask: async (engine) => assert.deepEqual(await engine.executeTask('sort', [2, 1]), [1, 2]),
  registerTask: async (engine) =>
    assert.equal(
      engine.registerTask('same', (x) => x),
      engine,
    ),
  getStats: (engine) => assert.equal(typeof engine.getStats().tasks.successRate, 'string'),
  stats: (engine) => assert.equal(typeof engine.stats.tasks.successRate, 'number'),
  tasks: (engine) => assert.ok(engine.tasks.includes('matrix_inverse')),
  closed: (engine) => assert.equal(engine.closed, false),
  close: (engine) => engine.close(),
  destroy: (engine) => engine.destroy(),
};
/** What works on an engine that was closed as on one that is open. */
const ALWAYS = ['getStats', 'stats', 'tasks', 'close', 'destroy'];

it('the matrix knows every public member', () => {
  const members = Object.getOwnPropertyNames(ParallelProcessingEngine.prototype);
  assert.deepEqual(members.filter((name) => name !== 'constructor').sort(), Object.keys(MEMBERS).sort());
});

for (const [name, use] of Object.entries(MEMBERS)) {
  describe(name, () => {
    it('on a new engine', async () => {
      await use(new ParallelProcessingEngine());
    });

    it('while the engine is busy, and full', async () => {
      const engine = new ParallelProcessingEngine({ maxWorkers: 1 });
      const stop = new AbortController();
      const { task } = await occupy(engine, { signal: stop.signal });
      const used = use(engine);
      stop.abort();
      await used;
      await task.catch(() => {});
      await engine.destroy();
    });

    it('in the callback of a task', async () => {
      const engine = new ParallelProcessingEngine();
      await engine.executeTask('sort', [1]).then(() => use(engine));
      await engine.destroy();
    });

    for (const end of ['close', 'destroy']) {
      it(`after ${end}`, async () => {
        const engine = new ParallelProcessingEngine();
        await engine[end]();
        if (name === 'closed') assert.equal(engine.closed, true);
        else if (ALWAYS.includes(name)) await use(engine);
        else await assert.rejects(use(engine), errors.closed);
      });
    }
  });
}

describe('options', () => {
  it('are checked', () => {
    const make = (options) => () => new ParallelProcessingEngine(options);
    assert.throws(make({ maxWorkers: 0 }), errors.outOfRange('options.maxWorkers'));
    assert.throws(make({ maxWorkers: '4' }), errors.invalidType('options.maxWorkers'));
    assert.throws(make({ maxWorker: 4 }), errors.unknownOption('maxWorker', 'maxWorkers'));
    assert.throws(make({ taskTimeout: 0 }), errors.outOfRange('options.taskTimeout'));
    assert.throws(make({ workerTimeout: NaN }), errors.outOfRange('options.workerTimeout'));
    assert.throws(make(5), errors.invalidType('options'));
  });

  it('of a task are checked, and reject', async (t) => {
    const engine = new ParallelProcessingEngine();
    t.after(() => engine.close());
    const run = (options) => engine.executeTask('sort', [1], options);
    await assert.rejects(run({ priority: 0.5 }), errors.outOfRange('options.priority'));
    await assert.rejects(run({ timeout: -1 }), errors.outOfRange('options.timeout'));
    await assert.rejects(run({ signal: {} }), errors.invalidType('options.signal'));
    await assert.rejects(run({ transfer: 1 }), errors.invalidType('options.transfer'));
    await assert.rejects(run({ transferList: [] }), errors.unknownOption('transferList', 'transfer'));
    await assert.rejects(engine.executeTask('make_tea', {}), errors.outOfRange('type'));
    await assert.rejects(engine.executeTask(undefined), errors.invalidType('type'));
    await assert.rejects(engine.executeTask('toString'), errors.outOfRange('type'));
  });

  it('the engine is disposable', async () => {
    const engine = new ParallelProcessingEngine();
    await engine[Symbol.asyncDispose]();
    assert.equal(engine.closed, true);
  });
});
