'use strict';

// Whoever applies the events of a cache to a Map of their own holds what the cache holds: nothing may come or go untold,
// twice, or in the wrong order for its key.

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { openCache, uniqueName, waitFor, settled, startWorker, snapshot, dice } = require('../support');

/** A Map that follows a handle's events. */
function follow(cache) {
  const copy = new Map();
  copy.events = 0;
  const on = (event, apply) =>
    cache.on(event, (...details) => {
      copy.events += 1;
      apply(...details);
    });
  on('set', (key, value) => copy.set(key, value));
  on('clear', () => copy.clear());
  for (const event of ['delete', 'expire', 'evict']) {
    on(event, (key, value) => {
      assert.ok(copy.has(key), `${event} of ${key}, which was not there`);
      assert.deepEqual(value, copy.get(key), `${event} of ${key} brings its last value`);
      copy.delete(key);
    });
  }
  return copy;
}

/** Nothing is left that could still expire: what has expired is swept up and told. */
function isAtRest(cache, copy) {
  const keys = cache.keys();
  return keys.length === cache.size && keys.length === copy.size && keys.every((key) => cache.getTtl(key) === Infinity);
}

const sorted = (map) => [...map].sort(([left], [right]) => (left < right ? -1 : 1));

/** One random change. Runs in workers as well, so it may use nothing from outside. */
function change(cache, random, step) {
  const key = `k${random.below(40)}`;
  const other = `k${random.below(40)}`;
  switch (random.below(14)) {
    case 0:
      return cache.delete(key);
    case 1:
      return cache.take(key);
    case 2:
      return cache.increment(`n${random.below(5)}`, 1 + random.below(9));
    case 3:
      return cache.setMany(
        [
          [key, { step }],
          [other, `many ${step}`],
        ],
        { tags: [`t${random.below(4)}`] },
      );
    case 4:
      return cache.deleteMany([key, other, 'missing']);
    case 5:
      return random.chance(0.2) ? cache.invalidateTags([`t${random.below(4)}`]) : cache.touch(key, 0.01);
    case 6:
      return random.chance(0.2) ? cache.deletePattern(`k${random.below(4)}?`) : cache.get(key);
    case 7:
      return random.chance(0.1) ? cache.clear() : cache.has(key);
    case 8:
      return cache.set(key, 'x'.repeat(random.below(3_000)));
    case 9:
      return cache.set(key, 'too large'.repeat(10_000));
    case 10:
      return cache.set(key, { step }, { ttlMs: 1 + random.below(10) });
    default:
      return cache.set(key, { step, list: [step] }, { tags: [`t${random.below(4)}`] });
  }
}

const LIMITS = { 'room for all': {}, 'few entries': { maxEntries: 15 }, 'few bytes': { maxBytes: 16_000 } };

for (const evictionPolicy of ['adaptive', 'tinylfu', 'lru']) {
  describe(`events replayed: ${evictionPolicy}`, () => {
    for (const [what, limits] of Object.entries(LIMITS)) {
      it(`${what}: both the writer’s and another handle’s give the content`, async (t) => {
        const options = {
          name: uniqueName('replay'),
          evictionPolicy,
          ...(limits.maxBytes ? {} : { maxBytes: 80_000 }),
          ...limits,
        };
        const writer = openCache(t, options);
        const witness = openCache(t, options);
        const copies = [follow(writer), follow(witness)];
        const random = dice(evictionPolicy.length + what.length);
        for (let step = 0; step < 4_000; step += 1) {
          change(writer, random, step);
          if (step % 200 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
        await waitFor(() => isAtRest(writer, copies[0]) && copies[0].events === copies[1].events, {
          what: 'both copies to settle',
        });
        assert.equal(witness.stats.eventsDropped, 0);
        const held = snapshot(writer);
        assert.ok(held.length > 0);
        for (const copy of copies) assert.deepEqual(sorted(copy), held);
        if (what !== 'room for all') assert.ok(writer.stats.evictions > 0);
        assert.ok(writer.stats.expirations > 0);
      });
    }

    it('changes from three threads at once', async (t) => {
      const options = { name: uniqueName('replay'), evictionPolicy, maxEntries: 25, maxBytes: 80_000 };
      const witness = openCache(t, options);
      const copy = follow(witness);
      const threads = [1, 2, 3].map((seed) =>
        startWorker(
          async ({ MemoryCache, dice: roll, require: load }, { options: shared, seed: mine, source }) => {
            const cache = new MemoryCache(shared);
            const random = roll(mine);
            const act = load('node:vm').runInThisContext(`(${source})`);
            for (let step = 0; step < 3_000; step += 1) {
              act(cache, random, `${mine}:${step}`);
              if (step % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
            }
          },
          { options, seed, source: String(change) },
        ),
      );
      for (const { result, exited } of threads) {
        await settled(result, { timeoutMs: 60_000 });
        await settled(exited);
      }
      await waitFor(() => isAtRest(witness, copy), { what: 'the copy to settle' });
      assert.equal(witness.stats.eventsDropped, 0);
      assert.ok(copy.events > 5_000);
      assert.deepEqual(sorted(copy), snapshot(witness));
    });
  });
}
