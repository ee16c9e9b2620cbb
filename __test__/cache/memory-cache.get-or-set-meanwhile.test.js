'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { openCache, deferred, settled, turnOfTheLoop, errors } = require('../support');

describe('getOrSet: meanwhile', () => {
  const MEANWHILE = {
    set: { act: (cache) => cache.set('k', 'newer'), left: 'newer' },
    'set to undefined': { act: (cache) => cache.set('k', undefined), left: undefined },
    setMany: { act: (cache) => cache.setMany({ k: 'newer' }), left: 'newer' },
    increment: { act: (cache) => cache.increment('k', 5), left: 5 },
    delete: { act: (cache) => cache.delete('k'), left: undefined },
    deleteMany: { act: (cache) => cache.deleteMany(['k']), left: undefined },
    'set and delete': { act: (cache) => cache.set('k', 'newer') && cache.delete('k'), left: undefined },
    'set and take': { act: (cache) => cache.set('k', 'newer') && cache.take('k'), left: undefined },
    clear: { act: (cache) => cache.clear(), left: undefined },
  };

  for (const [what, { act, left }] of Object.entries(MEANWHILE)) {
    it(`${what} while it loads: the waiters get what was loaded, the cache keeps what was written`, async (t) => {
      const cache = openCache(t);
      const gate = deferred();
      const waiting = [1, 2].map(() => cache.getOrSet('k', () => gate.promise));
      await turnOfTheLoop();
      act(cache);
      const stored = cache.has('k');
      assert.equal(cache.get('k'), left);
      gate.resolve('loaded');
      assert.deepEqual(await settled(Promise.all(waiting)), ['loaded', 'loaded']);
      assert.equal(cache.get('k'), left);
      assert.equal(cache.has('k'), stored);
    });
  }

  it('a write to another key does not matter', async (t) => {
    const cache = openCache(t);
    const gate = deferred();
    const waiting = cache.getOrSet('k', () => gate.promise);
    for (let i = 0; i < 100; i += 1) cache.set(`other${i}`, i);
    cache.delete('other1');
    gate.resolve('loaded');
    await settled(waiting);
    assert.equal(cache.get('k'), 'loaded');
  });

  it('a read finds nothing until it is loaded', async (t) => {
    const cache = openCache(t);
    const gate = deferred();
    const waiting = cache.getOrSet('k', () => gate.promise);
    await turnOfTheLoop();
    assert.equal(cache.get('k'), undefined);
    assert.equal(cache.has('k'), false);
    assert.equal(cache.size, 0);
    gate.resolve(1);
    await settled(waiting);
    assert.equal(cache.size, 1);
  });

  it('a call after a write that superseded the load finds the write', async (t) => {
    const cache = openCache(t);
    const gate = deferred();
    const first = cache.getOrSet('k', () => gate.promise);
    await turnOfTheLoop();
    cache.set('k', 'newer');
    assert.equal(await settled(cache.getOrSet('k', () => 'second')), 'newer');
    gate.resolve('loaded');
    assert.equal(await settled(first), 'loaded');
    assert.equal(cache.get('k'), 'newer');
  });

  it('close while it loads settles every waiter', async (t) => {
    const cache = openCache(t);
    const gate = deferred();
    const waiting = [1, 2, 3].map(() => cache.getOrSet('k', () => gate.promise));
    await turnOfTheLoop();
    cache.close();
    gate.resolve('loaded');
    for (const outcome of await settled(Promise.allSettled(waiting))) {
      if (outcome.status === 'fulfilled') assert.equal(outcome.value, 'loaded');
      else assert.equal(outcome.reason.code, 'ERR_HOTPATH_CLOSED');
    }
    await assert.rejects(
      cache.getOrSet('k', () => 1),
      errors.closed,
    );
  });
});

describe('getOrSet: a loader that uses the cache', () => {
  it('may read, write and load other keys', async (t) => {
    const cache = openCache(t);
    const value = await settled(
      cache.getOrSet('outer', async (key) => {
        assert.equal(cache.get(key), undefined);
        cache.set('side', 'effect');
        const inner = await cache.getOrSet('inner', async () => cache.getOrSet('innermost', () => 1));
        return inner + (await cache.getOrSet('second', () => 10));
      }),
    );
    assert.equal(value, 11);
    assert.deepEqual(cache.keys().sort(), ['inner', 'innermost', 'outer', 'second', 'side']);
  });

  it('that writes its own key supersedes itself', async (t) => {
    const cache = openCache(t);
    assert.equal(
      await settled(
        cache.getOrSet('k', (key) => {
          cache.set(key, 'written');
          return 'returned';
        }),
      ),
      'returned',
    );
    assert.equal(cache.get('k'), 'written');
  });

  it('may close the cache', async (t) => {
    const cache = openCache(t);
    const outcome = await settled(
      cache
        .getOrSet('k', () => {
          cache.close();
          return 1;
        })
        .catch((error) => error.code),
    );
    assert.ok(outcome === 1 || outcome === 'ERR_HOTPATH_CLOSED');
    assert.equal(cache.closed, true);
  });
});
