'use strict';

const assert = require('node:assert/strict');
const zlib = require('node:zlib');
const { describe, it } = require('node:test');
const express = require('express');
const hotpath = require('hotpath');
const { deferred, waitFor } = require('../support');
const { allServices, ask, listen, processors, serveRouter } = require('../support/router');
const { temporaryFolder } = require('../support/servers.js');

const yes = { authorize: () => true, processors };

async function open(t, options = yes) {
  const services = allServices(t);
  return { services, ...(await serveRouter(t, services, options)) };
}

/** The data of an answer in the envelope. */
function dataOf({ status, body }, expected = 200) {
  assert.equal(status, expected, JSON.stringify(body));
  assert.equal(body.success, true);
  assert.equal('error' in body, false);
  return body.data;
}

describe('the cache', () => {
  it('takes and gives values, and tells its statistics', async (t) => {
    const { base, services } = await open(t);
    const value = { wine_types: ['red', 'white'], price_range: [25, 100] };
    const set = await ask(`${base}/cache/set`, {
      method: 'POST',
      body: { key: 'user_preferences_123', value, ttl: 3_600_000 },
    });
    assert.deepEqual(dataOf(set), { key: 'user_preferences_123', stored: true });
    assert.deepEqual(dataOf(await ask(`${base}/cache/get/user_preferences_123`)), value);
    const missing = await ask(`${base}/cache/get/nothing`);
    assert.equal(missing.status, 404);
    assert.equal(missing.body.error.code, 'ERR_KEY_NOT_FOUND');
    const stats = dataOf(await ask(`${base}/cache/stats`));
    assert.deepEqual(Object.keys(stats), [
      'hits',
      'misses',
      'hitRate',
      'size',
      'maxSize',
      'utilization',
      'memoryUsage',
    ]);
    assert.deepEqual([stats.hits, stats.misses, stats.hitRate, stats.size], [1, 1, 0.5, 1]);
    assert.ok(stats.memoryUsage > 0);
    assert.deepEqual(dataOf(await ask(`${base}/cache/clear`, { method: 'DELETE' })), { cleared: true });
    assert.equal(await services.cache.get('user_preferences_123'), undefined);
  });

  it('takes a ttl in milliseconds for an AdvancedCache, too', async (t) => {
    const cache = new hotpath.AdvancedCache({ directory: temporaryFolder(t), diskLimit: 2 ** 24 });
    t.after(() => cache.close());
    const { base } = await serveRouter(t, { cache }, yes);
    await ask(`${base}/cache/set`, { method: 'POST', body: { key: 'k', value: 1, ttl: 90_000 } });
    const { ttlMs } = await cache.getMetadata('k');
    assert.ok(ttlMs > 60_000 && ttlMs <= 90_000);
  });

  it('takes a ttl in milliseconds', async (t) => {
    const services = { cache: new hotpath.MemoryCache() };
    t.after(() => services.cache.close());
    const { base } = await serveRouter(t, services, yes);
    await ask(`${base}/cache/set`, { method: 'POST', body: { key: 'k', value: 1, ttl: 90_000 } });
    const left = services.cache.getTtl('k');
    assert.ok(left > 60_000 && left <= 90_000, String(left));
  });

  it('finds keys with any character', async (t) => {
    const { base } = await open(t);
    for (const key of ['a/b', '%', 'ä ö', 'x?y#z', 'a..b', 'a\u0000b', '__proto__']) {
      dataOf(await ask(`${base}/cache/set`, { method: 'POST', body: { key, value: key } }));
      assert.equal(dataOf(await ask(`${base}/cache/get/${encodeURIComponent(key)}`)), key);
    }
  });

  it('deletes by pattern as delPattern does, whichever cache it is', async (t) => {
    const caches = [
      new hotpath.AdvancedCacheManager(),
      new hotpath.CacheService({ maxMemoryMB: 1 }),
      new hotpath.MemoryCache(),
    ];
    for (const cache of caches) {
      t.after(() => cache.close());
      const { base } = await serveRouter(t, { cache }, yes);
      for (const key of ['user', 'user:1', 'user:2', 'users', 'a*b', 'a*b:1', 'axb']) await cache.set(key, 1);
      const drop = async (pattern) => {
        const answer = await ask(`${base}/cache/pattern`, { method: 'DELETE', body: { pattern } });
        return dataOf(answer);
      };
      assert.deepEqual(await drop('user'), { pattern: 'user', deleted: 3 });
      assert.equal(await cache.get('users'), 1);
      assert.equal((await drop('us*')).deleted, 1);
      assert.equal((await drop('nothing')).deleted, 0);
      assert.deepEqual(Object.keys(dataOf(await ask(`${base}/cache/stats`))).length, 7);
      dataOf(await ask(`${base}/cache/optimize`, { method: 'POST' }));
      dataOf(await ask(`${base}/cache`, { method: 'DELETE' }));
      assert.equal(await cache.get('axb'), undefined);
    }
  });

  it('is cleaned of what nobody needs', async (t) => {
    const cache = new hotpath.CacheService({ maxMemoryMB: 1 });
    t.after(() => cache.close());
    const { base } = await serveRouter(t, { cache }, yes);
    await cache.setWithIntelligentTTL('gone', 1);
    await cache.delete('gone');
    const report = dataOf(await ask(`${base}/cache/optimize`, { method: 'POST' }));
    assert.deepEqual([report.examined, report.removed], [1, 1]);
    assert.ok(report.freedBytes > 0);
  });

  it('shows values that JSON has no words for', async (t) => {
    const { base, services } = await open(t);
    await services.cache.set('bytes', Buffer.from('hello'));
    await services.cache.set('mixed', { big: 12n, map: new Map([['a', 1]]), set: new Set([1]), when: new Date(0) });
    assert.equal(dataOf(await ask(`${base}/cache/get/bytes`)), Buffer.from('hello').toString('base64'));
    assert.deepEqual(dataOf(await ask(`${base}/cache/get/mixed`)), {
      big: '12',
      map: [['a', 1]],
      set: [1],
      when: '1970-01-01T00:00:00.000Z',
    });
    const round = {};
    round.self = round;
    await services.cache.set('round', round);
    const refused = await ask(`${base}/cache/get/round`);
    assert.deepEqual([refused.status, refused.body.error.code], [406, 'ERR_NOT_JSON']);
  });
});

describe('batches', () => {
  it('are processed by the default processor, and tell their progress', async (t) => {
    const { base } = await open(t);
    const data = [
      { id: 1, value: 'data1' },
      { id: 2, value: 'data2' },
    ];
    const body = { data, options: { batchSize: 1000, maxConcurrency: 5 } };
    const answer = await ask(`${base}/batch/process`, { method: 'POST', body });
    const { batchId, status } = dataOf(answer, 202);
    assert.equal(status, 'queued');
    assert.equal(answer.body.batchId, batchId, 'beside the data, too');
    const done = await waitFor(async () => {
      const batch = dataOf(await ask(`${base}/batch/${batchId}`));
      return batch.status === 'completed' && batch;
    });
    assert.deepEqual(
      done.results,
      data.map((item) => ({ ...item, processed: true })),
    );
  });

  it('name a processor of the router or of the engine', async (t) => {
    const { base, services } = await open(t);
    services.batch.registerProcessor('negate', (items) => items.map((item) => -item));
    for (const [processor, results] of [
      ['double', [2, 4]],
      ['negate', [-1, -2]],
    ]) {
      const { batchId } = dataOf(
        await ask(`${base}/batch/process`, { method: 'POST', body: { data: [1, 2], processor } }),
        202,
      );
      await services.batch.waitForBatch(batchId);
      assert.deepEqual(dataOf(await ask(`${base}/batch/${batchId}`)).results, results);
    }
    assert.equal((await ask(`${base}/batch/unknown`)).body.error.code, 'ERR_BATCH_NOT_FOUND');
  });
});

describe('jobs', () => {
  it('are submitted, told of, cancelled', async (t) => {
    const { base, services } = await open(t);
    services.jobs.registerProcessor('double', (data) => data * 2);
    const hold = deferred();
    services.jobs.registerProcessor('hold', () => hold.promise);
    const options = { priority: 1, timeout: 300_000 };
    const answer = await ask(`${base}/async/job`, { method: 'POST', body: { jobType: 'double', data: 21, options } });
    const { jobId, status } = dataOf(answer, 202);
    assert.equal(status, 'queued');
    assert.equal(answer.body.jobId, jobId, 'beside the data, too');
    const done = await waitFor(async () => {
      const job = dataOf(await ask(`${base}/async/job/${jobId}`));
      return job.status === 'completed' && job;
    });
    assert.equal(done.result, 42);
    const held = dataOf(await ask(`${base}/async/job`, { method: 'POST', body: { jobType: 'hold' } }), 202);
    const cancel = () => ask(`${base}/async/job/${held.jobId}`, { method: 'DELETE' });
    assert.deepEqual(dataOf(await cancel()), { jobId: held.jobId, cancelled: true });
    const again = await cancel();
    assert.deepEqual([again.status, again.body.error.code], [409, 'ERR_JOB_FINISHED']);
    // Engines wait for what they have begun.
    hold.resolve();
    const unknown = await ask(`${base}/async/job/nothing`);
    assert.deepEqual([unknown.status, unknown.body.error.code], [404, 'ERR_JOB_NOT_FOUND']);
    const type = await ask(`${base}/async/job`, { method: 'POST', body: { jobType: 'nobody' } });
    assert.deepEqual([type.status, type.body.error.code], [400, 'ERR_UNKNOWN_JOB_TYPE']);
    const queues = dataOf(await ask(`${base}/dashboard`)).live.queues.map(({ name }) => name);
    assert.deepEqual(queues, ['jobs', 'batches', 'parallel tasks']);
  });
});

describe('tests', () => {
  it('put load on paths of the application, one at a time', async (t) => {
    let hits = 0;
    const app = express();
    app.get('/api/wines', (_request, response) => {
      hits += 1;
      response.json([{ id: 1 }]);
    });
    app.use('/api/performance', hotpath.performanceRouter({}, yes));
    const origin = await listen(t, app);
    const run = (body) => ask(`${origin}/api/performance/test/load`, { method: 'POST', body });
    const both = await Promise.all([
      run({ requests: 2_000, concurrency: 10, endpoint: '/api/wines' }),
      run({ requests: 2_000, concurrency: 10, endpoint: '/api/wines' }),
    ]);
    const result = dataOf(both.find(({ status }) => status === 200));
    const refused = both.find(({ status }) => status === 429);
    assert.equal(refused.body.error.code, 'ERR_TEST_RUNNING');
    assert.deepEqual(
      [result.totalRequests, result.successfulRequests, result.failedRequests, hits],
      [2_000, 2_000, 0, 2_000],
    );
    assert.equal(result.successRate, 100);
    for (const name of [
      'averageResponseTime',
      'maxResponseTime',
      'minResponseTime',
      'totalTime',
      'requestsPerSecond',
    ]) {
      assert.ok(result[name] > 0, name);
    }
    const missing = dataOf(await run({ requests: 20, concurrency: 2, endpoint: '/nothing' }));
    assert.equal(missing.failedRequests, 20);
    const memory = await ask(`${origin}/api/performance/test/memory`, {
      method: 'POST',
      body: { iterations: 1000, dataSize: 1000 },
    });
    assert.equal(typeof dataOf(memory).memoryIncrease, 'number');
  });

  it('go where loadTestTarget says, and nowhere else', async (t) => {
    const seen = [];
    const target = await listen(t, (request, response) => {
      seen.push(request.url);
      response.end();
    });
    const { base } = await serveRouter(t, {}, { ...yes, loadTestTarget: target });
    const body = { requests: 5, concurrency: 1, endpoint: '/a?b=1' };
    const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example' };
    assert.equal(dataOf(await ask(`${base}/test/load`, { method: 'POST', body, headers })).successfulRequests, 5);
    assert.deepEqual(seen, Array(5).fill('/a?b=1'));
  });
});

describe('parallel tasks', () => {
  it('are executed', async (t) => {
    const { base } = await open(t);
    const body = {
      taskType: 'matrix_multiplication',
      data: {
        matrixA: [
          [1, 2],
          [3, 4],
        ],
        matrixB: [
          [5, 6],
          [7, 8],
        ],
      },
      options: { priority: 1 },
    };
    assert.deepEqual(dataOf(await ask(`${base}/parallel/task`, { method: 'POST', body })), [
      [19, 22],
      [43, 50],
    ]);
    const singular = { taskType: 'matrix_inverse', data: { matrix: [[0]] } };
    const refused = await ask(`${base}/parallel/task`, { method: 'POST', body: singular });
    assert.deepEqual([refused.status, refused.body.error.code], [422, 'ERR_HOTPATH_SINGULAR_MATRIX']);
    const unknown = await ask(`${base}/parallel/task`, { method: 'POST', body: { taskType: 'nothing', data: 1 } });
    assert.equal(unknown.status, 400);
  });
});

describe('memory', () => {
  it('tells what it is used for', async (t) => {
    const { base } = await open(t);
    const { current, tracking, pools } = dataOf(await ask(`${base}/memory/stats`));
    assert.deepEqual(Object.keys(current), ['heapUsed', 'heapTotal', 'external', 'rss']);
    assert.deepEqual(Object.keys(tracking), ['memoryUsage', 'memoryPeak', 'allocationCount', 'deallocationCount']);
    assert.deepEqual(Object.keys(pools), ['objectPools', 'bufferPools', 'lazyCache', 'compressionCache']);
  });

  it('is saved by compression', async (t) => {
    const { base } = await open(t);
    const data = { largeArray: Array(500).fill(7), repeatedData: Array(200).fill('again') };
    for (const [algorithm, restore] of [
      ['gzip', zlib.gunzipSync],
      ['brotli', zlib.brotliDecompressSync],
    ]) {
      const result = dataOf(await ask(`${base}/memory/compress`, { method: 'POST', body: { data, algorithm } }));
      const { algorithm: used, originalSize, compressedSize, ratio } = result;
      assert.equal(used, algorithm);
      assert.ok(compressedSize < originalSize / 2 && ratio < 0.5);
      assert.deepEqual(JSON.parse(restore(Buffer.from(result.data, 'base64'))), data);
    }
    const wrong = await ask(`${base}/memory/compress`, { method: 'POST', body: { data, algorithm: 'zip' } });
    assert.equal(wrong.status, 400);
  });
});

describe('the monitoring engine', () => {
  it('gives summary, alerts and exports', async (t) => {
    const { base, services } = await open(t);
    services.monitoring.recordRequest(9_000, false);
    services.monitoring.checkAlerts();
    const summary = dataOf(await ask(`${base}/monitoring/summary`));
    assert.deepEqual(Object.keys(summary), ['timestamp', 'system', 'application', 'database', 'cache', 'ml', 'alerts']);
    assert.deepEqual([summary.application.requests, summary.application.errorRate], [1, 100]);
    const alerts = dataOf(await ask(`${base}/monitoring/alerts`));
    assert.deepEqual(alerts.map(({ type }) => type).sort(), ['HIGH_ERROR_RATE', 'HIGH_RESPONSE_TIME']);
    const exported = await ask(`${base}/monitoring/export?format=json`);
    assert.equal(exported.body.summary.application.requests, 1);
    assert.equal('success' in exported.body, false, 'no envelope');
    const csv = await ask(`${base}/monitoring/export?format=csv`);
    assert.match(csv.text, /^timestamp,metric,value\n/);
    assert.match(csv.headers.get('content-type'), /^text\/csv/);
    const [{ id }] = alerts;
    const resolved = await ask(`${base}/monitoring/alert/${id}/resolve`, { method: 'POST' });
    assert.deepEqual(dataOf(resolved), { id, resolved: true });
    const again = await ask(`${base}/monitoring/alert/${id}/resolve`, { method: 'POST' });
    assert.deepEqual([again.status, again.body.error.code], [404, 'ERR_ALERT_NOT_FOUND']);
    assert.equal(dataOf(await ask(`${base}/monitoring/alerts`)).length, 1);
  });

  it('has alerts of all sources resolved', async (t) => {
    const { base, services } = await open(t);
    services.monitor.triggerAlert('DISK_FULL');
    services.performance.alertConfig.memoryUsage.threshold = 0;
    services.performance.collectMetrics();
    services.monitoring.recordRequest(9_000, true);
    services.monitoring.checkAlerts();
    const { alerts } = dataOf(await ask(`${base}/dashboard`));
    assert.deepEqual(alerts.map(({ source }) => source).sort(), ['monitor', 'monitoring', 'performance']);
    for (const { id } of alerts)
      dataOf(await ask(`${base}/monitoring/alert/${encodeURIComponent(id)}/resolve`, { method: 'POST' }));
    assert.deepEqual(dataOf(await ask(`${base}/dashboard`)).alerts, []);
    for (const id of ['nobody:alert_1', 'monitor:', 'performance:alert_99', '__proto__:x', 'constructor:alert_1']) {
      assert.equal((await ask(`${base}/monitoring/alert/${id}/resolve`, { method: 'POST' })).status, 404, id);
    }
  });
});

describe('metrics', () => {
  it('are told whole, by part, and to Prometheus', async (t) => {
    const { base, services } = await open(t);
    services.metrics.recordRequest(12);
    const all = dataOf(await ask(`${base}/metrics`));
    assert.deepEqual(Object.keys(all), ['timestamp', 'system', 'application', 'performance']);
    assert.ok(all.application.requests.total >= 1);
    assert.deepEqual(Object.keys(dataOf(await ask(`${base}/metrics/system`))), Object.keys(all.system));
    assert.deepEqual(Object.keys(dataOf(await ask(`${base}/metrics/application`))), Object.keys(all.application));
    const scrape = await ask(`${base}/metrics/prometheus`);
    assert.match(scrape.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
    for (const name of ['http_requests_total', 'http_request_duration_seconds_count', 'cache_hit_rate']) {
      assert.match(scrape.text, new RegExp(`^${name}`, 'm'));
    }
    assert.deepEqual(dataOf(await ask(`${base}/metrics`, { method: 'DELETE' })), { reset: true });
    assert.equal(dataOf(await ask(`${base}/metrics/application`)).requests.total, 0);
  });
});

describe('the performance service', () => {
  it('gives summary, report, history, health', async (t) => {
    const { base } = await open(t);
    const summary = dataOf(await ask(`${base}/summary`));
    assert.deepEqual(Object.keys(summary), ['timestamp', 'score', 'status', 'metrics', 'alerts', 'recommendations']);
    assert.deepEqual(Object.keys(summary.metrics), [
      'responseTime',
      'throughput',
      'errorRate',
      'cacheHitRate',
      'memoryUsage',
      'cpuUsage',
      'activeConnections',
      'queueLength',
    ]);
    const report = dataOf(await ask(`${base}/report`));
    assert.equal(report.period.points, 1);
    assert.equal(report.trends.throughput.direction, 'steady');
    const history = dataOf(await ask(`${base}/history?limit=100`));
    assert.equal(history.length, 1);
    assert.deepEqual(Object.keys(history[0]), ['timestamp', 'score', 'status', 'metrics']);
    for (const limit of ['0', '-1', 'x', '1.5', '1e3', '99999999']) {
      assert.equal((await ask(`${base}/history?limit=${limit}`)).status, 400, limit);
    }
    const { status, body } = await ask(`${base}/health`);
    assert.equal(status, body.data.status === 'unhealthy' ? 503 : 200);
    assert.deepEqual(Object.keys(body.data), ['status', 'reasons', 'checks', 'timestamp', 'uptime']);
  });

  it('answers 503 when it is unhealthy, and says why', async (t) => {
    const { base, services } = await open(t);
    services.performance.alertConfig.memoryUsage.threshold = 0;
    services.performance.alertConfig.memoryUsage.severity = 'critical';
    services.performance.collectMetrics();
    const { status, body } = await ask(`${base}/health`);
    assert.equal(status, 503);
    assert.equal(body.data.status, 'unhealthy');
    assert.match(body.data.reasons.join(), /Memory usage is/);
    assert.deepEqual(dataOf(await ask(`${base}/alerts`, { method: 'DELETE' })), { cleared: 1 });
    assert.doesNotMatch((await ask(`${base}/health`)).text, /Memory usage is/);
  });
});

describe('optimization', () => {
  it('tells configuration, recommendations and history, and takes changes', async (t) => {
    const { base } = await open(t);
    const config = dataOf(await ask(`${base}/optimization/config`));
    assert.deepEqual(config.cacheOptimization.hitRateThreshold, 0.7);
    const changes = { cacheOptimization: { hitRateThreshold: 0.9 } };
    const changed = dataOf(await ask(`${base}/optimization/config`, { method: 'PUT', body: changes }));
    assert.deepEqual(changed, {
      ...config,
      cacheOptimization: { ...config.cacheOptimization, hitRateThreshold: 0.9 },
    });
    assert.deepEqual(dataOf(await ask(`${base}/optimization/auto`, { method: 'PUT', body: { enabled: false } })), {
      enabled: false,
    });
    assert.equal(dataOf(await ask(`${base}/optimization/config`)).auto, false);
    assert.deepEqual(dataOf(await ask(`${base}/optimization/recommendations`)), []);
    assert.deepEqual(dataOf(await ask(`${base}/optimization/history?limit=50`)), []);
    const wrong = await ask(`${base}/optimization/config`, { method: 'PUT', body: { cacheOptimisation: {} } });
    assert.match(wrong.body.error.message, /cacheOptimization/);
  });

  it('runs, and records what it measured', async (t) => {
    const { base, services } = await open(t);
    const small = new hotpath.MemoryCache({ maxEntries: 100, nearCache: false });
    t.after(() => small.close());
    services.optimization.attach({ advancedCache: small });
    for (let index = 0; index < 1_000; index += 1)
      if (small.get(`k${index % 200}`) === undefined) small.set(`k${index % 200}`, index);
    const begun = dataOf(await ask(`${base}/optimization/run`, { method: 'POST' }), 202);
    assert.equal(begun.trigger, 'manual');
    assert.deepEqual(
      begun.actions.map(({ action, status }) => [action, status]),
      [['grow-cache', 'measuring']],
    );
    const record = await waitFor(async () => {
      const [latest] = dataOf(await ask(`${base}/optimization/history`));
      return latest.status !== 'measuring' && latest;
    });
    assert.deepEqual([record.status, record.verdict], ['undone', 'too little to tell'], 'nobody reads meanwhile');
    assert.equal(small.stats.maxEntries, 100);
    const forced = dataOf(await ask(`${base}/optimization/force`, { method: 'POST', body: { wait: true } }));
    assert.equal(forced.trigger, 'forced');
    assert.ok(forced.duration >= 0);
  });
});

describe('the dashboard', () => {
  it('begins with everything', async (t) => {
    const { base, services } = await open(t, { ...yes, authorize: (_request, action) => action === 'cache.clear' });
    // The first point was taken before the router told of the others.
    services.performance.collectMetrics();
    const data = dataOf(await ask(`${base}/dashboard`));
    assert.deepEqual(data.services, Object.keys(services));
    assert.equal(data.history.timestamps.length, 2);
    for (const [name, column] of Object.entries(data.history.series)) assert.equal(column.length, 2, name);
    assert.equal(data.history.series['cache.memory'][0], null);
    assert.ok('latency.p95' in data.history.series && 'cache.memory' in data.history.series);
    assert.equal(data.live.cache.levels[0].name, 'memory');
    assert.equal(data.optimization.auto, true);
    const allowed = Object.entries(data.allowed).filter(([, may]) => may);
    assert.deepEqual(allowed, [['cache.clear', true]]);
    assert.equal(Object.keys(data.allowed).length, 18);
  });

  it('works without any service', async (t) => {
    const { base } = await serveRouter(t, {}, yes);
    const data = dataOf(await ask(`${base}/dashboard`));
    assert.deepEqual([data.summary, data.health, data.optimization, data.services], [null, null, null, []]);
    assert.equal(data.live.latency, null);
    const allowed = Object.entries(data.allowed).filter(([, may]) => may);
    assert.deepEqual(allowed.map(([action]) => action).sort(), ['alerts.resolve', 'test.load', 'test.memory']);
  });

  it('serves its page below the mount', async (t) => {
    const { base } = await open(t);
    const page = await ask(`${base}/`);
    assert.equal(page.status, 200);
    assert.match(page.text, /^<!doctype html>/i);
    const policy = page.headers.get('content-security-policy');
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe|\*/);
    assert.equal(page.headers.get('x-content-type-options'), 'nosniff');
    const etag = page.headers.get('etag');
    const again = await ask(`${base}/`, { headers: { 'if-none-match': etag } });
    assert.deepEqual([again.status, again.text], [304, '']);
    const slash = await ask(base, { redirect: 'manual' });
    assert.deepEqual([slash.status, slash.headers.get('location')], [308, './performance/']);
    const plain = await ask(`${base}/`, { headers: { 'accept-encoding': 'identity' } });
    assert.equal(plain.headers.get('content-encoding'), null);
    assert.equal(plain.text, page.text);
    const off = await serveRouter(t, {}, { dashboard: false });
    assert.equal((await ask(`${off.base}/`)).status, 404);
  });
});
