'use strict';

// What the matcher says, against this JavaScript engine's own RegExp.

const { it } = require('node:test');
const assert = require('node:assert/strict');
const fc = require('fast-check');
const { OptimizedIntentMatcher } = require('../..');
const { pattern, text } = require('../support/regexes');

const RUNS = Number(process.env.HOTPATH_FUZZ_RUNS ?? 3_000);

it('any patterns match any texts as V8 says', async () => {
  let native = 0;
  let patterns = 0;
  const property = fc.asyncProperty(
    fc.array(pattern, { minLength: 1, maxLength: 4 }),
    fc.array(text, { minLength: 1, maxLength: 6 }),
    async (sources, texts) => {
      const intents = sources.map((source, id) => ({ id, pattern: source }));
      const matcher = new OptimizedIntentMatcher(intents);
      native += matcher.stats.nativePatterns;
      patterns += matcher.stats.patterns;
      const firsts = await matcher.matchMany(texts);
      for (const [index, input] of texts.entries()) {
        const expected = intents.filter((intent) => new RegExp(intent.pattern, 'i').test(input));
        assert.deepEqual(await matcher.matchAll(input), expected);
        assert.equal(await matcher.match(input), expected[0] ?? null);
        assert.equal(firsts[index], expected[0] ?? null);
      }
      matcher.close();
    },
  );
  await fc.assert(property, { numRuns: RUNS });
  assert.ok(native > patterns / 2, `only ${native} of ${patterns} patterns were compared natively`);
});

it('every code unit folds as V8 folds it', async () => {
  const units = Array.from({ length: 0x10000 }, (_, unit) => String.fromCharCode(unit));
  const letters = units.filter((unit) => unit.toLowerCase() !== unit || unit.toUpperCase() !== unit);
  const escaped = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  const matcher = new OptimizedIntentMatcher(letters.map((unit) => ({ id: unit, pattern: escaped(unit) })));
  assert.equal(matcher.stats.fallbackPatterns, 0);
  const families = groupByFoldings(letters);
  for (const letter of letters) {
    const related = families(letter).filter((other) => new RegExp(escaped(other), 'i').test(letter));
    const found = await matcher.matchAll(letter);
    assert.deepEqual(
      found.map(({ id }) => id),
      related,
      escaped(letter),
    );
  }
});

/** Letters that any folding of Unicode's could hold for the same: V8's own test decides among them. */
function groupByFoldings(letters) {
  const foldings = (letter) => [letter.toLowerCase(), letter.toUpperCase(), letter.toUpperCase().toLowerCase()];
  const groups = new Map();
  for (const letter of letters) {
    for (const form of foldings(letter)) groups.set(form, (groups.get(form) ?? new Set()).add(letter));
  }
  return (letter) => [...new Set(foldings(letter).flatMap((form) => [...groups.get(form)]))].sort();
}
