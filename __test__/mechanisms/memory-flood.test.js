'use strict';

// A flood of writes in a container: what a cache that knows its memory survives, and one that does not dies of.

const { it } = require('node:test');
const assert = require('node:assert/strict');
const { runContained } = require('../support');

const MIB = 1024 * 1024;
const MEMORY = 256 * MIB;

it('a cache with half of the container survives three times its memory in writes', async () => {
  const body = ({ load, say }) => {
    const cache = new (load().MemoryCache)({ maxMemory: '50%' });
    for (let i = 0; i < 400_000; i += 1) cache.set(`key:${i}`, { id: i, text: `${i}`.padEnd(2_000, '.') });
    cache.validate();
    say(cache.stats);
  };
  const { code, signal, said, stderr } = await runContained(body, { memoryBytes: MEMORY });
  assert.deepEqual({ code, signal }, { code: 0, signal: null }, stderr);
  const [{ bytes, memoryPressure, evictions }] = said;
  assert.equal(memoryPressure.fullMaxBytes, MEMORY / 2);
  assert.ok(bytes <= MEMORY / 2 && bytes > MEMORY / 20 && evictions > 0, JSON.stringify(said));
});

it('a cache that wants more than there is shrinks in time', async () => {
  const body = ({ load, say }) => {
    // Together with V8 and the code this is more than the container has.
    const cache = new (load().MemoryCache)({ maxMemory: '100%', nearCache: false });
    for (let i = 0; i < 400_000; i += 1) cache.set(`key:${i}`, { id: i, text: `${i}`.padEnd(2_000, '.') });
    cache.validate();
    say(cache.stats);
  };
  const { code, signal, said, stderr } = await runContained(body, { memoryBytes: MEMORY });
  assert.deepEqual({ code, signal }, { code: 0, signal: null }, stderr);
  const [{ bytes, memoryPressure }] = said;
  assert.ok(memoryPressure.shrinks > 0 && bytes > 0 && bytes < MEMORY, JSON.stringify(said));
});

it('an unbounded cache on the heap does not survive the same flood', async () => {
  const body = ({ require, say }) => {
    // Without a bound in bytes or entries it warns, and grows.
    process.removeAllListeners('warning');
    const { LRUCache } = require('lru-cache');
    const cache = new LRUCache({ ttl: 3_600_000 });
    for (let i = 0; i < 400_000; i += 1) cache.set(`key:${i}`, { id: i, text: Buffer.alloc(2_000, 46) });
    say(cache.size);
  };
  const { code, said } = await runContained(body, { memoryBytes: MEMORY });
  assert.notEqual(code, 0);
  assert.deepEqual(said, []);
});
