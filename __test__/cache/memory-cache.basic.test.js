'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { EventEmitter } = require('node:events');
const { MemoryCache } = require('../..');
const { openCache, uniqueName, snapshot, errors } = require('../support');

describe('MemoryCache: one key', () => {
  it('gives back what was set, and undefined for what was not', (t) => {
    const cache = openCache(t);
    assert.equal(cache.get('missing'), undefined);
    assert.equal(cache.set('answer', 42), true);
    assert.equal(cache.get('answer'), 42);
    assert.equal(cache.set('answer', { is: [42] }), true);
    assert.deepEqual(cache.get('answer'), { is: [42] });
    assert.equal(cache.size, 1);
  });

  it('put is set', (t) => {
    const cache = openCache(t);
    assert.equal(cache.put('a', 'value', 60), true);
    assert.equal(cache.get('a'), 'value');
    const left = cache.getTtl('a');
    assert.ok(left > 0 && left <= 60_000, `remaining ${left}`);
  });

  it('tells a stored undefined from a missing key', (t) => {
    const cache = openCache(t);
    assert.equal(cache.set('nothing'), true);
    assert.equal(cache.get('nothing'), undefined);
    assert.equal(cache.has('nothing'), true);
    assert.equal(cache.has('missing'), false);
    assert.equal(cache.size, 1);
    assert.equal(cache.delete('nothing'), true);
    assert.equal(cache.has('nothing'), false);
  });

  it('peek reads without counting', (t) => {
    const cache = openCache(t);
    cache.set('a', { deep: true });
    assert.deepEqual(cache.peek('a'), { deep: true });
    assert.equal(cache.peek('missing'), undefined);
    assert.equal(cache.stats.hits, 0);
    assert.equal(cache.stats.misses, 0);
  });

  it('delete and del say whether there was something to delete', (t) => {
    const cache = openCache(t);
    cache.set('a', 1);
    cache.set('b', 2);
    assert.equal(cache.delete('a'), true);
    assert.equal(cache.delete('a'), false);
    assert.equal(cache.get('a'), undefined);
    assert.equal(cache.del('b'), true);
    assert.equal(cache.del('b'), false);
    assert.equal(cache.size, 0);
  });

  it('take gives the value once', (t) => {
    const cache = openCache(t);
    cache.set('token', { id: 7 });
    assert.deepEqual(cache.take('token'), { id: 7 });
    assert.equal(cache.take('token'), undefined);
    assert.equal(cache.has('token'), false);
    assert.equal(cache.size, 0);
  });

  it('getTtl is in milliseconds, Infinity without expiry, undefined without entry', (t) => {
    const cache = openCache(t);
    cache.set('for ever', 1);
    cache.set('a minute', 1, 60);
    assert.equal(cache.getTtl('for ever'), Infinity);
    assert.equal(cache.getTtl('missing'), undefined);
    const left = cache.getTtl('a minute');
    assert.ok(left > 1_000 && left <= 60_000, `remaining ${left}`);
  });

  it('touch restarts the expiry and keeps the value', (t) => {
    const cache = openCache(t);
    cache.set('a', 'kept');
    assert.equal(cache.touch('a', 30), true);
    assert.ok(cache.getTtl('a') <= 30_000);
    assert.equal(cache.touch('a', { ttlMs: 90_000 }), true);
    assert.ok(cache.getTtl('a') > 30_000);
    assert.equal(cache.touch('a', Infinity), true);
    assert.equal(cache.getTtl('a'), Infinity);
    assert.equal(cache.touch('missing', 30), false);
    assert.equal(cache.has('missing'), false);
    assert.equal(cache.get('a'), 'kept');
  });
});

describe('MemoryCache: getBytes', () => {
  it('gives bytes as they are, text as UTF-8, and the rest as JSON', (t) => {
    const cache = openCache(t);
    cache.set('buffer', Buffer.from([0, 255, 128]));
    cache.set('bytes', new Uint8Array([1, 2, 3]));
    cache.set('text', 'žlutý kůň 🐎 é');
    cache.set('latin', 'é');
    cache.set('lone', '\ud800');
    cache.set('empty', '');
    cache.set('object', { id: 1, list: ['é', null], when: new Date(0) });
    cache.set('number', 1.5);
    cache.set('boolean', false);
    cache.set('null', null);
    assert.equal(cache.getBytes('missing'), undefined);
    const expected = {
      buffer: Buffer.from([0, 255, 128]),
      bytes: Buffer.from([1, 2, 3]),
      text: Buffer.from('žlutý kůň 🐎 é'),
      latin: Buffer.from('é'),
      lone: Buffer.from('\ud800'),
      empty: Buffer.alloc(0),
      object: Buffer.from('{"id":1,"list":["é",null],"when":"1970-01-01T00:00:00.000Z"}'),
      number: Buffer.from('1.5'),
      boolean: Buffer.from('false'),
      null: Buffer.from('null'),
    };
    for (const [key, bytes] of Object.entries(expected)) {
      const got = cache.getBytes(key);
      assert.ok(Buffer.isBuffer(got), `${key} is a Buffer`);
      assert.deepEqual(got, bytes, key);
    }
  });

  it('hands out bytes that are nobody else’s', (t) => {
    for (const length of [3, 20_000]) {
      const cache = openCache(t, { clone: true });
      cache.set('b', Buffer.alloc(length, 7));
      cache.getBytes('b').fill(1);
      assert.deepEqual(cache.getBytes('b'), Buffer.alloc(length, 7));
      assert.deepEqual(cache.get('b'), Buffer.alloc(length, 7));
    }
  });
});

describe('MemoryCache: the whole cache', () => {
  it('lists keys and entries', (t) => {
    const cache = openCache(t);
    assert.deepEqual(cache.keys(), []);
    assert.deepEqual([...cache.entries()], []);
    cache.set('b', { n: 2 });
    cache.set('a', 1);
    assert.deepEqual(cache.keys().sort(), ['a', 'b']);
    assert.deepEqual(snapshot(cache), [
      ['a', 1],
      ['b', { n: 2 }],
    ]);
    assert.deepEqual(
      new Map(cache),
      new Map([
        ['a', 1],
        ['b', { n: 2 }],
      ]),
    );
    assert.equal(MemoryCache.prototype[Symbol.iterator], MemoryCache.prototype.entries);
    assert.equal(cache.size, 2);
  });

  it('entries is an iterator over a snapshot of the keys, and skips what is gone', (t) => {
    const cache = openCache(t);
    for (const key of ['a', 'b', 'c', 'd']) cache.set(key, key);
    const iterator = cache.entries();
    assert.equal(typeof iterator.next, 'function');
    assert.equal(iterator[Symbol.iterator](), iterator);
    const seen = [iterator.next().value[0]];
    for (const key of ['a', 'b', 'c', 'd'].filter((key) => key !== seen[0]).slice(0, 2)) cache.delete(key);
    cache.set('late', 'late');
    for (const [key] of iterator) seen.push(key);
    assert.equal(seen.length, 2);
    assert.ok(!seen.includes('late'));
    assert.deepEqual(iterator.next(), { value: undefined, done: true });
  });

  it('entries and keys count as no access', (t) => {
    const cache = openCache(t);
    cache.set('a', 1);
    assert.equal([...cache.entries(), ...cache.keys()].length, 2);
    assert.equal(cache.stats.hits + cache.stats.misses, 0);
  });

  it('clear empties it, and it goes on working', (t) => {
    const cache = openCache(t);
    for (let i = 0; i < 100; i += 1) cache.set(`k${i}`, { i });
    assert.deepEqual(cache.get('k5'), { i: 5 });
    cache.clear();
    assert.equal(cache.size, 0);
    assert.deepEqual(cache.keys(), []);
    assert.equal(cache.get('k5'), undefined);
    assert.equal(cache.stats.bytes >= 0, true);
    cache.validate();
    cache.set('k5', 'again');
    assert.equal(cache.get('k5'), 'again');
  });

  it('is an EventEmitter with a name or none', (t) => {
    const name = uniqueName();
    assert.ok(openCache(t) instanceof EventEmitter);
    assert.equal(openCache(t, { name }).name, name);
    assert.equal(openCache(t).name, undefined);
  });

  it('close is final and may be repeated', () => {
    const cache = new MemoryCache();
    cache.set('a', 1);
    assert.equal(cache.closed, false);
    cache.close();
    assert.equal(cache.closed, true);
    cache.close();
    assert.equal(cache.closed, true);
    assert.throws(() => cache.get('a'), errors.closed);
    assert.equal(cache.name, undefined);
  });

  it('is disposable', () => {
    const cache = new MemoryCache();
    cache[Symbol.dispose]();
    assert.equal(cache.closed, true);
    cache[Symbol.dispose]();
  });
});
