import {
  DiskCache,
  type ForeignTier,
  type HotpathTierError,
  MemoryCache,
  MultiLevelCache,
  type MultiLevelCacheOptions,
  type MultiLevelMetrics,
  type MultiLevelStats,
  RedisCache,
  type WarmupReport,
} from 'hotpath';
import { MultiLevelCache as AreaMultiLevelCache } from 'hotpath/cache';
import { testTier, tierContract } from 'hotpath/testing';
import { expectType } from './expect.js';

interface Page {
  title: string;
}
declare const page: Page;
declare const keyv: {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown, ttl?: number): Promise<boolean>;
};

const options: MultiLevelCacheOptions = {
  l1Cache: new MemoryCache({ maxMemoryMB: 10 }),
  l2Cache: new DiskCache({ directory: './cache' }),
  l3Cache: new RedisCache({ url: 'redis://127.0.0.1:6379' }),
  l1TTL: 60,
  graceMs: 1000,
  breaker: { failureThreshold: 3 },
  lock: { holdMs: 1000 },
};
const pages = new MultiLevelCache<Page>(options);
const sameClass: typeof MultiLevelCache = AreaMultiLevelCache;
new sameClass();
new sameClass({ l2Cache: null, l3Cache: { tier: new Map(), ttlUnit: 'ms' }, eagerRefresh: 0.8, lock: false });
new MultiLevelCache(new MemoryCache(), keyv);
const positional = new MultiLevelCache<Page, null>(new MemoryCache(), keyv);
const found: Promise<Page | null> = positional.get('p');
// @ts-expect-error: a miss is null there
const missing: Promise<Page | undefined> = positional.get('p');
void [found, missing];
new MultiLevelCache(new MemoryCache(), null, { name: 'pages', jitter: 0.1 });
new MultiLevelCache({ l2Cache: new MultiLevelCache() });
// @ts-expect-error not a tier
new MultiLevelCache({ l1Cache: 5 });
// @ts-expect-error no such option
new MultiLevelCache({ l1Ttl: 5 });
// @ts-expect-error tiers are no settings
new MultiLevelCache(new MemoryCache(), null, { l1TTL: 5 });

expectType<Promise<Page | undefined>>()(pages.get('a'));
expectType<Promise<boolean>>()(pages.has('a'));
expectType<Promise<(Page | undefined)[]>>()(pages.getMany(['a']));
expectType<Promise<Record<string, Page>>>()(pages.mget(['a']));
expectType<Promise<boolean>>()(pages.set('a', page, 60));
expectType<Promise<boolean>>()(pages.put('a', page, { ttlMs: 1000, graceMs: 5, jitter: 0.5, tags: ['red'] }));
expectType<Promise<number>>()(pages.setMany({ a: page }, null));
expectType<Promise<number>>()(pages.mset(new Map([['a', page]]), 60));
expectType<Promise<boolean>>()(pages.delete('a'));
expectType<Promise<boolean>>()(pages.del('a'));
expectType<Promise<number>>()(pages.deleteMany(['a']));
expectType<Promise<string[]>>()(pages.keys());
expectType<Promise<string[]>>()(pages.keys('a*'));
expectType<Promise<number>>()(pages.deletePattern('a*'));
expectType<Promise<void>>()(pages.clear());
expectType<Promise<boolean>>()(pages.expire('a'));
expectType<Promise<number>>()(pages.invalidateTags('red'));
expectType<Promise<number>>()(pages.invalidateTags(['red', 'blue']));
expectType<Promise<Page>>()(pages.getOrSet('a', async () => page));
expectType<Promise<Page>>()(
  pages.getOrSet('a', (key) => ({ title: key }), { ttlMs: 5, softTimeoutMs: 1, hardTimeoutMs: 2, tags: ['red'] }),
);
expectType<Promise<Page>>()(pages.getOrSet('a', () => page, 60));
expectType<Promise<WarmupReport | undefined>>()(
  pages.warmup(new Set(['a']), {
    loader: async (key) => ({ title: key }),
    concurrency: 5,
    onProgress: ({ done, total, key }) => {
      expectType<number>()(done);
      expectType<number | undefined>()(total);
      expectType<string>()(key);
    },
    signal: AbortSignal.timeout(5),
  }),
);
expectType<MultiLevelMetrics>()(pages.getMetrics());
expectType<MultiLevelStats>()(pages.stats);
expectType<string | undefined>()(pages.name);
expectType<boolean>()(pages.closed);
expectType<boolean>()(pages.isWarmingUp);
expectType<Promise<void>>()(pages.close());
// @ts-expect-error the value is not a page
pages.set('a', 'text');
// @ts-expect-error the loader makes no page
pages.getOrSet('a', () => 5);
// @ts-expect-error a ttl is called ttlMs here
pages.getOrSet('a', () => page, { ttl: 5 });
// @ts-expect-error a pattern is needed
pages.deletePattern();

pages.on('hit', ({ key, level }) => {
  expectType<string>()(key);
  expectType<number>()(level);
});
pages.on('error', (error) => {
  expectType<HotpathTierError & { tier: string; level: number; operation: string; key: string | undefined }>()(error);
});
pages.on('stale', ({ reason }) => expectType<'loader' | 'timeout' | 'tier'>()(reason));
pages.on('breaker', ({ state }) => expectType<'closed' | 'open' | 'half-open'>()(state));
// @ts-expect-error no such event
pages.on('expire', () => {});

const tier: ForeignTier = { get: () => undefined, put: () => {}, keys: () => ['a'] };
testTier('mine', () => ({ tier }));
testTier('mine', async () => ({ tier, ttlUnit: 'ms', close: () => {} }));
for (const { title, run } of tierContract()) {
  expectType<string>()(title);
  expectType<Promise<void>>()(run(() => ({ tier })));
}
