'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { deferred, errors } = require('../support');
const { openLevels } = require('../support/tiers');

const keys = (count) => Array.from({ length: count }, (_, index) => `key ${index}`);

describe('warmup', () => {
  it('moves what the levels have into memory, and loads the rest', async (t) => {
    const { cache, l1, l2 } = openLevels(t);
    l2.entries.set('there', 'old');
    await cache.set('here', 'new');
    const asked = [];
    const report = await cache.warmup(['here', 'there', 'nowhere'], {
      loader: async (key) => {
        asked.push(key);
        return `made ${key}`;
      },
    });
    assert.deepEqual(asked, ['nowhere']);
    const { durationMs, ...counts } = report;
    assert.deepEqual(counts, { total: 3, done: 3, present: 2, loaded: 1, missing: 0, failed: 0 });
    assert.ok(durationMs >= 0);
    assert.deepEqual(l1.getMany(['here', 'there', 'nowhere']), ['new', 'old', 'made nowhere']);
    assert.equal(l2.entries.get('nowhere'), 'made nowhere');
  });

  it('without a loader says what nobody has', async (t) => {
    const { cache, l2 } = openLevels(t);
    l2.entries.set('there', 1);
    const { present, missing, loaded } = await cache.warmup(new Set(['there', 'nowhere']));
    assert.deepEqual({ present, missing, loaded }, { present: 1, missing: 1, loaded: 0 });
  });

  it('tells how far it is after each key, of sets and of generators', async (t) => {
    const { cache } = openLevels(t);
    for (const [iterable, total] of [
      [new Set(keys(25)), 25],
      [keys(25).values(), undefined],
    ]) {
      const told = [];
      const report = await cache.warmup(iterable, { loader: (key) => key, onProgress: (at) => told.push(at) });
      assert.deepEqual(
        told.map(({ done }) => done),
        Array.from({ length: 25 }, (_, index) => index + 1),
      );
      assert.deepEqual(told.map(({ key }) => key).sort(), keys(25).sort());
      assert.ok(told.every((at) => at.total === total));
      assert.ok(told.every(({ done, present, loaded }) => done === present + loaded));
      assert.equal(report.total, 25);
    }
  });

  it('loads so many at a time and no more, ten where nothing is said', async (t) => {
    const { cache } = openLevels(t);
    for (const concurrency of [undefined, 1, 3]) {
      const limit = concurrency ?? 10;
      const full = deferred();
      let now = 0;
      let most = 0;
      await cache.clear();
      await cache.warmup(keys(40), {
        concurrency,
        loader: async () => {
          most = Math.max(most, ++now);
          if (now === limit) full.resolve();
          await full.promise;
          // One more would begin now, if it could.
          await new Promise((resolve) => setImmediate(resolve));
          now--;
          return 1;
        },
      });
      assert.equal(most, limit);
    }
  });

  it('runs one at a time: another returns at once, with nothing', async (t) => {
    const { cache } = openLevels(t);
    const gate = deferred();
    const first = cache.warmup(['a'], { loader: () => gate.promise });
    assert.equal(cache.isWarmingUp, true);
    assert.equal(await cache.warmup(['b'], { loader: () => assert.fail('a second run') }), undefined);
    gate.resolve(1);
    assert.equal((await first).loaded, 1);
    assert.equal(cache.isWarmingUp, false);
    assert.equal((await cache.warmup(['b'], { loader: () => 2 })).loaded, 1);
  });

  it('a key whose loader fails is counted, and the others are loaded', async (t) => {
    const { cache } = openLevels(t);
    const report = await cache.warmup(keys(20), {
      loader: (key) => {
        if (key.endsWith('3')) throw new Error('no such row');
        return key;
      },
    });
    assert.equal(report.failed, 2);
    assert.equal(report.loaded, 18);
  });

  it('an abort ends it with the signal’s reason, and what is loaded stays', async (t) => {
    const { cache, l1 } = openLevels(t);
    const abort = new AbortController();
    const reason = new Error('enough');
    let calls = 0;
    const run = cache.warmup(keys(100), {
      concurrency: 2,
      signal: abort.signal,
      loader: (key) => {
        if (++calls === 10) abort.abort(reason);
        return key;
      },
    });
    await assert.rejects(run, reason);
    assert.ok(calls >= 10 && calls <= 12, `${calls} calls`);
    assert.equal(l1.size, calls);
    assert.equal(cache.isWarmingUp, false);
    await assert.rejects(cache.warmup(keys(5), { signal: AbortSignal.abort(reason), loader: assert.fail }), reason);
  });

  it('what onProgress throws ends it, and so does a key that is none', async (t) => {
    const { cache } = openLevels(t);
    const failure = new Error('the listener broke');
    let told = 0;
    const run = cache.warmup(keys(50), {
      concurrency: 1,
      loader: (key) => key,
      onProgress: () => {
        if (++told === 3) throw failure;
      },
    });
    await assert.rejects(run, failure);
    assert.equal(told, 3);
    await assert.rejects(cache.warmup(['a', 5, 'b'], { loader: (key) => key }), errors.invalidType('key'));
    assert.equal(cache.isWarmingUp, false);
  });
});
