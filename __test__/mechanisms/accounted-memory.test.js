'use strict';

// The bytes that a cache says it holds are those by which the process has grown, whatever the size of its values, and
// after many of them have come and gone.

const { it } = require('node:test');
const assert = require('node:assert/strict');
const { runInChild } = require('../support');

const CASES = [
  { what: 'small values', size: 50, entries: 300_000 },
  { what: 'small values that expire', size: 50, entries: 300_000, ttlMs: 3_600_000 },
  { what: 'medium values', size: 1_024, entries: 100_000 },
  { what: 'large values', size: 100 * 1024, entries: 1_500 },
];
const TOLERANCE = 0.1;

async function grow({ MemoryCache, say, collectThoroughly, dice }, { size, entries, ttlMs }) {
  const cache = new MemoryCache({ maxBytes: 2 ** 40, nearCache: false });
  const value = Buffer.alloc(size, 1);
  const options = ttlMs === undefined ? undefined : { ttlMs };
  // What is there before the first entry: code, tables, the allocator's first pages.
  for (let i = 0; i < 50; i += 1) cache.set(`warm${i}`, value, options);
  cache.clear();
  /** The lowest of a few readings: memory that was freed goes back to the system a moment later. */
  const residentSet = async () => {
    const readings = [];
    for (let i = 0; i < 5; i += 1) {
      await collectThoroughly();
      await new Promise((resolve) => setTimeout(resolve, 20));
      readings.push(process.memoryUsage.rss());
    }
    return Math.min(...readings);
  };
  const before = await residentSet();
  const report = async (when) => say({ when, bytes: cache.stats.bytes, grown: (await residentSet()) - before });
  for (let i = 0; i < entries; i += 1) cache.set(`key:${i}`, value, options);
  await report('filled');
  const { below } = dice(5);
  for (let i = 0; i < 2 * entries; i += 1) {
    const key = `key:${below(Math.ceil(1.5 * entries))}`;
    if (i % 3 === 0) cache.delete(key);
    else cache.set(key, value, options);
  }
  await report('after churn');
  cache.validate();
}

/** Pages of others can only blur a reading: the best of a few counts. */
const ATTEMPTS = 3;

for (const { what, ...data } of CASES) {
  it(`accounts for ${what}, also after churn`, async () => {
    const complaints = [];
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { code, said, stderr } = await runInChild(grow, {
        data,
        nodeArgs: ['--expose-gc', '--max-semi-space-size=1'],
        timeoutMs: 180_000,
      });
      assert.equal(code, 0, stderr);
      const off = ({ bytes, grown }) => Math.abs(bytes / grown - 1);
      const worst = said.reduce((a, b) => (off(a) > off(b) ? a : b));
      if (off(worst) <= TOLERANCE) return;
      complaints.push(`${worst.when}: ${worst.bytes} accounted, ${worst.grown} grown`);
    }
    assert.fail(complaints.join('; '));
  });
}
