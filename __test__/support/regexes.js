'use strict';

// Patterns and texts for comparing matchers: grown from a grammar of JavaScript's regular expressions, and from loose
// characters, since Annex B makes a pattern of nearly everything.

const fc = require('fast-check');

/** Letters whose folding is easily got wrong, other corners of Unicode, and what the patterns are made of. */
const CHARACTERS = [
  ...'aAbBkKsSzZiI019_- .,!\t\n\r',
  ...'äÄßẞſıİσςΣéÉÿŸµμΜ\u212A\u212BåÅǆǅǄ\u0345ιΙᾳᾼﬁ',
  '\u00A0',
  '\u0085',
  '\u2028',
  '\u2029',
  '\uFEFF',
  '\u180E',
  '😀',
  '𐐨',
  '𐐀',
  '\uD83D',
  '\uDE00',
];

const ESCAPES = [
  ...[
    '\\d',
    '\\D',
    '\\w',
    '\\W',
    '\\s',
    '\\S',
    '\\t',
    '\\n',
    '\\r',
    '\\v',
    '\\f',
    '\\0',
    '\\cA',
    '\\cj',
    '\\c',
    '\\x41',
  ],
  ...[
    '\\x4',
    '\\u0041',
    '\\u00e9',
    '\\u{61}',
    '\\uD83D',
    '\\uDE00',
    '\\1',
    '\\2',
    '\\07',
    '\\012',
    '\\8',
    '\\k',
    '\\p{L}',
  ],
  ...['\\.', '\\-', '\\a', '\\/', '\\]', '\\\\'],
];

const character = fc.constantFrom(...CHARACTERS);
const plain = character.map((text) => (/[.!\-,]/.test(text) ? text : text.replace(/[\\^$*+?()[\]{}|]/g, '\\$&')));
const escape = fc.constantFrom(...ESCAPES);

const classPart = fc.oneof(
  plain,
  escape,
  fc.constantFrom('\\b', '-', '^', 'a-z', 'A-Z', '0-9', 'Z-a', '\\w-z', 'ä-ÿ', '\\uD800-\\uDBFF', '\\0-\\uFFFF'),
);
const characterClass = fc
  .tuple(fc.boolean(), fc.array(classPart, { maxLength: 4 }))
  .map(([negative, parts]) => `[${negative ? '^' : ''}${parts.join('')}]`);

const quantifier = fc.constantFrom('', '', '', '*', '+', '?', '*?', '+?', '{2}', '{0,2}', '{1,}', '{0}', '{,2}', '{');

const { pattern: grown } = fc.letrec((tie) => ({
  atom: fc.oneof(
    { weight: 6, arbitrary: plain },
    { weight: 3, arbitrary: escape },
    { weight: 2, arbitrary: characterClass },
    { weight: 1, arbitrary: fc.constantFrom('.', '^', '$', '\\b', '\\B', '(?=a)', '(?!b)', '(?<=a)', '(?<!b)') },
    {
      weight: 2,
      arbitrary: fc
        .tuple(fc.constantFrom('(', '(?:', '(?<name>', '(?=', '(?!'), tie('pattern'))
        .map(([open, body]) => `${open}${body})`),
    },
  ),
  term: fc.tuple(tie('atom'), quantifier).map((parts) => parts.join('')),
  sequence: fc.array(tie('term'), { maxLength: 4 }).map((terms) => terms.join('')),
  pattern: fc.oneof(
    { depthSize: 'small' },
    tie('sequence'),
    fc.tuple(tie('sequence'), tie('pattern')).map((sides) => sides.join('|')),
  ),
}));

const loose = fc.array(fc.constantFrom(...'\\^$*+?()[]{}|.-,:=!<>01248abckuxpBDWd😀é'), { maxLength: 8 });

/** Whether this JavaScript engine takes it. */
function isPattern(source) {
  try {
    new RegExp(source, 'i');
    return true;
  } catch {
    return false;
  }
}

/** Any pattern that `new RegExp(pattern, 'i')` takes. */
const pattern = fc
  .oneof({ weight: 4, arbitrary: grown }, { weight: 1, arbitrary: loose.map((parts) => parts.join('')) })
  .filter((source) => source !== '' && isPattern(source));

const text = fc.array(character, { maxLength: 8 }).map((characters) => characters.join(''));

module.exports = { pattern, text };
