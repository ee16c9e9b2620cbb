'use strict';

const { legacyRoutes } = require('./legacy-routes.js');
const { LoadTester } = require('./load-tester.js');
const { runMemoryTest } = require('./memory-test.js');
const { performanceRouter } = require('./performance-router.js');
const { PerformanceTestSuite } = require('./performance-test-suite.js');
const { PerformanceTests } = require('./performance-tests.js');

module.exports = {
  LoadTester,
  PerformanceTestSuite,
  PerformanceTests,
  legacyRoutes,
  performanceRouter,
  runMemoryTest,
};
