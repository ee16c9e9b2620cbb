'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { runInChild } = require('../support');

// Some embedders refuse buffers over native memory. The addon then answers null where it would have mapped its own.
describe('where native memory cannot be mapped', () => {
  for (const refused of ['clockWord', 'versionWords']) {
    it(`the near cache is off and everything else works, without ${refused}`, async () => {
      const { code, said, stderr } = await runInChild(
        async ({ say, require: from, load }, name) => {
          from('../../lib/native.js')[name] = () => null;
          const { MemoryCache } = load();
          const cache = new MemoryCache({ ttlMs: 60_000 });
          cache.set('k', { n: 1 });
          const reads = [cache.get('k'), cache.get('k'), cache.getMany(['k', 'none'])];
          cache.increment('n');
          cache.validate();
          say({
            reads,
            near: cache.stats.nearEntries,
            nearHits: cache.stats.nearHits,
            loaded: await cache.getOrSet('l', () => 2),
          });
        },
        { data: refused },
      );
      assert.equal(code, 0, stderr);
      assert.deepEqual(said, [{ reads: [{ n: 1 }, { n: 1 }, [{ n: 1 }, null]], near: 0, nearHits: 0, loaded: 2 }]);
    });
  }
});
