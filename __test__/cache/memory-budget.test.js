'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { MemoryBudget, MemoryCache, MemoryOptimizedCache } = require('../..');
const { openCache, uniqueName, waitFor, runInWorker, dice, errors } = require('../support');
const { NOT_NUMBERS, NOT_OBJECTS, NOT_STRINGS, refuses } = require('../support/wrong-values');

const MIB = 1024 * 1024;
const VALUE = 'x'.repeat(1_000);

function openBudget(t, options) {
  const budget = new MemoryBudget(options);
  t.after(() => budget.close());
  return budget;
}

/** What holds at any moment. */
function check(budget) {
  const { maxBytes, bytes, caches } = budget.stats;
  assert.ok(bytes <= maxBytes, `${bytes} of ${maxBytes}`);
  const allotted = caches.reduce((sum, cache) => sum + cache.maxBytes, 0);
  assert.ok(allotted <= maxBytes, `${allotted} of ${maxBytes}`);
  for (const cache of caches) assert.ok(cache.bytes <= cache.maxBytes, `${cache.name}: ${cache.bytes}`);
}

function fill(cache, prefix, count) {
  for (let i = 0; i < count; i += 1) cache.set(`${prefix}${i}`, VALUE);
}

describe('MemoryBudget: options', () => {
  it('are checked like those of a cache', () => {
    refuses((value) => new MemoryBudget(value), NOT_OBJECTS, errors.invalidType('options'));
    refuses((name) => new MemoryBudget({ name }), NOT_STRINGS, errors.invalidType('name'));
    refuses((name) => new MemoryBudget({ name }), [''], errors.outOfRange('name'));
    refuses((maxBytes) => new MemoryBudget({ maxBytes }), NOT_NUMBERS, errors.invalidType('maxBytes'));
    refuses((maxBytes) => new MemoryBudget({ maxBytes }), [0, -1, 1.5, NaN], errors.outOfRange('maxBytes'));
    refuses((maxMemory) => new MemoryBudget({ maxMemory }), ['', '20', '0%'], errors.outOfRange('maxMemory'));
    assert.throws(() => new MemoryBudget({ maxByte: 1 }), {
      code: 'ERR_HOTPATH_UNKNOWN_OPTION',
      message: /"maxBytes"/,
    });
    assert.throws(() => new MemoryBudget({ maxBytes: 1, maxMemoryMB: 1 }), errors.invalidType('options'));
  });

  it('say how much there is', (t) => {
    assert.equal(openBudget(t).stats.maxBytes, 100 * MIB);
    assert.equal(openBudget(t, { maxMemoryMB: 3 }).stats.maxBytes, 3 * MIB);
    const [one, two] = ['1%', '2%'].map((maxMemory) => openBudget(t, { maxMemory }).stats.maxBytes);
    assert.ok(Math.abs(two - 2 * one) <= 2);
    const budget = openBudget(t, { maxBytes: MIB });
    assert.deepEqual(budget.stats, { maxBytes: MIB, bytes: 0, moves: 0, caches: [] });
    assert.equal(budget.name, undefined);
  });

  it('a cache joins with a budget that is open, and only an adaptive one', (t) => {
    refuses((budget) => new MemoryCache({ budget }), [1, 'app', {}, null], errors.invalidType('budget'));
    const budget = openBudget(t);
    for (const evictionPolicy of ['lru', 'tinylfu', 'LRU'])
      assert.throws(() => new MemoryCache({ budget, evictionPolicy }), errors.outOfRange('evictionPolicy'));
    openCache(t, { budget, evictionPolicy: 'adaptive' });
    const closed = new MemoryBudget();
    closed.close();
    assert.throws(() => new MemoryCache({ budget: closed }), { code: 'ERR_HOTPATH_CLOSED' });
  });
});

describe('MemoryBudget: caches', () => {
  it('one that is alone in using it has nearly all of it', (t) => {
    const budget = openBudget(t, { maxBytes: 4 * MIB });
    const [busy, idle] = ['busy', 'idle'].map((name) => openCache(t, { name: uniqueName(name), budget }));
    for (let i = 0; i < 10_000; i += 1) {
      assert.equal(busy.set(`k${i}`, VALUE), true);
      if (i % 500 === 0) check(budget);
    }
    check(budget);
    assert.ok(busy.stats.bytes > 3.6 * MIB, `${busy.stats.bytes}`);
    assert.equal(idle.stats.bytes, 0);
    assert.deepEqual(
      budget.stats.caches.map(({ name }) => name),
      [busy.name, idle.name],
    );
  });

  it('one that comes late gets its part, and what the others leave', (t) => {
    const budget = openBudget(t, { maxBytes: 4 * MIB });
    const [first, second] = [openCache(t, { budget }), openCache(t, { budget })];
    fill(first, 'k', 10_000);
    fill(second, 'k', 2_000);
    check(budget);
    assert.ok(second.stats.bytes > 0.4 * MIB, 'a quarter of half of it at least');
    first.clear();
    fill(second, 'k', 10_000);
    check(budget);
    assert.ok(second.stats.bytes > 3 * MIB, `${second.stats.bytes}`);
    first.close();
    assert.equal(budget.stats.caches.length, 1);
  });

  it('memory moves to the cache that makes better use of it', async (t) => {
    const budget = openBudget(t, { maxBytes: 4 * MIB });
    const [useful, scanned] = ['useful', 'scanned'].map((name) => openCache(t, { name: uniqueName(name), budget }));
    const { below } = dice(11);
    let next = 0;
    const step = () => {
      const key = `k${below(3_000)}`;
      if (useful.get(key) === undefined) useful.set(key, VALUE);
      next += 1;
      if (scanned.get(`k${next}`) === undefined) scanned.set(`k${next}`, VALUE);
    };
    await waitFor(
      () => {
        for (let i = 0; i < 1_000; i += 1) step();
        return useful.stats.bytes > 3 * MIB;
      },
      { timeoutMs: 60_000, what: 'the useful cache to have three quarters' },
    );
    check(budget);
    const { moves, caches } = budget.stats;
    assert.ok(moves > 0 && caches[0].nearMisses > caches[1].nearMisses, JSON.stringify({ moves, caches }));
  });

  it('one with a bound of its own keeps to it', (t) => {
    const budget = openBudget(t, { maxBytes: 4 * MIB });
    const cache = openCache(t, { budget, maxBytes: MIB, maxEntries: 500 });
    fill(cache, 'k', 400);
    cache.resize({ maxBytes: 100_000 });
    fill(cache, 'k', 1_000);
    assert.ok(cache.stats.bytes <= 100_000 && cache.stats.bytes > 80_000, `${cache.stats.bytes}`);
    cache.resize({ maxBytes: 4 * MIB });
    fill(cache, 'k', 1_000);
    assert.ok(cache.size > 400 && cache.size <= 500, `${cache.size}`);
    check(budget);
  });

  it('a value larger than the budget is refused, a large one finds room', (t) => {
    const budget = openBudget(t, { maxBytes: 4 * MIB });
    const [first, second] = [openCache(t, { budget }), openCache(t, { budget })];
    fill(first, 'k', 10_000);
    assert.equal(second.set('large', Buffer.alloc(2 * MIB)), true);
    assert.equal(second.set('too large', Buffer.alloc(5 * MIB)), false);
    assert.equal(second.increment('counter'), 1);
    check(budget);
  });

  it('follows a resize at once', (t) => {
    const budget = openBudget(t, { maxBytes: 4 * MIB });
    const caches = [openCache(t, { budget }), openCache(t, { budget })];
    for (const cache of caches) fill(cache, 'k', 1_500);
    budget.resize({ maxMemoryMB: 1 });
    assert.equal(budget.stats.maxBytes, MIB);
    check(budget);
    budget.resize({ maxBytes: 8 * MIB });
    for (const cache of caches) fill(cache, 'k', 3_000);
    assert.ok(budget.stats.bytes > 5 * MIB, `${budget.stats.bytes}`);
    check(budget);
    budget.resize({});
    assert.equal(budget.stats.maxBytes, 8 * MIB);
    refuses((limit) => budget.resize(limit), [{ maxBytes: 0 }], errors.outOfRange('maxBytes'));
  });

  it('takes a MemoryOptimizedCache too', async (t) => {
    const budget = openBudget(t, { maxBytes: MIB });
    const cache = new MemoryOptimizedCache({ budget });
    t.after(() => cache.close());
    for (let i = 0; i < 2_000; i += 1) await cache.put(`k${i}`, VALUE);
    assert.ok(cache.memoryUsage > 0.8 * MIB && cache.memoryUsage <= MIB, `${cache.memoryUsage}`);
  });
});

describe('MemoryBudget: handles', () => {
  it('the same name is the same budget, in every thread', async (t) => {
    const name = uniqueName('budget');
    const cacheName = uniqueName();
    const budget = openBudget(t, { name, maxBytes: 4 * MIB });
    const own = openCache(t, { budget });
    fill(own, 'k', 10_000);
    const seen = await runInWorker(
      ({ load }, { name, cacheName }) => {
        const hotpath = load();
        const budget = new hotpath.MemoryBudget({ name });
        const cache = new hotpath.MemoryCache({ name: cacheName, budget });
        for (let i = 0; i < 3_000; i += 1) cache.set(`k${i}`, 'x'.repeat(1_000));
        return { stats: budget.stats, size: cache.size };
      },
      { name, cacheName },
    );
    assert.equal(seen.stats.caches.length, 2);
    assert.ok(seen.stats.bytes <= 4 * MIB && seen.size > 300, JSON.stringify(seen));
    await waitFor(() => budget.stats.caches.length === 1, { what: 'the worker’s cache to leave' });
    assert.throws(() => new MemoryBudget({ name, maxBytes: MIB }), {
      code: 'ERR_HOTPATH_OPTION_CONFLICT',
      option: 'maxBytes',
      existing: 4 * MIB,
      requested: MIB,
    });
  });

  it('a named cache keeps its budget; another one is a conflict', (t) => {
    const name = uniqueName();
    const [budget, other] = [openBudget(t, { name: uniqueName('budget') }), openBudget(t)];
    openCache(t, { name, budget });
    openCache(t, { name });
    openCache(t, { name, budget });
    assert.throws(() => new MemoryCache({ name, budget: other }), {
      code: 'ERR_HOTPATH_OPTION_CONFLICT',
      option: 'budget',
      existing: budget.name,
    });
    const free = uniqueName();
    openCache(t, { name: free });
    assert.throws(() => new MemoryCache({ name: free, budget }), { option: 'budget', existing: 'none' });
  });

  it('closed, it answers no more; its caches stay bounded', (t) => {
    const budget = new MemoryBudget({ maxBytes: MIB });
    const cache = openCache(t, { budget });
    assert.equal(budget.closed, false);
    budget.close();
    budget.close();
    assert.equal(budget.closed, true);
    assert.throws(() => budget.stats, { code: 'ERR_HOTPATH_CLOSED' });
    assert.throws(() => budget.resize({ maxBytes: 1 }), { code: 'ERR_HOTPATH_CLOSED' });
    fill(cache, 'k', 3_000);
    assert.ok(cache.stats.bytes <= MIB && cache.stats.bytes > 0.8 * MIB);
    const dispose = Symbol.dispose ?? Symbol.for('nodejs.dispose');
    assert.equal(typeof budget[dispose], 'function');
    budget[dispose]();
  });
});
