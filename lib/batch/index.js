'use strict';

const { BatchProcessingEngine } = require('./batch-engine.js');
const { BatchError } = require('./batch-error.js');
const { OptimizedDataService } = require('./data-service.js');
const { DiskDataProvider } = require('./disk-data-provider.js');
const { OptimizedIntentMatcher } = require('./intent-matcher.js');
const { MemoryDataProvider } = require('./memory-data-provider.js');
const { ParallelIntentProcessor } = require('./parallel-intent-processor.js');

module.exports = {
  BatchError,
  BatchProcessingEngine,
  DiskDataProvider,
  MemoryDataProvider,
  OptimizedDataService,
  OptimizedIntentMatcher,
  ParallelIntentProcessor,
};
