'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { CircuitBreaker } = require('../..');
const { errors, waitFor } = require('../support');

const isOpen = { name: 'HotpathError', code: 'ERR_HOTPATH_CIRCUIT_OPEN' };
const fails = () => Promise.reject(new Error('down'));

async function opened(options) {
  const breaker = new CircuitBreaker({ failureThreshold: 2, openMs: 30, ...options });
  for (let call = 0; call < 2; call += 1) await assert.rejects(breaker.execute(fails), /down/);
  return breaker;
}

describe('CircuitBreaker', () => {
  it('passes arguments, results and errors through while closed', async () => {
    const breaker = new CircuitBreaker();
    assert.equal(await breaker.execute((a, b) => a + b, 1, 2), 3);
    assert.equal(await breaker.wrap(async (text) => text.length)('four'), 4);
    await assert.rejects(breaker.execute(fails), /down/);
    await assert.rejects(
      breaker.execute(() => {
        throw new Error('thrown');
      }),
      /thrown/,
    );
    assert.deepEqual(breaker.stats, {
      state: 'closed',
      successes: 2,
      failures: 2,
      rejections: 0,
      openings: 0,
      retryAfterMs: 0,
    });
  });

  it('wraps methods: the function has the `this` of the call', async () => {
    const breaker = new CircuitBreaker();
    const service = {
      name: 'quotes',
      ask: breaker.wrap(function (suffix) {
        return this.name + suffix;
      }),
    };
    assert.equal(await service.ask('?'), 'quotes?');
    const bare = breaker.wrap(function () {
      return this;
    });
    assert.equal(await bare(), undefined);
    assert.equal(await bare.call('me'), 'me');
  });

  it('opens after failures in a row, refuses, and closes after a probe', async () => {
    const breaker = new CircuitBreaker({ failureThreshold: 2, openMs: 60_000 });
    const heard = [];
    breaker.on('state', (state, previous) => heard.push([previous, state]));
    for (let call = 0; call < 2; call += 1) await assert.rejects(breaker.execute(fails));
    let called = false;
    const refused = await breaker.execute(() => (called = true)).catch((error) => error);
    assert.equal(refused.code, isOpen.code);
    assert.ok(refused.retryAfterMs > 0);
    assert.equal(called, false);
    assert.equal(breaker.stats.rejections, 1);
    assert.deepEqual(heard, [['closed', 'open']]);
  });

  it('lets one call try at a time when its wait is over', async () => {
    const breaker = await opened();
    await waitFor(() => breaker.state === 'half-open', { what: 'the wait to be over' });
    let finish;
    const probe = breaker.execute(() => new Promise((resolve) => (finish = resolve)));
    await assert.rejects(
      breaker.execute(() => 1),
      isOpen,
    );
    finish('fine');
    assert.equal(await probe, 'fine');
    assert.equal(breaker.state, 'closed');
  });

  it('opens again when the probe fails', async () => {
    const breaker = await opened();
    await waitFor(() => breaker.state === 'half-open', { what: 'the wait to be over' });
    await assert.rejects(breaker.execute(fails), /down/);
    assert.equal(breaker.stats.openings, 2);
  });

  it('takes only those errors for failures that it is told to', async () => {
    const breaker = new CircuitBreaker({ failureThreshold: 1, isFailure: (error) => error.message !== 'not found' });
    await assert.rejects(breaker.execute(() => Promise.reject(new Error('not found'))));
    assert.equal(breaker.state, 'closed');
    await assert.rejects(breaker.execute(fails));
    assert.equal(breaker.state, 'open');
  });

  it('ends calls that take too long', async () => {
    const breaker = new CircuitBreaker({ failureThreshold: 1, timeoutMs: 20 });
    await assert.rejects(
      breaker.execute(() => new Promise(() => {})),
      { code: 'ERR_HOTPATH_TIMEOUT' },
    );
    assert.equal(breaker.state, 'open');
  });

  it('refuses wrong options and arguments', async () => {
    for (const name of ['failureThreshold', 'minimumCalls', 'windowMs', 'openMs', 'probes', 'timeoutMs']) {
      assert.throws(() => new CircuitBreaker({ [name]: 0 }), errors.outOfRange(`options.${name}`));
      assert.throws(() => new CircuitBreaker({ [name]: '5' }), errors.invalidType(`options.${name}`));
    }
    assert.throws(() => new CircuitBreaker({ failureRatio: 2 }), errors.outOfRange('options.failureRatio'));
    assert.throws(() => new CircuitBreaker({ isFailure: true }), errors.invalidType('options.isFailure'));
    assert.throws(() => new CircuitBreaker({ openms: 5 }), errors.unknownOption('openms', 'openMs'));
    await assert.rejects(new CircuitBreaker().execute('fn'), errors.invalidType('fn'));
    assert.throws(() => new CircuitBreaker().wrap(5), errors.invalidType('fn'));
  });
});
