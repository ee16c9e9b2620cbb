'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { performance } = require('node:perf_hooks');
const { openCache, recordEvents, waitFor, turnOfTheLoop } = require('../support');
const { goneNotBefore } = require('../support/expiry');

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
    assert.deepEqual(log, [
      ['set', 'a', 1],
      ['set', 'kept', 2],
      ['expire', 'a', 1],
    ]);
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
