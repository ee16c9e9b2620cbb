'use strict';

// Engines watch themselves: whoever monitors sees the figures of each, and nothing of one that has gone.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const {
  MemoryCache,
  MemoryOptimizationEngine,
  MemoryOptimizedCache,
  ObjectPool,
  ParallelProcessingEngine,
  PerformanceMonitor,
  WorkerPool,
} = require('hotpath');
const { uniqueName, waitFor } = require('../support');
const { collectGarbage } = require('../support/context').makeContext({});
const { fixture } = require('../support/pools');
const { serviceSnapshots, watchService } = require('../../lib/services.js');

function monitorOf(t) {
  const monitor = new PerformanceMonitor({ options: { enabled: false } });
  t.after(() => monitor.close());
  return {
    /** The latest figure of a service. */
    async figure(service, key) {
      await monitor.collectServiceMetrics();
      return monitor.getMetrics(`service.${service}.${key}`).at(-1)?.value;
    },
  };
}

describe('engines watch themselves', () => {
  it('MemoryOptimizedCache', async (t) => {
    const name = uniqueName('optimized');
    const cache = new MemoryOptimizedCache({ name });
    const { figure } = monitorOf(t);
    await cache.put('a', 1);
    assert.equal(await figure(name, 'entries'), 1);
    await cache.close();
    assert.equal(serviceSnapshots().has(name), false);
  });

  it('WorkerPool', async (t) => {
    const name = uniqueName('pool');
    const pool = new WorkerPool(fixture('identity.js'), { name, minWorkers: 1, maxWorkers: 1 });
    t.after(() => pool.terminate());
    const { figure } = monitorOf(t);
    await Promise.all([pool.execute(1), pool.execute(2)]);
    assert.equal(await figure(name, 'jobs.completed'), 2);
    assert.equal(await figure(name, 'queue.pending'), 0);
    await pool.terminate();
    assert.equal(serviceSnapshots().has(name), false);
  });

  it('ObjectPool', async (t) => {
    const pool = new ObjectPool(
      () => ({}),
      () => {},
      3,
    );
    const { figure } = monitorOf(t);
    pool.acquire();
    const label = labelOf('objects', ({ created, inUse }) => created === 3 && inUse === 1);
    assert.equal(await figure(label, 'idle'), 2);
    assert.equal(pool.stats.inUse, 1);
  });

  it('ParallelProcessingEngine', async (t) => {
    const engine = new ParallelProcessingEngine({ maxWorkers: 1 });
    t.after(() => engine.close());
    const { figure } = monitorOf(t);
    await engine.executeTask('statistics', [1, 2, 3]);
    const label = labelOf('compute', (figures) => figures.completed === 1);
    assert.equal(await figure(label, 'completed'), 1);
    await engine.close();
    assert.equal(serviceSnapshots().has(label), false);
  });

  it('MemoryOptimizationEngine', async (t) => {
    const engine = new MemoryOptimizationEngine();
    t.after(() => engine.close());
    engine.createBufferPool(1024, 2);
    const { figure } = monitorOf(t);
    const label = labelOf('memory', (figures) => figures.bufferPools === 1);
    assert.ok((await figure(label, 'heapUsed')) > 0);
    engine.close();
    assert.equal(serviceSnapshots().has(label), false);
  });

  it('a pool whose queue is long raises HIGH_QUEUE_DEPTH, and ends it', async (t) => {
    const name = uniqueName('busy');
    const pool = new WorkerPool(fixture('tasks.js'), {
      name,
      minWorkers: 1,
      maxWorkers: 1,
      concurrentTasksPerWorker: 1,
    });
    t.after(() => pool.terminate());
    const monitor = new PerformanceMonitor({
      logger: { warn() {} },
      options: { enabled: false, metricsWindow: 60_000, thresholds: { queueDepth: 3, cpu: 100, memory: 100 } },
    });
    t.after(() => monitor.close());
    const changes = [];
    monitor.on('alert', ({ type }) => changes.push(`${type} began`));
    monitor.on('resolved', ({ type }) => changes.push(`${type} ended`));
    const look = async () => {
      await monitor.collectServiceMetrics();
      monitor.checkAlerts();
    };
    const aborted = new AbortController();
    const tasks = Array.from({ length: 8 }, () =>
      pool.execute({ do: 'never' }, { signal: aborted.signal, retries: 0 }),
    );
    const settled = Promise.allSettled(tasks);
    await look();
    assert.deepEqual(changes, ['HIGH_QUEUE_DEPTH began']);
    aborted.abort();
    await settled;
    await look();
    assert.deepEqual(changes, ['HIGH_QUEUE_DEPTH began', 'HIGH_QUEUE_DEPTH ended']);
  });
});

describe('the list of engines', () => {
  const figuresOf = (owner) => ({ number: owner.number });

  it('numbers those of one name, and uses numbers again', () => {
    const name = uniqueName('same');
    const owners = Array.from({ length: 3 }, (_, number) => ({ number }));
    const leave = owners.map((owner) => watchService('kind', name, owner, figuresOf));
    assert.deepEqual(labelsOf(name), [name, `${name}-2`, `${name}-3`]);
    leave[1]();
    leave[1]();
    const again = watchService('kind', name, owners[1], figuresOf);
    assert.deepEqual(labelsOf(name).sort(), [name, `${name}-2`, `${name}-3`]);
    leave[0]();
    leave[2]();
    again();
    assert.deepEqual(labelsOf(name), []);
  });

  it('gives no two engines one label, even if a name looks like a number of another', () => {
    const name = uniqueName('like');
    const owners = [{ number: 1 }, { number: 2 }, { number: 3 }];
    const leave = [`${name}-2`, name, name].map((wanted, index) =>
      watchService('kind', wanted, owners[index], figuresOf),
    );
    assert.deepEqual(labelsOf(name).sort(), [name, `${name}-2`, `${name}-3`]);
    for (const end of leave) end();
  });

  it('tells nested numbers on one level, and nothing else', () => {
    const owner = { deep: { deeper: { number: 1, deepest: { number: 2 } }, text: 'x', none: null } };
    const leave = watchService('nested', uniqueName('nested'), owner, ({ deep }) => ({ deep, flag: true }));
    const [figures] = [...serviceSnapshots()].filter(([name]) => name.startsWith('nested')).map(([, told]) => told);
    assert.deepEqual(figures, { 'deep.deeper.number': 1 });
    leave();
  });

  it('keeps nothing alive', async () => {
    const name = uniqueName('collected');
    let cache = new MemoryCache();
    const held = new WeakRef(cache);
    watchService('kind', name, cache, (owner) => owner.stats);
    assert.ok(serviceSnapshots().has(name));
    cache = undefined;
    await waitFor(() => {
      collectGarbage();
      return held.deref() === undefined && !serviceSnapshots().has(name);
    });
  });

  it('passes over one that cannot tell', () => {
    const name = uniqueName('broken');
    const owner = {};
    const leave = watchService('kind', name, owner, () => {
      throw new Error('expected by the test');
    });
    assert.equal(serviceSnapshots().has(name), false);
    leave();
  });
});

function labelsOf(name) {
  return [...serviceSnapshots().keys()].filter((label) => label.startsWith(name));
}

/** The label of the engine of a kind whose figures are these. */
function labelOf(kind, isIt) {
  const found = [...serviceSnapshots()].find(([label, figures]) => label.startsWith(kind) && isIt(figures));
  assert.ok(found, `no ${kind} with such figures`);
  return found[0];
}
