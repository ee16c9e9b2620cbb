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
