'use strict';

// How often the public cache has what is asked for, on real traces; the tests of Rust compare more, see
// src/engine/cache/memory/tests/hit_ratio.rs. Every process hashes keys in its own way, so the ratios differ a little.

const test = require('node:test');
const assert = require('node:assert/strict');
const { openCache } = require('../support');
const { readTrace, hitRatio } = require('../../benchmark/workload/traces.js');

/** The best of plain LRU, moka held to its capacity and quick_cache: percent of hits, as measured on their own. */
const BEST_OF_PEERS = [
  ['web07', 75, 31.97],
  ['web07', 300, 44.18],
  ['web07', 1200, 54.66],
  ['multi2', 600, 51.21],
  ['multi2', 1200, 59.62],
  ['sprite', 200, 48.66],
  ['sprite', 800, 88.55],
];
const SLACK = 0.5;
/** A short trace is half a point better in one round than in another: it gets more of them. */
const ACCESSES = 200_000;

/** @param {number[]} numbers */
const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

for (const nearCache of [false, true]) {
  for (const [name, capacity, best] of BEST_OF_PEERS) {
    test(`${name} at ${capacity}, near cache ${nearCache ? 'on' : 'off'}: as many hits as the best peer`, (t) => {
      const trace = readTrace(name);
      const rounds = Math.ceil(ACCESSES / trace.length);
      const ratios = Array.from({ length: rounds }, (_, round) => {
        const cache = openCache(t, { maxEntries: capacity, nearCache });
        const ratio = hitRatio(cache, trace, {
          keyOf: (number) => `${round}:${number}`,
          afterWrite: () => assert.ok(cache.size <= capacity, `${cache.size} entries`),
        });
        cache.validate();
        assert.equal(Math.round(cache.stats.hitRatio * 1e6), Math.round(ratio * 1e4), 'stats count the same hits');
        return ratio;
      });
      assert.ok(mean(ratios) >= best - SLACK, `${mean(ratios).toFixed(2)} % of hits, peers have ${best} %`);
    });
  }
}
