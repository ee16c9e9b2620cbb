'use strict';

const { OptimizedIntentMatcher } = require('./intent-matcher.js');
const { ParallelIntentProcessor } = require('./parallel-intent-processor.js');

module.exports = { OptimizedIntentMatcher, ParallelIntentProcessor };
