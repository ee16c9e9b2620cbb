'use strict';

// Every public member in every state that a load tester can be in.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { LoadTester } = require('../..');
const { errors, runInWorker, settled } = require('../support');
const { httpServer } = require('../support/loaded-servers');
const { wrongValues } = require('../support/load-options');

const codeOf = (promise) =>
  promise.then(
    () => 'done',
    (error) => error.code,
  );

/** What each member does; each gives something that can be compared. */
const OPERATIONS = {
  runLoadTest: (tester, url) => codeOf(tester.runLoadTest({ url, requests: 3 })),
  runScenario: (tester) => codeOf(tester.runScenario('no-such-file.yml')),
  runPerformanceTest: (tester) => codeOf(tester.runPerformanceTest('no-such-file.yml')),
  closed: (tester) => typeof tester.closed,
  running: (tester) => typeof tester.running,
  close: (tester) => tester.close(),
  destroy: (tester) => tester.destroy(),
};

const OPEN = {
  runLoadTest: 'done',
  runScenario: 'ERR_HOTPATH_SCENARIO',
  runPerformanceTest: 'ERR_HOTPATH_SCENARIO',
  closed: 'boolean',
  running: 'number',
  close: undefined,
  destroy: undefined,
};
const CLOSED = {
  ...OPEN,
  runLoadTest: 'ERR_HOTPATH_CLOSED',
  runScenario: 'ERR_HOTPATH_CLOSED',
  runPerformanceTest: 'ERR_HOTPATH_CLOSED',
};

/** A test that goes on until it is stopped. */
function endless(tester, url) {
  const stop = new AbortController();
  const started = new Promise((resolve) => tester.once('progress', resolve));
  const test = tester.runLoadTest({ url, requests: 1e9, concurrency: 2, signal: stop.signal });
  return { test, started, stop: () => stop.abort() };
}

const server = (t) => httpServer(t, (_request, response) => response.end('hello'));

it('the matrix knows every public member', () => {
  const members = Object.getOwnPropertyNames(LoadTester.prototype).filter((name) => name !== 'constructor');
  assert.deepEqual(members.sort(), Object.keys(OPERATIONS).sort());
});

for (const [name, use] of Object.entries(OPERATIONS)) {
  describe(name, () => {
    it('on a new tester', async (t) => {
      const { url } = await server(t);
      assert.equal(await use(new LoadTester({ logger: false }), url), OPEN[name]);
    });

    it('while a test runs', async (t) => {
      const { url } = await server(t);
      const tester = new LoadTester({ progressIntervalMs: 2 });
      const { test, started, stop } = endless(tester, url);
      await started;
      const used = use(tester, url);
      // Closing waits for the test; everything else must not.
      if (name === 'close') stop();
      assert.equal(await settled(Promise.resolve(used)), OPEN[name]);
      stop();
      assert.equal((await test).aborted, true);
    });

    it('in its own listener', async (t) => {
      const { url } = await server(t);
      const tester = new LoadTester({ progressIntervalMs: 2 });
      const { test, stop } = endless(tester, url);
      const used = await new Promise((resolve) => {
        tester.once('progress', () => resolve(use(tester, url)));
        if (name === 'close') tester.once('progress', stop);
      });
      assert.equal(used, OPEN[name]);
      stop();
      await test;
    });

    for (const end of ['close', 'destroy']) {
      it(`after ${end}, which may be called twice`, async (t) => {
        const { url } = await server(t);
        const tester = new LoadTester();
        await tester[end]();
        assert.equal(tester.closed, true);
        assert.equal(await use(tester, url), CLOSED[name]);
      });
    }
  });
}

it('close waits for tests, destroy ends them, and both are how it is disposed of', async (t) => {
  const { url } = await server(t);
  const waiting = new LoadTester();
  const whole = waiting.runLoadTest({ url, requests: 200 });
  await waiting.close();
  assert.equal((await whole).totalRequests, 200);
  const ending = new LoadTester();
  const { test } = endless(ending, url);
  await ending.destroy();
  assert.equal((await test).aborted, true);
  const disposed = new LoadTester();
  await disposed[Symbol.asyncDispose]();
  assert.equal(disposed.closed, true);
});

it('several tests at once keep apart', async (t) => {
  const { url } = await server(t);
  const tester = new LoadTester();
  const results = await Promise.all(
    [1, 50, 120].map((requests) => tester.runLoadTest({ url, requests, concurrency: 1 })),
  );
  assert.deepEqual(
    results.map(({ totalRequests }) => totalRequests),
    [1, 50, 120],
  );
});

it('works in a worker thread, which may end in the middle of a test', async (t) => {
  const { url } = await server(t);
  const done = await runInWorker(async ({ load }, address) => {
    const { LoadTester: Tester } = load();
    return (await new Tester().runLoadTest({ url: address, requests: 20 })).totalRequests;
  }, url);
  assert.equal(done, 20);
  const { startWorker } = require('../support');
  for (let round = 0; round < 5; round += 1) {
    const thread = startWorker(async ({ load, say }, address) => {
      const tester = new (load().LoadTester)({ progressIntervalMs: 2 });
      tester.once('progress', () => say('running'));
      await tester.runLoadTest({ url: address, requests: 1e9 });
    }, url);
    await thread.said('running');
    await settled(thread.terminate(), { what: 'the worker to end' });
  }
  // Whatever they left behind would be asking still.
  assert.equal((await new LoadTester().runLoadTest({ url, requests: 5 })).totalRequests, 5);
});

describe('options', () => {
  it('of the tester are checked', () => {
    const make = (options) => () => new LoadTester(options);
    assert.throws(make({ allowRemote: 'yes' }), errors.invalidType('options.allowRemote'));
    assert.throws(make({ allowRemotes: true }), errors.unknownOption('allowRemotes', 'allowRemote'));
    assert.throws(make({ progressIntervalMs: 0 }), errors.outOfRange('options.progressIntervalMs'));
    assert.throws(make({ progressBar: 5 }), errors.invalidType('options.progressBar'));
    assert.throws(make({ logger: {} }), errors.invalidType('options.logger'));
    assert.throws(make(5), errors.invalidType('options'));
  });

  for (const [options, expected] of wrongValues) {
    it(`of a test are checked, and reject: ${JSON.stringify(options)}`, async () => {
      const given = { url: 'http://127.0.0.1:1/', ...options };
      await assert.rejects(new LoadTester().runLoadTest(given), expected);
    });
  }

  it('a test that is no test', async () => {
    for (const wrong of [undefined, null, 5, []]) await assert.rejects(new LoadTester().runLoadTest(wrong), TypeError);
  });
});
