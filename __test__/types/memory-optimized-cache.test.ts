import { MemoryOptimizedCache, type MemoryCacheStats } from 'hotpath';
import { expectType } from './expect.js';

const cache = new MemoryOptimizedCache<string>({ maxMemoryMB: 50, evictionPolicy: 'LRU', compression: true });

expectType<Promise<boolean>>()(cache.put('key', 'value', 60));
expectType<Promise<boolean>>()(cache.set('key', 'value', null));
expectType<Promise<string | undefined>>()(cache.get('key'));
expectType<Promise<boolean>>()(cache.has('key'));
expectType<Promise<boolean>>()(cache.del('key'));
expectType<Promise<void>>()(cache.clear());
expectType<Promise<number>>()(cache.evictEntries(1_024));
expectType<number>()(cache.estimateSize({ any: ['value'] }));
expectType<boolean>()(cache.forceGarbageCollection());
expectType<number>()(cache.memoryUsage);
expectType<number>()(cache.entryCount);
expectType<number>()(cache.compressionRatio);
expectType<MemoryCacheStats>()(cache.stats);
// @ts-expect-error the value is not a string
cache.put('key', 1);
// @ts-expect-error no such option
new MemoryOptimizedCache({ nearCache: true });
export async function scope() {
  await using scoped = new MemoryOptimizedCache();
  expectType<Promise<unknown>>()(scoped.get('key'));
}
