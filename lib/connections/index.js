'use strict';

const { CircuitBreaker } = require('./circuit-breaker.js');
const { ConnectionPoolManager } = require('./connection-pool-manager.js');

module.exports = { CircuitBreaker, ConnectionPoolManager };
