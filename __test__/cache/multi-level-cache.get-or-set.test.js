'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { deferred, startWorker, settled, uniqueName, waitFor } = require('../support');
const { FaultyTier, MapTier, openLevels, hear } = require('../support/tiers');

const down = () => Promise.reject(new Error('the source is down'));

describe('getOrSet', () => {
  it('loads what no level has, and stores it in all', async (t) => {
    const { cache, l1, l2 } = openLevels(t);
    const value = await cache.getOrSet('key', async (key) => ({ key }), { ttlMs: 60_000 });
    assert.deepEqual(value, { key: 'key' });
    assert.deepEqual(l1.get('key'), { key: 'key' });
    assert.deepEqual(l2.entries.get('key'), { key: 'key' });
    assert.deepEqual(await cache.getOrSet('key', down), { key: 'key' });
    l1.clear();
    assert.deepEqual(await cache.getOrSet('key', down), { key: 'key' });
    assert.equal(cache.stats.loads, 1);
  });

  it('takes loaders that are not asynchronous, and seconds for options', async (t) => {
    const { cache, l1 } = openLevels(t);
    assert.equal(await cache.getOrSet('key', () => 5, 60), 5);
    assert.ok(l1.getTtl('key') <= 60_000);
  });

  it('nothing is a result, too: null and undefined are not loaded again', async (t) => {
    const { cache } = openLevels(t);
    for (const nothing of [null, undefined]) {
      let calls = 0;
      const load = () => cache.getOrSet(`key ${nothing}`, () => (calls++, nothing));
      assert.equal(await load(), nothing);
      assert.equal(await load(), nothing);
      assert.equal(calls, 1);
    }
  });

  it('one loader call for all who wait, and a copy of the value for each', async (t) => {
    const { cache } = openLevels(t);
    const gate = deferred();
    let calls = 0;
    const loader = async () => {
      calls++;
      await gate.promise;
      return { list: [1] };
    };
    const waiting = Array.from({ length: 50 }, () => cache.getOrSet('key', loader));
    await waitFor(() => calls === 1);
    gate.resolve();
    const values = await Promise.all(waiting);
    assert.equal(calls, 1);
    assert.equal(new Set(values).size, 50);
    for (const value of values) assert.deepEqual(value, { list: [1] });
  });

  it('a loader that fails was called once, and rejects all who wait; the next call tries again', async (t) => {
    const { cache } = openLevels(t);
    const gate = deferred();
    let calls = 0;
    const failure = Object.assign(new RangeError('no such row'), { code: 'E_ROW' });
    const loader = async () => {
      calls++;
      await gate.promise;
      throw failure;
    };
    const waiting = Array.from({ length: 20 }, () => cache.getOrSet('key', loader));
    await waitFor(() => calls === 1);
    gate.resolve();
    const results = await Promise.allSettled(waiting);
    assert.equal(calls, 1);
    for (const { status, reason } of results) {
      assert.equal(status, 'rejected');
      assert.ok(reason instanceof RangeError);
      assert.equal(reason.message, 'no such row');
      assert.equal(reason.code, 'E_ROW');
    }
    assert.ok(
      results.some(({ reason }) => reason === failure),
      'whoever ran the loader gets its own error',
    );
    assert.equal(await cache.getOrSet('key', () => 'value'), 'value');
    assert.equal(cache.stats.loadFailures, 1);
  });

  it('a value that cannot be stored is an error for all who wait', async (t) => {
    const { cache } = openLevels(t);
    const results = await Promise.allSettled([1, 2].map(() => cache.getOrSet('key', () => () => {})));
    for (const { reason } of results) assert.equal(reason.code, 'ERR_INVALID_ARG_TYPE');
    assert.equal(await cache.get('key'), undefined);
  });

  it('a write overtakes a load: those who asked get what was loaded, the levels keep what was written', async (t) => {
    const { cache, l1, l2 } = openLevels(t);
    const gate = deferred();
    const began = deferred();
    const loading = cache.getOrSet('key', async () => {
      began.resolve();
      await gate.promise;
      return 'loaded';
    });
    await began.promise;
    await cache.set('key', 'written');
    gate.resolve();
    assert.equal(await loading, 'loaded');
    assert.equal(await cache.get('key'), 'written');
    assert.equal(l1.get('key'), 'written');
    assert.equal(l2.entries.get('key'), 'written');
  });

  it('a deletion and an invalidated tag overtake a load as well', async (t) => {
    const { cache, l2 } = openLevels(t);
    for (const overtake of [() => cache.delete('key'), () => cache.invalidateTags('red'), () => cache.clear()]) {
      const gate = deferred();
      const began = deferred();
      const loader = async () => {
        began.resolve();
        await gate.promise;
        return 'loaded';
      };
      const loading = cache.getOrSet('key', loader, { tags: ['red'] });
      await began.promise;
      await overtake();
      gate.resolve();
      assert.equal(await loading, 'loaded');
      assert.equal(await cache.get('key'), undefined, String(overtake));
      assert.equal(l2.entries.has('key'), false);
    }
  });

  it('200 callers in two threads on one name: one loader call', async (t) => {
    const name = uniqueName('levels');
    const counts = new Int32Array(new SharedArrayBuffer(8));
    const body = async ({ load, waitFor: until }, { name: shared, count, own }) => {
      const { MemoryCache, MultiLevelCache } = load();
      // Each thread with memory of its own, or all with the same.
      const l1Cache = new MemoryCache(own ? {} : { name: shared });
      const mine = new MultiLevelCache({ name: shared, l1Cache });
      const loader = async () => {
        Atomics.add(count, 0, 1);
        await until(() => Atomics.load(count, 1) === 2);
        return { loaded: true };
      };
      const waiting = Array.from({ length: 100 }, () => mine.getOrSet('key', loader));
      Atomics.add(count, 1, 1);
      const values = await Promise.all(waiting);
      const again = await mine.getOrSet('key', loader);
      await mine.close();
      l1Cache.close();
      return values.every((value) => value.loaded) && again.loaded;
    };
    for (const own of [false, true]) {
      counts.fill(0);
      const threads = [1, 2].map(() => startWorker(body, { name: `${name} ${own}`, count: counts, own }));
      t.after(() => Promise.all(threads.map((thread) => thread.terminate())));
      for (const { result } of threads) assert.equal(await settled(result), true);
      await Promise.all(threads.map(({ exited }) => exited));
      assert.equal(Atomics.load(counts, 0), 1, own ? 'memory of their own' : 'memory of the same name');
    }
  });

  it('a thread that ends in the middle of its loader passes the load on', async (t) => {
    const name = uniqueName('levels');
    const leader = startWorker(
      async ({ load, say }, { name: shared }) => {
        const { MultiLevelCache } = load();
        const mine = new MultiLevelCache({ name: shared });
        await mine.getOrSet('key', () => {
          say('leading');
          return new Promise(() => {});
        });
      },
      { name },
    );
    t.after(() => leader.terminate());
    await leader.said('leading');
    const { MultiLevelCache } = require('../..');
    const mine = new MultiLevelCache({ name });
    t.after(() => mine.close());
    const waiting = mine.getOrSet('key', () => 'mine');
    await leader.terminate();
    assert.equal(await settled(waiting), 'mine');
  });
});

describe('getOrSet: grace', () => {
  const options = { ttlMs: 20, graceMs: 60_000 };

  async function withStale(t, levels) {
    const opened = openLevels(t, levels);
    await opened.cache.getOrSet('key', () => 'old', options);
    await waitFor(async () => (await opened.cache.get('key')) === undefined);
    return opened;
  }

  for (const [where, levels] of Object.entries({
    'in memory alone': { l2Cache: null },
    'in a second level': {},
  })) {
    it(`a stale value is served when the loader fails, kept ${where}`, async (t) => {
      const { cache } = await withStale(t, levels);
      const stale = [];
      cache.on('stale', (event) => stale.push(event));
      assert.equal(await cache.getOrSet('key', down, options), 'old');
      await waitFor(() => stale.length === 1);
      assert.deepEqual(stale, [{ key: 'key', reason: 'loader' }]);
      await assert.rejects(cache.getOrSet('key', down), { message: 'the source is down' }, 'without grace');
      assert.equal(cache.stats.stale, 1);
    });
  }

  it('a stale value does not outlive its grace', async (t) => {
    const { cache } = openLevels(t);
    const brief = { ttlMs: 10, graceMs: 30 };
    await cache.getOrSet('key', () => 'old', brief);
    await waitFor(async () => {
      const [{ status }] = await Promise.allSettled([cache.getOrSet('key', down, brief)]);
      return status === 'rejected';
    });
  });

  it('soft timeout: the stale value now, the new one when it is there', async (t) => {
    const { cache, l2 } = await withStale(t);
    const gate = deferred();
    const refreshed = hear(cache, 'refresh');
    const stale = hear(cache, 'stale');
    const value = await cache.getOrSet('key', () => gate.promise, { ...options, ttlMs: 60_000, softTimeoutMs: 10 });
    assert.equal(value, 'old');
    assert.deepEqual(await stale(), { key: 'key', reason: 'timeout' });
    gate.resolve('new');
    assert.deepEqual(await refreshed(), { key: 'key' });
    assert.equal(await cache.get('key'), 'new');
    assert.equal(cache.stats.loads, 2);
    assert.ok(l2.entries.has('key'));
  });

  it('soft timeout without a stale value waits on', async (t) => {
    const { cache } = openLevels(t);
    const gate = deferred();
    const waiting = cache.getOrSet('key', () => gate.promise, { ...options, softTimeoutMs: 1 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    gate.resolve('new');
    assert.equal(await waiting, 'new');
  });

  it('hard timeout: an error, and the value is kept when it comes', async (t) => {
    const { cache } = openLevels(t);
    const gate = deferred();
    await assert.rejects(
      cache.getOrSet('key', () => gate.promise, { hardTimeoutMs: 10 }),
      (error) => error.code === 'ERR_HOTPATH_TIMEOUT' && error.name === 'HotpathTimeoutError',
    );
    gate.resolve('late');
    await waitFor(async () => (await cache.get('key')) === 'late');
  });

  it('a loader that never ends does not block those who come after a hard timeout', async (t) => {
    const { cache } = openLevels(t);
    await assert.rejects(
      cache.getOrSet('key', () => new Promise(() => {}), { hardTimeoutMs: 5 }),
      { code: 'ERR_HOTPATH_TIMEOUT' },
    );
    assert.equal(await settled(cache.getOrSet('key', () => 'second')), 'second');
  });

  it('a loader that fails after everybody was answered is told, not thrown', async (t) => {
    const { cache } = await withStale(t);
    const gate = deferred();
    const told = hear(cache, 'error');
    assert.equal(await cache.getOrSet('key', () => gate.promise, { ...options, softTimeoutMs: 1 }), 'old');
    const failure = new Error('too late');
    gate.reject(failure);
    const error = await told();
    assert.equal(error.cause, failure);
    assert.equal(error.key, 'key');
  });

  it('expire keeps a value as stale', async (t) => {
    const { cache } = openLevels(t);
    await cache.set('key', 'old', { ttlMs: 60_000 });
    assert.equal(await cache.expire('key'), true);
    assert.equal(await cache.get('key'), undefined);
    assert.equal(await cache.expire('key'), false);
    assert.equal(await cache.getOrSet('key', down, { graceMs: 60_000 }), 'old');
    assert.equal(await cache.getOrSet('key', () => 'new'), 'new');
    assert.equal(await cache.expire('nothing'), false);
  });

  it('a tier that fails: get serves a stale value rather than nothing', async (t) => {
    const l2Cache = new FaultyTier();
    const { cache } = openLevels(t, { l2Cache, graceMs: 60_000, breaker: false });
    await cache.set('key', 'old', { ttlMs: 20 });
    await waitFor(async () => (await cache.get('key')) === undefined);
    l2Cache.fault = new Error('the tier is down');
    assert.equal(await cache.get('key'), 'old');
    l2Cache.fault = undefined;
    assert.equal(await cache.get('key'), undefined);
  });
});

describe('getOrSet: before and around expiry', () => {
  it('eager refresh: answered at once, loaded anew in the background', async (t) => {
    const { cache } = openLevels(t);
    let calls = 0;
    const options = { ttlMs: 60_000, eagerRefresh: 0.0005 };
    const load = () => cache.getOrSet('key', async () => `value ${++calls}`, options);
    assert.equal(await load(), 'value 1');
    const refreshed = hear(cache, 'refresh');
    await waitFor(async () => {
      assert.match(await load(), /^value [12]$/);
      return calls === 2;
    });
    assert.deepEqual(await refreshed(), { key: 'key' });
    assert.equal(await load(), 'value 2');
    assert.equal(calls >= 2, true);
  });

  it('eager refresh that fails keeps the value until its end, and tells', async (t) => {
    const { cache } = openLevels(t);
    const options = { ttlMs: 60_000, eagerRefresh: 0.0001 };
    await cache.getOrSet('key', () => 'value', options);
    const told = hear(cache, 'error');
    await waitFor(async () => {
      assert.equal(await cache.getOrSet('key', down, options), 'value');
      return cache.stats.loadFailures > 0;
    });
    assert.equal((await told()).cause.message, 'the source is down');
    assert.equal(await cache.getOrSet('key', down, options), 'value');
  });

  it('jitter takes some off, and never adds', async (t) => {
    const { cache, l2 } = openLevels(t, { l2Cache: new MapTier() });
    for (let n = 0; n < 50; n += 1) await cache.getOrSet(`key ${n}`, () => n, { ttlMs: 10_000, jitter: 0.5 });
    const ttls = l2.callsOf('set').map(([, , ttl]) => ttl);
    assert.ok(ttls.every((ttl) => ttl >= 4.9 && ttl <= 10));
    assert.ok(new Set(ttls).size > 10);
    await cache.set('key', 1, { ttlMs: 10_000, jitter: 1 });
    assert.ok(l2.callsOf('set').at(-1)[2] <= 10);
  });
});
