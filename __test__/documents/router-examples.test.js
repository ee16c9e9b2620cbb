'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const express = require('express');
const { performanceRouter } = require('hotpath');
const { waitFor } = require('../support');
const { allServices, listen, processors } = require('../support/router');

describe('the usage examples of document 002', () => {
  it('run as they stand', async (t) => {
    const services = allServices(t);
    const app = express();
    app.get('/api/wines', (_request, response) => response.json([{ id: 1 }]));
    app.use('/api/performance', performanceRouter(services, { authorize: () => true, processors }));
    const origin = await listen(t, app);
    const inBrowser = (path, options) => fetch(new URL(path, origin), options);
    await documentExamples(inBrowser);
  });
});

/** The fetches of document 002, word for word but for the address. */
async function documentExamples(fetch) {
  const response = await fetch('/api/performance/cache/set', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      key: 'user_preferences_123',
      value: { wine_types: ['red', 'white'] },
      ttl: 3600000,
    }),
  });
  assert.equal((await response.json()).success, true);
  const cached = await fetch('/api/performance/cache/get/user_preferences_123');
  const data = await cached.json();
  assert.deepEqual(data, { success: true, data: { wine_types: ['red', 'white'] } });

  const userRatings = [
    { id: 'a', ratings: { x: 1, y: 2, z: 3 } },
    { id: 'b', ratings: { x: 2, y: 4, z: 6 } },
  ];
  {
    const jobResponse = await fetch('/api/performance/async/job', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        jobType: 'similarity_calculation',
        data: { entities: userRatings, algorithm: 'pearson' },
        options: { priority: 1 },
      }),
    });
    const { jobId } = await jobResponse.json();
    const status = await waitFor(async () => {
      const statusResponse = await fetch(`/api/performance/async/job/${jobId}`);
      const answer = await statusResponse.json();
      return answer.data.status === 'completed' && answer;
    });
    assert.equal(status.success, true);
  }

  const largeDataset = Array.from({ length: 2_500 }, (_, id) => ({ id }));
  const batchResponse = await fetch('/api/performance/batch/process', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      data: largeDataset,
      options: { batchSize: 1000, maxConcurrency: 5 },
    }),
  });
  const { batchId } = await batchResponse.json();
  const progressResponse = await fetch(`/api/performance/batch/${batchId}`);
  const progress = await progressResponse.json();
  assert.ok(['processing', 'completed'].includes(progress.data.status));

  const summaryResponse = await fetch('/api/performance/monitoring/summary');
  const summary = await summaryResponse.json();
  assert.equal(summary.data.alerts, 0);
  const alertsResponse = await fetch('/api/performance/monitoring/alerts');
  const alerts = await alertsResponse.json();
  assert.deepEqual(alerts.data, []);
  const exportResponse = await fetch('/api/performance/monitoring/export?format=json');
  const metrics = await exportResponse.json();
  assert.ok(Array.isArray(metrics.metrics['system.cpu']));
  const resolveResponse = await fetch('/api/performance/monitoring/alert/alert_id/resolve', {
    method: 'POST',
  });
  assert.equal(resolveResponse.status, 404, 'there is no such alert');

  {
    const loadTestResponse = await fetch('/api/performance/test/load', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        requests: 1000,
        concurrency: 10,
        endpoint: '/api/wines',
      }),
    });
    const results = await loadTestResponse.json();
    assert.equal(results.data.totalRequests, 1000, JSON.stringify(results));
    assert.equal(`Success rate: ${results.data.successRate}%`, 'Success rate: 100%');
    assert.ok(results.data.averageResponseTime > 0);
  }
  {
    const memoryTestResponse = await fetch('/api/performance/test/memory', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        iterations: 1000,
        dataSize: 1000,
      }),
    });
    const results = await memoryTestResponse.json();
    assert.equal(typeof results.data.memoryIncrease, 'number');
  }
}
