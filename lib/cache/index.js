'use strict';

const { AdvancedCache, advancedCache } = require('./advanced-cache.js');
const { AdvancedCacheManager } = require('./advanced-cache-manager.js');
const { CacheService, cacheService } = require('./cache-service.js');
const { CacheWarmer } = require('./cache-warmer.js');
const { DiskCache } = require('./disk-cache.js');
const { MemoryBudget } = require('./memory-budget.js');
const { MemoryCache } = require('./memory-cache.js');
const { MemoryOptimizedCache } = require('./memory-optimized-cache.js');
const { MultiLevelCache } = require('./multi-level-cache.js');
const { RedisCache } = require('./redis-cache.js');

module.exports = {
  AdvancedCache,
  AdvancedCacheManager,
  CacheService,
  CacheWarmer,
  DiskCache,
  MemoryBudget,
  MemoryCache,
  MemoryOptimizedCache,
  MultiLevelCache,
  RedisCache,
  advancedCache,
  cacheService,
};
