import type { Readable } from 'node:stream';
import { DiskCache, type DiskCacheOptions, type DiskCacheStats } from 'hotpath';
import { DiskCache as AreaDiskCache } from 'hotpath/cache';
import { expectType } from './expect.js';

interface Page {
  title: string;
  body: string;
}
declare const page: Page;
declare const source: Readable;

const options: DiskCacheOptions = { directory: './cache', diskLimit: 1024, maxAgeMs: Number.POSITIVE_INFINITY };
const pages = new DiskCache<Page>(options);
const sameClass: typeof DiskCache = AreaDiskCache;
new sameClass({ directory: 'there', name: 'pages', streamThresholdBytes: 0 });
// @ts-expect-error a directory is needed
new DiskCache();
// @ts-expect-error a directory is needed
new DiskCache({ diskLimit: 1024 });

expectType<Promise<Page | undefined>>()(pages.get('a'));
expectType<Page | undefined>()(pages.getSync('a'));
expectType<Promise<boolean>>()(pages.has('a'));
expectType<Promise<number | undefined>>()(pages.getTtl('a'));
expectType<Promise<(Page | undefined)[]>>()(pages.getMany(['a', 'b'] as const));
expectType<Promise<Record<string, Page>>>()(pages.mget(['a']));
expectType<Promise<boolean>>()(pages.set('a', page, 60));
expectType<Promise<boolean>>()(pages.put('a', page, { ttlMs: 1_500 }));
expectType<Promise<number>>()(pages.setMany({ a: page }));
expectType<Promise<number>>()(pages.mset(new Map([['a', page]]), 60));
expectType<Promise<number>>()(pages.increment('n', 2, 60));
expectType<Promise<boolean>>()(pages.touch('a', { ttlMs: 5 }));
expectType<Promise<boolean>>()(pages.delete('a'));
expectType<Promise<boolean>>()(pages.del('a'));
expectType<Promise<number>>()(pages.deleteMany(['a']));
expectType<Promise<number>>()(pages.deletePattern('a*'));
expectType<Promise<string[]>>()(pages.keys('a*'));
expectType<Promise<boolean>>()(pages.setStream('a', source, 60));
expectType<Promise<boolean>>()(pages.setStream('a', ['text', new Uint8Array(2)]));
expectType<Promise<Readable | undefined>>()(pages.getStream('a'));
expectType<Promise<void>>()(pages.clear());
expectType<Promise<{ entries: number; files: number; bytes: number }>>()(pages.compact());
expectType<DiskCacheStats>()(pages.stats);
expectType<number>()(pages.size);
expectType<string>()(pages.directory);
expectType<string | undefined>()(pages.name);
// @ts-expect-error the value is not a page
pages.set('a', 'text');
// @ts-expect-error no idle time here
pages.set('a', page, { idleMs: 5 });
// @ts-expect-error numbers are no pieces
pages.setStream('a', [1, 2]);

pages.on('evict', (key, bytes) => {
  expectType<string>()(key);
  expectType<number>()(bytes);
});
pages.once('clear', () => {});
// @ts-expect-error no such event
pages.on('refresh', () => {});

async function closed() {
  await using cache = new DiskCache({ directory: './other' });
  expectType<unknown>()(await cache.get('a'));
}
void closed;
expectType<Promise<void>>()(pages.close());
