'use strict';

const { MemoryMonitor } = require('../monitor/memory-monitor.js');
const { BloomFilter } = require('./bloom-filter.js');
const { BufferPool } = require('./buffer-pool.js');
const { CircularBuffer } = require('./circular-buffer.js');
const { LRUCache } = require('./lru-cache.js');
const { MemoryOptimizationEngine } = require('./memory-optimization-engine.js');
const { SparseMatrix } = require('./sparse-matrix.js');

module.exports = {
  MemoryMonitor,
  MemoryOptimizationEngine,
  SparseMatrix,
  CircularBuffer,
  BloomFilter,
  BufferPool,
  LRUCache,
};
