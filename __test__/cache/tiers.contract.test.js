'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { mkdtemp, rm } = require('node:fs/promises');
const { tmpdir } = require('node:os');
const path = require('node:path');
const Keyv = require('keyv').default;
const Keyv6 = require('keyv6').default;
const KeyvSqlite = require('@keyv/sqlite').default;
const { createCache } = require('cache-manager');
const { DiskCache, MemoryCache, MemoryOptimizedCache, MultiLevelCache, RedisCache } = require('../..');
const { uniqueName } = require('../support');
const { sharedRedis } = require('../support/redis');
const { testTier, tierContract } = require('../../lib/testing/index.js');
const { MapTier, NullTier } = require('../support/tiers');

const server = sharedRedis();

const temporaryDirectory = () => mkdtemp(path.join(tmpdir(), 'hotpath-tier-'));

testTier('memory', () => {
  const tier = new MemoryCache();
  return { tier, close: () => tier.close() };
});

testTier('memory behind promises', () => {
  const tier = new MemoryOptimizedCache();
  return { tier, close: () => tier.close() };
});

testTier('disk', async () => {
  const directory = await temporaryDirectory();
  const tier = new DiskCache({ directory });
  return {
    tier,
    close: async () => {
      await tier.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
});

testTier('a Map in a wrapper', () => ({ tier: new MapTier() }));

testTier('a bare Map', () => ({ tier: new Map() }));

testTier('Keyv with SQLite in a file', async () => {
  const directory = await temporaryDirectory();
  const tier = new Keyv({ store: new KeyvSqlite(`sqlite://${path.join(directory, 'cache.sqlite')}`) });
  return {
    tier,
    close: async () => {
      await tier.disconnect();
      await rm(directory, { recursive: true, force: true });
    },
  };
});

testTier('Keyv with SQLite in memory', () => {
  const tier = new Keyv({ store: new KeyvSqlite('sqlite://:memory:') });
  return { tier, close: () => tier.disconnect() };
});

testTier('Keyv 6', () => ({ tier: new Keyv6() }));

testTier('cache-manager', () => ({ tier: createCache(), ttlUnit: 'ms' }));

for (const options of [{}, { format: 'json' }, { clientTracking: true }]) {
  testTier(`Redis ${JSON.stringify(options)}`, () => {
    const tier = new RedisCache({ url: server().url, keyPrefix: `${uniqueName('tier')}:`, ...options });
    return { tier, close: () => tier.close() };
  });
}

testTier('a multi-level cache as a tier of another', () => {
  const tier = new MultiLevelCache({ l2Cache: new MapTier() });
  return { tier, close: () => tier.close() };
});

describe('the contract itself', () => {
  it('finds what is wrong with a tier', async () => {
    const broken = {
      'forgets what it was given': class extends MapTier {
        async set() {}
      },
      'turns values into text': class extends MapTier {
        async set(key, value, ttl) {
          return super.set(key, String(value), ttl);
        }
      },
      'does not delete': class extends MapTier {
        async delete() {}
      },
      'does not clear': class extends MapTier {
        async clear() {}
      },
      'mixes up keys': class extends MapTier {
        async set(key, value) {
          return super.set(key.slice(0, 1), value);
        }
        async get(key) {
          return super.get(key.slice(0, 1));
        }
      },
    };
    for (const [what, Broken] of Object.entries(broken)) {
      const results = await Promise.allSettled(tierContract().map(({ run }) => run(() => ({ tier: new Broken() }))));
      assert.ok(
        results.some(({ status }) => status === 'rejected'),
        `a tier that ${what} passes`,
      );
    }
  });

  it('works with any runner, and with null for a miss', async () => {
    const titles = [];
    const bodies = [];
    const runner = {
      describe: (_title, body) => body(),
      it: (title, body) => {
        titles.push(title);
        bodies.push(body);
      },
    };
    testTier('any', () => ({ tier: new MapTier() }), runner);
    assert.equal(titles.length, tierContract().length);
    await Promise.all(bodies.map((body) => body()));
    const misses = tierContract().filter(({ title }) => /miss/.test(title) && !title.startsWith('behind'));
    for (const { run } of misses) await run(() => ({ tier: new NullTier() }));
  });
});
