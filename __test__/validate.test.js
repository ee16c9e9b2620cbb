'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { createContext, runInContext } = require('node:vm');
const validate = require('../lib/validate.js');

const TYPE = 'ERR_INVALID_ARG_TYPE';
const RANGE = 'ERR_OUT_OF_RANGE';
const NOT_NUMBERS = ['1', null, undefined, 1n, true, {}, [], Symbol('1'), () => 1];

/** For each check: what it takes, what is out of its range, what is not of its type. */
const CHECKS = {
  positiveInteger: {
    takes: [1, 2 ** 31, Number.MAX_SAFE_INTEGER],
    range: [0, -0, -1, 1.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY],
    type: NOT_NUMBERS,
  },
  nonNegativeInteger: { takes: [0, 1], range: [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY], type: NOT_NUMBERS },
  positiveNumber: {
    takes: [1, 0.001, Number.MIN_VALUE, Number.POSITIVE_INFINITY],
    range: [0, -0, -1, Number.NaN, Number.NEGATIVE_INFINITY],
    type: NOT_NUMBERS,
  },
  positiveFiniteNumber: { takes: [0.5], range: [0, -1, Number.NaN, Number.POSITIVE_INFINITY], type: NOT_NUMBERS },
  nonNegativeNumber: { takes: [0, 0.5], range: [-1, Number.NaN], type: NOT_NUMBERS },
  finiteNumber: { takes: [0, -1.5], range: [Number.NaN, Number.NEGATIVE_INFINITY], type: NOT_NUMBERS },
  boolean: { takes: [true, false], range: [], type: [0, 'true', null, undefined] },
  string: { takes: ['', 'a'], range: [], type: [1, null, undefined, ['a']] },
  nonEmptyString: { takes: ['a', '\0'], range: [''], type: [1, null, undefined] },
  function_: { takes: [() => {}, class {}], range: [], type: ['f', {}, null, undefined] },
};

for (const [name, { takes, range, type }] of Object.entries(CHECKS)) {
  const check = validate[name];
  describe(name, () => {
    it('returns what it takes', () => {
      for (const value of takes) assert.equal(check(value, 'options.x'), value);
    });
    it('throws for what it does not take, naming the option', () => {
      for (const value of range) assert.throws(() => check(value, 'options.x'), { code: RANGE, message: /options\.x/ });
      for (const value of type) assert.throws(() => check(value, 'options.x'), { code: TYPE, message: /options\.x/ });
    });
  });
}

describe('oneOf', () => {
  it('takes a member of the list, and lists them to whoever gives something else', () => {
    assert.equal(validate.oneOf('b', 'options.x', ['a', 'b']), 'b');
    assert.throws(() => validate.oneOf('c', 'options.x', ['a', 'b']), {
      name: 'RangeError',
      code: RANGE,
      message: 'Expected one of "a", "b" for options.x but received "c" of type string',
    });
    assert.throws(() => validate.oneOf(1, 'options.x', ['a']), { name: 'TypeError', code: TYPE });
  });
});

describe('options', () => {
  const options = (value) => validate.options(value, 'options', ['a', 'b']);

  it('takes nothing for no options', () => assert.deepEqual(options(undefined), {}));

  it('copies what was given, without explicit undefined', () => {
    const given = { a: 1, b: undefined };
    const copy = options(given);
    assert.deepEqual(Object.entries(copy), [['a', 1]]);
    given.a = 2;
    assert.equal(copy.a, 1);
  });

  it('reads a getter once', () => {
    let reads = 0;
    const copy = options({
      get a() {
        return ++reads;
      },
    });
    assert.deepEqual([copy.a, copy.a, reads], [1, 1, 1]);
  });

  it('takes plain objects without a prototype or from another realm', () => {
    assert.deepEqual(options(Object.assign(Object.create(null), { a: 1 })), { a: 1 });
    assert.deepEqual(options(runInContext('({ a: 1 })', createContext())), { a: 1 });
  });

  it('rejects everything else', () => {
    for (const value of [null, 1, 'a', true, [], new Map(), new (class A {})(), () => {}, new Date(0)]) {
      assert.throws(() => options(value), { name: 'TypeError', code: TYPE, message: /a plain object for options/ });
    }
  });

  it('rejects unknown names, even with undefined, and dangerous ones', () => {
    for (const value of [{ aa: 1 }, { aa: undefined }, JSON.parse('{"__proto__": {"a": 1}}'), { constructor: 1 }]) {
      assert.throws(() => options(value), { name: 'TypeError', code: 'ERR_HOTPATH_UNKNOWN_OPTION' });
    }
  });
});
