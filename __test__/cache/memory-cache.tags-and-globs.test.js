'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { openCache, recordEvents, waitFor, errors } = require('../support');

describe('MemoryCache tags', () => {
  it('invalidate every entry that has one of them, once', (t) => {
    const cache = openCache(t);
    cache.set('a', 1, { tags: ['red'] });
    cache.set('b', 2, { tags: ['red', 'blue'] });
    cache.set('c', 3, { tags: ['blue', 'blue'] });
    cache.set('d', 4, { tags: [] });
    cache.set('e', 5);
    assert.equal(cache.invalidateTags('nothing has this'), 0);
    assert.equal(cache.invalidateTags([]), 0);
    assert.equal(cache.invalidateTags(['red', 'blue', 'red']), 3);
    assert.deepEqual(cache.keys().sort(), ['d', 'e']);
    assert.equal(cache.invalidateTags(['red', 'blue']), 0);
  });

  it('belong to the value: a new one brings its own', (t) => {
    const cache = openCache(t);
    cache.set('a', 1, { tags: ['old'] });
    cache.set('a', 2, { tags: ['new'] });
    cache.set('b', 1, { tags: ['old'] });
    cache.set('b', 2);
    cache.set('c', 1, { tags: ['old'] });
    cache.delete('c');
    cache.set('c', 2);
    assert.equal(cache.invalidateTags('old'), 0);
    assert.equal(cache.invalidateTags('new'), 1);
    assert.deepEqual(cache.keys().sort(), ['b', 'c']);
  });

  it('stay through touch and increment', (t) => {
    const cache = openCache(t);
    cache.set('n', 1, { tags: ['kept'] });
    cache.increment('n', 5);
    cache.touch('n', 60);
    cache.increment('created', 1, { tags: ['kept'] });
    cache.increment('created', 1, { tags: ['ignored: it exists'] });
    assert.equal(cache.invalidateTags('ignored: it exists'), 0);
    assert.equal(cache.invalidateTags('kept'), 2);
    assert.equal(cache.size, 0);
  });

  it('come with a loaded value, too', async (t) => {
    const cache = openCache(t);
    await cache.getOrSet('k', () => 1, { tags: ['loaded'] });
    assert.equal(cache.invalidateTags(['loaded']), 1);
    assert.equal(cache.has('k'), false);
  });

  it('may be any strings, kept apart', (t) => {
    const cache = openCache(t);
    const tags = [
      '',
      ' ',
      '\0',
      'a\0',
      'a',
      '\ud800',
      '\ud801',
      '\ufffd',
      'x\ud800',
      'x\ufffd',
      '😀',
      '\u00e9',
      'e\u0301',
      '__proto__',
      'constructor',
      't'.repeat(10_000),
    ];
    tags.forEach((tag, index) => cache.set(`k${index}`, index, { tags: [tag] }));
    tags.forEach((tag, index) => {
      assert.equal(cache.invalidateTags(tag), 1, JSON.stringify(tag.slice(0, 10)));
      assert.equal(cache.has(`k${index}`), false);
    });
  });

  it('raise a delete event for each entry', (t) => {
    const cache = openCache(t);
    cache.set('a', { n: 1 }, { tags: ['t'] });
    cache.set('b', 2, { tags: ['t'] });
    cache.set('c', 3);
    const log = recordEvents(cache);
    cache.invalidateTags('t');
    assert.deepEqual(log.sort(), [
      ['delete', 'a', { n: 1 }],
      ['delete', 'b', 2],
    ]);
  });

  it('forget entries that left by themselves', async (t) => {
    const cache = openCache(t);
    cache.set('short', 1, { ttlMs: 20, tags: ['t'] });
    cache.set('long', 1, { tags: ['t'] });
    await waitFor(() => cache.size === 1);
    assert.equal(cache.invalidateTags('t'), 1);
    const small = openCache(t, { maxEntries: 10, evictionPolicy: 'lru' });
    for (let i = 0; i < 100; i += 1) small.set(`k${i}`, i, { tags: ['t', `own${i}`] });
    assert.equal(small.invalidateTags('t'), 10);
    assert.equal(small.size, 0);
    small.set('k', 1, { tags: ['t'] });
    small.clear();
    assert.equal(small.invalidateTags('t'), 0);
  });

  it('many entries, many tags', (t) => {
    const cache = openCache(t);
    for (let i = 0; i < 5_000; i += 1) cache.set(`k${i}`, i, { tags: [`mod${i % 10}`, `third${i % 3}`] });
    assert.equal(cache.invalidateTags('mod3'), 500);
    assert.equal(cache.size, 4_500);
    const left = Array.from({ length: 5_000 }, (_, i) => i).filter((i) => i % 10 !== 3);
    assert.equal(cache.invalidateTags(['third0', 'mod4']), left.filter((i) => i % 3 === 0 || i % 10 === 4).length);
  });

  it('refuse what is not a string or a list of strings', (t) => {
    const cache = openCache(t);
    for (const wrong of [undefined, null, 5, { tag: 1 }, [1], ['a', null]])
      assert.throws(() => cache.invalidateTags(wrong), errors.invalidType('tag'));
    for (const wrong of ['t', 5, null, {}, [1], [undefined]]) {
      assert.throws(() => cache.set('k', 1, { tags: wrong }), errors.invalidType('tags'));
    }
    assert.equal(cache.size, 0);
  });
});

const KEYS = [
  '',
  'a',
  'b',
  'ab',
  'abc',
  'user:1',
  'user:2',
  'user:10',
  'user:1:posts',
  'a.b',
  'a+b',
  'a*b',
  'a?b',
  '[a]',
  'a]',
  '-',
  '^',
  '!',
  'A',
  'é',
  'Ω',
  'line\nbreak',
  'nul\0byte',
  'back\\slash',
  '\ud800',
  '$1',
  '(x)',
  'a|b',
  'path/to/file',
  '7',
];

const MATCHES = {
  '*': KEYS,
  '**': KEYS,
  '': [''],
  '?': ['a', 'b', '-', '^', '!', 'A', 'é', 'Ω', '\ud800', '7'],
  '??': ['ab', 'a]', '$1'],
  a: ['a'],
  'a*': ['a', 'ab', 'abc', 'a.b', 'a+b', 'a*b', 'a?b', 'a]', 'a|b'],
  '*b': ['b', 'ab', 'a.b', 'a+b', 'a*b', 'a?b', 'a|b'],
  'a?b': ['a.b', 'a+b', 'a*b', 'a?b', 'a|b'],
  'a\\?b': ['a?b'],
  'a\\*b': ['a*b'],
  '\\[a\\]': ['[a]'],
  'back\\\\slash': ['back\\slash'],
  'a.b': ['a.b'],
  'a+b': ['a+b'],
  'a|b': ['a|b'],
  '(x)': ['(x)'],
  $1: ['$1'],
  '^': ['^'],
  '[ab]': ['a', 'b'],
  '[a-z]': ['a', 'b'],
  '[A-Z]': ['A'],
  '[!a-z]': ['-', '^', '!', 'A', 'é', 'Ω', '\ud800', '7'],
  '[^a-zA-Z]': ['-', '^', '!', 'é', 'Ω', '\ud800', '7'],
  '[0-9]': ['7'],
  '[é-Ω]': ['é', 'Ω'],
  'user:*': ['user:1', 'user:2', 'user:10', 'user:1:posts'],
  'user:?': ['user:1', 'user:2'],
  'user:[0-9]*': ['user:1', 'user:2', 'user:10', 'user:1:posts'],
  'user:*:posts': ['user:1:posts'],
  '*:*': ['user:1', 'user:2', 'user:10', 'user:1:posts'],
  user: [],
  'ser:1': [],
  '*/*': ['path/to/file'],
  'line*break': ['line\nbreak'],
  'line?break': ['line\nbreak'],
  'nul\0*': ['nul\0byte'],
  '*\0*': ['nul\0byte'],
};

describe('MemoryCache globs', () => {
  for (const [glob, expected] of Object.entries(MATCHES)) {
    it(`${JSON.stringify(glob)} matches whole keys`, (t) => {
      const cache = openCache(t);
      cache.setMany(KEYS.map((key) => [key, key]));
      assert.deepEqual(cache.keys(glob).sort(), [...expected].sort());
      assert.equal(cache.deletePattern(glob), expected.length);
      assert.deepEqual(cache.keys().sort(), KEYS.filter((key) => !expected.includes(key)).sort());
      assert.equal(cache.deletePattern(glob), 0);
    });
  }

  it('? is one character, also where UTF-16 needs two units', (t) => {
    const cache = openCache(t);
    cache.setMany([
      ['x😀y', 1],
      ['xéy', 2],
      ['x中y', 3],
    ]);
    assert.deepEqual(cache.keys('x?y').sort(), ['xéy', 'x中y', 'x😀y'].sort());
    assert.deepEqual(cache.keys('x[😀]y'), ['x😀y']);
  });

  it('raise a delete event for each key, and void near copies', (t) => {
    const cache = openCache(t);
    cache.setMany({ 'a:1': { n: 1 }, 'a:2': { n: 2 }, 'b:1': { n: 3 } });
    cache.getMany(['a:1', 'a:2', 'b:1']);
    const log = recordEvents(cache);
    assert.equal(cache.deletePattern('a:*'), 2);
    assert.deepEqual(log.sort(), [
      ['delete', 'a:1', { n: 1 }],
      ['delete', 'a:2', { n: 2 }],
    ]);
    assert.deepEqual(cache.getMany(['a:1', 'a:2', 'b:1']), [undefined, undefined, { n: 3 }]);
  });

  it('take no exponential time over a hostile pattern', { timeout: 30_000 }, (t) => {
    const cache = openCache(t);
    cache.set('a'.repeat(5_000), 1);
    assert.deepEqual(cache.keys(`${'a*'.repeat(30)}b`), []);
    assert.equal(cache.keys(`${'a*'.repeat(30)}a`).length, 1);
    assert.equal(cache.keys(`${'*?'.repeat(50)}`).length, 1);
  });

  it('refuse what is not a string', (t) => {
    const cache = openCache(t);
    cache.set('a', 1);
    for (const wrong of [null, 5, /a/, ['a'], {}]) {
      assert.throws(() => cache.keys(wrong), errors.invalidType());
      assert.throws(() => cache.deletePattern(wrong), errors.invalidType());
    }
    assert.throws(() => cache.deletePattern(), errors.invalidType());
    assert.deepEqual(cache.keys(undefined), ['a']);
    assert.equal(cache.size, 1);
  });
});
