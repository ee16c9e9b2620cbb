import {
  BloomFilter,
  BufferPool,
  CircularBuffer,
  type Compressed,
  HotpathDataError,
  LRUCache,
  MemoryOptimizationEngine,
  SparseMatrix,
  type TypedMatrix,
} from 'hotpath';
import { expectType } from './expect.js';

const engine = new MemoryOptimizationEngine({ memoryLimit: 1e8, lazyLoadingEnabled: false });
expectType<Promise<Compressed>>()(engine.compress({ any: 'value' }, 'brotli', { level: 5 }));
expectType<number>()(engine.getStats().pools.lazyCache);
expectType<Promise<Date>>()(engine.createLazy(() => new Date()).get());
expectType<Date>()(
  engine
    .createObjectPool(
      () => new Date(),
      (date) => date.setTime(0),
    )
    .acquire(),
);
expectType<BufferPool>()(engine.createBufferPool(16, 4, { zeroFill: true }));
expectType<number>()(engine.optimize().freed);
// @ts-expect-error no such algorithm
engine.compress('x', 'zip');

const matrix = new SparseMatrix(2, 2).set(0, 0, 1);
expectType<SparseMatrix>()(matrix.multiply(matrix));
expectType<number[]>()(matrix.multiply([1, 2]));
expectType<Float64Array>()(matrix.multiply(new Float64Array(2)));
expectType<number[][]>()(matrix.toDense());
expectType<TypedMatrix<Float64Array>>()(matrix.toDense('typed'));
for (const [row, , value] of matrix) expectType<number>()(row + value);

const filter = new BloomFilter(10, 0.1, { seed: 1 });
expectType<boolean>()(filter.add(Buffer.from('x')));
expectType<boolean[]>()(BloomFilter.deserialize(filter.serialize()).hasMany(['a']));
// @ts-expect-error items are strings or bytes
filter.add(1);

expectType<number | undefined>()(new CircularBuffer<number>(3, 'float64').push(1));
expectType<string | undefined>()(new LRUCache<object, string>({ max: 3, ttl: 5 }).get({}));
expectType<Promise<number>>()(new BufferPool(1, 1).use((buffer) => buffer.length));
expectType<string>()(new HotpathDataError('').code);
