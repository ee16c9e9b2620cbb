'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { openCache, recordEvents, waitFor, runInChild } = require('../support');

describe('MemoryCache events', () => {
  it('tell of every own operation before it returns, in order', (t) => {
    const cache = openCache(t);
    const log = recordEvents(cache);
    const steps = [
      [() => cache.set('a', { n: 1 }), [['set', 'a', { n: 1 }]]],
      [() => cache.put('b', 'text'), [['set', 'b', 'text']]],
      [() => cache.set('a', { n: 2 }), [['set', 'a', { n: 2 }]]],
      [() => cache.get('a'), []],
      [() => cache.has('a'), []],
      [() => cache.touch('a', 60), []],
      [() => cache.delete('a'), [['delete', 'a', { n: 2 }]]],
      [() => cache.delete('a'), []],
      [() => cache.take('b'), [['delete', 'b', 'text']]],
      [() => cache.take('b'), []],
      [() => cache.increment('n', 5), [['set', 'n', 5]]],
      [() => cache.increment('n'), [['set', 'n', 6]]],
      [() => cache.set('u', undefined), [['set', 'u', undefined]]],
      [() => cache.del('u'), [['delete', 'u', undefined]]],
      [
        () =>
          cache.setMany([
            ['x', 1],
            ['y', 2],
          ]),
        [
          ['set', 'x', 1],
          ['set', 'y', 2],
        ],
      ],
      [() => cache.clear(), [['clear']]],
    ];
    for (const [step, expected] of steps) {
      log.length = 0;
      step();
      assert.deepEqual(log, expected, String(step));
    }
  });

  it('a loaded value is a set', async (t) => {
    const cache = openCache(t);
    const log = recordEvents(cache);
    await cache.getOrSet('k', () => ({ n: 1 }));
    await cache.getOrSet('k', () => ({ n: 2 }));
    await waitFor(() => log.length > 0);
    assert.deepEqual(log, [['set', 'k', { n: 1 }]]);
  });

  it('evictions are told with what was evicted', (t) => {
    const cache = openCache(t, { maxEntries: 2, evictionPolicy: 'lru', nearCache: false });
    const log = recordEvents(cache);
    cache.set('a', { n: 1 });
    cache.set('b', 2);
    cache.set('c', 3);
    assert.deepEqual(
      log.filter(([event]) => event === 'evict'),
      [['evict', 'a', { n: 1 }]],
    );
    assert.equal(log.length, 4);
    cache.resize({ maxEntries: 1 });
    assert.equal(log.length, 5);
    const [kept] = cache.keys();
    assert.deepEqual(log.at(-1), kept === 'c' ? ['evict', 'b', 2] : ['evict', 'c', 3]);
  });

  it('expiry is told without anyone asking', async (t) => {
    const cache = openCache(t);
    const log = recordEvents(cache);
    cache.set('k', { n: 1 }, 0.02);
    await waitFor(() => log.length === 2);
    assert.deepEqual(log, [
      ['set', 'k', { n: 1 }],
      ['expire', 'k', { n: 1 }],
    ]);
    assert.equal(cache.delete('k'), false);
    assert.equal(log.length, 2);
  });

  it('are told to every kind of listener, and to none that left', (t) => {
    const cache = openCache(t);
    const heard = [];
    const listener = (key) => heard.push(`on ${key}`);
    cache.set('before', 1);
    cache.on('set', listener);
    cache.once('set', (key) => heard.push(`once ${key}`));
    cache.prependListener('set', (key) => heard.push(`first ${key}`));
    cache.set('1', 1);
    assert.deepEqual(heard.splice(0), ['first 1', 'on 1', 'once 1']);
    cache.off('set', listener);
    cache.set('2', 1);
    assert.deepEqual(heard.splice(0), ['first 2']);
    cache.removeAllListeners();
    cache.set('3', 1);
    cache.delete('3');
    assert.deepEqual(heard, []);
    cache.addListener('set', listener);
    cache.prependOnceListener('delete', (key) => heard.push(`deleted ${key}`));
    cache.set('4', 1);
    cache.delete('4');
    assert.deepEqual(heard, ['on 4', 'deleted 4']);
    assert.equal(cache.listenerCount('set'), 1);
    assert.deepEqual(cache.eventNames(), ['set']);
  });

  it('do not nest: what a listener changes is told after what it was told of, and before the outer call returns', (t) => {
    const cache = openCache(t);
    const heard = [];
    cache.on('set', (key) => {
      heard.push(`first ${key}`);
      if (key === 'a') cache.set('b', 1);
      if (key === 'b') cache.delete('a');
    });
    cache.on('set', (key) => heard.push(`second ${key}`));
    cache.on('delete', (key) => heard.push(`deleted ${key}`));
    cache.set('a', 1);
    assert.deepEqual(heard, ['first a', 'second a', 'first b', 'second b', 'deleted a']);
    assert.deepEqual(cache.keys(), ['b']);
  });

  it('call the listener with the cache as this', (t) => {
    const cache = openCache(t);
    let self;
    cache.on('set', function listener() {
      self = this;
    });
    cache.set('k', 1);
    assert.equal(self, cache);
  });

  it('give values of their own: a listener cannot change what is stored', (t) => {
    for (const options of [{ nearCache: false }, { clone: true }]) {
      const cache = openCache(t, options);
      cache.on('set', (_key, value) => value.list.push('mutation'));
      const mine = { list: [1] };
      cache.set('k', mine);
      assert.deepEqual(cache.get('k'), { list: [1] });
      assert.deepEqual(mine, { list: [1] });
    }
  });

  it('leave the emitter to its owner otherwise', (t) => {
    const cache = openCache(t);
    const heard = [];
    cache.on('custom', (...details) => heard.push(details));
    assert.equal(cache.emit('custom', 1, 2), true);
    assert.deepEqual(heard, [[1, 2]]);
    assert.throws(() => cache.emit('error', new Error('unheard')), { message: 'unheard' });
  });

  it('stop at close', async (t) => {
    const cache = openCache(t);
    const log = recordEvents(cache);
    cache.set('k', 1, 0.02);
    cache.close();
    const witness = openCache(t);
    witness.set('k', 1, 0.06);
    await waitFor(() => witness.size === 0);
    assert.deepEqual(log, [['set', 'k', 1]]);
  });
});

describe('a listener that throws', () => {
  it('surfaces as an uncaught exception; the operation, the other events and the cache are unharmed', async () => {
    const { code, said, stderr } = await runInChild(async ({ MemoryCache, waitFor, turnOfTheLoop, say }) => {
      const caught = [];
      process.on('uncaughtException', (error) => caught.push(error.message));
      const cache = new MemoryCache({ maxEntries: 3, evictionPolicy: 'lru' });
      const heard = [];
      for (const event of ['set', 'delete', 'expire', 'evict', 'clear']) {
        cache.on(event, (key) => {
          heard.push(key === undefined ? event : `${event} ${key}`);
          throw new Error(`${event} listener`);
        });
      }
      const results = [
        cache.set('a', 1),
        caught.length,
        cache.setMany({ b: 2, c: 3 }),
        cache.get('a'),
        cache.delete('a'),
        cache.increment('n', 4),
      ];
      cache.set('short', 1, 0.02);
      results.push(cache.size);
      await waitFor(() => heard.includes('expire short'));
      cache.clear();
      results.push(cache.size, await cache.getOrSet('loaded', () => 'value'));
      cache.validate();
      await turnOfTheLoop();
      await waitFor(() => caught.length === heard.length);
      say({ results, heard, caught });
    });
    assert.equal(code, 0, stderr);
    const [{ results, heard, caught }] = said;
    assert.deepEqual(results, [true, 0, 2, 1, true, 4, 3, 0, 'value']);
    assert.deepEqual(
      heard,
      [
        'set a',
        'set b',
        'set c',
        'delete a',
        'set n',
        'set short',
        'evict b',
        'expire short',
        'clear',
        'set loaded',
      ].sort((left, right) => heard.indexOf(left) - heard.indexOf(right)),
    );
    assert.deepEqual([...caught].sort(), heard.map((entry) => `${entry.split(' ')[0]} listener`).sort());
  });

  it('ends a process that handles no uncaught exception', async () => {
    const { code, stderr } = await runInChild(({ MemoryCache }) => {
      const cache = new MemoryCache();
      cache.on('set', () => {
        throw new Error('nobody catches this');
      });
      cache.set('k', 1);
    });
    assert.equal(code, 1);
    assert.match(stderr, /nobody catches this/);
  });
});
