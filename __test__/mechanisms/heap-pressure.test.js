'use strict';

// The near cache is a guest on the JavaScript heap: it leaves when the heap is needed, and comes back afterwards.

const { it } = require('node:test');
const assert = require('node:assert/strict');
const { runInChild } = require('../support');

it('the near cache gives the heap back when it is nearly full, and grows again', async () => {
  const body = async ({ MemoryCache, require, say, waitFor, collectGarbage }) => {
    const v8 = require('node:v8');
    const cache = new MemoryCache({ nearCache: { maxEntries: 16_384, maxBytes: 1e9 } });
    for (let id = 0; id < 10_000; id += 1) cache.set(`k${id}`, { id, text: 'x'.repeat(50) });
    const read = () => {
      for (let id = 0; id < 10_000; id += 1) if (cache.get(`k${id}`).id !== id) throw new Error(`k${id}`);
      return cache.stats.nearEntries;
    };
    await waitFor(() => read() === 10_000, { what: 'all to be near' });
    say(cache.stats.nearEntries);

    const ballast = [];
    const share = () => {
      const { used_heap_size: used, heap_size_limit: limit } = v8.getHeapStatistics();
      return used / limit;
    };
    while (share() < 0.88) ballast.push(Array.from({ length: 10_000 }, (_, index) => ({ index })));
    await waitFor(() => read() < 1_000, { what: 'the near cache to shrink' });
    say(cache.stats.nearEntries);
    say(ballast.length > 0);

    ballast.length = 0;
    collectGarbage();
    await waitFor(() => read() === 10_000, { what: 'the near cache to grow again' });
    say(cache.stats.nearEntries);
    cache.validate();
  };
  const { code, said, stderr } = await runInChild(body, {
    nodeArgs: ['--expose-gc', '--max-old-space-size=200', '--max-semi-space-size=1'],
  });
  assert.equal(code, 0, stderr);
  const [before, during, , after] = said;
  assert.equal(before, 10_000);
  assert.ok(during < 1_000, `${during} during the shortage`);
  assert.equal(after, 10_000);
});
