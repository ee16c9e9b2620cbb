'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { performance } = require('node:perf_hooks');
const { openCache, recordEvents, waitFor, spinUntil, turnOfTheLoop } = require('../support');

/**
 * Looks until the entry is gone, and fails if it was gone at any moment before its time. `from` is read before the
 * entry's clock started and the present after the look, so a correct cache cannot fail however slow the machine is.
 */
async function goneNotBefore(lifetimeMs, from, isThere) {
  await waitFor(
    () => {
      const there = isThere();
      const age = performance.now() - from;
      if (!there) assert.ok(age >= lifetimeMs, `gone after ${age} ms; it had ${lifetimeMs}`);
      return !there;
    },
    { what: `an entry of ${lifetimeMs} ms to leave` },
  );
}

const FORMS = {
  'seconds as a number': (cache) => cache.set('k', { n: 1 }, 0.12),
  'ttlMs': (cache) => cache.set('k', { n: 1 }, { ttlMs: 120 }),
  'setMany': (cache) => cache.setMany({ k: { n: 1 } }, 0.12),
  'touch': (cache) => cache.set('k', { n: 1 }) && cache.touch('k', 0.12),
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
      for (const [defaults, option] of [[{}, 0.12], [{}, { ttlMs: 120 }], [{ ttlMs: 120 }, undefined], [{ ttlMs: 10 }, { ttlMs: 120 }]]) {
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
    for (const key of ['default', 'undefined', 'empty options', 'counter']) assert.ok(cache.getTtl(key) > 1_000 && cache.getTtl(key) <= 50_000, key);
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
    for (const [key, seconds] of Object.entries({ week: 604_800, 'past 2^31 ms': 2_592_000, 'past 2^32 ms': 5_184_000, years: tenYears })) {
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

describe('MemoryCache expiry: untouched entries', () => {
  it('leave by themselves, each with one event, none early', async (t) => {
    const cache = openCache(t);
    const due = new Map();
    const heard = [];
    cache.on('expire', (key, value) => heard.push({ key, value, at: performance.now() }));
    for (let i = 0; i < 1_000; i += 1) {
      const ttlMs = 20 + ((i * 37) % 230);
      due.set(`k${i}`, { at: performance.now() + ttlMs, value: { i } });
      cache.set(`k${i}`, { i }, { ttlMs });
    }
    cache.set('stays', 1);
    const full = cache.stats.bytes;
    await waitFor(() => heard.length === 1_000, { what: 'a thousand expire events' });
    for (const { key, value, at } of heard) {
      assert.ok(at >= due.get(key).at, `${key} left ${due.get(key).at - at} ms early`);
      assert.deepEqual(value, due.get(key).value);
    }
    assert.equal(new Set(heard.map(({ key }) => key)).size, 1_000);
    assert.equal(cache.size, 1);
    assert.deepEqual(cache.keys(), ['stays']);
    assert.equal(cache.stats.expirations, 1_000);
    assert.equal(cache.stats.entries, 1);
    assert.ok(cache.stats.bytes < full / 100);
  });

  it('leave also where they are the only ones, whenever they came', async (t) => {
    // Each cache has nothing to sweep until its one entry arrives, which must not be missed.
    const caches = Array.from({ length: 300 }, () => openCache(t));
    for (const [i, cache] of caches.entries()) {
      if (i % 10 === 0) await turnOfTheLoop();
      if (i % 3 === 0) cache.increment('k', 1, { ttlMs: 1 + (i % 40) });
      else cache.set('k', i, { ttlMs: 1 + (i % 40) });
      if (i % 3 === 1) cache.touch('k', { ttlMs: 1 + (i % 30) });
    }
    await waitFor(() => caches.every((cache) => cache.size === 0), { what: '300 single entries to leave' });
    // And once more, when each sweeper has gone to rest.
    for (const cache of caches) cache.set('k', 1, { ttlMs: 5 });
    await waitFor(() => caches.every((cache) => cache.size === 0), { what: '300 single entries to leave again' });
  });

  it('leave when idle, too', async (t) => {
    const cache = openCache(t, { idleMs: 60 });
    const log = recordEvents(cache);
    const from = performance.now();
    cache.set('a', 1);
    cache.set('kept', 2, { idleMs: Infinity });
    await waitFor(() => log.some(([event]) => event === 'expire'));
    assert.ok(performance.now() - from >= 60);
    assert.deepEqual(log, [['set', 'a', 1], ['set', 'kept', 2], ['expire', 'a', 1]]);
    assert.deepEqual(cache.keys(), ['kept']);
  });

  it('the shorter of ttl and idle time decides', async (t) => {
    const cache = openCache(t);
    const from = performance.now();
    cache.set('idle first', 1, { ttlMs: 60_000, idleMs: 60 });
    cache.set('ttl first', 1, { ttlMs: 120, idleMs: 60_000 });
    await goneNotBefore(60, from, () => cache.peek('idle first') !== undefined);
    await goneNotBefore(120, from, () => cache.get('ttl first') !== undefined);
    // A read knows at once; what is held is swept up a moment later.
    await waitFor(() => cache.size === 0, { what: 'both to be swept up' });
  });

  it('a replaced or deleted entry’s old expiry hits nothing', async (t) => {
    const cache = openCache(t);
    const log = recordEvents(cache, ['expire']);
    cache.set('replaced', 'old', 0.03);
    cache.set('replaced', 'new');
    cache.set('again', 'old', 0.03);
    cache.delete('again');
    cache.set('again', 'new', 60);
    cache.set('touched', 'kept', 0.03);
    cache.touch('touched', Infinity);
    cache.set('marker', 1, 0.1);
    await waitFor(() => log.length > 0);
    assert.deepEqual(log, [['expire', 'marker', 1]]);
    assert.deepEqual(cache.getMany(['replaced', 'again', 'touched']), ['new', 'new', 'kept']);
  });

  it('clear takes the timers with it', async (t) => {
    const cache = openCache(t);
    const log = recordEvents(cache, ['expire']);
    for (let i = 0; i < 100; i += 1) cache.set(`k${i}`, i, 0.03);
    cache.clear();
    for (let i = 0; i < 100; i += 1) cache.set(`k${i}`, i);
    cache.set('marker', 1, 0.1);
    await waitFor(() => log.length > 0);
    assert.deepEqual(log, [['expire', 'marker', 1]]);
    assert.equal(cache.size, 100);
  });
});
