'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { WorkerPool } = require('../..');
const { fixture, openPool } = require('../support/pools');
const { errors } = require('../support');
const { NOT_BOOLEANS, NOT_NUMBERS, NOT_OBJECTS, NOT_STRINGS, refuses } = require('../support/wrong-values');

const file = fixture('identity.js');
const make = (options) => new WorkerPool(file, options);

describe('options of a pool', () => {
  it('have to be of the right type', () => {
    refuses((value) => new WorkerPool(value), NOT_STRINGS, errors.invalidType('file'));
    for (const name of [
      'maxWorkers',
      'minWorkers',
      'timeout',
      'maxQueue',
      'idleTimeoutMs',
      'concurrentTasksPerWorker',
    ]) {
      refuses((value) => make({ [name]: value }), NOT_NUMBERS, errors.invalidType(`options.${name}`));
    }
    for (const name of ['reuseWorkers', 'blocking']) {
      refuses((value) => make({ [name]: value }), NOT_BOOLEANS, errors.invalidType(`options.${name}`));
    }
    refuses((value) => make({ name: value }), NOT_STRINGS, errors.invalidType('options.name'));
    for (const name of ['recycle', 'resourceLimits']) {
      refuses((value) => make({ [name]: value }), NOT_OBJECTS, errors.invalidType(`options.${name}`));
    }
    refuses(make, NOT_OBJECTS, errors.invalidType('options'));
  });

  it('have to be in range', () => {
    for (const [name, values] of Object.entries({
      maxWorkers: [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53],
      minWorkers: [-1, 0.5, Number.NaN, 9],
      timeout: [0, -1, Number.NaN],
      maxQueue: [-1, 0.5, Number.NaN],
      idleTimeoutMs: [-1, Number.NaN],
      concurrentTasksPerWorker: [0, 1.5, Number.POSITIVE_INFINITY],
    })) {
      for (const value of values) {
        assert.throws(() => make({ [name]: value }), errors.outOfRange(`options.${name}`), `${name}: ${value}`);
      }
    }
    assert.throws(() => make({ maxWorkers: 2, minWorkers: 3 }), errors.outOfRange('options.minWorkers'));
    assert.throws(() => make({ recycle: { maxTasks: 0 } }), errors.outOfRange('options.recycle.maxTasks'));
    assert.throws(() => make({ recycle: { maxHeapMB: 0 } }), errors.outOfRange('options.recycle.maxHeapMB'));
    assert.throws(() => make({ name: '' }), errors.outOfRange('options.name'));
    assert.throws(() => new WorkerPool(''), errors.outOfRange('file'));
  });

  it('are known by name', () => {
    assert.throws(() => make({ maxWorker: 2 }), errors.unknownOption('maxWorker', 'maxWorkers'));
    assert.throws(() => make({ recycle: { maxTask: 2 } }), errors.unknownOption('maxTask', 'maxTasks'));
    assert.throws(
      () => make({ resourceLimits: { stackSizeMB: 2 } }),
      errors.unknownOption('stackSizeMB', 'stackSizeMb'),
    );
  });

  it('may be undefined, and a maximum below the default minimum lowers that', (t) => {
    const pool = openPool(t, { maxWorkers: 1, minWorkers: undefined, timeout: undefined }, 'identity.js');
    assert.deepEqual(pool.getStats().workers.min, 1);
  });
});

describe('options of a task', () => {
  const rejects = (pool, options, expected) => assert.rejects(pool.execute(1, options), expected);

  it('reject when they are wrong, and never throw', async (t) => {
    const pool = openPool(t, { maxWorkers: 1 }, 'identity.js');
    for (const name of ['priority', 'retries', 'timeout']) {
      for (const value of NOT_NUMBERS) await rejects(pool, { [name]: value }, errors.invalidType(`options.${name}`));
    }
    for (const value of NOT_OBJECTS) await rejects(pool, value, errors.invalidType('options'));
    for (const [options, path] of [
      [{ priority: 1.5 }, 'options.priority'],
      [{ priority: Number.NaN }, 'options.priority'],
      [{ retries: -1 }, 'options.retries'],
      [{ retries: 2 ** 32 }, 'options.retries'],
      [{ timeout: 0 }, 'options.timeout'],
      [{ backoff: -1 }, 'options.backoff'],
      [{ backoff: { factor: 0.5 } }, 'options.backoff.factor'],
      [{ backoff: { jitter: 2 } }, 'options.backoff.jitter'],
      [{ backoff: { maxMs: -1 } }, 'options.backoff.maxMs'],
    ]) {
      await rejects(pool, options, errors.outOfRange(path));
    }
    await rejects(pool, { backoff: 'long' }, errors.invalidType('options.backoff'));
    await rejects(pool, { signal: {} }, errors.invalidType('options.signal'));
    await rejects(pool, { transferList: 'all' }, errors.invalidType('options.transferList'));
    await rejects(pool, { retry: 1 }, errors.unknownOption('retry', 'retries'));
    await rejects(pool, { backoff: { initial: 1 } }, errors.unknownOption('initial', 'initialMs'));
    assert.equal(pool.getStats().jobs.total, 0);
    assert.equal(await pool.execute(1, { transferList: [], signal: undefined, timeout: Infinity }), 1);
  });
});
