'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { MemoryCache, MultiLevelCache } = require('../..');
const { MapTier, openLevels } = require('../support/tiers');

describe('tags', () => {
  it('an invalidated tag takes its values out of all levels', async (t) => {
    const { cache, l1 } = openLevels(t);
    await cache.set('a', 1, { tags: ['red'] });
    await cache.set('b', 2, { tags: ['red', 'blue'] });
    await cache.set('c', 3, { tags: ['blue'] });
    await cache.set('d', 4);
    assert.equal(await cache.invalidateTags('red'), 2);
    assert.deepEqual(await cache.getMany(['a', 'b', 'c', 'd']), [undefined, undefined, 3, 4]);
    l1.clear();
    assert.deepEqual(await cache.getMany(['a', 'b', 'c', 'd']), [undefined, undefined, 3, 4]);
  });

  it('what is written afterwards is valid', async (t) => {
    const { cache, l1 } = openLevels(t);
    await cache.set('key', 'old', { tags: ['red'] });
    await cache.invalidateTags(['red']);
    await cache.set('key', 'new', { tags: ['red'] });
    l1.clear();
    assert.equal(await cache.get('key'), 'new');
    await cache.getOrSet('other', () => 'loaded', { tags: ['red'] });
    await cache.invalidateTags(['red']);
    l1.clear();
    assert.deepEqual(await cache.getMany(['key', 'other']), [undefined, undefined]);
  });

  it('a cache that knows nothing of the invalidation finds out', async (t) => {
    const shared = new MapTier();
    const { cache } = openLevels(t, { l2Cache: shared });
    await cache.set('key', 'value', { tags: ['red'] });
    const other = new MultiLevelCache({ l2Cache: shared });
    t.after(() => other.close());
    assert.equal(await other.get('key'), 'value');
    await cache.invalidateTags('red');
    const third = new MultiLevelCache({ l2Cache: shared });
    t.after(() => third.close());
    assert.equal(await third.get('key'), undefined);
  });

  it('memory as a second level forgets at once', async (t) => {
    const second = new MemoryCache();
    t.after(() => second.close());
    const { cache, l1 } = openLevels(t, { l2Cache: second });
    await cache.set('key', 'value', { tags: ['red'] });
    l1.clear();
    assert.equal(await cache.get('key'), 'value');
    await cache.invalidateTags('red');
    assert.equal(second.size, 0);
    assert.equal(await cache.get('key'), undefined);
  });

  it('tags are any strings, kept apart', async (t) => {
    const { cache, l1 } = openLevels(t);
    const tags = ['', 'a', 'A', 'ü', '\ud800', '\ud801', 'a\0b', '*'];
    for (const [index, tag] of tags.entries()) await cache.set(`key ${index}`, index, { tags: [tag] });
    for (const [index, tag] of tags.entries()) {
      await cache.invalidateTags(tag);
      l1.clear();
      const left = await cache.getMany(tags.map((_, place) => `key ${place}`));
      assert.deepEqual(
        left,
        tags.map((_, place) => (place <= index ? undefined : place)),
        JSON.stringify(tag),
      );
    }
  });

  it('values without tags or grace are kept by foreign tiers as they are', async (t) => {
    const { cache, l2 } = openLevels(t);
    await cache.set('plain', { n: 1 }, 60);
    await cache.set('tagged', { n: 2 }, { ttlMs: 60_000, tags: ['red'] });
    assert.deepEqual(l2.entries.get('plain'), { n: 1 });
    assert.deepEqual(l2.entries.get('tagged').value, { n: 2 });
  });
});
