'use strict';

let counter = 0;

/** A name that no other test of this process uses: metrics are there for good. */
function metric(label) {
  counter += 1;
  return `test_${counter}_${label}`;
}

/** A metrics service that is closed when the test ends. */
function service(t) {
  const { MetricsService } = require('../..');
  const metrics = new MetricsService();
  t.after(() => metrics.close());
  return metrics;
}

module.exports = { metric, service };
