'use strict';

const { AsyncProcessingEngine } = require('./async-processing-engine.js');
const { ComponentLoader } = require('./component-loader.js');
const { ObjectPool } = require('./object-pool.js');
const { WorkerPool } = require('./worker-pool.js');

module.exports = { AsyncProcessingEngine, WorkerPool, ObjectPool, ComponentLoader };
