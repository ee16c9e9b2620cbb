'use strict';

const { MemoryCache } = require('./memory-cache.js');
const { MemoryOptimizedCache } = require('./memory-optimized-cache.js');

module.exports = { MemoryCache, MemoryOptimizedCache };
