'use strict';

// When memory is short, caches give theirs up before the kernel takes the process. HOTPATH_MEMORY_LIMIT plays the
// container here; __test__/mechanisms/memory-flood.test.js has real ones.

const { it } = require('node:test');
const assert = require('node:assert/strict');
const { runInChild } = require('../support');

const MIB = 1024 * 1024;

it('caches shrink while memory is short, and take it back afterwards', async () => {
  const body = async ({ load, say, waitFor }) => {
    const hotpath = load();
    const MIB = 1024 * 1024;
    const fill = (cache) => {
      for (let i = 0; i < 60_000; i += 1) cache.set(`k${i}`, 'x'.repeat(1_000));
    };
    const [large, small] = [40, 10].map((maxMemoryMB) => new hotpath.MemoryCache({ maxMemoryMB, nearCache: false }));
    fill(large);
    fill(small);
    const before = { active: large.stats.memoryPressure.active, bytes: large.stats.bytes };
    // Enough to leave less than a tenth of what this process may use.
    const limit = Number(process.env.HOTPATH_MEMORY_LIMIT);
    let ballast = Buffer.alloc(Math.max(MIB, Math.ceil(0.95 * limit - process.memoryUsage.rss())), 1);
    const pressed = (cache) => cache.stats.memoryPressure.active;
    await waitFor(() => pressed(large) && pressed(small), { what: 'both to shrink' });
    // The limit falls a moment before the last entry above it goes.
    await waitFor(() => large.stats.bytes <= large.stats.maxBytes, { what: 'the bytes to follow the limit' });
    const { bytes, maxBytes, memoryPressure } = large.stats;
    say({ before, during: { bytes, maxBytes, memoryPressure, share: maxBytes / small.stats.maxBytes } });
    large.set('still', 'works');
    const alive = large.get('still') === 'works' && ballast.length > 0;
    ballast = undefined;
    global.gc();
    await waitFor(() => !pressed(large) && !pressed(small), { timeoutMs: 60_000, what: 'both to recover' });
    fill(large);
    say({ alive, after: large.stats });
    large.validate();
    small.validate();
  };
  const { code, said, stderr } = await runInChild(body, {
    nodeArgs: ['--expose-gc'],
    env: { HOTPATH_MEMORY_LIMIT: String(400 * MIB) },
  });
  assert.equal(code, 0, stderr);
  const [{ before, during }, { alive, after }] = said;
  assert.equal(before.active, false);
  assert.ok(before.bytes > 39 * MIB);
  assert.ok(during.bytes < before.bytes && during.maxBytes < 40 * MIB, JSON.stringify(during));
  assert.ok(during.maxBytes >= 4 * MIB, 'a tenth is kept');
  assert.equal(during.memoryPressure.fullMaxBytes, 40 * MIB);
  assert.ok(during.memoryPressure.shrinks > 0 && during.share > 1);
  assert.equal(alive, true);
  assert.equal(after.maxBytes, 40 * MIB);
  assert.ok(after.bytes > 39 * MIB && after.memoryPressure.recoveries >= 1, JSON.stringify(after));
});

it('maxMemory is a share of the limit', async () => {
  const body = ({ load, say }) => {
    const hotpath = load();
    say(new hotpath.MemoryCache({ maxMemory: '50%' }).stats.maxBytes);
    say(new hotpath.MemoryBudget({ maxMemory: '25%' }).stats.maxBytes);
  };
  const { said } = await runInChild(body, { env: { HOTPATH_MEMORY_LIMIT: String(512 * MIB) } });
  assert.deepEqual(said, [256 * MIB, 128 * MIB]);
});
