'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { openCache, uniqueName, startWorker, together, settled, waitFor } = require('../support');

const ROUNDS = 10_000;

/** Shared 32-bit cells, as many as asked for. */
const cells = (count) => new Int32Array(new SharedArrayBuffer(4 * count));

describe('coherence across threads', () => {
  for (const nearCache of [true, false]) {
    it(`what one thread writes, the next read of another sees: ${ROUNDS} rounds, near cache ${nearCache ? 'on' : 'off'}`, async () => {
      const seen = await together(
        2,
        ({ MemoryCache, require: load }, { name, rounds, turn, me, near }) => {
          const check = load('node:assert/strict');
          const cache = new MemoryCache({ name, nearCache: near });
          const expect = (key, n, why) =>
            check.deepEqual(cache.get(key), n === undefined ? undefined : { n }, `${why} of ${key}`);
          const pass = (to) => {
            Atomics.store(turn, 0, to);
            Atomics.notify(turn, 0);
          };
          const await_ = (mine) => {
            for (let now = Atomics.load(turn, 0); now !== mine; now = Atomics.load(turn, 0)) {
              if (now < 0) throw new Error('the other thread failed');
              Atomics.wait(turn, 0, now, 1_000);
            }
          };
          try {
            for (let round = 1; round <= rounds; round += 1) {
              const key = `k${round % 7}`;
              await_(me);
              // What the other left: thread 1 answers with the negative, and deletes in every fifth round.
              if (me === 1) {
                expect(key, round, 'the first read');
                expect(key, round, 'the second read');
                if (round % 5 === 0) cache.delete(key);
                else cache.set(key, { n: -round });
                expect(key, round % 5 === 0 ? undefined : -round, 'my own write');
              } else {
                if (round > 1)
                  expect(`k${(round - 1) % 7}`, (round - 1) % 5 === 0 ? undefined : 1 - round, 'the answer');
                cache.set(key, { n: round });
                expect(key, round, 'my own write');
              }
              pass(1 - me);
            }
          } catch (error) {
            pass(-1);
            throw error;
          }
          const { nearHits } = cache.stats;
          cache.validate();
          return nearHits;
        },
        { name: uniqueName('ping-pong'), rounds: ROUNDS, turn: cells(1), near: nearCache },
      );
      if (nearCache) assert.ok(seen[1] > ROUNDS / 2, `the near cache took part: ${seen}`);
      else assert.deepEqual(seen, [0, 0]);
    });
  }

  it('nobody ever sees time go backwards', async () => {
    const results = await together(
      3,
      ({ MemoryCache }, { name, last, ready, me, count }) => {
        const cache = new MemoryCache({ name });
        Atomics.add(ready, 0, 1);
        Atomics.notify(ready, 0);
        for (let here = Atomics.load(ready, 0); here < count; here = Atomics.load(ready, 0))
          Atomics.wait(ready, 0, here, 1_000);
        if (me === 0) {
          for (let n = 1; n <= last; n += 1) cache.set('clock', { n, text: `tick ${n}` });
          return last;
        }
        let reads = 0;
        for (let before = 0; before < last; reads += 1) {
          const now = cache.get('clock') ?? { n: 0, text: 'tick 0' };
          if (now.n < before) throw new Error(`${now.n} after ${before}`);
          if (now.text !== `tick ${now.n}`) throw new Error(`torn: ${JSON.stringify(now)}`);
          before = now.n;
        }
        return reads;
      },
      { name: uniqueName('clock'), last: 20_000, ready: cells(1) },
    );
    assert.equal(results[0], 20_000);
    assert.ok(results[1] > 0 && results[2] > 0);
  });

  it('a value written before another is never missing when the other is seen', async () => {
    await together(
      2,
      ({ MemoryCache }, { name, last, me }) => {
        const cache = new MemoryCache({ name });
        if (me === 0) {
          for (let n = 1; n <= last; n += 1) {
            cache.set('first', { n });
            cache.set('second', { n });
          }
          return true;
        }
        for (let seen = 0; seen < last; ) {
          seen = cache.get('second')?.n ?? 0;
          const first = cache.get('first')?.n ?? 0;
          if (first < seen) throw new Error(`second is at ${seen} and first still at ${first}`);
        }
        return true;
      },
      { name: uniqueName('order'), last: 10_000 },
    );
  });

  it('clear, patterns and tags of another thread void near copies at once', async (t) => {
    const name = uniqueName('void');
    const cache = openCache(t, { name });
    const thread = startWorker(({ MemoryCache, hear, say }, shared) => {
      const mine = new MemoryCache({ name: shared });
      hear((what) => {
        if (what === 'clear') mine.clear();
        else if (what === 'deletePattern') mine.deletePattern('k*');
        else if (what === 'invalidateTags') mine.invalidateTags('t');
        else if (what === 'deleteMany') mine.deleteMany(Array.from({ length: 50 }, (_, i) => `k${i}`));
        else return process.exit(0);
        return say(what);
      });
      say('ready');
    }, name);
    await thread.said('ready');
    for (const what of ['clear', 'deletePattern', 'invalidateTags', 'deleteMany']) {
      for (let i = 0; i < 50; i += 1) cache.set(`k${i}`, { i }, { tags: ['t'] });
      for (let i = 0; i < 100; i += 1) assert.deepEqual(cache.get(`k${i % 50}`), { i: i % 50 });
      thread.tell(what);
      await thread.said(what);
      for (let i = 0; i < 50; i += 1) assert.equal(cache.get(`k${i}`), undefined, `${what}, k${i}`);
    }
    thread.tell('leave');
    assert.equal(await settled(thread.exited), 0);
  });

  it('an expiry is one for all threads', async (t) => {
    const name = uniqueName('expiry');
    const cache = openCache(t, { name });
    const thread = startWorker(async ({ MemoryCache, say, waitFor: until }, shared) => {
      const mine = new MemoryCache({ name: shared });
      mine.set('k', { n: 1 }, 60);
      mine.get('k');
      say('near');
      await until(() => mine.get('k') === undefined);
      return mine.size;
    }, name);
    await thread.said('near');
    assert.deepEqual(cache.get('k'), { n: 1 });
    cache.touch('k', 0.05);
    await waitFor(() => cache.get('k') === undefined);
    assert.equal(await settled(thread.result), 0);
  });
});
