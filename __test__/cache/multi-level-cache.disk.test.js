'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { MultiLevelCache, RedisCache } = require('../..');
const { uniqueName, waitFor } = require('../support');
const { filesOf, openDisk } = require('../support/disks');
const { sharedRedis } = require('../support/redis');
const { openLevels } = require('../support/tiers');

const server = sharedRedis();

describe('MultiLevelCache with a disk', () => {
  const withDisk = (t, options, rest) => {
    const levels = openLevels(t, { l2Cache: openDisk(t, options), ...rest });
    assert.equal(levels.cache.stats.levels[1].tier, 'disk');
    return levels;
  };

  it('values move between the caches in both directions, whatever they are and however large', async (t) => {
    const { cache, l1, l2 } = withDisk(t, { streamThresholdBytes: 64 * 1024 });
    const values = {
      text: 'ü',
      number: 1.5,
      date: new Date(5),
      nothing: null,
      list: [{ id: 1 }, { id: 2 }],
      bytes: Buffer.from('bytes'),
      large: Buffer.alloc(300_000, 'large'),
    };
    await cache.setMany(values, { ttlMs: 60_000, tags: ['all'] });
    assert.equal(filesOf(l2).length, 1);
    for (const [key, value] of Object.entries(values)) {
      assert.deepEqual(await l2.get(key), value, `${key} from the disk itself`);
      l1.clear();
      assert.deepEqual(await cache.get(key), value, key);
      assert.deepEqual(l1.get(key), value, `${key} once promoted`);
    }
    l1.clear();
    assert.deepEqual(await cache.getMany(Object.keys(values)), Object.values(values));
    // In the disk's own words, with the names of its dictionary.
    for (let n = 0; n < 50; n += 1) await l2.set(`direct ${n}`, { id: n, name: 'direct' });
    assert.deepEqual(await cache.get('direct 49'), { id: 49, name: 'direct' });
    assert.deepEqual(l1.get('direct 49'), { id: 49, name: 'direct' });
  });

  it('the disk’s own face hands out what is fresh, and nothing that is kept for grace or has an old tag', async (t) => {
    const { cache, l1, l2 } = withDisk(t);
    await cache.set('key', 'value', { ttlMs: 60_000, graceMs: 60_000 });
    assert.equal(await l2.get('key'), 'value');
    assert.ok((await l2.getTtl('key')) <= 60_000);
    await cache.expire('key');
    // The levels are told in the background; reads through the cache know at once.
    await waitFor(async () => (await l2.get('key')) === undefined);
    assert.equal(await l2.has('key'), false);
    assert.deepEqual(await l2.keys(), []);
    l1.clear();
    const failing = () => Promise.reject(new Error('the source is down'));
    assert.equal(await cache.getOrSet('key', failing, { graceMs: 60_000 }), 'value');
    assert.equal(await l2.touch('key', 60), false);
    assert.equal(await l2.increment('key', 2), 2);
  });

  it('lives end where the disk says when nothing else does, and a shorter cap holds', async (t) => {
    const { cache, l2 } = withDisk(t, { maxAgeMs: 50_000 }, { l2TTL: Number.POSITIVE_INFINITY });
    await cache.set('endless', 1, { ttlMs: Number.POSITIVE_INFINITY });
    assert.ok((await l2.getTtl('endless')) <= 50_000);
    const capped = withDisk(t, {}, { l2TTL: 10 });
    await capped.cache.set('key', 1);
    assert.ok((await capped.l2.getTtl('key')) <= 10_000);
  });

  it('what is larger than the disk cache takes its predecessor with it', async (t) => {
    const { cache, l1, l2 } = withDisk(t, { diskLimit: 1024 * 1024 });
    await cache.set('key', 'small');
    await cache.set('key', Buffer.alloc(2 * 1024 * 1024));
    l1.clear();
    assert.equal(await l2.get('key'), undefined);
    assert.equal(await cache.get('key'), undefined);
  });

  it('a disk that was closed under it is passed over, told, and left alone', async (t) => {
    const l3Cache = new RedisCache({ url: server().url, keyPrefix: `${uniqueName('disk')}:` });
    t.after(() => l3Cache.close());
    const { cache, l1, l2 } = withDisk(t, {}, { l3Cache, breaker: { failureThreshold: 3 } });
    const states = [];
    const told = [];
    cache.on('breaker', ({ tier, state }) => states.push([tier, state]));
    cache.on('error', ({ tier, code }) => told.push([tier, code]));
    await cache.set('key', 'value');
    await l2.close();
    l1.clear();
    assert.equal(await cache.get('key'), 'value');
    for (let n = 0; n < 5; n += 1) assert.equal(await cache.getOrSet(`loaded ${n}`, () => n), n);
    await waitFor(() => states.some(([tier, state]) => tier === 'disk' && state === 'open'));
    assert.ok(
      told.some(([tier, code]) => tier === 'disk' && code === 'ERR_HOTPATH_CLOSED'),
      JSON.stringify(told),
    );
    assert.deepEqual(await cache.getMany(['key', 'loaded 4']), ['value', 4]);
  });

  it('handles on one directory share one level', async (t) => {
    const name = uniqueName('levels');
    const first = openDisk(t);
    const second = openDisk(t, { directory: first.directory });
    const caches = [first, second].map((l2Cache) => new MultiLevelCache({ name, l2Cache }));
    t.after(() => Promise.all(caches.map((cache) => cache.close())));
    await caches[0].set('key', { n: 1 });
    assert.deepEqual(await caches[1].get('key'), { n: 1 });
    await first.close();
    await caches[1].set('later', 2);
    assert.equal(await second.get('later'), 2);
  });
});
