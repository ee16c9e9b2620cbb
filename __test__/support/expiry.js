'use strict';

const assert = require('node:assert/strict');
const { performance } = require('node:perf_hooks');
const { waitFor } = require('./wait');

/**
 * Looks until the entry is gone, and fails if it was gone at any moment before its time. `from` is read before the
 * entry's clock started and the present after the look, so a correct cache cannot fail however slow the machine is.
 */
async function goneNotBefore(lifetimeMs, from, isThere) {
  await waitFor(
    () => {
      const there = isThere();
      const age = performance.now() - from;
      if (!there) assert.ok(age >= lifetimeMs, `gone after ${age} ms; it had ${lifetimeMs}`);
      return !there;
    },
    { what: `an entry of ${lifetimeMs} ms to leave` },
  );
}

module.exports = { goneNotBefore };
