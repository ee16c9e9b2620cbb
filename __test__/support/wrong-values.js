'use strict';

// Values of every type that an option may not have.

const assert = require('node:assert/strict');

const NOT_NUMBERS = ['5', '', true, null, 5n, {}, [], [5], () => 5, Symbol('5'), new Date(5)];
const NOT_STRINGS = [5, true, null, {}, [], ['a'], () => 'a', Symbol('a'), 5n];
const NOT_BOOLEANS = [0, 1, '', 'true', null, [], () => true, Symbol('t')];
const NOT_OBJECTS = [null, 5, 'text', true, [], () => {}, Symbol('o'), new Map(), new Date()];

const label = (value) => (typeof value === 'symbol' ? 'symbol' : `${typeof value} ${String(value).slice(0, 20)}`);

/** Asserts that `build` throws the expected error for each of the values. */
function refuses(build, values, expected) {
  for (const value of values) assert.throws(() => build(value), expected, label(value));
}

module.exports = { NOT_NUMBERS, NOT_STRINGS, NOT_BOOLEANS, NOT_OBJECTS, refuses };
