'use strict';

const { ConnectionPoolManager } = require('./connection-pool-manager.js');

module.exports = { ConnectionPoolManager };
