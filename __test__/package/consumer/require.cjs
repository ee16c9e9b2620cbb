'use strict';

const assert = require('node:assert/strict');
const { HotpathClosedError, MemoryCache } = require('hotpath');

assert.equal(require('hotpath/cache').MemoryCache, MemoryCache);
const cache = new MemoryCache({ maxEntries: 10 });
cache.set('key', { when: new Date(0) });
assert.deepEqual(cache.get('key'), { when: new Date(0) });
cache.close();
assert.throws(() => cache.get('key'), HotpathClosedError);
