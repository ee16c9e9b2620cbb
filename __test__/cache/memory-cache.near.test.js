'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { performance } = require('node:perf_hooks');
const { openCache, uniqueName, waitFor, dice } = require('../support');

/** Two handles of one cache, each with a near cache of its own. */
function openPair(t, options = {}) {
  const name = uniqueName('near');
  return [openCache(t, { name, ...options }), openCache(t, { name, ...options })];
}

// Each makes what the other handle knows about `k` untrue. `after` is what it must see at its next read.
const WRITES = {
  set: { write: (cache) => cache.set('k', { n: 2 }), after: { n: 2 } },
  'set to undefined': { write: (cache) => cache.set('k', undefined), after: undefined },
  put: { write: (cache) => cache.put('k', { n: 2 }), after: { n: 2 } },
  setMany: { write: (cache) => cache.setMany({ j: 1, k: { n: 2 } }), after: { n: 2 } },
  'a refused set': { write: (cache) => cache.set('k', 'x'.repeat(3_000_000)), after: undefined },
  delete: { write: (cache) => cache.delete('k'), after: undefined },
  take: { write: (cache) => cache.take('k'), after: undefined },
  deleteMany: { write: (cache) => cache.deleteMany(['j', 'k']), after: undefined },
  deletePattern: { write: (cache) => cache.deletePattern('k*'), after: undefined },
  invalidateTags: { write: (cache) => cache.invalidateTags(['t']), after: undefined },
  clear: { write: (cache) => cache.clear(), after: undefined },
  'delete and getOrSet': {
    write: async (cache) => {
      cache.delete('k');
      await cache.getOrSet('k', () => ({ n: 2 }));
    },
    after: { n: 2 },
  },
  'clear and set': {
    write: (cache) => {
      cache.clear();
      cache.set('k', { n: 2 });
    },
    after: { n: 2 },
  },
  'resize to one other entry': {
    write: (cache) => {
      cache.resize({ maxEntries: 1 });
      cache.delete('k');
      cache.set('last', 1);
    },
    after: undefined,
  },
};

describe('near cache: coherence in one thread', () => {
  for (const [what, { write, after }] of Object.entries(WRITES)) {
    it(`${what}: the writer and the other handle both see it at once`, async (t) => {
      const [reader, writer] = openPair(t, { maxBytes: 2_000_000 });
      for (let round = 0; round < 5; round += 1) {
        writer.resize({ maxEntries: 100 });
        writer.set('k', { n: 1 }, { tags: ['t'] });
        for (let i = 0; i < 5; i += 1) {
          assert.deepEqual(reader.get('k'), { n: 1 });
          assert.deepEqual(writer.get('k'), { n: 1 });
        }
        await write(writer);
        assert.deepEqual(reader.get('k'), after);
        assert.deepEqual(writer.get('k'), after);
        assert.deepEqual(reader.getMany(['k']), [after]);
      }
    });
  }

  it('increment', (t) => {
    const [reader, writer] = openPair(t);
    for (let n = 1; n < 100; n += 1) {
      assert.equal(writer.increment('n'), n);
      assert.equal(reader.get('n'), n);
      assert.equal(writer.get('n'), n);
      assert.equal(reader.get('n'), n);
    }
  });

  it('eviction', (t) => {
    const [reader, writer] = openPair(t, { maxEntries: 10, evictionPolicy: 'lru' });
    for (let i = 0; i < 300; i += 1) {
      writer.set(`k${i}`, { i });
      assert.deepEqual(reader.get(`k${i}`), { i });
      for (let j = Math.max(0, i - 15); j <= i; j += 1) {
        const held = writer.has(`k${j}`);
        assert.deepEqual(reader.get(`k${j}`), held ? { i: j } : undefined);
      }
    }
  });

  it('a ttl shortened by another handle ends a near copy, too', async (t) => {
    const [reader, writer] = openPair(t);
    writer.set('k', { n: 1 });
    assert.deepEqual(reader.get('k'), { n: 1 });
    const from = performance.now();
    writer.touch('k', 0.06);
    await waitFor(() => reader.get('k') === undefined, { what: 'the near copy to end' });
    assert.ok(performance.now() - from >= 60);
  });

  it('a ttl lengthened by another handle keeps a near copy from ending', async (t) => {
    const [reader, writer] = openPair(t);
    writer.set('k', { n: 1 }, 0.06);
    writer.set('marker', 1, 0.06);
    if (reader.get('k') === undefined) return t.skip('this machine stalled');
    if (!writer.touch('k', Infinity)) return t.skip('this machine stalled');
    await waitFor(() => writer.peek('marker') === undefined);
    assert.deepEqual(reader.get('k'), { n: 1 });
  });

  it('holds under a random mix of writes through both handles', (t) => {
    const handles = openPair(t, { nearCache: { maxEntries: 8 } });
    const { pick, below } = dice(77);
    const truth = new Map();
    for (let step = 0; step < 20_000; step += 1) {
      const cache = pick(handles);
      const key = `k${below(24)}`;
      const action = below(10);
      if (action < 6) assert.equal(cache.get(key)?.step, truth.get(key), `step ${step}`);
      else if (action < 9) {
        cache.set(key, { step });
        truth.set(key, step);
      } else {
        cache.delete(key);
        truth.delete(key);
      }
    }
  });
});

describe('near cache: whose objects', () => {
  for (const options of [{}, { clone: true }, { nearCache: false }]) {
    it(`never the caller’s: ${JSON.stringify(options)}`, async (t) => {
      const cache = openCache(t, options);
      const mine = { list: [1], when: new Date(0) };
      cache.set('k', mine);
      assert.notEqual(cache.get('k'), mine);
      mine.list.push(2);
      mine.when.setTime(1);
      assert.deepEqual(cache.get('k'), { list: [1], when: new Date(0) });
      const loaded = { list: [1] };
      await cache.getOrSet('loaded', () => loaded);
      loaded.list.push(2);
      assert.deepEqual(cache.get('loaded'), { list: [1] });
    });
  }

  it('a mutated result is seen while it is near at most, never after a write', (t) => {
    const [cache, other] = openPair(t);
    cache.set('k', { list: [1] });
    cache.get('k').list.push('mutation');
    cache.get('k').list.push('mutation');
    assert.deepEqual(other.get('k'), { list: [1] });
    other.set('k', { list: [2] });
    assert.deepEqual(cache.get('k'), { list: [2] });
  });

  for (const [what, options] of [
    ['clone: true', { clone: true }],
    ['nearCache: false', { nearCache: false }],
  ]) {
    it(`${what} hands out copies always`, async (t) => {
      const cache = openCache(t, options);
      const original = () => ({ list: [1], map: new Map([['a', { b: 1 }]]), bytes: Buffer.from([1]) });
      cache.set('k', original());
      const doors = [
        () => cache.get('k'),
        () => cache.peek('k'),
        () => cache.getMany(['k'])[0],
        () => cache.mget(['k']).k,
        () => [...cache.entries()][0][1],
        () => cache.getOrSet('k', () => 'never'),
      ];
      for (const door of [...doors, ...doors]) {
        const got = await door();
        assert.deepEqual(got, original());
        got.list.push('mutation');
        got.map.get('a').b = 'mutation';
        got.bytes[0] = 9;
        got.extra = true;
      }
      assert.deepEqual(cache.get('k'), original());
    });
  }
});

describe('near cache: size', () => {
  it('is off when turned off', (t) => {
    const cache = openCache(t, { nearCache: false });
    cache.set('k', { n: 1 });
    for (let i = 0; i < 50; i += 1) cache.get('k');
    const { nearHits, nearEntries, hits } = cache.stats;
    assert.deepEqual({ nearHits, nearEntries, hits }, { nearHits: 0, nearEntries: 0, hits: 50 });
  });

  it('serves repeated reads, and belongs to its handle', (t) => {
    const [cache, other] = openPair(t);
    cache.set('k', { n: 1 });
    for (let i = 0; i < 50; i += 1) cache.get('k');
    assert.ok(cache.stats.nearHits >= 45, `${cache.stats.nearHits} of 50`);
    assert.ok(cache.stats.nearEntries >= 1);
    assert.equal(other.stats.nearEntries, 0);
  });

  it('stays within its entries', (t) => {
    const cache = openCache(t, { nearCache: { maxEntries: 100 } });
    for (let i = 0; i < 5_000; i += 1) cache.set(`k${i}`, { i });
    for (let i = 0; i < 10_000; i += 1) {
      assert.deepEqual(cache.get(`k${i % 5_000}`), { i: i % 5_000 });
      if (i % 100 === 0) assert.ok(cache.stats.nearEntries <= 100, `${cache.stats.nearEntries} near`);
    }
    assert.ok(cache.stats.nearEntries > 0 && cache.stats.nearEntries <= 100);
  });

  it('stays within its entries also when more than that is in use', (t) => {
    const cache = openCache(t, { nearCache: { maxEntries: 100 } });
    for (let i = 0; i < 1_000; i += 1) cache.set(`k${i}`, { i });
    for (let i = 0; i < 1_000; i += 1) {
      for (let again = 0; again < 5; again += 1) assert.deepEqual(cache.get(`k${i}`), { i });
      assert.ok(cache.stats.nearEntries <= 100, `${cache.stats.nearEntries} near`);
    }
  });

  it('stays within its bytes', (t) => {
    const cache = openCache(t, { nearCache: { maxBytes: 50_000 } });
    for (let i = 0; i < 300; i += 1) cache.set(`k${i}`, 'x'.repeat(1_000 + i));
    for (let i = 0; i < 3_000; i += 1) {
      assert.equal(cache.get(`k${i % 300}`).length, 1_000 + (i % 300));
      assert.ok(cache.stats.nearEntries <= 50, `${cache.stats.nearEntries} values of 1,000 bytes near`);
    }
    assert.ok(cache.stats.nearEntries > 0);
    cache.set('too large to be near', 'x'.repeat(60_000));
    for (let i = 0; i < 5; i += 1) assert.equal(cache.get('too large to be near').length, 60_000);
    assert.ok(cache.stats.nearEntries <= 50);
  });

  it('forgets with clear', (t) => {
    const cache = openCache(t);
    for (let i = 0; i < 100; i += 1) {
      cache.set(`k${i}`, { i });
      cache.get(`k${i}`);
    }
    assert.ok(cache.stats.nearEntries > 0);
    cache.clear();
    assert.equal(cache.stats.nearEntries, 0, 'the memory is free at once');
    for (let i = 0; i < 100; i += 1) assert.equal(cache.get(`k${i}`), undefined);
    assert.equal(cache.stats.entries, 0);
  });

  it('keeps what is hot while cold keys stream through', (t) => {
    const cache = openCache(t, { nearCache: { maxEntries: 100 } });
    const hot = Array.from({ length: 20 }, (_, i) => `hot${i}`);
    cache.setMany(hot.map((key) => [key, { key }]));
    for (let i = 0; i < 5_000; i += 1) cache.set(`cold${i}`, { i });
    for (let round = 0; round < 10; round += 1) for (const key of hot) cache.get(key);
    const before = cache.stats.nearHits;
    let hotReads = 0;
    for (let i = 0; i < 5_000; i += 1) {
      cache.get(`cold${i}`);
      cache.get(hot[i % hot.length]);
      hotReads += 1;
    }
    const served = cache.stats.nearHits - before;
    assert.ok(served >= hotReads * 0.8, `${served} of ${hotReads} reads of hot keys were near`);
  });
});
