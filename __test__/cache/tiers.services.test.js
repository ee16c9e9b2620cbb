'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { DiskCache, MultiLevelCache, PerformanceMonitor, RedisCache } = require('../..');
const { uniqueName } = require('../support');
const { temporaryDirectory } = require('../support/disks');
const { sharedRedis } = require('../support/redis');
const { serviceSnapshots } = require('../../lib/services.js');

const server = sharedRedis();

describe('tiers watch themselves', () => {
  const CLASSES = {
    DiskCache: (t, name) => new DiskCache({ name, directory: temporaryDirectory(t) }),
    RedisCache: (_t, name) => new RedisCache({ name, url: server().url, keyPrefix: `${name}:` }),
    MultiLevelCache: (_t, name) => new MultiLevelCache({ name }),
  };

  for (const [kind, open] of Object.entries(CLASSES)) {
    it(`${kind} tells its figures until it is closed`, async (t) => {
      const name = uniqueName('watched');
      const cache = open(t, name);
      const monitor = new PerformanceMonitor({ options: { enabled: false } });
      t.after(() => monitor.close());
      await cache.set('key', 'secret value');
      await cache.get('key');
      await cache.get('nothing');
      await monitor.collectServiceMetrics();
      const figure = (key) => monitor.getMetrics(`service.${name}.${key}`).at(-1)?.value;
      assert.equal(figure('hits'), 1);
      assert.equal(figure('misses'), 1);
      assert.equal(figure('hitRatio'), 0.5);
      if (kind === 'MultiLevelCache') assert.equal(figure('l1.missedWrites'), 0);
      assert.ok(Object.values(serviceSnapshots().get(name)).every((value) => typeof value === 'number'));
      await cache.close();
      assert.equal(serviceSnapshots().has(name), false);
    });
  }
});
