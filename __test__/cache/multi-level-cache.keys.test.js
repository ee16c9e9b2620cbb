'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const Keyv = require('keyv').default;
const { MemoryCache, RedisCache } = require('../..');
const { deferred, errors, uniqueName } = require('../support');
const { openDisk } = require('../support/disks');
const { sharedRedis } = require('../support/redis');
const { FaultyTier, MapTier, openLevels } = require('../support/tiers');

const server = sharedRedis();

describe('MultiLevelCache: keys by pattern', () => {
  /** A tier of each kind behind memory. */
  const KINDS = {
    memory: () => new MemoryCache(),
    disk: (t) => openDisk(t),
    redis: (t) => {
      const tier = new RedisCache({ url: server().url, keyPrefix: `${uniqueName('keys')}:` });
      t.after(() => tier.close());
      return tier;
    },
    foreign: () => new MapTier(),
    'a bare Map': () => new Map(),
    'a Keyv': () => new Keyv(),
  };

  for (const [kind, make] of Object.entries(KINDS)) {
    it(`finds and deletes them in ${kind}, and in memory`, async (t) => {
      const { cache, l1, l2 } = openLevels(t, { l2Cache: make(t) });
      await cache.setMany({ 'user:1': 1, 'user:2': 2, 'order:1': 3, 'us*r': 4 }, { tags: ['red'], graceMs: 1000 });
      await cache.invalidateTags('blue');
      l1.delete('user:2');
      l1.set('user:9', 'in memory alone');
      assert.deepEqual(await cache.keys('user:*'), ['user:1', 'user:2', 'user:9']);
      assert.deepEqual(await cache.keys(), ['order:1', 'us*r', 'user:1', 'user:2', 'user:9']);
      assert.equal(await cache.deletePattern('user:*'), 3);
      assert.deepEqual(await cache.keys(), ['order:1', 'us*r']);
      assert.deepEqual(await cache.getMany(['user:1', 'user:9', 'order:1']), [undefined, undefined, 3]);
      assert.ok((await l2.get('order:1')) !== undefined);
      assert.equal(await cache.deletePattern('us\\*r'), 1);
      assert.equal(await cache.deletePattern('nothing*'), 0);
    });
  }

  it('overtakes a load: those who asked get what was loaded, no level keeps it', async (t) => {
    const { cache, l1, l2 } = openLevels(t);
    const gate = deferred();
    const began = deferred();
    const loading = cache.getOrSet('user:1', async () => {
      began.resolve();
      await gate.promise;
      return 'older';
    });
    await began.promise;
    await cache.deletePattern('user:*');
    gate.resolve();
    assert.equal(await loading, 'older');
    assert.equal(l1.get('user:1'), undefined);
    assert.equal(l2.entries.has('user:1'), false);
  });

  it('a tier that cannot name its keys is told, and the others’ keys go', async (t) => {
    const l3Cache = new FaultyTier();
    const { cache, l1, l2 } = openLevels(t, { l3Cache });
    await cache.setMany({ 'user:1': 1, 'order:1': 2 });
    l3Cache.fault = new Error('out of order');
    const told = [];
    cache.on('error', (error) => told.push(error));
    await assert.rejects(cache.deletePattern('user:*'), { code: 'ERR_HOTPATH_TIER_UNAVAILABLE', tier: 'foreign' });
    assert.equal(l1.get('user:1'), undefined);
    assert.equal(l2.entries.has('user:1'), false);
    assert.equal(l1.get('order:1'), 2);
    assert.ok(told.some(({ operation, level }) => operation === 'keys' && level === 3));
    const mute = { get: async () => undefined, set: async () => {} };
    const { cache: other } = openLevels(t, { l2Cache: mute });
    await assert.rejects(other.keys(), { code: 'ERR_HOTPATH_TIER_UNAVAILABLE' });
  });

  it('patterns that are none', async (t) => {
    const { cache } = openLevels(t);
    await assert.rejects(cache.deletePattern(), errors.invalidType('pattern'));
    await assert.rejects(cache.keys(5), errors.invalidType('pattern'));
    await assert.rejects(cache.deletePattern(`*${'?'.repeat(5000)}`), { code: 'ERR_OUT_OF_RANGE' });
  });
});
