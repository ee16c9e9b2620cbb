'use strict';

const { it } = require('node:test');
const assert = require('node:assert/strict');
const { runInChild } = require('../support');
const { temporaryDirectory } = require('../support/disks');
const { startRedis } = require('../support/redis');

/** A quarter of what the benchmark warms, and of what the heap may grow by there, in bytes. */
const KEYS = 25_000;
const MOST = 5 * 1024 * 1024;

it('keys are warmed through three tiers beside the JavaScript heap', { timeout: 600_000 }, async (t) => {
  const redis = await startRedis(t);
  const { code, said, stderr } = await runInChild(
    async ({ load, say, collectGarbage }, { url, directories, count }) => {
      const { DiskCache, MemoryCache, MultiLevelCache, RedisCache } = load();
      const keys = Array.from({ length: count }, (_, id) => `user:${id}`);
      const user = (id) => ({ id, name: `User ${id}`, roles: ['reader', 'writer'], visits: id * 7, at: new Date(id) });
      const open = (directory) => {
        const l1Cache = new MemoryCache({ maxMemoryMB: 512 });
        const l2Cache = new DiskCache({ directory });
        const l3Cache = new RedisCache({ url, commandTimeoutMs: 60_000 });
        const cache = new MultiLevelCache({ l1Cache, l2Cache, l3Cache, tierTimeoutMs: 60_000 });
        const close = async () => {
          await cache.close();
          await Promise.all([l2Cache.close(), l3Cache.close()]);
          l1Cache.close();
        };
        return { cache, l1Cache, l2Cache, close };
      };

      const first = open(directories[0]);
      for (let from = 0; from < count; from += 2_000) {
        await first.cache.setMany(keys.slice(from, from + 2_000).map((key, index) => [key, user(from + index)]));
      }
      await first.close();

      // Redis has all of them; memory and disk have none.
      const second = open(directories[1]);
      await second.cache.warmup(keys.slice(0, 100));
      await collectGarbage();
      const before = process.memoryUsage();
      const report = await second.cache.warmup(keys, { concurrency: 256 });
      await collectGarbage();
      const after = process.memoryUsage();
      const last = await second.cache.get(keys.at(-1));
      say({
        heap: after.heapUsed - before.heapUsed,
        external: after.arrayBuffers - before.arrayBuffers,
        present: report.present,
        inMemory: second.l1Cache.size,
        last: last.name,
      });
      await second.close();
      const reopened = new DiskCache({ directory: directories[1] });
      say({ onDisk: reopened.size });
      await reopened.close();
    },
    {
      data: { url: redis.url, directories: [temporaryDirectory(t), temporaryDirectory(t)], count: KEYS },
      nodeArgs: ['--expose-gc'],
      timeoutMs: 540_000,
    },
  );
  assert.equal(code, 0, stderr);
  t.diagnostic(JSON.stringify(said));
  const [{ heap, external, present, inMemory, last }, { onDisk }] = said;
  assert.equal(present, KEYS);
  assert.equal(inMemory, KEYS);
  assert.equal(onDisk, KEYS);
  assert.equal(last, `User ${KEYS - 1}`);
  assert.ok(heap < MOST, `the heap has grown by ${heap} bytes`);
  assert.ok(external < MOST, `array buffers have grown by ${external} bytes`);
});
