import {
  AdvancedCacheManager,
  DiskCache,
  MemoryCache,
  MultiLevelCache,
  RedisCache,
  advancedCache,
  cacheService,
} from 'hotpath';
import { expectType } from './expect.js';

interface User {
  id: number;
  name: string;
}

// A cache of anything: each read says what it expects.
const memory = new MemoryCache();
const redis = new RedisCache({ url: 'redis://a' });
const levels = new MultiLevelCache(memory, redis);
expectType<User | undefined>()(memory.get<User>('user:1'));
expectType<Promise<User | undefined>>()(redis.get<User>('user:1'));
expectType<Promise<User | undefined>>()(levels.get<User>('user:1'));
expectType<Promise<User | undefined>>()(new DiskCache({ directory: 'd' }).get<User>('user:1'));
expectType<Promise<User | undefined>>()(new AdvancedCacheManager().get<User>('user:1'));
expectType<Promise<User | undefined>>()(cacheService.getWithPattern<User>('user', 1));

// A cache of one type: nothing else can be expected of it.
const users = new MemoryCache<User>();
expectType<User | undefined>()(users.get('user:1'));
// @ts-expect-error no user is a number
users.get<number>('user:1');

// What everybody shares holds anything, as documents 003 and 004 use it.
export async function timeToLive(key: string): Promise<number> {
  const accessCount = (await cacheService.get(`${key}:access_count`)) || 0;
  const video = await advancedCache.get('video_123');
  return Math.min(3600, 300 + accessCount * 60) + video.length;
}
