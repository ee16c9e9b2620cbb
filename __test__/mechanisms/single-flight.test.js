'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { openCache, uniqueName, startWorker, settled, waitFor, deferred, turnOfTheLoop } = require('../support');

const cells = (count) => new Int32Array(new SharedArrayBuffer(4 * count));

/** A worker that starts a load and never finishes it; it stays alive until it is told how to leave. */
function startStuckLoader(name, leave) {
  return startWorker(async ({ MemoryCache, say, hearOnce }, { name: shared, leave: how }) => {
    const cache = new MemoryCache({ name: shared });
    const keepAlive = setInterval(() => {}, 1_000);
    cache.getOrSet('k', () => {
      say('loading');
      return new Promise(() => {});
    }).catch(() => {});
    await hearOnce();
    if (how === 'process.exit') process.exit(0);
    if (how === 'uncaught exception') setImmediate(() => { throw new Error('the worker fails on purpose'); });
    if (how === 'close') cache.close();
    clearInterval(keepAlive);
    if (how === 'terminate') setInterval(() => {}, 1_000);
  }, { name, leave });
}

describe('single-flight across threads', () => {
  it('four workers, one load', async (t) => {
    const name = uniqueName('flight');
    const cache = openCache(t, { name });
    for (let round = 0; round < 5; round += 1) {
      const counts = cells(2);
      const threads = Array.from({ length: 4 }, () => startWorker(async ({ MemoryCache, waitFor: until }, { name: shared, key, count }) => {
        const mine = new MemoryCache({ name: shared });
        const waiting = mine.getOrSet(key, async () => {
          Atomics.add(count, 0, 1);
          // Open until all four ask, so that none of them can come late and find the value.
          await until(() => Atomics.load(count, 1) === 4);
          return { loaded: key, bytes: Buffer.from('abc') };
        }, 60);
        Atomics.add(count, 1, 1);
        return waiting;
      }, { name, key: `k${round}`, count: counts }));
      for (const { result } of threads) {
        const value = await settled(result);
        assert.equal(value.loaded, `k${round}`);
        assert.equal(Buffer.from(value.bytes).toString(), 'abc');
      }
      await Promise.all(threads.map(({ exited }) => exited));
      assert.equal(Atomics.load(counts, 0), 1, 'one load');
      assert.equal(cache.get(`k${round}`).loaded, `k${round}`);
      assert.ok(cache.getTtl(`k${round}`) <= 60_000);
    }
    assert.equal(cache.stats.loads, 5);
  });

  it('the loader’s error reaches every thread as an equal copy, once, and nothing is cached', async (t) => {
    const name = uniqueName('flight');
    const cache = openCache(t, { name });
    const counts = cells(2);
    const threads = Array.from({ length: 4 }, () => startWorker(async ({ MemoryCache, waitFor: until }, { name: shared, count }) => {
      const mine = new MemoryCache({ name: shared });
      const waiting = mine.getOrSet('k', async () => {
        Atomics.add(count, 0, 1);
        await until(() => Atomics.load(count, 1) === 4);
        throw new RangeError('the source is down', { cause: { status: 503 } });
      });
      Atomics.add(count, 1, 1);
      return waiting.then(() => 'resolved', (error) => ({
        range: error instanceof RangeError, name: error.name, message: error.message, status: error.cause?.status,
      }));
    }, { name, count: counts }));
    for (const { result } of threads) {
      assert.deepEqual(await settled(result), { range: true, name: 'RangeError', message: 'the source is down', status: 503 });
    }
    assert.equal(Atomics.load(counts, 0), 1);
    assert.equal(cache.has('k'), false);
    assert.equal(await settled(cache.getOrSet('k', () => 'recovered')), 'recovered');
    assert.equal(cache.stats.loadFailures, 1);
  });

  it('an error that cannot be copied still rejects the other thread', async (t) => {
    const name = uniqueName('flight');
    const cache = openCache(t, { name });
    const thread = startWorker(async ({ MemoryCache, say, hearOnce }, shared) => {
      const mine = new MemoryCache({ name: shared });
      const waiting = mine.getOrSet('k', async () => {
        say('loading');
        await hearOnce();
        throw Object.assign(() => {}, { message: 'a function is no error' });
      });
      return waiting.then(() => 'resolved', (error) => typeof error);
    }, name);
    await thread.said('loading');
    const outcome = cache.getOrSet('k', () => 'mine').then(() => 'resolved', (error) => error.message);
    await turnOfTheLoop();
    thread.tell('go');
    assert.equal(await settled(thread.result), 'function');
    assert.equal(await settled(outcome), 'a function is no error');
    assert.equal(cache.has('k'), false);
  });

  it('undefined, and values of every weight, travel to the waiters', async (t) => {
    const name = uniqueName('flight');
    const cache = openCache(t, { name });
    for (const [index, value] of [undefined, null, 'text', { deep: [new Date(0), -0] }, 'x'.repeat(1_000_000)].entries()) {
      const gate = deferred();
      const first = cache.getOrSet(`k${index}`, () => gate.promise);
      await turnOfTheLoop();
      const thread = startWorker(({ MemoryCache, say }, { name: shared, key }) => {
        const mine = new MemoryCache({ name: shared });
        const waiting = mine.getOrSet(key, () => 'a second load');
        say('waiting');
        return waiting;
      }, { name, key: `k${index}` });
      await thread.said('waiting');
      gate.resolve(value);
      assert.deepEqual(await settled(thread.result), value);
      assert.deepEqual(await settled(first), value);
    }
  });

  it('a write in another thread supersedes the load', async (t) => {
    const name = uniqueName('flight');
    const cache = openCache(t, { name });
    for (const [how, left] of [['set', 'newer'], ['delete', undefined], ['clear', undefined]]) {
      cache.delete('k');
      const gate = deferred();
      const waiting = cache.getOrSet('k', () => gate.promise);
      await turnOfTheLoop();
      const thread = startWorker(({ MemoryCache }, { name: shared, how: what }) => {
        const mine = new MemoryCache({ name: shared });
        if (what === 'set') mine.set('k', 'newer');
        else if (what === 'delete') mine.delete('k');
        else mine.clear();
      }, { name, how });
      await settled(thread.result);
      gate.resolve('loaded');
      assert.equal(await settled(waiting), 'loaded', how);
      assert.equal(cache.get('k'), left, how);
    }
  });
});

describe('single-flight: a thread that leaves', () => {
  for (const leave of ['process.exit', 'uncaught exception', 'terminate']) {
    it(`${leave} while it loads: a waiter takes the load over`, async (t) => {
      const name = uniqueName('handover');
      const cache = openCache(t, { name });
      const stuck = startStuckLoader(name, leave);
      await stuck.said('loading');
      let loads = 0;
      const waiting = [1, 2, 3].map(() => cache.getOrSet('k', async () => {
        loads += 1;
        return 'loaded by a waiter';
      }));
      await turnOfTheLoop();
      assert.equal(loads, 0);
      if (leave === 'terminate') await stuck.terminate();
      else stuck.tell('leave');
      assert.deepEqual(await settled(Promise.all(waiting)), ['loaded by a waiter', 'loaded by a waiter', 'loaded by a waiter']);
      assert.equal(loads, 1);
      assert.equal(cache.get('k'), 'loaded by a waiter');
      await settled(stuck.exited);
    });
  }

  it('close while it loads leaves nobody waiting for ever', async (t) => {
    const name = uniqueName('handover');
    const cache = openCache(t, { name });
    const stuck = startStuckLoader(name, 'close');
    await stuck.said('loading');
    const waiting = cache.getOrSet('k', () => 'loaded by a waiter');
    await turnOfTheLoop();
    stuck.tell('close');
    assert.equal(await settled(waiting), 'loaded by a waiter');
    await settled(stuck.exited);
  });

  it('the waiter in yet another thread takes over when all before it have left', async (t) => {
    const name = uniqueName('handover');
    const cache = openCache(t, { name });
    const first = startStuckLoader(name, 'terminate');
    await first.said('loading');
    const second = startWorker(({ MemoryCache, say }, shared) => {
      const mine = new MemoryCache({ name: shared });
      setInterval(() => {}, 1_000);
      mine.getOrSet('k', () => {
        say('loading, too');
        return new Promise(() => {});
      }).catch(() => {});
      say('waiting');
    }, name);
    await second.said('waiting');
    await first.terminate();
    await second.said('loading, too');
    const waiting = cache.getOrSet('k', () => 'the third');
    await turnOfTheLoop();
    await second.terminate();
    assert.equal(await settled(waiting), 'the third');
  });

  it('a waiter that leaves is not missed', async (t) => {
    const name = uniqueName('handover');
    const cache = openCache(t, { name });
    const gate = deferred();
    const waiting = cache.getOrSet('k', () => gate.promise);
    await turnOfTheLoop();
    const threads = [1, 2, 3].map(() => startWorker(({ MemoryCache, say }, shared) => {
      const mine = new MemoryCache({ name: shared });
      setInterval(() => {}, 1_000);
      for (let i = 0; i < 20; i += 1) mine.getOrSet('k', () => 'never').catch(() => {});
      say('waiting');
    }, name));
    for (const thread of threads) {
      await thread.said('waiting');
      await thread.terminate();
    }
    gate.resolve('loaded');
    assert.equal(await settled(waiting), 'loaded');
    await waitFor(() => cache.get('k') === 'loaded');
  });
});
