'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { openCache, uniqueName, startWorker, settled, deferred, turnOfTheLoop } = require('../support');

const cells = (count) => new Int32Array(new SharedArrayBuffer(4 * count));

describe('single-flight across threads', () => {
  it('four workers, one load', async (t) => {
    const name = uniqueName('flight');
    const cache = openCache(t, { name });
    for (let round = 0; round < 5; round += 1) {
      const counts = cells(2);
      const threads = Array.from({ length: 4 }, () =>
        startWorker(
          async ({ MemoryCache, waitFor: until }, { name: shared, key, count }) => {
            const mine = new MemoryCache({ name: shared });
            const waiting = mine.getOrSet(
              key,
              async () => {
                Atomics.add(count, 0, 1);
                // Open until all four ask, so that none of them can come late and find the value.
                await until(() => Atomics.load(count, 1) === 4);
                return { loaded: key, bytes: Buffer.from('abc') };
              },
              60,
            );
            Atomics.add(count, 1, 1);
            return waiting;
          },
          { name, key: `k${round}`, count: counts },
        ),
      );
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
    const threads = Array.from({ length: 4 }, () =>
      startWorker(
        async ({ MemoryCache, waitFor: until }, { name: shared, count }) => {
          const mine = new MemoryCache({ name: shared });
          const waiting = mine.getOrSet('k', async () => {
            Atomics.add(count, 0, 1);
            await until(() => Atomics.load(count, 1) === 4);
            throw new RangeError('the source is down', { cause: { status: 503 } });
          });
          Atomics.add(count, 1, 1);
          return waiting.then(
            () => 'resolved',
            (error) => ({
              range: error instanceof RangeError,
              name: error.name,
              message: error.message,
              status: error.cause?.status,
            }),
          );
        },
        { name, count: counts },
      ),
    );
    for (const { result } of threads) {
      assert.deepEqual(await settled(result), {
        range: true,
        name: 'RangeError',
        message: 'the source is down',
        status: 503,
      });
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
      return waiting.then(
        () => 'resolved',
        (error) => typeof error,
      );
    }, name);
    await thread.said('loading');
    const outcome = cache
      .getOrSet('k', () => 'mine')
      .then(
        () => 'resolved',
        (error) => error.message,
      );
    await turnOfTheLoop();
    thread.tell('go');
    assert.equal(await settled(thread.result), 'function');
    assert.equal(await settled(outcome), 'a function is no error');
    assert.equal(cache.has('k'), false);
  });

  it('undefined, and values of every weight, travel to the waiters', async (t) => {
    const name = uniqueName('flight');
    const cache = openCache(t, { name });
    for (const [index, value] of [
      undefined,
      null,
      'text',
      { deep: [new Date(0), -0] },
      'x'.repeat(1_000_000),
    ].entries()) {
      const gate = deferred();
      const first = cache.getOrSet(`k${index}`, () => gate.promise);
      await turnOfTheLoop();
      const thread = startWorker(
        ({ MemoryCache, say }, { name: shared, key }) => {
          const mine = new MemoryCache({ name: shared });
          const waiting = mine.getOrSet(key, () => 'a second load');
          say('waiting');
          return waiting;
        },
        { name, key: `k${index}` },
      );
      await thread.said('waiting');
      gate.resolve(value);
      assert.deepEqual(await settled(thread.result), value);
      assert.deepEqual(await settled(first), value);
    }
  });

  it('a write in another thread supersedes the load', async (t) => {
    const name = uniqueName('flight');
    const cache = openCache(t, { name });
    for (const [how, left] of [
      ['set', 'newer'],
      ['delete', undefined],
      ['clear', undefined],
    ]) {
      cache.delete('k');
      const gate = deferred();
      const waiting = cache.getOrSet('k', () => gate.promise);
      await turnOfTheLoop();
      const thread = startWorker(
        ({ MemoryCache }, { name: shared, how: what }) => {
          const mine = new MemoryCache({ name: shared });
          if (what === 'set') mine.set('k', 'newer');
          else if (what === 'delete') mine.delete('k');
          else mine.clear();
        },
        { name, how },
      );
      await settled(thread.result);
      gate.resolve('loaded');
      assert.equal(await settled(waiting), 'loaded', how);
      assert.equal(cache.get('k'), left, how);
    }
  });
});

describe('single-flight across handles of one thread', () => {
  it('one load for all of them', async (t) => {
    const name = uniqueName('flight');
    const handles = [{}, { nearCache: false }, { clone: true }].map((options) => openCache(t, { name, ...options }));
    const gate = deferred();
    let loads = 0;
    const load = () => {
      loads += 1;
      return gate.promise;
    };
    const waiting = [...handles, ...handles].map((cache) => cache.getOrSet('k', load));
    await turnOfTheLoop();
    gate.resolve({ n: 1 });
    for (const value of await settled(Promise.all(waiting))) assert.deepEqual(value, { n: 1 });
    assert.equal(loads, 1);
    assert.equal(handles[0].stats.loads, 1);
    for (const cache of handles) assert.deepEqual(cache.get('k'), { n: 1 });
  });

  it('one failure for all of them', async (t) => {
    const name = uniqueName('flight');
    const handles = [1, 2, 3].map(() => openCache(t, { name }));
    const gate = deferred();
    const waiting = Promise.allSettled(handles.map((cache) => cache.getOrSet('k', () => gate.promise)));
    await turnOfTheLoop();
    gate.reject(new TypeError('down'));
    for (const { reason } of await settled(waiting)) {
      assert.ok(reason instanceof TypeError);
      assert.equal(reason.message, 'down');
    }
    assert.equal(handles[2].has('k'), false);
    assert.equal(handles[0].stats.loadFailures, 1);
  });

  it('a write through one supersedes the load of another', async (t) => {
    const name = uniqueName('flight');
    const [loader, writer] = [1, 2].map(() => openCache(t, { name }));
    const gate = deferred();
    const waiting = loader.getOrSet('k', () => gate.promise);
    await turnOfTheLoop();
    writer.set('k', 'newer');
    assert.equal(await settled(loader.getOrSet('k', () => 'second')), 'newer');
    gate.resolve('loaded');
    assert.equal(await settled(waiting), 'loaded');
    assert.equal(loader.get('k'), 'newer');
  });

  it('the load goes on when the handle that began it is closed', async (t) => {
    const name = uniqueName('flight');
    const [first, second] = [1, 2].map(() => openCache(t, { name }));
    const gate = deferred();
    const outcome = first.getOrSet('k', () => gate.promise).catch((error) => error.code);
    const waiting = second.getOrSet('k', () => 'taken over');
    await turnOfTheLoop();
    first.close();
    gate.resolve('loaded');
    assert.ok(['loaded', 'taken over'].includes(await settled(waiting)));
    assert.ok(['loaded', 'ERR_HOTPATH_CLOSED'].includes(await settled(outcome)));
    assert.equal(second.get('k'), await waiting);
  });

  it('many keys at once, each loaded once', async (t) => {
    const name = uniqueName('flight');
    const handles = [1, 2, 3].map(() => openCache(t, { name }));
    const loads = new Map();
    const waiting = [];
    for (let i = 0; i < 3_000; i += 1) {
      waiting.push(
        handles[i % 3].getOrSet(`k${i % 500}`, async (key) => {
          loads.set(key, (loads.get(key) ?? 0) + 1);
          await turnOfTheLoop();
          return { key };
        }),
      );
    }
    const values = await settled(Promise.all(waiting));
    values.forEach((value, i) => assert.deepEqual(value, { key: `k${i % 500}` }));
    assert.equal(loads.size, 500);
    assert.deepEqual([...new Set(loads.values())], [1]);
  });
});
