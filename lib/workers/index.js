'use strict';

const { ComponentLoader } = require('./component-loader.js');
const { ObjectPool } = require('./object-pool.js');
const { WorkerPool } = require('./worker-pool.js');

module.exports = { WorkerPool, ObjectPool, ComponentLoader };
