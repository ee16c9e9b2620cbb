'use strict';

// `npx hotpath` as its user runs it: a process, what it prints, and its exit code.

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { httpServer } = require('../support/loaded-servers');
const { freePort, temporaryFolder } = require('../support/servers');
const { settled, waitFor } = require('../support/wait');

const BIN = path.join(__dirname, '../../bin/hotpath.js');

function start(t, args, options = {}) {
  const child = spawn(process.execPath, [BIN, ...args], options);
  t.after(() => child.kill('SIGKILL'));
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (text) => {
      output[name] += text;
    });
  }
  const ended = new Promise((resolve) => child.once('close', (code) => resolve({ code, ...output })));
  return { child, output, ended: settled(ended, { timeoutMs: 60_000, what: `hotpath ${args.join(' ')}` }) };
}

const run = (t, ...args) => start(t, args).ended;

describe('hotpath', () => {
  it('says what there is, and its version', async (t) => {
    const help = await run(t, '--help');
    assert.equal(help.code, 0);
    for (const command of ['bench', 'load', 'demo']) assert.match(help.stdout, new RegExp(`^  ${command} `, 'm'));
    assert.equal((await run(t)).code, 2);
    const { version } = require('../../package.json');
    assert.deepEqual(await run(t, '--version'), { code: 0, stdout: `${version}\n`, stderr: '' });
    for (const command of ['bench', 'load', 'demo']) {
      const { code, stdout } = await run(t, command, '--help');
      assert.equal(code, 0);
      assert.match(stdout, new RegExp(`^Usage: npx hotpath ${command} `));
    }
  });

  const wrong = {
    'laod http://127.0.0.1': 'Unknown command laod; the nearest is load',
    load: 'What is to be put under load? Give a URL or a scenario file',
    'load http://127.0.0.1:1 --request 5': 'Unknown option --request; the nearest is --requests',
    'load http://127.0.0.1:1 -n many': '--requests needs a number',
    'load http://127.0.0.1:1 -n': '--requests needs a value',
    'load http://127.0.0.1:1 -d 5parsec': '--duration needs a time such as 500ms, 10s or 2min',
    'load http://127.0.0.1:1 --http2=yes': '--http2 takes no value',
    'load http://127.0.0.1:1 --seed 5': '--seed is for scenario files',
    'load test.yml --requests 5': '--requests is for URLs',
    'load http://127.0.0.1:1 x': 'One target at a time: x is too much',
    'load http://127.0.0.1:1 -n 0': 'Expected a positive integer for options.requests but received 0 of type number',
    'load http://127.0.0.1:1 --header nothing': '--header needs a name, a colon and a value',
    'load http://127.0.0.1:1 --ca none.pem': 'Cannot read none.pem: ENOENT',
    'bench --only tea': 'There is no comparison tea',
    'bench --seconds 0': '--seconds must be more than 0',
    'demo --prot 5': 'Unknown option --prot; the nearest is --port',
  };
  for (const [line, message] of Object.entries(wrong)) {
    it(`wrong use: ${line}`, async (t) => {
      const { code, stdout, stderr } = await run(t, ...line.split(' '));
      assert.deepEqual([code, stdout, stderr], [2, '', `hotpath: ${message}\n`]);
    });
  }
});

describe('hotpath load', () => {
  it('prints the results', async (t) => {
    const seen = [];
    const { url } = await httpServer(t, (request, response) => {
      seen.push([request.method, request.headers['x-a']]);
      response.end('hello');
    });
    const { code, stdout, stderr } = await run(t, 'load', url, '-n', '50', '-c', '5', '-H', 'x-a: b', '-m', 'put');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Results\n\n {2}requests +50$/m);
    assert.match(stdout, /status 200 +50/);
    assert.match(stdout, /p99 +[\d.]+ ms/);
    assert.equal(seen.length, 50);
    assert.deepEqual(seen[0], ['PUT', 'b']);
  });

  it('prints JSON when asked to', async (t) => {
    const { url } = await httpServer(t, (_request, response) => response.end());
    const { code, stdout } = await run(t, 'load', url, '-n', '5', '--output', 'json');
    assert.equal(code, 0);
    assert.equal(JSON.parse(stdout).totalRequests, 5);
  });

  it('runs a file, and fails when its limits are broken', async (t) => {
    const { url } = await httpServer(t, (_request, response) => response.writeHead(500).end());
    const file = path.join(temporaryFolder(t), 'test.json');
    const config = { target: url, phases: [{ duration: 0.05, arrivalCount: 2 }], ensure: { maxErrorRate: 1 } };
    fs.writeFileSync(file, JSON.stringify({ config, scenarios: [{ flow: [{ get: '/' }] }] }));
    const { code, stdout, stderr } = await run(t, 'load', file);
    assert.equal(code, 1);
    assert.match(stdout, /status 500 +2/);
    assert.match(stderr, /^hotpath: Load test failed: maxErrorRate is 100\.00 %/);
  });

  it('nothing answered, a remote host, a missing file: exit code 1', async (t) => {
    const nobody = await run(t, 'load', `http://127.0.0.1:${await freePort()}`, '-n', '2');
    assert.equal(nobody.code, 1);
    assert.match(nobody.stdout, /error: refused +2/);
    const remote = await run(t, 'load', 'http://192.0.2.1/');
    assert.equal(remote.code, 1);
    assert.match(remote.stderr, /^hotpath: 192\.0\.2\.1 is not this machine/);
    const missing = await run(t, 'load', 'no-such-file.yml');
    assert.deepEqual([missing.code, missing.stdout], [1, '']);
  });

  it('Ctrl-C prints the results so far', async (t) => {
    let asked = 0;
    const { url } = await httpServer(t, (_request, response) => {
      asked += 1;
      response.end();
    });
    const { child, ended } = start(t, ['load', url, '-d', '10min']);
    await waitFor(() => asked > 100, { what: 'load' });
    child.kill('SIGINT');
    const { code, stdout, stderr } = await ended;
    assert.equal(code, 130, stderr);
    assert.match(stdout, /^Stopped early\. The results so far:/);
    assert.match(stdout, /status 200/);
  });
});

describe('hotpath bench', () => {
  it('compares, with equal answers', async (t) => {
    const { code, stdout, stderr } = await run(t, 'bench', '--seconds', '0.01', '--output', 'json');
    assert.equal(code, 0, stderr);
    const results = JSON.parse(stdout);
    assert.deepEqual(
      results.map(({ name }) => name),
      ['heap', 'hot', 'copies', 'intents', 'matrices'],
    );
    for (const { name, plainValue, hotpathValue } of results) assert.ok(plainValue > 0 && hotpathValue > 0, name);
    const { stdout: text } = await run(t, 'bench', '--seconds', '0.01', '--only', 'hot');
    assert.match(text, /get of a hot key.+\d\.\d\dx/);
  });
});

describe('hotpath demo', () => {
  it('starts the demo, and ends it', async (t) => {
    const { child, output, ended } = start(t, ['demo', '--port', '0'], {
      env: { ...process.env, LOAD_SECONDS: '0.1' },
    });
    await waitFor(() => /\/api\/performance\//.test(output.stdout), {
      what: `its addresses: ${output.stderr}`,
      timeoutMs: 60_000,
    });
    child.kill('SIGTERM');
    assert.equal((await ended).code, 0, output.stderr);
  });
});
