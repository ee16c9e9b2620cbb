import {
  AdvancedCache,
  AdvancedCacheManager,
  CacheService,
  CacheWarmer,
  MemoryCache,
  type AdvancedCacheReport,
  type CacheUsage,
  type WarmReport,
} from 'hotpath';
import { expectType } from './expect.js';

const advanced = new AdvancedCache<{ a: number }>({ memoryLimit: 1, predictiveLoading: true });
expectType<Promise<{ a: number } | undefined>>()(advanced.get('k'));
expectType<Promise<boolean>>()(advanced.set('k', { a: 1 }, { type: 't', ttl: 5, metadata: { any: 'thing' } }));
expectType<AdvancedCacheReport>()(advanced.getStats());
// @ts-expect-error milliseconds are called ttl here
advanced.set('k', { a: 1 }, { ttlMs: 5 });

const manager = new AdvancedCacheManager<string>({ maxSize: 5, distributed: { url: 'redis://a' } });
expectType<Promise<(string | undefined)[]>>()(manager.getMany(['a']));
expectType<CacheUsage>()(manager.getStats());
// @ts-expect-error a loader is needed
manager.warm({ users: { keys: ['a'] } });

const service = new CacheService<number>({ redis: 'redis://a', prefix: 'p:' });
expectType<Promise<number>>()(service.setWithIntelligentTTL('a', 1));
expectType<Promise<Record<string, number>>>()(service.mget(['a']));
// @ts-expect-error the value is no number
service.set('a', 'b');

const warmer = new CacheWarmer(new MemoryCache());
expectType<CacheWarmer>()(warmer.add('users', [{ id: 1 }], { key: (user) => `user:${user.id}`, ttlMs: 5 }));
expectType<Promise<WarmReport>>()(warmer.warmCache({ concurrency: 2 }));
// @ts-expect-error keys are needed
warmer.add('users', [1], {});
