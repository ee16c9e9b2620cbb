'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { Validator } = require('@seriousme/openapi-schema-validator');
const Ajv2020 = require('ajv/dist/2020').default;
const { ENDPOINTS } = require('../../lib/http/router-endpoints.js');
const { WORDS } = require('../../lib/http/openapi.js');
const { waitFor } = require('../support');
const { allServices, ask, processors, serveRouter } = require('../support/router');

async function served(t) {
  const services = allServices(t);
  const { base } = await serveRouter(t, services, { authorize: () => true, processors });
  const { body: document } = await ask(`${base}/openapi.json`);
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addSchema({ $id: 'api', ...document });
  /** Whether an answer is one that the description allows. */
  const agree = (method, path, answer) => {
    const operation = document.paths[path.replace(/:(\w+)/g, '{$1}')][method.toLowerCase()];
    const described = operation.responses[answer.status] ?? operation.responses.default;
    const type = answer.headers.get('content-type').split(';')[0];
    const media = described.content[type];
    assert.ok(media, `${method} ${path}: ${answer.status} as ${type} is not described`);
    if (type !== 'application/json') return;
    const schema = JSON.parse(JSON.stringify(media.schema).replaceAll('"#/components', '"api#/components'));
    const validate = ajv.compile(schema);
    assert.ok(validate(answer.body), `${method} ${path}: ${ajv.errorsText(validate.errors)}`);
    if (operation.responses[answer.status] === undefined) assert.ok(answer.status >= 400);
  };
  return { services, base, document, agree };
}

describe('the description', () => {
  it('is OpenAPI 3.1', async (t) => {
    const { document } = await served(t);
    const { valid, errors } = await new Validator().validate(structuredClone(document));
    assert.ok(valid, JSON.stringify(errors));
    assert.equal(document.openapi, '3.1.0');
  });

  it('has words for every endpoint, and for no others', () => {
    const endpoints = ENDPOINTS.map(({ method, path }) => `${method} ${path}`);
    assert.deepEqual(Object.keys(WORDS).sort(), [...endpoints].sort());
    assert.equal(new Set(endpoints).size, endpoints.length);
    const bodies = ENDPOINTS.filter(({ body }) => body !== undefined).map(({ method, path }) => `${method} ${path}`);
    assert.deepEqual(
      Object.keys(WORDS)
        .filter((name) => WORDS[name].body !== undefined)
        .sort(),
      bodies.sort(),
    );
  });

  it('says what the answers are', async (t) => {
    const { services, base, agree } = await served(t);
    services.metrics.recordRequest(5);
    services.metrics.recordCacheOperation(true);
    services.monitoring.recordRequest(9_000, false);
    services.monitoring.checkAlerts();
    services.monitor.triggerAlert('DISK_FULL', { current: 2, threshold: 1 });
    services.performance.alertConfig.memoryUsage.threshold = 0;
    for (let point = 0; point < 10; point += 1) services.performance.collectMetrics();
    services.optimization.updateConfig({ queryOptimization: { slowMs: 0 } });
    services.optimization.recordQuery('SELECT 1', 5);
    const ids = {};
    const bodies = {
      '/cache/set': { key: 'a', value: { b: 1 } },
      '/cache/pattern': { pattern: 'z' },
      '/async/job': { jobType: 'sort', data: { values: [2, 1] } },
      '/batch/process': { data: [{ id: 1 }] },
      '/parallel/task': { taskType: 'statistics', data: { values: [1, 2, 3] } },
      '/memory/compress': { data: [1, 2, 3], algorithm: 'zstd' },
      '/test/load': { requests: 10, concurrency: 2, endpoint: '/elsewhere' },
      '/test/memory': { iterations: 10, dataSize: 10 },
      '/optimization/run': {},
      '/optimization/force': { wait: true },
      '/optimization/config': { trialMs: 30 },
      '/optimization/auto': { enabled: true },
    };
    // What clears comes last.
    const order = [...ENDPOINTS].sort(
      (left, right) => Number(left.method === 'DELETE') - Number(right.method === 'DELETE'),
    );
    let answered = 0;
    for (const { method, path } of order) {
      if (path === '/stream') continue;
      const place = path
        .replace(':key', 'a')
        .replace(':jobId', ids.jobId ?? 'none')
        .replace(':batchId', ids.batchId ?? 'none')
        .replace(':id', 'alert_1');
      const body = method === 'GET' ? undefined : bodies[path];
      const answer = await ask(`${base}${place}`, { method, body });
      agree(method, path, answer);
      if (path !== '/health' && method !== 'DELETE')
        assert.ok(answer.status < 300, `${method} ${path}: ${answer.text}`);
      Object.assign(ids, answer.body?.jobId && { jobId: answer.body.jobId });
      Object.assign(ids, answer.body?.batchId && { batchId: answer.body.batchId });
      answered += 1;
    }
    assert.equal(answered, ENDPOINTS.length - 1);
    await waitFor(() => !services.optimization.running);
  });

  it('says what refusals are', async (t) => {
    const { base, agree } = await served(t);
    const refusals = [
      ['GET', '/cache/get/:key', '/cache/get/none'],
      ['GET', '/batch/:batchId', '/batch/none'],
      ['GET', '/history', '/history?limit=x'],
      ['GET', '/monitoring/export', '/monitoring/export?format=x'],
      ['POST', '/cache/set', '/cache/set', {}],
      ['POST', '/parallel/task', '/parallel/task', { taskType: 'matrix_inverse', data: { matrix: [[0]] } }],
      ['POST', '/test/load', '/test/load', { endpoint: '//x' }],
      ['PUT', '/optimization/config', '/optimization/config', { nothing: 1 }],
    ];
    for (const [method, path, place, body] of refusals) {
      const answer = await ask(`${base}${place}`, { method, body });
      assert.ok(answer.status >= 400 && answer.status < 500);
      agree(method, path, answer);
    }
  });
});
