'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { performance } = require('node:perf_hooks');
const { openCache, waitFor, spinUntil } = require('../support');
const { goneNotBefore } = require('../support/expiry');

const FORMS = {
  'seconds as a number': (cache) => cache.set('k', { n: 1 }, 0.12),
  ttlMs: (cache) => cache.set('k', { n: 1 }, { ttlMs: 120 }),
  setMany: (cache) => cache.setMany({ k: { n: 1 } }, 0.12),
  touch: (cache) => cache.set('k', { n: 1 }) && cache.touch('k', 0.12),
  'a shorter touch': (cache) => cache.set('k', { n: 1 }, 60) && cache.touch('k', { ttlMs: 120 }),
  'a longer touch': (cache) => cache.set('k', { n: 1 }, 0.05) && cache.touch('k', { ttlMs: 120 }),
  'replacing a longer one': (cache) => cache.set('k', 1, 60) && cache.set('k', { n: 1 }, 0.12),
  'increment that creates': (cache) => cache.increment('k', 1, 0.12),
  'increment of what exists': (cache) => cache.set('k', 1, 0.12) && cache.increment('k', 1, 60),
};

for (const nearCache of [true, false]) {
  describe(`MemoryCache expiry, near cache ${nearCache ? 'on' : 'off'}`, () => {
    for (const [form, write] of Object.entries(FORMS)) {
      it(`${form}: never early, and then gone`, async (t) => {
        const cache = openCache(t, { nearCache });
        const from = performance.now();
        write(cache);
        await goneNotBefore(120, from, () => cache.get('k') !== undefined);
        assert.equal(cache.has('k'), false);
        assert.equal(cache.getTtl('k'), undefined);
        assert.equal(cache.touch('k', 1), false);
        assert.equal(cache.take('k'), undefined);
      });
    }

    it('a loaded value: its option, or the cache’s default', async (t) => {
      for (const [defaults, option] of [
        [{}, 0.12],
        [{}, { ttlMs: 120 }],
        [{ ttlMs: 120 }, undefined],
        [{ ttlMs: 10 }, { ttlMs: 120 }],
      ]) {
        const cache = openCache(t, { nearCache, ...defaults });
        const from = performance.now();
        assert.equal(await cache.getOrSet('k', () => 'loaded', option), 'loaded');
        await goneNotBefore(120, from, () => cache.get('k') !== undefined);
      }
    });

    it('is seen by a thread that never yields to its event loop', (t) => {
      const cache = openCache(t, { nearCache });
      const from = performance.now();
      cache.set('k', { n: 1 }, 0.1);
      assert.ok(spinUntil(() => cache.get('k') === undefined));
      assert.ok(performance.now() - from >= 100);
    });

    it('idle time restarts with each read', async (t) => {
      const cache = openCache(t, { nearCache });
      const idleMs = 80;
      let lastRead = performance.now();
      const start = lastRead;
      cache.set('k', { n: 1 }, { idleMs });
      let longestGap = 0;
      while (performance.now() - start < idleMs * 3) {
        const before = performance.now();
        const found = cache.get('k');
        const gap = performance.now() - lastRead;
        longestGap = Math.max(longestGap, gap);
        // Only a stall of this thread may lose the entry.
        if (found === undefined) assert.ok(gap >= idleMs, `lost after ${gap} ms without a read; it had ${idleMs}`);
        if (found === undefined) return t.skip(`this machine stalled for ${longestGap} ms`);
        lastRead = before;
        await new Promise((resolve) => setImmediate(resolve));
      }
      await goneNotBefore(idleMs, lastRead, () => cache.peek('k') !== undefined);
      assert.equal(cache.get('k'), undefined);
    });
  });
}

describe('MemoryCache expiry: what applies', () => {
  it('the cache’s ttlMs, unless the entry has its own', (t) => {
    const cache = openCache(t, { ttlMs: 50_000 });
    cache.set('default', 1);
    cache.set('undefined', 1, undefined);
    cache.set('empty options', 1, {});
    cache.set('own', 1, 90);
    cache.set('never', 1, Infinity);
    cache.set('never by option', 1, { ttlMs: Infinity });
    cache.increment('counter');
    for (const key of ['default', 'undefined', 'empty options', 'counter'])
      assert.ok(cache.getTtl(key) > 1_000 && cache.getTtl(key) <= 50_000, key);
    assert.ok(cache.getTtl('own') > 50_000);
    assert.equal(cache.getTtl('never'), Infinity);
    assert.equal(cache.getTtl('never by option'), Infinity);
  });

  it('touch without a ttl goes back to the default', (t) => {
    const cache = openCache(t, { ttlMs: 50_000 });
    cache.set('k', 1, 90);
    assert.equal(cache.touch('k'), true);
    assert.ok(cache.getTtl('k') <= 50_000);
    const without = openCache(t);
    without.set('k', 1, 90);
    assert.equal(without.touch('k'), true);
    assert.equal(without.getTtl('k'), Infinity);
  });

  it('a cache’s Infinity is the same as none', (t) => {
    const cache = openCache(t, { ttlMs: Infinity, idleMs: Infinity });
    cache.set('k', 1);
    assert.equal(cache.getTtl('k'), Infinity);
  });

  it('a new value without a ttl does not inherit the old one’s', (t) => {
    const cache = openCache(t);
    cache.set('k', 1, 5);
    cache.set('k', 2);
    assert.equal(cache.getTtl('k'), Infinity);
  });

  it('fractions of a millisecond are rounded up, never to nothing', async (t) => {
    const cache = openCache(t);
    for (const ttl of [{ ttlMs: 0.25 }, { ttlMs: 1.5 }, 0.0001]) {
      const from = performance.now();
      assert.equal(cache.set('k', 'v', ttl), true);
      await goneNotBefore(ttl.ttlMs ?? 0.1, from, () => cache.has('k'));
    }
    const byDefault = openCache(t, { ttlMs: 99.5 });
    const from = performance.now();
    byDefault.set('k', 1);
    await goneNotBefore(99.5, from, () => byDefault.has('k'));
  });

  it('a very long ttl is not a short one', async (t) => {
    const cache = openCache(t);
    const tenYears = 10 * 365 * 24 * 3600;
    for (const [key, seconds] of Object.entries({
      week: 604_800,
      'past 2^31 ms': 2_592_000,
      'past 2^32 ms': 5_184_000,
      years: tenYears,
    })) {
      cache.set(key, 1, seconds);
      assert.ok(Math.abs(cache.getTtl(key) - seconds * 1_000) < 60_000, key);
    }
    cache.set('soon', 1, 0.03);
    await waitFor(() => cache.size === 4);
    assert.equal(cache.has('past 2^31 ms'), true);
    assert.equal(cache.has('years'), true);
  });

  it('increment keeps the expiry of what exists', (t) => {
    const cache = openCache(t, { ttlMs: 50_000 });
    cache.set('n', 1, 10);
    cache.increment('n', 1, 90);
    assert.ok(cache.getTtl('n') <= 10_000);
    cache.set('forever', 1, Infinity);
    cache.increment('forever', 1, 90);
    assert.equal(cache.getTtl('forever'), Infinity);
    cache.increment('created', 1, { ttlMs: 7_000 });
    assert.ok(cache.getTtl('created') <= 7_000);
  });
});
