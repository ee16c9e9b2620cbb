'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { BufferPool, MemoryOptimizationEngine } = require('../..');
const { errors, runInWorker, waitFor } = require('../support');
const { runInChild } = require('../support/processes');

function open(t, options) {
  const engine = new MemoryOptimizationEngine(options);
  t.after(() => engine.close());
  return engine;
}

describe('getStats', () => {
  it('has the documented shape, key for key', (t) => {
    const { current, tracking, pools } = open(t).getStats();
    assert.deepEqual(Object.keys(current), ['heapUsed', 'heapTotal', 'external', 'rss']);
    assert.deepEqual(Object.keys(tracking), ['memoryUsage', 'memoryPeak', 'allocationCount', 'deallocationCount']);
    assert.deepEqual(pools, { objectPools: 0, bufferPools: 0, lazyCache: 0, compressionCache: 0 });
    assert.equal(tracking.memoryUsage, current.heapUsed);
    assert.ok(tracking.memoryPeak >= current.heapUsed);
    assert.deepEqual([tracking.allocationCount, tracking.deallocationCount], [0, 0]);
  });

  it('counts what happened', async (t) => {
    const engine = open(t);
    const objects = engine.createObjectPool(() => ({ n: 0 }), () => {}, 3); // biome-ignore format: call
    engine.createBufferPool(16, 2);
    const lazy = engine.createLazy(() => 'value');
    await lazy.get();
    await engine.compress('x'.repeat(100));
    objects.release(objects.acquire());
    const { tracking, pools } = engine.getStats();
    assert.deepEqual(pools, { objectPools: 1, bufferPools: 1, lazyCache: 1, compressionCache: 1 });
    assert.deepEqual([tracking.allocationCount, tracking.deallocationCount], [3 + 2 + 1 + 1, 0]);
    const report = engine.optimize();
    assert.deepEqual([report.objectsReleased, report.buffersReleased, report.resultsForgotten], [3, 2, 1]);
    // Asked for since the beginning: it goes the next time.
    assert.equal(report.lazyUnloaded, 0);
    assert.equal(engine.optimize().lazyUnloaded, 1);
    assert.equal(engine.stats.tracking.deallocationCount, 3 + 2 + 1 + 1);
    assert.equal(await lazy.get(), 'value');
  });
});

describe('lazy values', () => {
  it('are loaded once, when they are asked for', async (t) => {
    const engine = open(t);
    let loads = 0;
    const lazy = engine.createLazy(async () => {
      loads += 1;
      return { loads };
    });
    assert.deepEqual([lazy.loaded, loads], [false, 0]);
    const [first, second] = await Promise.all([lazy.get(), lazy.get()]);
    assert.equal(first, second);
    assert.deepEqual([lazy.loaded, loads], [true, 1]);
    assert.equal(lazy.unload(), true);
    assert.equal(lazy.unload(), false);
    assert.deepEqual(await lazy.get(), { loads: 2 });
  });

  it('that fail are tried again', async (t) => {
    let fails = true;
    const lazy = open(t).createLazy(() => {
      if (fails) throw new Error('not yet');
      return 1;
    });
    await assert.rejects(lazy.get(), /not yet/);
    fails = false;
    assert.equal(await lazy.get(), 1);
  });

  it('are loaded at once where lazy loading is off', async (t) => {
    const engine = open(t, { lazyLoadingEnabled: false });
    const lazy = engine.createLazy(() => 5);
    await waitFor(() => lazy.loaded);
    engine.createLazy(() => Promise.reject(new Error('nobody waits for this')));
    assert.throws(() => engine.createLazy(5), errors.invalidType('loader'));
  });
});

describe('optimize', () => {
  it('happens by itself while the heap is above the limit', async (t) => {
    const engine = open(t, { memoryLimit: 1, garbageCollectionInterval: 5 });
    engine.createBufferPool(16, 2);
    await waitFor(() => engine.getStats().tracking.deallocationCount === 2);
  });

  it('does nothing by itself below it', (t) => {
    const engine = open(t, { memoryLimit: Number.MAX_SAFE_INTEGER });
    assert.equal(engine.optimizeIfShort(), undefined);
    const report = engine.optimize();
    assert.deepEqual(Object.keys(report), [
      'before',
      'after',
      'freed',
      'objectsReleased',
      'buffersReleased',
      'lazyUnloaded',
      'resultsForgotten',
      'garbageCollected',
    ]);
    assert.equal(report.garbageCollected, typeof globalThis.gc === 'function');
  });
});

describe('state matrix', () => {
  const MEMBERS = {
    compress: (engine) => engine.compress('x'),
    decompress: async (engine) => engine.decompress(await new MemoryOptimizationEngine().compress('x')),
    createObjectPool: async (engine) => engine.createObjectPool(Object, () => {}),
    createBufferPool: async (engine) => assert.ok(engine.createBufferPool(1, 1) instanceof BufferPool),
    createLazy: async (engine) => engine.createLazy(() => 1),
    optimize: async (engine) => engine.optimize(),
    getStats: async (engine) => engine.getStats(),
    stats: async (engine) => engine.stats,
    closed: async (engine) => engine.closed,
    optimizeIfShort: async (engine) => engine.optimizeIfShort(),
    close: async (engine) => engine.close(),
  };
  const ALWAYS = ['getStats', 'stats', 'closed', 'close', 'optimizeIfShort'];

  it('knows every public member', () => {
    const members = Object.getOwnPropertyNames(MemoryOptimizationEngine.prototype);
    assert.deepEqual(members.filter((name) => name !== 'constructor').sort(), Object.keys(MEMBERS).sort());
  });

  for (const [name, use] of Object.entries(MEMBERS)) {
    it(`${name}: open, and closed`, async () => {
      const engine = new MemoryOptimizationEngine();
      await use(engine);
      engine.close();
      assert.equal(engine.closed, true);
      if (ALWAYS.includes(name)) await use(engine);
      else await assert.rejects(use(engine), errors.closed);
    });
  }

  it('options are checked', () => {
    const make = (options) => () => new MemoryOptimizationEngine(options);
    assert.throws(make({ memoryLimit: 0 }), errors.outOfRange('options.memoryLimit'));
    assert.throws(make({ compressionEnabled: 1 }), errors.invalidType('options.compressionEnabled'));
    assert.throws(make({ garbageCollectionInterval: -1 }), errors.outOfRange('options.garbageCollectionInterval'));
    assert.throws(make({ memoryLimits: 1 }), errors.unknownOption('memoryLimits', 'memoryLimit'));
    make({ garbageCollectionInterval: Infinity })().close();
  });
});

describe('threads and processes', () => {
  it('a worker uses all of it', async () => {
    const there = await runInWorker(async ({ load }) => {
      const { MemoryOptimizationEngine: Engine, SparseMatrix, BloomFilter } = load();
      const engine = new Engine();
      const compressed = await engine.compress(Buffer.alloc(200_000), 'zstd');
      new SparseMatrix(3, 3).set(1, 1, 1);
      new BloomFilter(10).add('x');
      return (await engine.decompress(compressed)).length;
    });
    assert.equal(there, 200_000);
  });

  it('an engine keeps no process alive; structures that nobody holds go', async () => {
    const { code, said } = await runInChild(
      async ({ load, say, collectThoroughly }) => {
        const { MemoryOptimizationEngine: Engine, SparseMatrix, BloomFilter } = load();
        new Engine({ garbageCollectionInterval: 1 });
        await collectThoroughly();
        const before = process.memoryUsage().rss;
        for (let round = 0; round < 200; round++) {
          const filter = new BloomFilter(1_000_000);
          filter.add('x');
          new SparseMatrix(100_000, 10).set(5, 5, 5);
          if (round % 20 === 0) await collectThoroughly();
        }
        await collectThoroughly();
        say(process.memoryUsage().rss - before);
      },
      { nodeArgs: ['--expose-gc'] },
    );
    assert.equal(code, 0);
    // 200 of each would take 320 MB.
    assert.ok(said[0] < 150e6, `${said[0]}`);
  });
});
