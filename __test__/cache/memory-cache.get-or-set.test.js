'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { openCache, deferred, settled, turnOfTheLoop, errors } = require('../support');

const failure = (promise) =>
  promise.then(
    () => assert.fail('it resolved'),
    (error) => error,
  );

describe('getOrSet: one load', () => {
  it('loads a missing key once, with the key, and then finds it', async (t) => {
    const cache = openCache(t);
    const calls = [];
    const loader = async (...details) => {
      calls.push(details);
      return { loaded: true };
    };
    assert.deepEqual(await cache.getOrSet('k', loader), { loaded: true });
    assert.deepEqual(await cache.getOrSet('k', loader), { loaded: true });
    assert.deepEqual(cache.get('k'), { loaded: true });
    assert.deepEqual(calls, [['k']]);
    assert.ok(cache.getOrSet('k', loader) instanceof Promise);
  });

  it('takes a loader that answers at once, or with any thenable', async (t) => {
    const cache = openCache(t);
    assert.equal(await cache.getOrSet('sync', () => 1), 1);
    assert.equal(await cache.getOrSet('thenable', () => ({ then: (resolve) => resolve(2) })), 2);
    assert.deepEqual(cache.getMany(['sync', 'thenable']), [1, 2]);
  });

  it('many callers share one load', async (t) => {
    const cache = openCache(t);
    const gate = deferred();
    let loads = 0;
    const load = () => {
      loads += 1;
      return gate.promise;
    };
    const waiting = Array.from({ length: 50 }, () => cache.getOrSet('k', load));
    await turnOfTheLoop();
    assert.equal(loads, 1);
    waiting.push(cache.getOrSet('k', () => assert.fail('a second loader ran')));
    gate.resolve({ n: 1 });
    for (const value of await settled(Promise.all(waiting))) assert.deepEqual(value, { n: 1 });
    assert.equal(cache.stats.loads, 1);
  });

  it('different keys load side by side', async (t) => {
    const cache = openCache(t);
    const gates = { a: deferred(), b: deferred() };
    const loads = ['a', 'b'].map((key) => cache.getOrSet(key, (name) => gates[name].promise));
    gates.b.resolve('B');
    assert.equal(await settled(loads[1]), 'B');
    gates.a.resolve('A');
    assert.equal(await settled(loads[0]), 'A');
  });

  it('undefined and null are values like any other', async (t) => {
    const cache = openCache(t);
    for (const value of [undefined, null, false, 0, '']) {
      const key = String(value);
      let loads = 0;
      const loader = () => {
        loads += 1;
        return value;
      };
      assert.equal(await cache.getOrSet(key, loader), value);
      assert.equal(await cache.getOrSet(key, loader), value);
      assert.equal(loads, 1, key);
      assert.equal(cache.has(key), true, key);
    }
  });

  it('copies are each caller’s own when clone is on', async (t) => {
    const cache = openCache(t, { clone: true });
    const gate = deferred();
    const waiting = [1, 2, 3].map(() => cache.getOrSet('k', () => gate.promise));
    gate.resolve({ list: [1] });
    for (const value of await settled(Promise.all(waiting))) {
      assert.deepEqual(value, { list: [1] });
      value.list.push('mutation');
    }
    assert.deepEqual(cache.get('k'), { list: [1] });
  });

  it('gives the value its ttl and tags', async (t) => {
    const cache = openCache(t, { ttlMs: 5_000 });
    await cache.getOrSet('seconds', () => 1, 60);
    await cache.getOrSet('options', () => 1, { ttlMs: 90_000, tags: ['t'] });
    await cache.getOrSet('default', () => 1);
    await cache.getOrSet('never', () => 1, Infinity);
    assert.ok(cache.getTtl('seconds') > 5_000 && cache.getTtl('seconds') <= 60_000);
    assert.ok(cache.getTtl('options') > 60_000 && cache.getTtl('options') <= 90_000);
    assert.ok(cache.getTtl('default') <= 5_000);
    assert.equal(cache.getTtl('never'), Infinity);
    assert.equal(cache.invalidateTags('t'), 1);
  });
});

describe('getOrSet: a loader that fails', () => {
  const FAILURES = {
    'throws at once': (error) => () => {
      throw error;
    },
    rejects: (error) => async () => {
      throw error;
    },
    'rejects later': (error) => async () => {
      await turnOfTheLoop();
      throw error;
    },
  };

  for (const [how, loaderFor] of Object.entries(FAILURES)) {
    it(`${how}: every waiter is rejected once, nothing is cached, the next call loads`, async (t) => {
      const cache = openCache(t);
      const unhandled = [];
      const listener = (reason) => unhandled.push(reason);
      process.on('unhandledRejection', listener);
      t.after(() => process.off('unhandledRejection', listener));
      const error = Object.assign(new RangeError('down'), { code: 'E_DOWN' });
      const waiting = Array.from({ length: 10 }, () => cache.getOrSet('k', loaderFor(error)));
      for (const outcome of await settled(Promise.allSettled(waiting))) {
        assert.equal(outcome.status, 'rejected');
        assert.equal(outcome.reason, error);
      }
      assert.equal(cache.has('k'), false);
      assert.equal(await cache.getOrSet('k', () => 'loaded'), 'loaded');
      await turnOfTheLoop();
      assert.deepEqual(unhandled, []);
    });
  }

  it('may throw anything', async (t) => {
    const cache = openCache(t);
    for (const thrown of [undefined, null, 0, '', 'text', 5n, { plain: true }, Symbol('s'), () => {}]) {
      assert.equal(
        await failure(
          cache.getOrSet('k', () => {
            throw thrown;
          }),
        ),
        thrown,
      );
      assert.equal(await failure(cache.getOrSet('k', () => Promise.reject(thrown))), thrown);
    }
    assert.equal(cache.size, 0);
    assert.equal(cache.stats.loadFailures, 18);
  });

  it('a value that cannot be cloned fails the load', async (t) => {
    const cache = openCache(t);
    const refusal = errors.invalidType('value.fn');
    const waiting = [1, 2].map(() => cache.getOrSet('k', async () => ({ fn() {} })));
    for (const promise of waiting) await assert.rejects(promise, refusal);
    assert.equal(cache.has('k'), false);
    assert.equal(await cache.getOrSet('k', () => 1), 1);
  });
});

describe('getOrSet: arguments', () => {
  it('rejects, and never throws', async (t) => {
    const cache = openCache(t);
    const never = () => assert.fail('the loader ran');
    for (const loader of [undefined, null, 5, 'loader', {}, Promise.resolve(1)]) {
      await assert.rejects(cache.getOrSet('k', loader), errors.invalidType('loader'));
    }
    for (const ttl of [0, -1, NaN]) await assert.rejects(cache.getOrSet('k', never, ttl), errors.outOfRange());
    await assert.rejects(cache.getOrSet('k', never, '5'), errors.invalidType());
    await assert.rejects(cache.getOrSet('k', never, { ttlMs: -5 }), errors.outOfRange('ttlMs'));
    await assert.rejects(cache.getOrSet('k', never, { tags: 'a' }), errors.invalidType('tags'));
    await assert.rejects(cache.getOrSet('k', never, { ttl: 5 }), errors.unknownOption('ttl', 'ttlMs'));
    await assert.rejects(cache.getOrSet(), errors.invalidType());
    assert.equal(cache.size, 0);
  });
});
