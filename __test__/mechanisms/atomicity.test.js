'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { openCache, uniqueName, together } = require('../support');

describe('atomicity across threads', () => {
  it('increments of four workers add up', async (t) => {
    const name = uniqueName('sum');
    const cache = openCache(t, { name });
    await together(
      4,
      ({ MemoryCache }, { name: shared, me }) => {
        const mine = new MemoryCache({ name: shared });
        for (let i = 0; i < 5_000; i += 1) {
          mine.increment('ones');
          mine.increment(`by ${me % 2}`, me + 1, 60);
        }
      },
      { name },
    );
    assert.equal(cache.get('ones'), 20_000);
    assert.equal(cache.get('by 0'), 5_000 * (1 + 3));
    assert.equal(cache.get('by 1'), 5_000 * (2 + 4));
    assert.ok(cache.getTtl('by 1') <= 60_000);
  });

  it('take gives each value to one taker', async (t) => {
    const name = uniqueName('tokens');
    const cache = openCache(t, { name });
    cache.setMany(Array.from({ length: 2_000 }, (_, id) => [`token${id}`, { id }]));
    const taken = await together(
      4,
      ({ MemoryCache }, { name: shared }) => {
        const mine = new MemoryCache({ name: shared });
        return Array.from({ length: 2_000 }, (_, id) => mine.take(`token${id}`))
          .filter(Boolean)
          .map(({ id }) => id);
      },
      { name },
    );
    const all = taken.flat().sort((left, right) => left - right);
    assert.deepEqual(
      all,
      Array.from({ length: 2_000 }, (_, id) => id),
    );
    assert.equal(cache.size, 0);
  });

  it('writes of many shapes from many threads decode everywhere', async (t) => {
    const name = uniqueName('shapes');
    const cache = openCache(t, { name });
    const make = (who, i) => ({
      who,
      i,
      [`field_${who}_${i % 60}`]: [i, `é${i}`],
      nested: { [`n${i % 13}`]: new Date(i), who },
    });
    await together(
      4,
      ({ MemoryCache, require: load }, { name: shared, me, count, source }) => {
        const check = load('node:assert/strict');
        const build = (0, eval)(source);
        const mine = new MemoryCache({ name: shared, nearCache: me % 2 === 0 });
        for (let i = 0; i < 1_500; i += 1) {
          mine.set(`${me}:${i}`, build(me, i));
          const other = (me + 1 + (i % (count - 1))) % count;
          const found = mine.get(`${other}:${i}`);
          if (found !== undefined) check.deepEqual(found, build(other, i));
        }
      },
      { name, source: `(${make})` },
    );
    assert.equal(cache.size, 6_000);
    for (let who = 0; who < 4; who += 1)
      for (let i = 0; i < 1_500; i += 1) assert.deepEqual(cache.get(`${who}:${i}`), make(who, i));
  });

  it('a full cache stays within its bounds under four writers', async (t) => {
    for (const evictionPolicy of ['adaptive', 'tinylfu', 'lru']) {
      const name = uniqueName('full');
      const cache = openCache(t, { name, maxEntries: 100, evictionPolicy });
      const most = await together(
        4,
        ({ MemoryCache }, { name: shared, me }) => {
          const mine = new MemoryCache({ name: shared });
          let largest = 0;
          for (let i = 0; i < 2_000; i += 1) {
            mine.set(`${me}:${i % 300}`, { me, i });
            if (i % 5 === 0) mine.delete(`${(me + 1) % 4}:${i % 300}`);
            const found = mine.get(`${(me + 2) % 4}:${i % 300}`);
            if (found !== undefined && found.me !== (me + 2) % 4) throw new Error('a value under the wrong key');
            largest = Math.max(largest, mine.size);
          }
          return largest;
        },
        { name },
      );
      // Each of the four may have one write under way at the moment another counts.
      assert.ok(Math.max(...most) <= 104, `${most}`);
      assert.ok(cache.size <= 100);
      cache.validate();
    }
  });
});
