'use strict';

const { MemoryCache } = require('./memory-cache.js');
const { MemoryOptimizedCache } = require('./memory-optimized-cache.js');
const { RedisCache } = require('./redis-cache.js');

module.exports = { MemoryCache, MemoryOptimizedCache, RedisCache };
