import {
  BatchError,
  BatchProcessingEngine,
  DiskDataProvider,
  type HotpathError,
  MemoryDataProvider,
  OptimizedDataService,
  type BatchRead,
  type BatchResult,
  type BatchStatus,
  type BatchSummary,
} from 'hotpath';
import { expectType } from './expect.js';

const service = new OptimizedDataService(new MemoryDataProvider(), { batchSize: 10, batchTimeout: 5, loadTtlMs: 0 });
expectType<Promise<any[]>>()(service.addBatch('users', [{ name: 'Ada' }]));
expectType<Promise<Array<BatchRead<{ name: string }>>>>()(service.getBatch<{ name: string }>('users', ['x']));
expectType<Promise<string | undefined>>()(service.load<string>('users', 'x'));
new OptimizedDataService({ add: async () => 'id', getByUuid: () => undefined, find: () => [] });
// @ts-expect-error a provider must find
new OptimizedDataService({ add: async () => 'id', getByUuid: () => undefined });
// @ts-expect-error no such operation
service.smartBatch('drop', 'users', []);
// @ts-expect-error nobody knows this option
new OptimizedDataService(new MemoryDataProvider(), { size: 10 });
expectType<HotpathError>()(new BatchError('failed') as HotpathError);
new OptimizedDataService(new DiskDataProvider({ directory: './data', maxBytes: 1e9 }));
// @ts-expect-error the directory is needed
new DiskDataProvider({});

const engine = new BatchProcessingEngine({ batchSize: 10, processors: { double: (items: number[]) => items } });
const doubled = engine.processBatch([1, 2], (items) => items.map((item) => (item > 1 ? item * 2 : new Error('small'))));
expectType<Promise<BatchResult<number>>>()(doubled);
expectType<Promise<{ batchId: string; status: 'queued' }>>()(engine.submitBatch([1], 'double'));
expectType<BatchStatus | undefined>()(engine.getBatchStatus('x'));
const summary = engine.processFile<{ id: number }, number>('places.ndjson', {
  format: 'ndjson',
  fields: ['id'],
  where: [{ country: 'DE' }, { population: { gte: 1000 } }],
  processor: (records) => records.map(({ id }) => id),
  checkpoint: 'places.checkpoint',
});
expectType<Promise<BatchSummary<number>>>()(summary);
// @ts-expect-error no such format
engine.processFile('x', { format: 'xml' });
// @ts-expect-error no such test
engine.processFile('x', { where: { a: { like: 'b' } } });
