'use strict';

const { LoadTester } = require('./load-tester.js');
const { runMemoryTest } = require('./memory-test.js');
const { PerformanceTestSuite } = require('./performance-test-suite.js');
const { PerformanceTests } = require('./performance-tests.js');

module.exports = {
  LoadTester,
  PerformanceTestSuite,
  PerformanceTests,
  runMemoryTest,
};
