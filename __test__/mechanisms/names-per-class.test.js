'use strict';

// Whatever has a name shares it with its own class alone, compares only what it was given, and tells of conflicts in
// the words of its own options.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { AdvancedCacheManager, KeyvStore, MemoryCache, SessionStore } = require('../../index.js');
const { rateLimit, responseCache } = require('../../index.js');
const { uniqueName } = require('../support');

function closing(t, opened) {
  t.after(() => opened.close?.() ?? opened.disconnect?.());
  return opened;
}

describe('a MemoryCache', () => {
  const others = [
    ['KeyvStore', (name) => new KeyvStore({ name })],
    ['SessionStore', (name) => new SessionStore({ name })],
    ['rateLimit', (name) => rateLimit({ name })],
    ['responseCache', (name) => responseCache({ name })],
  ];
  for (const [kind, open] of others) {
    it(`is another one than that of a ${kind} of the same name`, (t) => {
      const name = uniqueName();
      const cache = closing(t, new MemoryCache({ name, maxMemoryMB: 3 }));
      cache.set('mine', 1);
      const other = closing(t, open(name));
      if (other.cache) assert.equal(other.cache.get('mine'), undefined);
      assert.deepEqual(cache.keys(), ['mine']);
    });
  }

  it('is shared by stores of one name and kind', async (t) => {
    const name = uniqueName();
    const [one, other] = [0, 1].map(() => closing(t, new KeyvStore({ name, maxMemoryMB: 3 })));
    await one.set('k', 'v');
    assert.equal(await other.get('k'), 'v');
  });
});

describe('conflicts', () => {
  it('name the options of the class that was asked for', (t) => {
    const name = uniqueName();
    closing(t, new AdvancedCacheManager({ name, maxSize: 5 }));
    const conflict = { name: 'HotpathConflictError', engine: name };
    const open = (options) => () => new AdvancedCacheManager({ name, ...options });
    assert.throws(open({ maxSize: 6 }), { ...conflict, option: 'maxSize', existing: 5, requested: 6 });
    assert.throws(open({ defaultTTL: 7 }), {
      ...conflict,
      option: 'defaultTTL',
      existing: 3_600_000,
      requested: 7,
    });
  });
});
