'use strict';

const { waitFor } = require('./wait');

// Tiers for tests: a Map behind the methods of a cache, and one that fails on demand.

/** What users write around a Map: asynchronous, with seconds that it remembers and does not heed. */
class MapTier {
  entries = new Map();
  /** Every call, as [method, ...arguments]. */
  calls = [];

  async get(key) {
    this.calls.push(['get', key]);
    return this.entries.get(key);
  }

  async set(key, value, ttl) {
    this.calls.push(['set', key, value, ttl]);
    this.entries.set(key, value);
  }

  async delete(key) {
    this.calls.push(['delete', key]);
    return this.entries.delete(key);
  }

  async clear() {
    this.calls.push(['clear']);
    this.entries.clear();
  }

  keys() {
    this.calls.push(['keys']);
    return this.entries.keys();
  }

  /** The arguments of the calls of one method. */
  callsOf(method) {
    return this.calls.filter(([name]) => name === method).map(([, ...args]) => args);
  }
}

/** The same with `put`, and null for a miss. */
class NullTier extends MapTier {
  async get(key) {
    return (await super.get(key)) ?? null;
  }
}

/** A tier that can be told to throw, to hang, or to be slow, and that counts what it was asked. */
class FaultyTier extends MapTier {
  /** undefined, an Error to throw, or a promise to wait for first. */
  fault;

  async #fail() {
    if (this.fault instanceof Error) throw this.fault;
    await this.fault;
  }

  async get(key) {
    await this.#fail();
    return super.get(key);
  }

  async set(key, value, ttl) {
    await this.#fail();
    return super.set(key, value, ttl);
  }

  async delete(key) {
    await this.#fail();
    return super.delete(key);
  }

  async clear() {
    await this.#fail();
    return super.clear();
  }

  async keys() {
    await this.#fail();
    return super.keys();
  }
}

/** A multi-level cache that is closed when the test ends, and what it was made of. */
function openLevels(t, options = {}) {
  const { MemoryCache, MultiLevelCache } = require('../..');
  const { l1Cache = new MemoryCache(), l2Cache = new MapTier(), ...rest } = options;
  const cache = new MultiLevelCache({ l1Cache, l2Cache, ...rest });
  t.after(async () => {
    await cache.close();
    if (l1Cache instanceof MemoryCache && !l1Cache.closed) {
      l1Cache.validate();
      l1Cache.close();
    }
  });
  return { cache, l1: l1Cache, l2: l2Cache, l3: rest.l3Cache };
}

/**
 * Listens for one event from now on; the function that it gives waits for it. Listeners alone keep no process alive,
 * polling does.
 */
function hear(cache, event) {
  const heard = [];
  cache.once(event, (value) => heard.push(value));
  return async () => {
    await waitFor(() => heard.length > 0, { what: `the event ${event}` });
    return heard[0];
  };
}

module.exports = { hear, MapTier, NullTier, FaultyTier, openLevels };
