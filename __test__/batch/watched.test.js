'use strict';

const { it } = require('node:test');
const assert = require('node:assert/strict');
const {
  BatchProcessingEngine,
  MemoryDataProvider,
  MemoryOptimizationEngine,
  OptimizedDataService,
  OptimizedIntentMatcher,
  ParallelProcessingEngine,
} = require('../..');
const { serviceSnapshots } = require('../../lib/services');

it('engines tell monitors their figures while they are open', async () => {
  const engines = {
    batch: new BatchProcessingEngine(),
    compute: new ParallelProcessingEngine(),
    dataservice: new OptimizedDataService(new MemoryDataProvider()),
    intents: new OptimizedIntentMatcher([{ id: 1, pattern: 'a' }]),
    memory: new MemoryOptimizationEngine(),
  };
  await engines.batch.processBatch([1, 2], (items) => items);
  await engines.compute.executeTask('sort', [2, 1]);
  await engines.dataservice.addBatch('c', [1, 2, 3]);
  await engines.intents.match('a');
  await engines.memory.compress('text');
  const told = serviceSnapshots();
  assert.equal(told.get('batch').items, 2);
  assert.equal(told.get('compute').completed, 1);
  assert.equal(told.get('dataservice').added, 3);
  assert.equal(told.get('intents').matches, 1);
  assert.equal(told.get('memory').allocationCount, 1);
  for (const [name, figures] of told) {
    if (!Object.hasOwn(engines, name)) continue;
    const numbers = Object.values(figures).filter((value) => typeof value === 'number');
    assert.ok(numbers.length >= 4, `${name} has figures that can be recorded`);
  }
  for (const engine of Object.values(engines)) await engine.close();
  const left = serviceSnapshots();
  for (const name of Object.keys(engines)) assert.equal(left.has(name), false, name);
});
