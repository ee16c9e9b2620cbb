'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { describe, it } = require('node:test');
const hotpath = require('hotpath');
const { ENDPOINTS } = require('../../lib/http/router-endpoints.js');
const { errors } = require('../support');
const { allServices, ask, listen, processors, raw, serveRouter } = require('../support/router');

/** A path with something in place of its parameters. */
const filled = (path) => path.replace(/:\w+/g, 'some-id');

const guarded = ENDPOINTS.filter(({ action }) => action !== undefined);
const open = ENDPOINTS.filter(({ action }) => action === undefined);

function refused({ status, body }, expected, code) {
  assert.equal(status, expected, JSON.stringify(body));
  assert.deepEqual(Object.keys(body), ['success', 'error']);
  assert.equal(body.success, false);
  assert.deepEqual(Object.keys(body.error), ['code', 'message']);
  assert.equal(body.error.code, code);
}

/** A POST without a body, with nothing but these fields. */
function requestOf(path, headers) {
  const fields = Object.entries({ ...headers, 'Content-Length': 0, Connection: 'close' });
  return `POST ${path} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

describe('without authorize', () => {
  it('everything that changes, runs or shows stored data is refused', async (t) => {
    const { base } = await serveRouter(t, allServices(t), { processors });
    assert.ok(guarded.length >= 20);
    for (const { method, path } of guarded) {
      refused(
        await ask(`${base}${filled(path)}`, { method, ...(method !== 'GET' && { body: {} }) }),
        403,
        'ERR_FORBIDDEN',
      );
    }
  });

  it('and figures are open', async (t) => {
    const { base } = await serveRouter(t, allServices(t));
    for (const { method, path } of open) {
      assert.equal(method, 'GET', path);
      if (path === '/stream') continue;
      const { status } = await ask(`${base}${path}`);
      // On a machine that is busy the event loop is late, and health says so.
      assert.ok(status === 200 || (path === '/health' && status === 503), `${path}: ${status}`);
    }
  });
});

describe('authorize', () => {
  it('is asked with the request and the action, before a body is read', async (t) => {
    const asked = [];
    const authorize = async (request, action) => {
      asked.push([request.method, action, request.readableEnded]);
      return request.headers.authorization === 'Bearer secret';
    };
    const { base } = await serveRouter(t, allServices(t), { authorize });
    const body = { key: 'a', value: 1 };
    refused(await ask(`${base}/cache/set`, { method: 'POST', body }), 403, 'ERR_FORBIDDEN');
    const allowed = await ask(`${base}/cache/set`, {
      method: 'POST',
      body,
      headers: { authorization: 'Bearer secret' },
    });
    assert.equal(allowed.status, 200);
    assert.deepEqual(asked, [
      ['POST', 'cache.write', false],
      ['POST', 'cache.write', false],
    ]);
  });

  it('that throws or answers nothing allows nothing, and is reported', async (t) => {
    const told = [];
    const answers = [
      () => {
        throw new Error('the directory is down');
      },
      async () => {
        throw new Error('the directory is down');
      },
      () => undefined,
      () => 0,
    ];
    for (const authorize of answers) {
      const { base } = await serveRouter(t, allServices(t), {
        authorize,
        onError: (error) => told.push(error.message),
      });
      refused(await ask(`${base}/cache`, { method: 'DELETE' }), 403, 'ERR_FORBIDDEN');
    }
    assert.deepEqual(told, ['the directory is down', 'the directory is down']);
  });

  it('that answers neither true nor false allows nothing, and is reported', async (t) => {
    const told = [];
    for (const answer of [{ allowed: false }, 'no', 1, [], async () => true]) {
      const { base } = await serveRouter(t, allServices(t), {
        authorize: async () => answer,
        onError: (error) => told.push(error.code),
      });
      refused(await ask(`${base}/cache`, { method: 'DELETE' }), 403, 'ERR_FORBIDDEN');
    }
    assert.deepEqual(told, new Array(5).fill('ERR_INVALID_ARG_TYPE'));
  });

  it('knows every action by its declared name', () => {
    const declared = fs
      .readFileSync(require.resolve('../../types/http-router.d.ts'), 'utf8')
      .match(/'[a-z]+\.[a-z]+'/g);
    const used = [...new Set(guarded.map(({ action }) => `'${action}'`))];
    assert.deepEqual([...new Set(declared)].sort(), used.sort());
  });
});

describe('requests that are wrong', () => {
  it('find out what is there', async (t) => {
    const { base } = await serveRouter(t, {}, { authorize: () => true });
    refused(await ask(`${base}/nothing/here`), 404, 'ERR_NOT_FOUND');
    refused(await ask(`${base}/async/job/`), 404, 'ERR_NOT_FOUND');
    for (const { method, path, service } of ENDPOINTS) {
      if (service === undefined) continue;
      refused(
        await ask(`${base}${filled(path)}`, { method, ...(method !== 'GET' && { body: {} }) }),
        404,
        'ERR_SERVICE_MISSING',
      );
    }
  });

  it('hear which methods there are', async (t) => {
    const { base } = await serveRouter(t, allServices(t), { authorize: () => true });
    const put = await ask(`${base}/metrics`, { method: 'PUT', body: {} });
    refused(put, 405, 'ERR_METHOD_NOT_ALLOWED');
    assert.equal(put.headers.get('allow'), 'GET, HEAD, DELETE');
    for (const path of ['/', '/openapi.json', '/stream', '/dashboard']) {
      refused(await ask(`${base}${path}`, { method: 'POST', body: {} }), 405, 'ERR_METHOD_NOT_ALLOWED');
    }
    assert.equal((await ask(`${base}/cache/set`, { method: 'OPTIONS' })).headers.get('allow'), 'POST');
  });

  it('answer HEAD like GET, without a body', async (t) => {
    const { base } = await serveRouter(t, allServices(t), { authorize: () => true });
    for (const path of ['/summary', '/metrics/prometheus', '/openapi.json', '/', '/stream', '/monitoring/export']) {
      const head = await ask(`${base}${path}`, { method: 'HEAD' });
      assert.deepEqual([head.status, head.text], [200, ''], path);
      assert.ok(head.headers.get('content-type'), path);
    }
    assert.equal((await ask(`${base}/cache/get/none`, { method: 'HEAD' })).status, 404);
  });

  it('need a JSON object as their body', async (t) => {
    const { base } = await serveRouter(t, allServices(t), { authorize: () => true });
    const send = (body, headers) => ask(`${base}/cache/set`, { method: 'POST', body, headers });
    refused(await send(undefined), 400, 'ERR_BODY_MISSING');
    refused(await send('{"key"'), 400, 'ERR_BODY_MALFORMED');
    for (const body of ['[1]', 'null', '7', '"text"']) refused(await send(body), 400, 'ERR_BODY_NOT_OBJECT');
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'application/jsonp',
      '',
    ]) {
      refused(await send('{}', { 'content-type': type }), 415, 'ERR_UNSUPPORTED_MEDIA_TYPE');
    }
    refused(
      await send('{}', { 'content-type': 'application/json; charset=utf-16' }),
      415,
      'ERR_UNSUPPORTED_MEDIA_TYPE',
    );
    refused(await send('{}', { 'content-encoding': 'gzip' }), 415, 'ERR_UNSUPPORTED_ENCODING');
    const fine = '{"key":"a","value":1}';
    for (const type of ['application/json; charset=UTF-8', 'Application/JSON', 'application/merge-patch+json']) {
      assert.equal((await send(fine, { 'content-type': type })).status, 200, type);
    }
  });

  it('are refused when too large, with and without a length', async (t) => {
    const { base } = await serveRouter(t, allServices(t), { authorize: () => true, maxBodyBytes: 1_000 });
    const body = JSON.stringify({ key: 'a', value: 'x'.repeat(2_000) });
    const declared = await ask(`${base}/cache/set`, { method: 'POST', body });
    refused(declared, 413, 'ERR_BODY_TOO_LARGE');
    const pieces = new ReadableStream({
      start(controller) {
        controller.enqueue(Buffer.from(body));
        controller.close();
      },
    });
    const headers = { 'content-type': 'application/json' };
    const chunked = await fetch(`${base}/cache/set`, { method: 'POST', body: pieces, duplex: 'half', headers });
    assert.equal(chunked.status, 413);
  });

  it('are told what is wrong with their fields', async (t) => {
    const { base } = await serveRouter(t, allServices(t), { authorize: () => true, processors });
    const long = 'x'.repeat(3_000);
    const wrong = [
      ['POST', '/cache/set', {}, 'ERR_INVALID_ARG_TYPE'],
      ['POST', '/cache/set', { key: '', value: 1 }, 'ERR_OUT_OF_RANGE'],
      ['POST', '/cache/set', { key: long, value: 1 }, 'ERR_OUT_OF_RANGE'],
      ['POST', '/cache/set', { key: 'a' }, 'ERR_INVALID_ARG_TYPE'],
      ['POST', '/cache/set', { key: 'a', value: 1, ttl: 0 }, 'ERR_OUT_OF_RANGE'],
      ['POST', '/cache/set', { key: 'a', value: 1, ttl: '5' }, 'ERR_INVALID_ARG_TYPE'],
      ['POST', '/cache/set', { key: 'a', value: 1, tll: 5 }, 'ERR_HOTPATH_UNKNOWN_OPTION'],
      ['DELETE', '/cache/pattern', { pattern: 7 }, 'ERR_INVALID_ARG_TYPE'],
      ['DELETE', '/cache/pattern', { pattern: long }, 'ERR_OUT_OF_RANGE'],
      ['POST', '/async/job', { jobType: 7 }, 'ERR_INVALID_ARG_TYPE'],
      ['POST', '/async/job', { jobType: 'sort', options: { onProgress: 1 } }, 'ERR_HOTPATH_UNKNOWN_OPTION'],
      ['POST', '/batch/process', { data: 'text' }, 'ERR_INVALID_ARG_TYPE'],
      ['POST', '/batch/process', { data: [], options: { batchSize: 0 } }, 'ERR_OUT_OF_RANGE'],
      [
        'POST',
        '/parallel/task',
        { taskType: 'sort', data: {}, options: { transfer: true } },
        'ERR_HOTPATH_UNKNOWN_OPTION',
      ],
      ['POST', '/memory/compress', { algorithm: 'gzip' }, 'ERR_INVALID_ARG_TYPE'],
      ['POST', '/optimization/run', { wait: 'yes' }, 'ERR_INVALID_ARG_TYPE'],
      ['POST', '/optimization/run', { areas: ['everything'] }, 'ERR_OUT_OF_RANGE'],
      ['PUT', '/optimization/auto', {}, 'ERR_INVALID_ARG_TYPE'],
      ['PUT', '/optimization/config', { trialMs: -1 }, 'ERR_OUT_OF_RANGE'],
      ['POST', '/test/load', { requests: 1e9, endpoint: '/' }, 'ERR_OUT_OF_RANGE'],
      ['POST', '/test/load', { concurrency: 100_000, endpoint: '/' }, 'ERR_OUT_OF_RANGE'],
      ['POST', '/test/memory', { iterations: 1e6, dataSize: 1e6 }, 'ERR_OUT_OF_RANGE'],
    ];
    for (const [method, path, body, code] of wrong) refused(await ask(`${base}${path}`, { method, body }), 400, code);
    refused(await ask(`${base}/monitoring/export?format=xml`), 400, 'ERR_OUT_OF_RANGE');
    refused(await ask(`${base}/cache/get/%E0%A4%A`), 400, 'ERR_BAD_PATH');
  });

  it('that fail inside tell nothing of it, and are reported', async (t) => {
    const told = [];
    const cache = {
      get: async () => {
        throw new Error('password=hunter2');
      },
      stats: {},
    };
    const { base } = await serveRouter(
      t,
      { cache },
      { authorize: () => true, onError: (error) => told.push(error.message) },
    );
    const answer = await ask(`${base}/cache/get/a`);
    refused(answer, 500, 'ERR_INTERNAL');
    assert.doesNotMatch(answer.text, /hunter2/);
    assert.deepEqual(told, ['password=hunter2']);
  });

  it('hear 503 from what is closed', async (t) => {
    const services = allServices(t);
    const { base } = await serveRouter(t, services, { authorize: () => true, processors });
    await services.cache.close();
    await services.batch.close();
    services.performance.close();
    refused(await ask(`${base}/cache/get/a`), 503, 'ERR_HOTPATH_CLOSED');
    refused(await ask(`${base}/batch/process`, { method: 'POST', body: { data: [1] } }), 503, 'ERR_HOTPATH_CLOSED');
    refused(await ask(`${base}/summary`), 503, 'ERR_HOTPATH_CLOSED');
  });
});

describe('source text', () => {
  it('is never run, and no file is', async (t) => {
    const { base } = await serveRouter(t, allServices(t), { authorize: () => true, processors });
    const texts = [
      'function(chunk) { return chunk.map(item => ({...item, processed: true})); }',
      '(items) => items',
      './__test__/support/tasks.js',
      require.resolve('../support/tasks'),
      'constructor',
      '__proto__',
      'toString',
      '',
    ];
    for (const processor of texts) {
      refused(
        await ask(`${base}/batch/process`, { method: 'POST', body: { data: [1], processor } }),
        400,
        'ERR_UNKNOWN_PROCESSOR',
      );
    }
    for (const processor of [7, null, {}, ['default']]) {
      const { status } = await ask(`${base}/batch/process`, { method: 'POST', body: { data: [1], processor } });
      assert.equal(status, 400);
    }
    const { base: without } = await serveRouter(t, allServices(t), { authorize: () => true });
    refused(
      await ask(`${without}/batch/process`, { method: 'POST', body: { data: [1] } }),
      400,
      'ERR_PROCESSOR_MISSING',
    );
    const checkpoint = { data: [1], options: { checkpoint: '/tmp/written' } };
    refused(
      await ask(`${base}/batch/process`, { method: 'POST', body: checkpoint }),
      400,
      'ERR_HOTPATH_UNKNOWN_OPTION',
    );
  });
});

describe('prototypes', () => {
  it('are not reached', async (t) => {
    const services = allServices(t);
    const { base } = await serveRouter(t, services, { authorize: () => true, processors });
    const bodies = [
      ['POST', '/cache/set', '{"key":"a","value":{"__proto__":{"polluted":1}}}'],
      ['POST', '/cache/set', '{"__proto__":{"polluted":1},"key":"a","value":1}'],
      ['PUT', '/optimization/config', '{"__proto__":{"polluted":1}}'],
      ['PUT', '/optimization/config', '{"constructor":{"prototype":{"polluted":1}}}'],
      ['PUT', '/optimization/config', '{"cacheOptimization":{"__proto__":{"polluted":1}}}'],
      ['POST', '/batch/process', '{"data":[{"__proto__":{"polluted":1}}],"options":{"__proto__":{"polluted":1}}}'],
      ['POST', '/memory/compress', '{"data":{"__proto__":{"polluted":1}}}'],
      ['POST', '/parallel/task', '{"taskType":"__proto__","data":{}}'],
    ];
    for (const [method, path, body] of bodies) {
      const { status } = await ask(`${base}${path}`, { method, body });
      assert.ok(status < 500, `${path} ${status}`);
      assert.equal({}.polluted, undefined);
    }
    await services.cache.set('own', JSON.parse('{"__proto__":{"polluted":1}}'));
    assert.match((await ask(`${base}/cache/get/own`)).text, /"__proto__":\{"polluted":1\}/);
  });
});

describe('load tests', () => {
  it('reach no host and no path but those of the application', async (t) => {
    const hits = [];
    const elsewhere = await listen(t, (request, response) => {
      hits.push(request.url);
      response.end();
    });
    const { base } = await serveRouter(t, {}, { authorize: () => true });
    const { port, host } = new URL(elsewhere);
    const endpoints = [
      elsewhere,
      `//${host}/`,
      `/\\${host}/`,
      `\\\\${host}`,
      `/@${host}`.replace('/@', '@'),
      'http:/path',
      '/a b',
      '/a\r\nHost: x',
      '/\t/x',
      '',
      `:${port}/`,
      'file:///etc/passwd',
      '/api/performance/test/load',
      '/api/performance/cache',
      '/api/performance',
      '/API/Performance/health',
      '/api//performance/health',
      '/x/../api/performance/health',
      '/%61pi/performance/health',
      '/%zz',
      7,
      null,
    ];
    for (const endpoint of endpoints) {
      const body = { requests: 1, concurrency: 1, endpoint };
      const { status } = await ask(`${base}/test/load`, { method: 'POST', body });
      assert.equal(status, 400, String(endpoint));
    }
    assert.deepEqual(hits, []);
  });
});

describe('pages of other sites', () => {
  it('change nothing', async (t) => {
    const { base } = await serveRouter(t, allServices(t), { authorize: () => true });
    for (const site of ['cross-site', 'same-site']) {
      refused(
        await ask(`${base}/optimization/run`, { method: 'POST', headers: { 'sec-fetch-site': site } }),
        403,
        'ERR_CROSS_SITE',
      );
    }
    for (const site of ['same-origin', 'none']) {
      const { status } = await ask(`${base}/cache`, { method: 'DELETE', headers: { 'sec-fetch-site': site } });
      assert.equal(status, 200);
    }
    assert.equal((await ask(`${base}/metrics`, { headers: { 'sec-fetch-site': 'cross-site' } })).status, 200);
    assert.equal((await ask(`${base}/health`)).headers.get('access-control-allow-origin'), null);
  });
});

describe('pages of other sites that browsers say less of', () => {
  it('change nothing', async (t) => {
    const { base, origin } = await serveRouter(t, allServices(t), { authorize: () => true });
    const { host } = new URL(origin);
    // As a form on a page sends it, over plain HTTP.
    const form = (headers) => raw(origin, requestOf(`${new URL(base).pathname}/cache/optimize`, headers));
    for (const from of ['http://evil.example', 'null', `http://${host}.evil.example`, 'nonsense', 'http://127.0.0.1']) {
      assert.match(await form({ Host: host, Origin: from }), /^HTTP\/1\.1 403 .*ERR_CROSS_SITE/s, from);
    }
    for (const headers of [
      { Host: host },
      { Host: host, Origin: origin },
      { Host: 'inside:3000', 'X-Forwarded-Host': 'site.example', Origin: 'https://site.example' },
      { Host: 'SITE.example:443', Origin: 'https://site.example' },
    ]) {
      assert.match(await form(headers), /^HTTP\/1\.1 200 /, JSON.stringify(headers));
    }
  });
});

describe('paths', () => {
  it('lead nowhere outside the dashboard', async (t) => {
    const { origin } = await serveRouter(t, {});
    const paths = [
      '/../package.json',
      '/..%2fpackage.json',
      '/%2e%2e/package.json',
      '/..\\package.json',
      '//etc/passwd',
      '/.git',
      '/./index.html%00.js',
    ];
    for (const path of paths) {
      const answer = await raw(origin, `GET /api/performance${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 404 /, path);
      assert.doesNotMatch(answer, /"name": "hotpath"|root:/, path);
    }
  });

  it('redirect to no other host', async (t) => {
    const { origin } = await serveRouter(t, {});
    const server = await listen(t, (request, response) => {
      // As a framework would that mounts at whatever the client says.
      request.originalUrl = request.url;
      request.baseUrl = request.url;
      request.url = '/';
      hotpath.performanceRouter({})(request, response);
    });
    const answer = await raw(server, 'GET //evil.example HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    assert.match(answer, /Location: \.\/evil\.example\/\r\n/i);
    assert.match(
      await raw(origin, 'GET http://evil.example/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'),
      /^HTTP\/1\.1 404 /,
    );
  });
});

describe('patterns', () => {
  it('take no time that grows with what they could mean', async (t) => {
    const cache = new hotpath.MemoryCache();
    t.after(() => cache.close());
    const { base } = await serveRouter(t, { cache }, { authorize: () => true });
    for (let index = 0; index < 1_000; index += 1) cache.set(`${'a'.repeat(60)}${index}`, 1);
    const before = process.cpuUsage();
    const pattern = `${'*a'.repeat(500)}*b`;
    const { body } = await ask(`${base}/cache/pattern`, { method: 'DELETE', body: { pattern } });
    assert.equal(body.data.deleted, 0);
    // A matcher that backtracks takes longer than the universe has: seconds would be far too much already.
    assert.ok(process.cpuUsage(before).user < 10e6);
  });
});

describe('the options', () => {
  it('are checked', () => {
    const { performanceRouter, legacyRoutes } = hotpath;
    assert.throws(() => performanceRouter({ chache: {} }), errors.unknownOption('chache', 'cache'));
    assert.throws(() => performanceRouter({ cache: 7 }), errors.invalidType('services.cache'));
    assert.throws(
      () => performanceRouter({}, { authorise: () => true }),
      errors.unknownOption('authorise', 'authorize'),
    );
    assert.throws(() => performanceRouter({}, { authorize: true }), errors.invalidType('options.authorize'));
    assert.throws(
      () => performanceRouter({}, { loadTestTarget: 'ftp://x' }),
      errors.invalidType('options.loadTestTarget'),
    );
    assert.throws(
      () => performanceRouter({}, { loadTestTarget: 'nonsense' }),
      errors.invalidType('options.loadTestTarget'),
    );
    assert.throws(() => performanceRouter({}, { maxBodyBytes: 0 }), errors.outOfRange('options.maxBodyBytes'));
    assert.throws(() => legacyRoutes({ nothing: {} }), { code: 'ERR_HOTPATH_UNKNOWN_OPTION' });
  });
});
