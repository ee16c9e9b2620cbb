'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { runInChild } = require('../support');

const MB = 1024 * 1024;

/** Runs a body under --expose-gc and gives the last thing it said. */
async function measured(body, data) {
  const { code, signal, said, stderr } = await runInChild(body, {
    data,
    nodeArgs: ['--expose-gc'],
    timeoutMs: 110_000,
  });
  assert.equal(signal, null, stderr);
  assert.equal(code, 0, stderr);
  return said.at(-1);
}

describe('leaks', { timeout: 240_000 }, () => {
  for (const options of [{ maxEntries: 5_000 }, { maxBytes: 2 * MB, evictionPolicy: 'lru', nearCache: false }]) {
    it(`a million operations over a bounded cache leave memory flat: ${JSON.stringify(options)}`, async () => {
      const { heap, rss, size } = await measured(async ({ MemoryCache, collectThoroughly, say }, limits) => {
        const cache = new MemoryCache(limits);
        let n = 0;
        const churn = (rounds) => {
          for (let i = 0; i < rounds; i += 1) {
            n += 1;
            cache.set(
              `user:${n}`,
              { id: n, name: `user ${n}`, tags: ['a', 'b'] },
              n % 4 ? undefined : { ttlMs: 1 + (n % 50), tags: [`t${n % 1_000}`] },
            );
            cache.get(`user:${n - (n % 500)}`);
            if (n % 2) cache.delete(`user:${n - 100}`);
          }
        };
        churn(80_000);
        await collectThoroughly();
        const before = process.memoryUsage();
        for (let turn = 0; turn < 40; turn += 1) {
          churn(8_000);
          await new Promise((resolve) => setImmediate(resolve));
        }
        await collectThoroughly();
        const after = process.memoryUsage();
        cache.validate();
        say({ heap: after.heapUsed - before.heapUsed, rss: after.rss - before.rss, size: cache.size });
      }, options);
      assert.ok(size > 100, `${size} entries at the end`);
      assert.ok(heap < 8 * MB, `the heap grew by ${heap / MB} MB`);
      assert.ok(rss < 48 * MB, `RSS grew by ${rss / MB} MB`);
    });
  }

  it('reads, loads, failures, events and refused values leave memory flat', async () => {
    const { heap, rss } = await measured(async ({ MemoryCache, collectThoroughly, say }) => {
      const cache = new MemoryCache({ maxEntries: 1_000 });
      let heard = 0;
      for (const event of ['set', 'delete', 'evict', 'expire', 'clear']) cache.on(event, () => (heard += 1));
      const round = async (i) => {
        const key = `k${i % 3_000}`;
        await cache.getOrSet(key, async () => ({ i, list: [i] }), 0.02);
        await cache.getOrSet(`down${i}`, () => Promise.reject(new Error('down'))).catch(() => {});
        cache.getMany([key, 'k1', 'k2', 'missing']);
        try {
          cache.set('bad', { list: ['x'.repeat(1_000), () => {}] });
        } catch {
          cache.increment('refused');
        }
        cache.getBytes(key);
        if (i % 500 === 0) [...cache];
        if (i % 1_000 === 0) cache.keys('k1*');
        if (i % 5_000 === 0) cache.clear();
      };
      for (let i = 0; i < 5_000; i += 1) await round(i);
      await collectThoroughly();
      const before = process.memoryUsage();
      for (let i = 0; i < 20_000; i += 1) await round(i);
      await collectThoroughly();
      const after = process.memoryUsage();
      cache.validate();
      say({ heap: after.heapUsed - before.heapUsed, rss: after.rss - before.rss, heard });
    });
    assert.ok(heap < 8 * MB, `the heap grew by ${heap / MB} MB`);
    assert.ok(rss < 48 * MB, `RSS grew by ${rss / MB} MB`);
  });

  it('caches that nobody closed and nobody holds are collected', async () => {
    // 2,000 caches of 200 KB each would be 400 MB; with listeners and pending loads they go all the same.
    const { rss, collected, made } = await measured(async ({ MemoryCache, collectThoroughly, waitFor, say }) => {
      let gone = 0;
      const registry = new FinalizationRegistry(() => (gone += 1));
      const make = (n) => {
        const cache = new MemoryCache({ maxEntries: 100, ttlMs: n % 3 ? Infinity : 60_000 });
        if (n % 4 === 0) cache.on('set', () => {});
        for (let i = 0; i < 10; i += 1) cache.set(`k${i}`, Buffer.alloc(20_000, i));
        cache.get('k1');
        if (n % 5 === 0) cache.getOrSet('pending', () => new Promise(() => {}));
        registry.register(cache);
      };
      for (let n = 0; n < 100; n += 1) make(n);
      await collectThoroughly();
      const before = process.memoryUsage().rss;
      let most = 0;
      for (let n = 0; n < 2_000; n += 1) {
        make(n);
        if (n % 50 === 0) {
          await collectThoroughly(2);
          most = Math.max(most, process.memoryUsage().rss);
        }
      }
      await waitFor(async () => {
        await collectThoroughly();
        return gone > 2_050;
      });
      say({ rss: process.memoryUsage().rss - before, most: most - before, collected: gone, made: 2_100 });
    });
    assert.ok(collected > 0.97 * made, `${collected} of ${made} were collected`);
    assert.ok(rss < 150 * MB, `RSS grew by ${rss / MB} MB`);
  });

  it('named caches opened and closed leave nothing', async () => {
    const { rss, heap } = await measured(async ({ MemoryCache, collectThoroughly, say }) => {
      const round = (n) => {
        const name = `name ${n % 10}`;
        const handles = [1, 2, 3].map(() => new MemoryCache({ name }));
        handles[0].on('set', () => {});
        for (let i = 0; i < 10; i += 1) handles[i % 3].set(`k${i}`, { n, [`field${n % 300}`]: Buffer.alloc(10_000) });
        for (const handle of handles) {
          handle.get('k1');
          handle.close();
        }
      };
      for (let n = 0; n < 200; n += 1) round(n);
      await collectThoroughly();
      const before = process.memoryUsage();
      for (let n = 0; n < 1_500; n += 1) {
        round(n);
        if (n % 100 === 0) await collectThoroughly(1);
      }
      await collectThoroughly();
      const after = process.memoryUsage();
      say({ rss: after.rss - before.rss, heap: after.heapUsed - before.heapUsed });
    });
    assert.ok(rss < 64 * MB, `RSS grew by ${rss / MB} MB`);
    assert.ok(heap < 8 * MB, `the heap grew by ${heap / MB} MB`);
  });
});
