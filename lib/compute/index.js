'use strict';

const { ParallelProcessingEngine } = require('./parallel-processing-engine.js');

module.exports = { ParallelProcessingEngine };
