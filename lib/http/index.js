'use strict';

const { compression } = require('./compression.js');
const { createHttp2Server } = require('./http2-server.js');
const { legacyRoutes } = require('./legacy-routes.js');
const { LoadTester } = require('./load-tester.js');
const { runMemoryTest } = require('./memory-test.js');
const { performanceRouter } = require('./performance-router.js');
const { PerformanceTestSuite } = require('./performance-test-suite.js');
const { PerformanceTests } = require('./performance-tests.js');
const { rateLimit } = require('./rate-limit.js');
const { responseCache } = require('./response-cache-middleware.js');
const { tuneServer } = require('./tune-server.js');
const { WebSocketManager } = require('./web-socket-manager.js');

module.exports = {
  LoadTester,
  PerformanceTestSuite,
  PerformanceTests,
  WebSocketManager,
  compression,
  createHttp2Server,
  legacyRoutes,
  performanceRouter,
  rateLimit,
  responseCache,
  runMemoryTest,
  tuneServer,
};
