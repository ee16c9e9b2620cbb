'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { LoadTester } = require('../..');
const { errors } = require('../support');
const { httpServer } = require('../support/loaded-servers');
const { freePort, temporaryFolder } = require('../support/servers');

/** A server that remembers, and answers a post with an id. */
async function shop(t) {
  const seen = [];
  const { url } = await httpServer(t, (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text) => {
      body += text;
    });
    request.on('end', () => {
      seen.push({ method: request.method, url: request.url, headers: request.headers, body });
      response.setHeader('x-ticket', `t${seen.length}`);
      response.end(JSON.stringify({ items: [{ id: `id ${seen.length}`, n: 5 }] }));
    });
  });
  return { url, seen };
}

function write(t, files) {
  const folder = temporaryFolder(t);
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), text);
  return (name) => path.join(folder, name);
}

/** A file with one phase of `count` users and this flow. */
const withFlow = (url, flow, { count = 1, config = {} } = {}) =>
  JSON.stringify({
    config: { target: url, phases: [{ duration: 0.05, arrivalCount: count }], ...config },
    scenarios: [{ flow }],
  });

/** Runs a flow once and gives what the server saw, and the result. */
async function once(t, flow, options = {}) {
  const { url, seen } = await shop(t);
  const file = write(t, { 'test.json': withFlow(url, flow, options), ...options.files });
  const result = await new LoadTester().runScenario(file('test.json'), options.run);
  return { seen, result, url };
}

// The configuration of the guide, with shorter phases.
const GUIDE = (url) => `
config:
  target: '${url}'
  phases:
    - duration: 1
      arrivalRate: 20
      name: "Warm up"
    - duration: 0.5
      arrivalRate: 50
      rampTo: 150
      name: "Ramp up load"
    - pause: 0.1
    - duration: 500ms
      arrivalCount: 10
      name: "Sustained load"
  payload:
    path: "test-data.csv"
    fields:
      - "userId"
      - "message"
    order: sequence
scenarios:
  - name: "Intent Processing"
    weight: 70
    flow:
      - post:
          url: "/api/intents/process"
          json:
            message: "{{ message }}"
            userId: "{{ userId }}"
      - think: 0.01
  - name: "User Session"
    weight: 30
    flow:
      - get:
          url: "/api/users/{{ userId }}/session"
      - think: 0.02
`;

it('the file of the guide: phases, payload, weights, templates', async (t) => {
  const { url, seen } = await shop(t);
  const file = write(t, { 'load.yml': GUIDE(url), 'test-data.csv': '1,hello\n2,"say ""hi"", twice"\n3,grüße\n' });
  const result = await new LoadTester().runLoadTest(file('load.yml'));
  const users = 20 + 50 + 10;
  assert.equal(seen.length, users);
  assert.equal(result.totalRequests, users);
  assert.deepEqual(result.users, { started: users, completed: users, failed: 0, skipped: 0, active: 0 });
  const { 'Intent Processing': intents, 'User Session': sessions } = result.scenarios;
  assert.equal(intents + sessions, users);
  assert.ok(intents > sessions, `${intents} of 70, ${sessions} of 30`);
  const posts = seen.filter(({ method }) => method === 'POST');
  assert.equal(posts.length, intents);
  for (const { body, headers } of posts) {
    const { userId, message } = JSON.parse(body);
    assert.equal(message, ['hello', 'say "hi", twice', 'grüße'][userId - 1]);
    assert.equal(headers['content-type'], 'application/json');
  }
  for (const { url: asked } of seen.filter(({ method }) => method === 'GET'))
    assert.match(asked, /^\/api\/users\/[123]\/session$/);
  assert.ok(result.totalTime >= 1600, `${result.totalTime}`);
});

describe('a flow', () => {
  it('captures, keeps types, loops, and fills query, form, body and headers', async (t) => {
    const flow = [
      {
        post: {
          url: '/a',
          json: { one: '{{ one }}', text: 'n: {{ one }}', list: ['{{ flag }}', null, 1.5] },
          capture: [
            { json: '$.items[0].id', as: 'id' },
            { json: "$['items'][0].n", as: 'n' },
            { header: 'X-Ticket', as: 'ticket' },
          ],
        },
      },
      {
        loop: [
          {
            get: {
              url: '/b/{{ id }}/{{ $loopCount }}',
              qs: { q: 'a&{{ id }}' },
              headers: { 'X-Ticket': '{{ ticket }}' },
            },
          },
        ],
        count: 2,
      },
      { put: { url: '/c', form: { x: '{{ id }}', y: 'ü' } } },
      { patch: { url: '/d', body: 'raw {{ n }}' } },
      { delete: { url: '/e?r={{ $randomNumber(3, 5) }}&s={{ $randomString(4) }}' } },
    ];
    const config = {
      variables: { one: 1, flag: [true] },
      defaults: { headers: { 'x-ticket': 'none', 'x-all': 'yes' } },
    };
    const { seen, result } = await once(t, flow, { config });
    assert.equal(result.users.completed, 1);
    assert.deepEqual(JSON.parse(seen[0].body), { one: 1, text: 'n: 1', list: [true, null, 1.5] });
    assert.deepEqual([seen[0].headers['x-ticket'], seen[0].headers['x-all']], ['none', 'yes']);
    assert.deepEqual(
      seen.slice(1, 3).map((request) => request.url),
      ['/b/id%201/0?q=a%26id%201', '/b/id%201/1?q=a%26id%201'],
    );
    assert.equal(seen[1].headers['x-ticket'], 't1');
    assert.deepEqual(
      [seen[3].body, seen[3].headers['content-type']],
      ['x=id%201&y=%C3%BC', 'application/x-www-form-urlencoded'],
    );
    assert.deepEqual([seen[4].method, seen[4].body], ['PATCH', 'raw 5']);
    assert.match(seen[5].url, /^\/e\?r=[345]&s=[A-Za-z0-9]{4}$/);
    assert.equal(result.connections, 1);
  });

  it('ends for a user whose capture finds nothing, or whose template cannot be sent', async (t) => {
    const lost = await once(t, [{ get: { url: '/', capture: { json: '$.nothing', as: 'x' } } }, { get: '/never' }]);
    assert.deepEqual([lost.seen.length, lost.result.users.failed, lost.result.totalRequests], [1, 1, 1]);
    const bad = [{ get: '/' }, { get: { url: '/', headers: { 'x-a': '{{ line }}' } } }];
    const split = await once(t, bad, { config: { variables: { line: 'a\r\nx-evil: b' } } });
    assert.deepEqual([split.seen.length, split.result.errors], [1, { template: 1 }]);
  });

  it('what stands in data is text, whatever it looks like', async (t) => {
    const data = { a: '{{ b }}', b: '$' + '{process.exit(1)}', c: '../../x?y#z' };
    const { seen } = await once(t, [{ get: { url: '/{{ c }}', headers: { a: '{{ a }}', b: '{{ b }}' } } }], {
      config: { variables: data },
    });
    assert.deepEqual([seen[0].headers.a, seen[0].headers.b], [data.a, data.b]);
    assert.equal(seen[0].url, '/../../x?y%23z');
  });

  it('users beyond maxVusers do not come', async (t) => {
    const config = { phases: [{ duration: 0.1, arrivalCount: 20, maxVusers: 3 }] };
    const { result } = await once(t, [{ get: '/' }, { think: '400ms' }], { config });
    assert.deepEqual([result.users.started, result.users.skipped, result.users.completed], [3, 17, 3]);
  });

  it('the same seed makes the same requests', async (t) => {
    const flow = [{ get: '/{{ $randomString(20) }}{{ word }}' }];
    const config = { variables: { word: ['a', 'b', 'c', 'd'] } };
    const asked = async (seed) => {
      const { seen } = await once(t, flow, { count: 8, config, run: { seed } });
      return seen.map(({ url }) => url).sort();
    };
    assert.deepEqual(await asked(7), await asked(7));
    assert.notDeepEqual(await asked(7), await asked(8));
  });
});

describe('the end of a test', () => {
  it('rejects when nothing answers', async (t) => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const file = write(t, { 'test.json': withFlow(url, [{ get: '/' }], { count: 3 }) });
    const failure = await new LoadTester().runLoadTest(file('test.json')).catch((error) => error);
    assert.equal(failure.code, 'ERR_HOTPATH_LOAD_TEST');
    assert.match(failure.message, /none of 3 requests was answered \(refused: 3\)/);
    assert.deepEqual(failure.result.errors, { refused: 3 });
  });

  it('rejects when the results break config.ensure', async (t) => {
    const { url } = await httpServer(t, (_request, response) => response.writeHead(500).end());
    const file = write(t, {
      'fails.json': withFlow(url, [{ get: '/' }], { count: 2, config: { ensure: { maxErrorRate: 1, p99: 0.000001 } } }),
      'passes.json': withFlow(url, [{ get: '/' }], { count: 2, config: { ensure: { maxErrorRate: 100, p99: 1e6 } } }),
    });
    const failure = await new LoadTester().runScenario(file('fails.json')).catch((error) => error);
    assert.equal(failure.code, 'ERR_HOTPATH_LOAD_TEST');
    assert.equal(failure.reasons.length, 2);
    assert.equal((await new LoadTester().runScenario(file('passes.json'))).failedRequests, 2);
  });

  it('an AbortSignal gives the results so far', async (t) => {
    const { url } = await shop(t);
    const config = { phases: [{ duration: 600, arrivalRate: 200 }] };
    const file = write(t, { 'test.json': withFlow(url, [{ get: '/' }], { config }) });
    const tester = new LoadTester({ progressIntervalMs: 5 });
    const stop = new AbortController();
    tester.on('progress', ({ successfulRequests }) => successfulRequests > 5 && stop.abort());
    const result = await tester.runScenario(file('test.json'), { signal: stop.signal });
    assert.equal(result.aborted, true);
    assert.ok(result.users.completed > 5);
  });

  it('runPerformanceTest watches this process and logs a report', async (t) => {
    const { url } = await shop(t);
    const file = write(t, { 'artillery-config.yml': withFlow(url, [{ get: '/' }], { count: 3 }) });
    const logged = [];
    const tester = new LoadTester({ logger: { log: (...values) => logged.push(values) } });
    const before = process.cwd();
    process.chdir(path.dirname(file('artillery-config.yml')));
    t.after(() => process.chdir(before));
    const report = await tester.runPerformanceTest();
    assert.equal(report.loadTest.totalRequests, 3);
    assert.equal(typeof report.performance.responseTime, 'number');
    assert.deepEqual(logged, [['Performance Report:', report]]);
  });
});

describe('what is wrong with a file is said', () => {
  const good = () => ({
    config: { target: 'http://127.0.0.1:1', phases: [{ duration: 1, arrivalRate: 1 }] },
    scenarios: [{ flow: [{ get: '/' }] }],
  });
  const broken = {
    'config.phases': [(file) => delete file.config.phases, /config\.phases must be a list/],
    'a phase without a duration': [
      (file) => (file.config.phases = [{ arrivalRate: 1 }]),
      /phases\[0\]\.duration must be seconds/,
    ],
    'a negative rate': [
      (file) => (file.config.phases = [{ duration: 1, arrivalRate: -1 }]),
      /phases\[0\]\.arrivalRate must be a number from 0/,
    ],
    'an unknown name': [
      (file) => (file.config.phases[0].arivalRate = 1),
      /unknown "arivalRate"; the nearest known is "arrivalRate"/,
    ],
    'a processor': [(file) => (file.config.processor = './code.js'), /"processor", which is not supported: no code/],
    'a function': [
      (file) => (file.scenarios[0].flow = [{ function: 'f' }]),
      /"function", which is not supported: no code/,
    ],
    'a condition': [
      (file) => (file.scenarios[0].flow = [{ get: { url: '/', ifTrue: 'x' } }]),
      /"ifTrue", which is not supported/,
    ],
    'an unknown variable': [
      (file) => ((file.scenarios[0].flow = [{ get: '/{{ userID }}' }]), (file.config.variables = { userId: 1 })),
      /unknown variable "userID"; the nearest is userId/,
    ],
    'code in a gap': [(file) => (file.scenarios[0].flow = [{ get: '/{{ process.exit(1) }}' }]), /unknown variable/],
    'another server': [
      (file) => (file.scenarios[0].flow = [{ get: 'http://192.0.2.1/' }]),
      /must begin with a slash, or with config\.target/,
    ],
    'a path that is no path': [
      (file) => (file.scenarios[0].flow = [{ get: '//192.0.2.1@x' }, { get: 'x' }]),
      /\[1\]\.get\.url must begin/,
    ],
    'two things at once': [(file) => (file.scenarios[0].flow = [{ get: '/', think: 1 }]), /must do exactly one thing/],
    'a time that no clock can count': [
      (file) => (file.config.http = { timeout: 1e15 }),
      /config\.http\.timeout must be a number from 0 to/,
    ],
    'an empty flow': [(file) => (file.scenarios[0].flow = []), /flow must be a list with something in it/],
    'a capture of many places': [
      (file) => (file.scenarios[0].flow = [{ get: { url: '/', capture: { json: '$..id', as: 'x' } } }]),
      /must name one place/,
    ],
    'two bodies': [
      (file) => (file.scenarios[0].flow = [{ post: { url: '/', json: 1, body: 'x' } }]),
      /more than one of json, body and form/,
    ],
    redirects: [(file) => (file.scenarios[0].flow = [{ get: { url: '/', followRedirect: true } }]), /never followed/],
    'a missing payload': [
      (file) => (file.config.payload = { path: 'none.csv', fields: ['a'] }),
      /payload none\.csv cannot be read: ENOENT/,
    ],
    'an environment': [(file) => (file.config.environments = {}), /give options\.target instead/],
    'no target': [(file) => delete file.config.target, /config\.target must be a text/],
    'an endless loop': [
      (file) => (file.scenarios[0].flow = [{ loop: [{ get: '/' }] }]),
      /count must be a whole number/,
    ],
  };
  for (const [name, [spoil, message]] of Object.entries(broken)) {
    it(name, async (t) => {
      const file = good();
      spoil(file);
      const place = write(t, { 'test.json': JSON.stringify(file) });
      await assert.rejects(new LoadTester().runScenario(place('test.json')), { code: 'ERR_HOTPATH_SCENARIO', message });
    });
  }

  it('text that is not YAML, not JSON, or a bomb of aliases', async (t) => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
    for (const [name, before] of ['ba', 'cb', 'dc', 'ed', 'fe', 'gf'].map((pair) => [...pair])) {
      bomb.push(`${name}: &${name} [${Array(10).fill(`*${before}`).join(', ')}]`);
    }
    const file = write(t, { 'a.yml': 'config: [\n', 'b.json': '{', 'c.yml': '7', 'd.yml': bomb.join('\n') });
    const run = (name) => new LoadTester().runScenario(file(name));
    const wrong = { code: 'ERR_HOTPATH_SCENARIO' };
    await assert.rejects(run('a.yml'), { ...wrong, message: /a\.yml cannot be read: .*line 2/s });
    await assert.rejects(run('b.json'), { ...wrong, message: /b\.json cannot be read/ });
    await assert.rejects(run('c.yml'), { ...wrong, message: /must be a table/ });
    await assert.rejects(run('d.yml'), { ...wrong, message: /alias/i });
    await assert.rejects(run('missing.yml'), { ...wrong, message: /missing\.yml cannot be read: ENOENT/ });
  });

  it('payloads with rows that are too short, or none', async (t) => {
    const file = good();
    file.config.payload = { path: 'data.csv', fields: ['a', 'b'] };
    for (const [data, message] of [
      ['1,2\n3\n', /row 2 has 1 of 2 fields/],
      ['', /no rows/],
    ]) {
      const place = write(t, { 'test.json': JSON.stringify(file), 'data.csv': data });
      await assert.rejects(new LoadTester().runScenario(place('test.json')), { code: 'ERR_HOTPATH_BAD_DATA', message });
    }
  });

  it('a remote target, and wrong options', async (t) => {
    const file = good();
    const place = write(t, { 'test.json': JSON.stringify(file) });
    const run = (options) => new LoadTester().runScenario(place('test.json'), options);
    await assert.rejects(run({ target: 'http://192.0.2.1' }), { code: 'ERR_HOTPATH_REMOTE_HOST' });
    await assert.rejects(run({ seed: -1 }), errors.outOfRange('options.seed'));
    await assert.rejects(run({ seeds: 1 }), errors.unknownOption('seeds', 'seed'));
    await assert.rejects(new LoadTester().runScenario(''), errors.outOfRange('file'));
    await assert.rejects(new LoadTester().runScenario(5), errors.invalidType('file'));
  });
});
