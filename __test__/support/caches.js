'use strict';

const { threadId } = require('node:worker_threads');

const EVENTS = ['set', 'delete', 'expire', 'evict', 'clear'];
let counter = 0;

/** A cache that is recounted and closed when the test ends: every test so ends in a check of the native counters. */
function openCache(t, options) {
  const { MemoryCache } = require('../..');
  const cache = new MemoryCache(options);
  t.after(() => {
    if (cache.closed) return;
    cache.validate();
    cache.close();
  });
  return cache;
}

/** A name no other test of this process uses: named caches outlive a test that forgets to close one. */
function uniqueName(label = 'cache') {
  counter += 1;
  return `${label}-${process.pid}-${threadId}-${counter}`;
}

/** Everything the handle emits, in order, as [event, ...arguments]. */
function recordEvents(cache, names = EVENTS) {
  const log = [];
  for (const name of names) cache.on(name, (...details) => log.push([name, ...details]));
  return log;
}

/** The whole content in a comparable form, without touching recency or statistics. */
function snapshot(cache) {
  return [...cache.entries()].sort(([left], [right]) => (left < right ? -1 : 1));
}

module.exports = { openCache, uniqueName, recordEvents, snapshot, EVENTS };
