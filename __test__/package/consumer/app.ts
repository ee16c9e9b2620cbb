import { MemoryCache, HotpathError } from 'hotpath';
import { MemoryOptimizedCache, type MemoryCacheStats } from 'hotpath/cache';

interface User {
  id: number;
}

const users = new MemoryCache<User>({ name: 'users', ttlMs: 1_000 });
export const user: User | undefined = users.get('1');
export const stats: MemoryCacheStats = users.stats;
export const pages = new MemoryOptimizedCache<Buffer>();
export const code = (error: unknown): string => (error instanceof HotpathError ? error.code : '');
users.on('expire', (key, value) => console.log(key.length, value.id));
