'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { startWorker, runInWorker, settled } = require('../support');
const { runInChild } = require('../support/processes');

describe('worker threads', () => {
  it('compute as the main thread does', async () => {
    const product = await runInWorker(async ({ load }) => {
      const engine = new (load().ParallelProcessingEngine)();
      return engine.executeTask('matrix_multiplication', { matrixA: [[1, 2]], matrixB: [[3], [4]] });
    });
    assert.deepEqual(product, [[11]]);
  });

  it('may be terminated in the middle of tasks that read their memory', async () => {
    for (let round = 0; round < 8; round++) {
      const thread = startWorker(async ({ load, require: loadHere, say }) => {
        const { occupy } = loadHere('./tasks');
        const engine = new (load().ParallelProcessingEngine)();
        await occupy(engine);
        for (let task = 0; task < 10; task++) engine.executeTask('sort', new Float64Array(50_000));
        say('busy');
        await new Promise(() => setInterval(() => {}, 1000));
      });
      await thread.said('busy');
      await settled(thread.terminate(), { what: 'a thread to end' });
    }
  });
});

describe('a process', () => {
  it('ends by itself while an engine is idle', async () => {
    const { code, said } = await runInChild(async ({ load, say }) => {
      const engine = new (load().ParallelProcessingEngine)();
      say(await engine.executeTask('sort', [2, 1]));
    });
    assert.equal(code, 0);
    assert.deepEqual(said, [[1, 2]]);
  });

  it('ends by itself while the threads of registered tasks are idle, and stays for one that somebody awaits', async () => {
    const { code, said } = await runInChild(async ({ load, say }) => {
      const engine = new (load().ParallelProcessingEngine)();
      engine.registerTask('later', (ms) => new Promise((resolve) => setTimeout(resolve, ms, 'done')));
      say(await engine.executeTask('later', 1));
      engine.executeTask('later', 100).then(say);
    });
    assert.equal(code, 0);
    assert.deepEqual(said, ['done', 'done']);
  });

  it('stays for a task that somebody awaits', async () => {
    const { code, said } = await runInChild(({ load, say }) => {
      const engine = new (load().ParallelProcessingEngine)();
      const values = new Float64Array(300_000);
      engine.executeTask('sort', values).then(({ length }) => say(length));
    });
    assert.equal(code, 0);
    assert.deepEqual(said, [300_000]);
  });

  it('may exit in the middle of a task', async () => {
    const { code, stderr } = await runInChild(async ({ load, require: loadHere }) => {
      await loadHere('./tasks').occupy(new (load().ParallelProcessingEngine)());
      process.exit(7);
    });
    assert.equal(code, 7, stderr);
  });
});

it('engines that nobody holds are collected, those with tasks are not', async () => {
  const { code, said } = await runInChild(
    async ({ load, say, collectThoroughly }) => {
      const { ParallelProcessingEngine } = load();
      const begin = () => new ParallelProcessingEngine().executeTask('sort', new Float64Array(200_000));
      const tasks = Array.from({ length: 20 }, begin);
      await collectThoroughly();
      say((await Promise.all(tasks)).every(({ length }) => length === 200_000));
      await collectThoroughly();
    },
    { nodeArgs: ['--expose-gc'] },
  );
  assert.equal(code, 0);
  assert.deepEqual(said, [true]);
});
