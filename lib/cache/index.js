'use strict';

const { MemoryBudget } = require('./memory-budget.js');
const { DiskCache } = require('./disk-cache.js');
const { MemoryCache } = require('./memory-cache.js');
const { MemoryOptimizedCache } = require('./memory-optimized-cache.js');
const { MultiLevelCache } = require('./multi-level-cache.js');
const { RedisCache } = require('./redis-cache.js');

module.exports = { MemoryBudget, MemoryCache, MemoryOptimizedCache, RedisCache };
module.exports = { MemoryCache, MemoryOptimizedCache, MultiLevelCache, RedisCache };
module.exports = { DiskCache, MemoryCache, MemoryOptimizedCache };
module.exports = { DiskCache, MemoryCache, MemoryOptimizedCache, RedisCache };
