'use strict';

const assert = require('node:assert/strict');
const { BloomFilter, BufferPool, CircularBuffer, LRUCache, MemoryOptimizationEngine, SparseMatrix } = require('../..');
const { errors } = require('../support');
const { stateMatrix } = require('../support/state-matrix');

stateMatrix({
  Class: MemoryOptimizationEngine,
  open: (t) => {
    const engine = new MemoryOptimizationEngine();
    t.after(() => engine.close());
    return engine;
  },
  members: {
    closed: (engine) => assert.equal(typeof engine.closed, 'boolean'),
    compress: async (engine) => assert.equal((await engine.compress('text', 'zstd')).originalSize, 4),
    decompress: async (engine) =>
      assert.equal(
        await engine.decompress((await engine.compress('text', 'lz4')).data, 'lz4', { as: 'string' }),
        'text',
      ),
    createObjectPool: (engine) =>
      assert.deepEqual(
        engine
          .createObjectPool(
            () => ({}),
            () => {},
          )
          .acquire(),
        {},
      ),
    createBufferPool: (engine) => assert.equal(engine.createBufferPool(8, 1).acquire().length, 8),
    createLazy: async (engine) => assert.equal(await engine.createLazy(() => 7).get(), 7),
    optimize: (engine) => assert.equal(typeof engine.optimize(), 'object'),
    optimizeIfShort: (engine) => assert.equal(engine.optimizeIfShort(), undefined),
    getStats: (engine) => assert.equal(typeof engine.getStats().pools.objectPools, 'number'),
    stats: (engine) => assert.equal(typeof engine.stats.pools.objectPools, 'number'),
    close: (engine) => engine.close(),
  },
  states: {
    'while it compresses on another thread': async (engine, use) => {
      const busy = engine.compress(Buffer.alloc(1 << 20, 'abc'), 'gzip').catch((error) => error);
      await use(engine);
      const done = await busy;
      assert.ok(done.originalSize === 1 << 20 || done.code === errors.closed.code, `${done}`);
    },
    'inside the loader of a lazy value': async (engine, use) => {
      let used;
      const lazy = engine.createLazy(() => {
        used = (async () => use(engine))();
        return 1;
      });
      assert.equal(await lazy.get(), 1);
      await used;
    },
  },
  ends: { close: (engine) => engine.close() },
  always: ['closed', 'getStats', 'stats', 'close', 'optimizeIfShort'],
  closed: errors.closed,
});

stateMatrix({
  Class: SparseMatrix,
  open: () => new SparseMatrix(2, 2).set(0, 1, 3),
  members: {
    rows: (matrix) => assert.equal(matrix.rows, 2),
    cols: (matrix) => assert.equal(matrix.cols, 2),
    size: (matrix) => assert.ok(matrix.size >= 1),
    bytes: (matrix) => assert.ok(matrix.bytes > 0),
    density: (matrix) => assert.ok(matrix.density >= 0.25),
    get: (matrix) => assert.equal(matrix.get(0, 1), 3),
    set: (matrix) => assert.equal(matrix.set(1, 1, 4).get(1, 1), 4),
    multiply: (matrix) => assert.equal(matrix.multiply(2).get(0, 1), 6),
    transpose: (matrix) => assert.equal(matrix.transpose().get(1, 0), 3),
    toDense: (matrix) => assert.equal(matrix.toDense()[0][1], 3),
    serialize: (matrix) => assert.equal(SparseMatrix.deserialize(matrix.serialize()).get(0, 1), 3),
    entries: (matrix) =>
      assert.ok([...matrix.entries()].some(([row, col, value]) => row === 0 && col === 1 && value === 3)),
  },
  states: {
    'when it is full': (matrix, use) => {
      for (const [row, col] of [
        [0, 0],
        [1, 0],
        [1, 1],
      ]) {
        matrix.set(row, col, 1);
      }
      return use(matrix);
    },
    'while it is iterated': (matrix, use) => {
      for (const _ of matrix) use(matrix);
    },
    'multiplied by itself': (matrix, use) => {
      matrix.multiply(matrix);
      return use(matrix);
    },
  },
});

stateMatrix({
  Class: BloomFilter,
  open: () => {
    const filter = new BloomFilter(10);
    filter.add('known');
    return filter;
  },
  members: {
    capacity: (filter) => assert.equal(filter.capacity, 10),
    falsePositiveRate: (filter) => assert.equal(filter.falsePositiveRate, 0.01),
    size: (filter) => assert.ok(filter.size >= 1),
    bytes: (filter) => assert.ok(filter.bytes > 0),
    add: (filter) => assert.equal(typeof filter.add('x'), 'boolean'),
    has: (filter) => assert.equal(filter.has('known'), true),
    addMany: (filter) => assert.equal(typeof filter.addMany(['y']), 'number'),
    hasMany: (filter) => assert.deepEqual(filter.hasMany(['known']), [true]),
    union: (filter) => assert.equal(filter.union(filter).has('known'), true),
    serialize: (filter) => assert.equal(BloomFilter.deserialize(filter.serialize()).has('known'), true),
    clear: (filter) => {
      filter.clear();
      assert.equal(filter.has('known'), false);
    },
  },
  states: {
    'when it holds far more than it was made for': (filter, use) => {
      filter.addMany(Array.from({ length: 10_000 }, (_, index) => `item ${index}`));
      return use(filter);
    },
    'inside the iterable that it reads': (filter, use) => {
      function* items() {
        yield 'first';
        use(filter);
        filter.add('known');
        yield 'second';
      }
      filter.addMany(items());
      assert.equal(filter.has('second'), true);
    },
  },
});

stateMatrix({
  Class: CircularBuffer,
  open: () => {
    const buffer = new CircularBuffer(2);
    buffer.push('a');
    return buffer;
  },
  members: {
    capacity: (buffer) => assert.equal(buffer.capacity, 2),
    type: (buffer) => assert.equal(typeof buffer.type, 'string'),
    size: (buffer) => assert.ok(buffer.size >= 1),
    isFull: (buffer) => assert.equal(buffer.isFull, buffer.size === 2),
    push: (buffer) => {
      const isFull = buffer.isFull;
      assert.equal(buffer.push('b'), isFull ? 'a' : undefined);
    },
    shift: (buffer) => assert.equal(buffer.shift(), 'a'),
    get: (buffer) => assert.equal(buffer.get(0), 'a'),
    toArray: (buffer) => assert.equal(buffer.toArray()[0], 'a'),
    clear: (buffer) => {
      buffer.clear();
      assert.equal(buffer.size, 0);
    },
  },
  states: {
    'when it is full': (buffer, use) => {
      buffer.push('z');
      return use(buffer);
    },
    'while it is iterated': (buffer, use) => {
      for (const _ of buffer) {
        use(buffer);
        break;
      }
    },
  },
});

stateMatrix({
  Class: BufferPool,
  open: () => new BufferPool(4, 1),
  members: {
    acquire: (pool) => assert.equal(pool.acquire().length, 4),
    release: (pool) => {
      pool.release(pool.acquire());
      assert.ok(pool.stats);
    },
    use: async (pool) => assert.equal(await pool.use((buffer) => buffer.length), 4),
    trim: (pool) => assert.equal(typeof pool.trim(), 'number'),
    stats: (pool) => assert.equal(typeof pool.stats, 'object'),
  },
  states: {
    'when all its buffers are out': (pool, use) => {
      pool.acquire();
      pool.acquire();
      return use(pool);
    },
    'inside its own callback': (pool, use) => pool.use(() => use(pool)),
    'after a callback that threw': async (pool, use) => {
      await assert.rejects(
        pool.use(() => Promise.reject(new Error('thrown'))),
        { message: 'thrown' },
      );
      return use(pool);
    },
  },
});

stateMatrix({
  Class: LRUCache,
  open: () => {
    const cache = new LRUCache({ max: 2 });
    cache.set('a', 1);
    return cache;
  },
  members: {
    size: (cache) => assert.ok(cache.size >= 1),
    bytes: (cache) => assert.equal(typeof cache.bytes, 'number'),
    get: (cache) => assert.equal(cache.get('a'), 1),
    peek: (cache) => assert.equal(cache.peek('a'), 1),
    has: (cache) => assert.equal(cache.has('a'), true),
    set: (cache) => assert.equal(cache.set('b', 2), true),
    put: (cache) => assert.equal(cache.put('b', 2), true),
    delete: (cache) => assert.equal(cache.delete('a'), true),
    del: (cache) => assert.equal(cache.del('a'), true),
    prune: (cache) => assert.equal(cache.prune(), 0),
    entries: (cache) => assert.ok([...cache.entries()].some(([key, value]) => key === 'a' && value === 1)),
    keys: (cache) => assert.ok([...cache.keys()].includes('a')),
    values: (cache) => assert.ok([...cache.values()].includes(1)),
    stats: (cache) => assert.equal(typeof cache.stats, 'object'),
    clear: (cache) => {
      cache.clear();
      assert.equal(cache.size, 0);
    },
  },
  states: {
    'when it is full': (cache, use) => {
      cache.set('z', 26);
      return use(cache);
    },
    'while it is iterated': (cache, use) => {
      for (const _ of cache) {
        use(cache);
        break;
      }
    },
  },
});
