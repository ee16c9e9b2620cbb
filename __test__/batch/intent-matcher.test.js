'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { OptimizedIntentMatcher, HotpathClosedError } = require('../..');
const { runInWorker } = require('../support');
const { turnOfTheLoop } = require('../support/wait');

const invalidType = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const outOfRange = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };

const greet = { id: 'greet', pattern: '^(?:hello|hi)\\b', reply: () => 'hello yourself' };
const weather = { id: 'weather', pattern: 'weather in (\\w+)' };
const silent = { id: 'silent' };
const doubled = { id: 'doubled', pattern: '(\\w)\\1\\1' };

describe('OptimizedIntentMatcher', () => {
  it('gives the intent itself, or null', async () => {
    const matcher = new OptimizedIntentMatcher([silent, greet, weather]);
    assert.equal(await matcher.match('Hello there'), greet);
    assert.equal(await matcher.match('what is the WEATHER in Oslo?'), weather);
    assert.equal(await matcher.match('nothing'), null);
    assert.equal(await matcher.match(''), null);
  });

  it('lets the first in order win, native or not', async () => {
    const matcher = new OptimizedIntentMatcher([doubled, greet, { id: 'any', pattern: '[^]' }]);
    assert.equal(await matcher.match('hi aaa'), doubled);
    assert.equal(await matcher.match('hi aa'), greet);
    assert.equal((await matcher.match('bb')).id, 'any');
    assert.deepEqual(
      (await matcher.matchAll('hi aaa')).map(({ id }) => id),
      ['doubled', 'greet', 'any'],
    );
    assert.deepEqual(
      (await matcher.matchMany(['hi aaa', 'hi', '-'])).map(({ id }) => id),
      ['doubled', 'greet', 'any'],
    );
  });

  it('skips intents without a pattern', async () => {
    const intents = [silent, { id: 1, pattern: '' }, { id: 2, pattern: null }, { id: 3, pattern: undefined }];
    const matcher = new OptimizedIntentMatcher(intents);
    assert.equal(await matcher.match('silent'), null);
    const { intents: given, patterns } = matcher.stats;
    assert.deepEqual({ given, patterns }, { given: 4, patterns: 0 });
  });

  it('takes intents with the same id apart from each other', async () => {
    const matcher = new OptimizedIntentMatcher([
      { id: 1, pattern: 'one' },
      { id: 1, pattern: 'uno' },
    ]);
    assert.equal((await matcher.match('uno')).pattern, 'uno');
  });

  it('takes the source of a RegExp, and the flag i', async () => {
    const matcher = new OptimizedIntentMatcher([{ id: 1, pattern: /^A.c$/gmsu }]);
    assert.notEqual(await matcher.match('aBC'), null);
    assert.equal(await matcher.match('x\nabc'), null);
    assert.equal(await matcher.match('a\nc'), null);
    assert.notEqual(await matcher.match('aBC'), null, 'no lastIndex is kept');
  });

  it('remembers exactly the text: spaces and line ends count', async () => {
    const matcher = new OptimizedIntentMatcher([{ id: 1, pattern: '^ x$' }]);
    assert.notEqual(await matcher.match(' x'), null);
    assert.equal(await matcher.match('x'), null);
    assert.equal(await matcher.match(' x '), null);
  });

  it('counts what happened', async () => {
    const matcher = new OptimizedIntentMatcher([silent, greet, doubled, { id: 'ahead', pattern: 'x(?=y)' }]);
    await matcher.match('hi');
    await matcher.match('hi');
    await matcher.match('none');
    assert.deepEqual(matcher.stats, {
      intents: 4,
      patterns: 3,
      nativePatterns: 1,
      fallbackPatterns: 2,
      fallbackReasons: { backReference: 1, lookAround: 1 },
      matches: 2,
      misses: 1,
      cacheHits: 1,
      fallbackTests: 2,
      cacheEntries: 2,
    });
  });

  it('bounds what it remembers', async () => {
    const matcher = new OptimizedIntentMatcher([greet], { cacheEntries: 3 });
    for (const text of ['a', 'b', 'c', 'd', 'e', 'x'.repeat(5_000)]) await matcher.match(text);
    assert.equal(matcher.stats.cacheEntries, 3);
    await matcher.match('e');
    assert.equal(matcher.stats.cacheHits, 1);
    const without = new OptimizedIntentMatcher([greet], { cacheEntries: 0 });
    await without.match('hi');
    await without.match('hi');
    assert.equal(without.stats.cacheHits, 0);
  });

  it('stays linear on texts that take V8 for ever', async () => {
    const evil = ['^(a+)+$', '^(a|a)*b$', '(x+x+)+y', '^(\\w+\\s?)*$'].map((pattern, id) => ({ id, pattern }));
    const matcher = new OptimizedIntentMatcher(evil);
    assert.equal(matcher.stats.fallbackPatterns, 0);
    assert.equal(await matcher.match(`${'a'.repeat(40_000)}!`), null);
    assert.equal(await matcher.match(`${'x'.repeat(40_000)}!`), null);
  });

  it('takes patterns of any size and depth', async () => {
    const deep = `${'('.repeat(3_000)}a${')'.repeat(3_000)}`;
    const matcher = new OptimizedIntentMatcher([
      { id: 'deep', pattern: deep },
      { id: 'wide', pattern: '(?:x{900}){900}' },
      { id: 'long', pattern: 'b'.repeat(5_000) },
      { id: 'lone', pattern: '\uD800c' },
    ]);
    assert.equal((await matcher.match('a')).id, 'deep');
    assert.equal((await matcher.match('\uD800c')).id, 'lone');
    assert.equal((await matcher.match('b'.repeat(5_000))).id, 'long');
    assert.deepEqual(matcher.stats.fallbackReasons, { tooLarge: 2, unknown: 1 });
  });

  it('refuses what is no list of intents', () => {
    for (const intents of [undefined, null, {}, 'x', 7]) {
      assert.throws(() => new OptimizedIntentMatcher(intents), invalidType);
    }
    for (const intent of [null, undefined, 'x', 7]) {
      assert.throws(() => new OptimizedIntentMatcher([intent]), { ...invalidType, message: /intents\[0\]/ });
    }
    for (const pattern of [7, {}, true]) {
      assert.throws(() => new OptimizedIntentMatcher([{ id: 1, pattern }]), /intents\[0\]\.pattern/);
    }
    assert.throws(() => new OptimizedIntentMatcher([{ id: 1, pattern: '(' }]), SyntaxError);
    assert.throws(() => new OptimizedIntentMatcher([], { cacheEntries: -1 }), outOfRange);
    assert.throws(() => new OptimizedIntentMatcher([], { cacheentries: 1 }), /"cacheEntries"/);
  });

  it('rejects what is no text', async () => {
    const matcher = new OptimizedIntentMatcher([greet]);
    for (const input of [undefined, null, 7, {}, ['hi']]) {
      await assert.rejects(matcher.match(input), invalidType);
      await assert.rejects(matcher.matchAll(input), invalidType);
      await assert.rejects(matcher.matchMany([input]), invalidType);
    }
    await assert.rejects(matcher.matchMany('hi'), invalidType);
    assert.deepEqual(await matcher.matchMany([]), []);
  });

  it('rejects once it is closed, what is under way ends', async () => {
    const matcher = new OptimizedIntentMatcher([greet]);
    const pending = matcher.matchMany(['hi']);
    matcher.close();
    matcher.close();
    assert.equal(matcher.closed, true);
    assert.deepEqual(await pending, [greet]);
    await assert.rejects(matcher.match('hi'), HotpathClosedError);
    await assert.rejects(matcher.matchAll('hi'), HotpathClosedError);
    await assert.rejects(matcher.matchMany(['hi']), HotpathClosedError);
    assert.equal(matcher.stats.patterns, 1);
  });

  it('works in a worker thread, also one that leaves at once', async () => {
    const found = await runInWorker(async ({ load }) => {
      const { OptimizedIntentMatcher: Matcher } = load();
      const matcher = new Matcher([{ id: 7, pattern: 'ÄPFEL' }]);
      matcher.matchMany(Array.from({ length: 20_000 }, (_, index) => `äpfel ${index}`));
      return (await matcher.match('äpfel')).id;
    });
    assert.equal(found, 7);
  });

  it('is collected with its patterns', async () => {
    for (let round = 0; round < 200; round++) new OptimizedIntentMatcher([{ id: round, pattern: 'word' }]);
    if (typeof globalThis.gc === 'function') globalThis.gc();
    await turnOfTheLoop();
    const matcher = new OptimizedIntentMatcher([greet]);
    assert.equal(await matcher.match('hi'), greet, 'numbers of those collected are not confused with its own');
  });
});
