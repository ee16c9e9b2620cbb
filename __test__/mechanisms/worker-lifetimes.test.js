'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { openCache, uniqueName, runInWorker, runInChild } = require('../support');

const MB = 1024 * 1024;

/** A child that ended well: by itself, with code 0, and with something to say. */
function endedWell({ code, signal, said, stderr }) {
  assert.equal(signal, null, stderr);
  assert.equal(code, 0, stderr);
  assert.ok(said.length > 0, 'it said nothing');
  return said.at(-1);
}

describe('workers come and go', () => {
  it('30 workers that use everything and are terminated, exit or fail in the middle of it', {
    timeout: 120_000,
  }, async () => {
    const report = endedWell(
      await runInChild(
        async (context) => {
          const { load, startWorker, collectThoroughly, waitFor, settled, say } = context;
          const { MemoryCache } = load();
          const shared = new MemoryCache({ name: 'lifetimes', maxEntries: 500, compression: true });
          shared.on('set', () => {});
          const body = ({ MemoryCache: Cache, say: tell, dice }, round) => {
            const named = new Cache({ name: 'lifetimes' });
            const own = new Cache({ maxEntries: 50, ttlMs: 20, evictionPolicy: 'lru' });
            const random = dice(round);
            for (const cache of [named, own])
              for (const event of ['set', 'delete', 'expire', 'evict', 'clear']) cache.on(event, () => {});
            const loop = () => {
              for (let i = 0; i < 20; i += 1) {
                const key = `k${random.below(600)}`;
                for (const cache of [named, own]) {
                  cache.set(
                    key,
                    { round, i, text: 'x'.repeat(random.below(3_000)) },
                    { ttlMs: 5 + random.below(50), tags: ['t', key] },
                  );
                  cache.get(key);
                  cache.getMany([key, 'k1', 'k2']);
                  cache.increment(`n${random.below(5)}`);
                  if (random.chance(0.05)) cache.invalidateTags(['t']);
                  if (random.chance(0.05)) cache.deletePattern('k1*');
                  if (random.chance(0.02)) cache.clear();
                  // Some finish, some fail, some never end: all are under way when the thread is stopped.
                  cache
                    .getOrSet(
                      `load${random.below(20)}`,
                      () =>
                        new Promise((resolve, reject) => {
                          if (random.chance(0.3)) setImmediate(resolve, { loaded: i });
                          else if (random.chance(0.3)) setImmediate(reject, new Error('down'));
                        }),
                    )
                    .catch(() => {});
                }
              }
              setImmediate(loop);
            };
            loop();
            tell('busy');
            if (round % 3 === 1) setTimeout(() => process.exit(0), random.below(20));
            if (round % 3 === 2)
              setTimeout(() => {
                throw new Error('on purpose');
              }, random.below(20));
          };
          const run = async (round) => {
            const thread = startWorker(body, round);
            await thread.said('busy');
            shared.set(`main${round}`, { round });
            if (round % 3 === 0) await thread.terminate();
            await settled(thread.exited, { what: `worker ${round} to be gone` });
            shared.validate();
            await collectThoroughly(2);
          };
          for (let round = 0; round < 9; round += 1) await run(round);
          await collectThoroughly();
          const before = process.memoryUsage();
          for (let round = 9; round < 30; round += 1) await run(round);
          await collectThoroughly();
          const after = process.memoryUsage();
          // The process is healthy: every key of the shared cache works, even those whose loader died with its thread.
          shared.clear();
          for (let i = 0; i < 20; i += 1) await settled(shared.getOrSet(`load${i}`, () => ({ i })));
          shared.set('short', 1, 0.01);
          await waitFor(() => shared.size === 20);
          shared.validate();
          say({ size: shared.size, rss: after.rss - before.rss, heap: after.heapUsed - before.heapUsed });
        },
        { nodeArgs: ['--expose-gc'], timeoutMs: 110_000 },
      ),
    );
    assert.equal(report.size, 20);
    assert.ok(report.rss < 100 * MB, `RSS grew by ${report.rss / MB} MB over 21 workers`);
    assert.ok(report.heap < 10 * MB, `the heap grew by ${report.heap / MB} MB`);
  });

  it('the thread that loaded the addon first may leave first', async () => {
    const report = endedWell(
      await runInChild(async ({ load, runInWorker: run, waitFor, say }) => {
        for (let i = 0; i < 3; i += 1) {
          await run(({ MemoryCache }) => {
            const cache = new MemoryCache({ ttlMs: 10 });
            cache.set('k', { n: 1 });
            return cache.size;
          });
        }
        const { MemoryCache } = load();
        const cache = new MemoryCache();
        cache.set('k', { n: 1 }, 0.02);
        cache.set('stays', { n: 2 });
        await waitFor(() => cache.size === 1);
        await run(({ MemoryCache: Cache }) => new Cache().set('k', 1));
        say(cache.get('stays'));
      }),
    );
    assert.deepEqual(report, { n: 2 });
  });

  it('a process whose workers alone load the addon ends well', async () => {
    const report = endedWell(
      await runInChild(async ({ runInWorker: run, startWorker, say }) => {
        const sizes = await Promise.all(
          [1, 2, 3].map((n) =>
            run(({ MemoryCache }, size) => {
              const cache = new MemoryCache({ name: 'w' });
              for (let i = 0; i < size; i += 1) cache.set(`${size}:${i}`, i, 60);
              return cache.keys(`${size}:*`).length;
            }, n * 10),
          ),
        );
        const stuck = startWorker(({ MemoryCache, say: tell }) => {
          const cache = new MemoryCache({ name: 'w' });
          cache.on('expire', () => {});
          setInterval(() => cache.set('k', 1, 0.001), 1);
          tell('busy');
        });
        await stuck.said('busy');
        await stuck.terminate();
        say(sizes);
      }),
    );
    assert.deepEqual(report, [10, 20, 30]);
  });

  it('process.exit does not wait for workers that are busy', async () => {
    const { code, signal, stderr } = await runInChild(
      async ({ startWorker }) => {
        const busy = [1, 2].map(() =>
          startWorker(({ MemoryCache, say }) => {
            const cache = new MemoryCache({ name: 'busy', maxEntries: 100 });
            cache.getOrSet('never', () => new Promise(() => {})).catch(() => {});
            let i = 0;
            const loop = () => {
              for (let n = 0; n < 100; n += 1) cache.set(`k${(i += 1) % 500}`, { i }, 0.05);
              setImmediate(loop);
            };
            loop();
            say('busy');
          }),
        );
        await Promise.all(busy.map((thread) => thread.said('busy')));
        process.exit(7);
      },
      { timeoutMs: 30_000 },
    );
    assert.equal(signal, null, stderr);
    assert.equal(code, 7, stderr);
  });

  it('nested workers share a cache and leave in any order', async (t) => {
    const name = uniqueName('nested');
    const cache = openCache(t, { name });
    cache.set('depth 0', { from: 'main' });
    const seen = await runInWorker(async ({ MemoryCache, startWorker, runInWorker: run, settled }, shared) => {
      const mine = new MemoryCache({ name: shared });
      mine.set('depth 1', { saw: mine.get('depth 0') });
      const inner = await run(({ MemoryCache: Cache }, again) => {
        const innermost = new Cache({ name: again });
        innermost.set('depth 2', { saw: innermost.get('depth 1') });
        return innermost.size;
      }, shared);
      const stuck = startWorker(({ MemoryCache: Cache, say }, again) => {
        const innermost = new Cache({ name: again });
        innermost.getOrSet('stuck', () => new Promise(() => {})).catch(() => {});
        setInterval(() => innermost.increment('ticks'), 1);
        say('running');
      }, shared);
      await stuck.said('running');
      const waiting = mine.getOrSet('stuck', () => 'taken over');
      await stuck.terminate();
      return [inner, await settled(waiting)];
    }, name);
    assert.deepEqual(seen, [3, 'taken over']);
    assert.deepEqual(cache.get('depth 2'), { saw: { saw: { from: 'main' } } });
    assert.equal(cache.get('stuck'), 'taken over');
  });

  it('a handle is of its thread alone: it does not travel by message', async (t) => {
    const cache = openCache(t);
    cache.set('k', 1);
    let received;
    try {
      received = structuredClone(cache);
    } catch (error) {
      assert.equal(error.name, 'DataCloneError');
    }
    assert.equal(typeof received?.get, 'undefined');
    assert.equal(cache.get('k'), 1);
  });
});
