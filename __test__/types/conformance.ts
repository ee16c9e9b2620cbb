// Part of `npm run typecheck`: what lib/ exports, as tsc infers it from the JavaScript, must be what the typings promise.

import type { EventEmitter } from 'node:events';
import type * as declaredErrors from '../../types/errors.js';
import type * as declaredBatch from '../../types/batch.js';
import type * as declaredCache from '../../types/cache.js';
import errors = require('../../lib/errors.js');
import batch = require('../../lib/batch/index.js');
import cache = require('../../lib/cache/index.js');

export const HotpathError: typeof declaredErrors.HotpathError = errors.HotpathError;
export const HotpathClosedError: typeof declaredErrors.HotpathClosedError = errors.HotpathClosedError;
export const HotpathValueError: typeof declaredErrors.HotpathValueError = errors.HotpathValueError;
// tsc does not see the aliases, which are made at run time; __test__/package/declared-members.test.js does.
type Aliases = 'put' | 'del' | 'mset' | 'addListener' | 'off' | typeof Symbol.iterator | typeof Symbol.dispose;
type Visible = Omit<declaredCache.MemoryCache<any>, Aliases | keyof EventEmitter>;
export const MemoryCache: new (options?: declaredCache.MemoryCacheOptions) => Visible = cache.MemoryCache;
export const MemoryOptimizedCache: typeof declaredCache.MemoryOptimizedCache = cache.MemoryOptimizedCache;
export const OptimizedIntentMatcher: new (
  intents: readonly declaredBatch.Intent[],
  options?: declaredBatch.IntentMatcherOptions,
) => Omit<declaredBatch.OptimizedIntentMatcher<any>, typeof Symbol.dispose> = batch.OptimizedIntentMatcher;
export const ParallelIntentProcessor: new (processor: any) => declaredBatch.ParallelIntentProcessor<any, any> =
  batch.ParallelIntentProcessor;
type RedisAliases = 'put' | 'del' | 'mset' | 'addListener' | 'off' | typeof Symbol.asyncDispose;
type VisibleRedis = Omit<declaredCache.RedisCache<any>, RedisAliases | 'lease' | keyof EventEmitter>;
export const RedisCache: new (options?: declaredCache.RedisCacheOptions) => VisibleRedis = cache.RedisCache;
