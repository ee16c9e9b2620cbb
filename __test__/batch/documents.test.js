'use strict';

// Code as the documents that describe these classes use them; only where it imports from is ours.

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const {
  BatchProcessingEngine,
  MemoryOptimizationEngine,
  OptimizedDataService,
  OptimizedIntentMatcher,
  ParallelIntentProcessor,
  ParallelProcessingEngine,
  serviceRegistry,
} = require('../..');

describe('the data service', () => {
  const objects = Array.from({ length: 1000 }, (_, i) => ({
    id: i,
    name: `Object ${i}`,
    data: { value: Math.random() },
  }));

  it('adds and reads a thousand objects of the registry’s provider', async () => {
    const dataService = new OptimizedDataService(serviceRegistry.dataService('memory'));
    const start = process.hrtime.bigint();
    const uuids = await dataService.addBatch('test', objects);
    const retrieved = await dataService.getBatch('test', uuids);
    const end = process.hrtime.bigint();
    const opsPerSecond = (objects.length * 2) / (Number(end - start) / 1000000000);
    assert.ok(opsPerSecond > 0);
    assert.deepEqual(
      retrieved,
      uuids.map((uuid, i) => ({ uuid, result: objects[i], status: 'fulfilled' })),
    );
  });

  it('combines what several terms find, and batches single items', async () => {
    const dataService = new OptimizedDataService(serviceRegistry.dataService('memory'), {
      batchSize: 3,
      batchTimeout: 50,
    });
    const uuids = await Promise.all([
      dataService.smartBatch('add', 'smart', [objects[1]]),
      dataService.smartBatch('add', 'smart', [objects[2], objects[11]]),
    ]);
    assert.equal(typeof uuids[0], 'string');
    assert.equal(uuids[1].length, 2);
    const { status, result } = await dataService.smartBatch('get', 'smart', [uuids[0]]);
    assert.deepEqual([status, result], ['fulfilled', objects[1]]);
    const found = await dataService.findBatch('smart', ['Object 1', 'Object 2']);
    const terms = found.map(({ item, matchedTerms }) => [item.id, matchedTerms]);
    assert.deepEqual(
      terms.sort((a, b) => a[0] - b[0]),
      [
        [1, ['Object 1']],
        [2, ['Object 2']],
        [11, ['Object 1']],
      ],
    );
    await assert.rejects(dataService.addBatch('smart', 'no array'), TypeError);
    await assert.rejects(dataService.smartBatch('drop', 'smart', [1]), RangeError);
  });
});

describe('the intent matcher', () => {
  const testIntents = [
    { id: 'greeting', pattern: '^(hello|hi)\\b' },
    { id: 'without pattern' },
    { id: 'test', pattern: 'test\\s+message' },
    { id: 'any', pattern: 'message' },
  ];

  it('matches ten thousand times', async () => {
    const intentMatcher = new OptimizedIntentMatcher(testIntents);
    for (let i = 0; i < 10000; i++) {
      assert.equal(await intentMatcher.match('test message'), testIntents[2]);
    }
    assert.equal(await intentMatcher.match('  TEST MESSAGE '), testIntents[2]);
    assert.equal(await intentMatcher.match('Hi there'), testIntents[0]);
    assert.equal(await intentMatcher.match('unknown'), null);
  });

  it('is what the parallel processor processes inputs with', async () => {
    const processor = new ParallelIntentProcessor(new OptimizedIntentMatcher(testIntents));
    const inputs = Array.from({ length: 25 }, (_, i) => (i % 2 ? 'hello' : `message ${i}`));
    const expected = inputs.map((input, i) => ({ input, intent: testIntents[i % 2 ? 0 : 3] }));
    assert.deepEqual(await processor.processIntents(inputs), expected);
    assert.deepEqual(await processor.processBatch(inputs), expected);
    assert.deepEqual(await processor.processBatch(inputs, 5), expected);
  });

  it('may be a function instead', async () => {
    const processor = new ParallelIntentProcessor(async (input) => input.toUpperCase());
    assert.deepEqual(await processor.processBatch(['a', 'b', 'c'], 2), ['A', 'B', 'C']);
  });
});

describe('the engines, with their documented settings', () => {
  it('processes batches', async () => {
    const batchEngine = new BatchProcessingEngine({
      batchSize: 1000, // Items per batch
      maxConcurrency: 5, // Maximum concurrent batches
      processingTimeout: 1800000, // 30 minutes timeout
    });
    const data = [
      { id: 1, value: 'data1' },
      { id: 2, value: 'data2' },
    ];
    const processor = (chunk) => chunk.map((item) => ({ ...item, processed: true }));
    const { batchId } = await batchEngine.submitBatch(data, processor, { batchSize: 1000, maxConcurrency: 5 });
    const { status, results, errors } = await batchEngine.waitForBatch(batchId);
    assert.deepEqual([status, results, errors], ['completed', processor(data), []]);
    assert.equal(batchEngine.getBatchStatus(batchId).progress, 100);
    await batchEngine.close();
  });

  it('computes in parallel', async () => {
    const parallelEngine = new ParallelProcessingEngine({
      maxWorkers: 4, // Number of worker threads
      taskTimeout: 300000, // 5 minutes task timeout
      workerTimeout: 600000, // 10 minutes worker timeout
    });
    const product = await parallelEngine.executeTask(
      'matrix_multiplication',
      {
        matrixA: [
          [1, 2],
          [3, 4],
        ],
        matrixB: [
          [5, 6],
          [7, 8],
        ],
      },
      { priority: 1 },
    );
    assert.deepEqual(product, [
      [19, 22],
      [43, 50],
    ]);
    const entities = [
      { id: 'a', ratings: { x: 1, y: 2, z: 3 } },
      { id: 'b', ratings: { x: 2, y: 4, z: 6 } },
      { id: 'c', ratings: { x: 3, y: 2, z: 1 } },
    ];
    const similar = await parallelEngine.executeTask(
      'similarity_calculation',
      { entities, algorithm: 'pearson', options: { minSimilarity: 0.1 } },
      { priority: 1, timeout: 300000 },
    );
    assert.deepEqual(
      similar.map(({ a, b }) => [a, b]),
      [['a', 'b']],
    );
    await parallelEngine.close();
  });

  it('compresses, and tells of the memory', async () => {
    const memoryEngine = new MemoryOptimizationEngine({
      memoryLimit: 100 * 1024 * 1024, // 100MB limit
      compressionEnabled: true, // Enable compression
      lazyLoadingEnabled: true, // Enable lazy loading
      garbageCollectionInterval: 60000, // 1 minute GC interval
    });
    const data = { largeArray: Array.from({ length: 1000 }, (_, i) => i), repeatedData: 'again '.repeat(500) };
    const compressed = await memoryEngine.compress(data, 'gzip');
    assert.ok(compressed.compressedSize < compressed.originalSize);
    assert.deepEqual(await memoryEngine.decompress(compressed.data, 'gzip'), data);
    const stats = memoryEngine.getStats();
    assert.deepEqual(Object.keys(stats), ['current', 'tracking', 'pools']);
    assert.deepEqual(Object.keys(stats.current), ['heapUsed', 'heapTotal', 'external', 'rss']);
    assert.deepEqual(Object.keys(stats.tracking), [
      'memoryUsage',
      'memoryPeak',
      'allocationCount',
      'deallocationCount',
    ]);
    assert.deepEqual(Object.keys(stats.pools), ['objectPools', 'bufferPools', 'lazyCache', 'compressionCache']);
    memoryEngine.close();
  });
});
