'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const errors = require('../lib/errors.js');

const CODES = {
  HotpathError: 'ERR_HOTPATH',
  HotpathClosedError: 'ERR_HOTPATH_CLOSED',
  HotpathConflictError: 'ERR_HOTPATH_OPTION_CONFLICT',
  HotpathValueError: 'ERR_HOTPATH_NOT_A_NUMBER',
  HotpathStorageError: 'ERR_HOTPATH_STORAGE',
  HotpathLoadError: 'ERR_HOTPATH_NATIVE_LOAD',
};

describe('operational errors', () => {
  for (const [name, code] of Object.entries(CODES)) {
    it(`${name} has its name, its code and a stack`, () => {
      const error = new errors[name]('what happened');
      assert.ok(error instanceof errors.HotpathError && error instanceof Error);
      assert.equal(error.name, name);
      assert.equal(error.code, code);
      assert.equal(error.message, 'what happened');
      assert.equal(String(error), `${name}: what happened`);
      assert.match(error.stack, /errors\.test\.js/);
      assert.ok(!('cause' in error));
    });
  }

  it('carry a cause, even one that is undefined, and fields', () => {
    const cause = new Error('root');
    const error = new errors.HotpathConflictError('differ', { cause, option: 'maxEntries', existing: 1, requested: 2 });
    assert.equal(error.cause, cause);
    assert.deepEqual([error.option, error.existing, error.requested], ['maxEntries', 1, 2]);
    assert.ok(!Object.keys(error).includes('cause'), 'as in Error, the cause is not enumerable');
    assert.ok('cause' in new errors.HotpathError('unknown', { cause: undefined }));
  });

  it('may have a more precise code', () => {
    assert.equal(new errors.HotpathError('x', { code: 'ERR_HOTPATH_OTHER' }).code, 'ERR_HOTPATH_OTHER');
  });
});

describe('argument errors', () => {
  it('say what was expected, where, and what came', () => {
    const error = errors.invalidArgType('a positive integer', 'options.maxEntries', '10');
    assert.ok(error instanceof TypeError);
    assert.equal(error.code, 'ERR_INVALID_ARG_TYPE');
    assert.equal(error.message, 'Expected a positive integer for options.maxEntries but received "10" of type string');
    const range = errors.outOfRange('a positive integer', 'options.maxEntries', -1.5);
    assert.ok(range instanceof RangeError);
    assert.equal(range.code, 'ERR_OUT_OF_RANGE');
    assert.equal(range.message, 'Expected a positive integer for options.maxEntries but received -1.5 of type number');
  });

  const received = (value) => errors.invalidArgType('x', 'y', value).message.split('but received ')[1];
  const SHOWN = [
    [null, 'null of type null'],
    [undefined, 'undefined of type undefined'],
    [true, 'true of type boolean'],
    [Number.NaN, 'NaN of type number'],
    [-0, '-0 of type number'],
    [12n, '12n of type bigint'],
    ['', '"" of type string'],
    ['line\n"quoted"', '"line\\n\\"quoted\\"" of type string'],
    ['x'.repeat(32), `"${'x'.repeat(32)}" of type string`],
  ];
  for (const [value, text] of SHOWN) it(`show ${text}`, () => assert.equal(received(value), text));

  const HIDDEN = [
    ['x'.repeat(33), 'string'],
    [10n ** 40n, 'bigint'],
    [{ password: 'secret' }, 'object'],
    [['secret'], 'array'],
    [Symbol('secret'), 'symbol'],
    [() => 'secret', 'function'],
    [new (class Secret {})(), 'object'],
  ];
  for (const [value, type] of HIDDEN) {
    it(`hide a ${type} that is long or may hold data`, () => assert.equal(received(value), `a value of type ${type}`));
  }
});

describe('unknown options', () => {
  const KNOWN = ['name', 'maxEntries', 'maxMemoryMB', 'ttlMs', 'idleMs'];
  const NEAREST = [
    ['maxEntrys', 'maxEntries'],
    ['maxentries', 'maxEntries'],
    ['ttl', 'ttlMs'],
    ['MAXMEMORYMB', 'maxMemoryMB'],
    ['nmae', 'name'],
  ];
  for (const [given, near] of NEAREST) {
    it(`${given}: ${near} is meant`, () => {
      const error = errors.unknownOption('options', given, KNOWN);
      assert.ok(error instanceof TypeError);
      assert.equal(error.code, 'ERR_HOTPATH_UNKNOWN_OPTION');
      assert.equal(error.message, `Unknown option "${given}" in options: the nearest known option is "${near}"`);
    });
  }

  it('stay short, and quick, for a name of a million characters', () => {
    const error = errors.unknownOption('options', 'n'.repeat(1_000_000), KNOWN);
    assert.ok(error.message.length < 120, error.message);
  });

  it('work where nothing is known', () => {
    assert.match(errors.unknownOption('options', 'x', []).message, /it takes no options/);
  });
});
