import {
  ParallelProcessingEngine,
  type Description,
  type SimilarityPair,
  type TypedMatrix,
  HotpathMatrixError,
  HotpathTimeoutError,
} from 'hotpath';
import { expectType } from './expect.js';

const engine = new ParallelProcessingEngine({ maxWorkers: 2, taskTimeout: Infinity, workerTimeout: 1000 });
const typed = { data: new Float64Array(4), rows: 2, cols: 2 };
const single = { data: new Float32Array(4), rows: 2, cols: 2 };
const rows = [[1, 2]];

expectType<Promise<number[][]>>()(
  engine.executeTask('matrix_multiplication', { matrixA: rows, matrixB: rows }, { priority: 1, timeout: 5 }),
);
expectType<Promise<TypedMatrix<Float64Array>>>()(
  engine.executeTask('matrix_multiplication', { matrixA: typed, matrixB: rows }),
);
expectType<Promise<TypedMatrix<Float64Array>>>()(
  engine.executeTask('matrix_multiplication', { matrixA: rows, matrixB: single }),
);
expectType<Promise<number[][]>>()(engine.executeTask('matrix_inverse', { matrix: rows }));
expectType<Promise<TypedMatrix<Float32Array>>>()(engine.executeTask('matrix_transpose', { matrix: single }));
expectType<Promise<number[]>>()(engine.executeTask('matrix_solve', { matrix: typed, vector: [1, 2] }));
expectType<Promise<SimilarityPair[]>>()(
  engine.executeTask('similarity_calculation', { entities: [{ id: 'a', vector: [1] }], algorithm: 'cosine' }),
);
expectType<Promise<Description>>()(engine.executeTask('statistics', { values: [1], percentiles: [99] }));
expectType<Promise<number[]>>()(engine.executeTask('sort', { values: [1], order: 'descending' }));
expectType<readonly string[]>()(engine.tasks);
expectType<ParallelProcessingEngine>()(
  engine.registerTask('sum', (data: number[], { signal, type }) => data.length + Number(signal.aborted) + type.length),
);
expectType<ParallelProcessingEngine>()(engine.registerTask('file', new URL('file:///task.js')));
// @ts-expect-error neither a function nor a file
engine.registerTask('number', 7);
expectType<string>()(engine.getStats().tasks.successRate);
expectType<number>()(engine.stats.tasks.successRate);
expectType<Promise<void>>()(engine.destroy());
expectType<string>()(new HotpathMatrixError('').code);
expectType<string>()(new HotpathTimeoutError('').code);
// @ts-expect-error no such option
new ParallelProcessingEngine({ workers: 2 });
// @ts-expect-error no such option of a task
engine.executeTask('sort', [1], { retries: 3 });
export async function scope() {
  await using scoped = new ParallelProcessingEngine();
  expectType<boolean>()(scoped.closed);
}
