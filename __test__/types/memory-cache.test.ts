import { type EventEmitter, once } from 'node:events';
import {
  MemoryBudget,
  MemoryCache,
  type MemoryCacheOptions,
  type MemoryCacheStats,
  MemoryOptimizedCache,
} from 'hotpath';
import { MemoryCache as AreaMemoryCache } from 'hotpath/cache';
import { expectType } from './expect.js';

interface User {
  id: number;
  name: string;
}
declare const user: User;

const users = new MemoryCache<User>({ name: 'users', maxMemoryMB: 200, ttlMs: 60_000 });
const sameClass: typeof MemoryCache = AreaMemoryCache;
new sameClass();

// Reading and writing
expectType<User | undefined>()(users.get('1'));
expectType<User | undefined>()(users.peek('1'));
expectType<User | undefined>()(users.take('1'));
expectType<boolean>()(users.has('1'));
expectType<boolean>()(users.set('1', user));
expectType<boolean>()(users.put('1', user, 60));
expectType<boolean>()(
  users.set('1', user, { ttlMs: 1_500, idleMs: Number.POSITIVE_INFINITY, tags: ['a', 'b'] as const }),
);
expectType<boolean>()(users.delete('1'));
expectType<boolean>()(users.del('1'));
expectType<boolean>()(users.touch('1'));
expectType<number | undefined>()(users.getTtl('1'));
expectType<number>()(users.increment('counter', 2, 60));
expectType<Buffer | undefined>()(users.getBytes('1'));
// @ts-expect-error keys are strings
users.get(1);
// @ts-expect-error the value is not a User
users.set('1', { id: '1' });
// @ts-expect-error tags do not belong to a touch
users.touch('1', { tags: ['a'] });
// @ts-expect-error a ttl is not a string
users.set('1', user, '60');

// Without a type argument
const anything = new MemoryCache();
expectType<MemoryCache<unknown>>()(anything);
expectType<unknown>()(anything.get('1'));
anything.set('1', 1);
anything.set('2', new Map());

// Many at once
expectType<(User | undefined)[]>()(users.getMany(['1', '2'] as const));
expectType<User | undefined>()(users.mget(['1'])['1']);
expectType<number>()(users.setMany({ 1: user }));
expectType<number>()(users.mset(new Map([['1', user]]), 60));
users.setMany([['1', user]]);
users.setMany(users.entries());
expectType<number>()(users.deleteMany(['1']));
expectType<string[]>()(users.keys('user:*'));
expectType<number>()(users.deletePattern('user:*'));
expectType<number>()(users.invalidateTags('a'));
users.invalidateTags(['a', 'b']);
// @ts-expect-error not a Map of users
users.mset(new Map([['1', 1]]));
for (const [key, value] of users) {
  expectType<string>()(key);
  expectType<User>()(value);
}

// Loading
expectType<Promise<User>>()(users.getOrSet('1', () => user));
expectType<Promise<User>>()(users.getOrSet('1', async (key) => ({ id: Number(key), name: key }), { tags: ['users'] }));
// @ts-expect-error the loader's value is not a User
users.getOrSet('1', async () => 'nobody');

// Events
expectType<MemoryCache<User>>()(
  users.on('set', (key, value) => {
    expectType<string>()(key);
    expectType<User>()(value);
  }),
);
users.once('evict', (key, value) => void [key, value.name]).off('clear', () => {});
users.emit('clear');
// @ts-expect-error no such event
users.on('sett', () => {});
// @ts-expect-error `clear` has no arguments
users.on('clear', (key: string) => key);
// @ts-expect-error `delete` carries a key and a value
users.emit('delete', 'key');
const emitter: EventEmitter = users;
void emitter;
void once(users, 'evict');

// Options
const options: MemoryCacheOptions = { maxMemory: '20%', evictionPolicy: 'LRU', compression: { algorithm: 'zstd' } };
new MemoryCache({ ...options, name: undefined, nearCache: { maxEntries: 1_000 }, clone: true });
// @ts-expect-error no such option
new MemoryCache({ maxEntrys: 10 });
// @ts-expect-error no such policy
new MemoryCache({ evictionPolicy: 'fifo' });
// @ts-expect-error a share says per cent
new MemoryCache({ maxMemory: '200' });
expectType<number>()(users.evict(1_024));
users.resize({ maxEntries: 10, maxBytes: 1 << 20 });

// Properties
expectType<MemoryCacheStats>()(users.stats);
expectType<'lz4' | 'zstd' | null>()(users.stats.compression.algorithm);
expectType<number>()(users.size);
expectType<boolean>()(users.closed);
expectType<string | undefined>()(users.name);
// @ts-expect-error read-only
users.size = 0;
{
  using scoped = new MemoryCache<number>();
  expectType<number | undefined>()(scoped.get('1'));
}

// Budgets
const budget = new MemoryBudget({ name: 'app', maxMemory: '40%' });
new MemoryCache({ budget });
new MemoryOptimizedCache({ budget });
expectType<string | undefined>()(budget.name);
expectType<number[]>()(budget.stats.caches.map(({ nearMisses }) => nearMisses));
budget.resize({ maxMemoryMB: 5 });
// @ts-expect-error a name cannot be changed
budget.resize({ name: 'other' });
// @ts-expect-error a budget is an object
new MemoryCache({ budget: 'app' });
expectType<boolean>()(users.stats.memoryPressure.active);
