import assert from 'node:assert/strict';
import hotpath, { MemoryCache, MemoryOptimizedCache } from 'hotpath';
import { MemoryCache as FromArea } from 'hotpath/cache';

assert.equal(FromArea, MemoryCache);
assert.equal(hotpath.MemoryOptimizedCache, MemoryOptimizedCache);
const cache = new MemoryCache();
assert.equal(await cache.getOrSet('key', async () => 42), 42);
