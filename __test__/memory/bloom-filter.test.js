'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { BloomFilter } = require('../..');
const { errors, runInWorker } = require('../support');

const BAD_DATA = { name: 'HotpathDataError', code: 'ERR_HOTPATH_BAD_DATA' };
const items = (from, to) => Array.from({ length: to - from }, (_, index) => `item ${from + index}`);

describe('items', () => {
  it('are there once they were added, one by one or many', () => {
    const filter = new BloomFilter(1000);
    assert.equal(filter.has('a'), false);
    assert.equal(filter.add('a'), true);
    assert.equal(filter.add('a'), false);
    assert.equal(filter.has('a'), true);
    assert.equal(filter.addMany(new Set(['a', 'b', 'c'])), 2);
    assert.deepEqual(filter.hasMany(['c', 'a', 'nobody added this']), [true, true, false]);
    assert.deepEqual(filter.hasMany([]), []);
    assert.equal(filter.size, 3);
    filter.clear();
    assert.deepEqual([filter.size, filter.has('a')], [0, false]);
  });

  it('are the same in any number, at any length, and beside each other', () => {
    const [together, single] = [new BloomFilter(20_000, 1e-6), new BloomFilter(20_000, 1e-6)];
    // More than one native call takes; halves of a pair that only meet when they are joined; longer than all others.
    const many = items(0, 9_000).flatMap((item) => [item, '\ud83d', '\ude00', `${item} é`]);
    many.splice(5_000, 0, 'long'.repeat(400_000), '', '漢');
    assert.equal(together.addMany(many), many.filter((item) => single.add(item)).length);
    assert.deepEqual(together.serialize(), single.serialize());
    const asked = [...many, '😀', 'item', ...items(9_000, 9_100)];
    assert.deepEqual(
      together.hasMany(asked),
      asked.map((item) => single.has(item)),
    );
    assert.equal(together.hasMany(['😀'])[0], false);
  });

  it('are strings of every kind, or bytes', () => {
    const filter = new BloomFilter(100);
    const strange = ['', '\0', 'ü', '漢字', '\ud800', '\ufffd', 'x'.repeat(100_000)];
    for (const item of strange) assert.equal(filter.add(item), true);
    assert.ok(filter.hasMany(strange).every(Boolean));
    assert.equal(filter.has('\udc00'), false);
    assert.equal(filter.has(Buffer.from('ü')), true);
    assert.equal(filter.add(new Uint8Array([255, 0])), true);
    assert.equal(filter.has(Buffer.from([255, 0])), true);
    assert.deepEqual(filter.hasMany([Buffer.alloc(0), Buffer.from([1])]), [true, false]);
  });

  it('of another type are refused, and then none is added', () => {
    const filter = new BloomFilter(100);
    for (const item of [1, null, undefined, {}, ['a'], new Uint16Array(1)]) {
      assert.throws(() => filter.add(item), errors.invalidType('item'));
      assert.throws(() => filter.has(item), errors.invalidType('item'));
    }
    assert.throws(() => filter.addMany(['a', 5]), errors.invalidType('items[1]'));
    assert.throws(() => filter.hasMany('abc'), errors.invalidType('items'));
    assert.equal(filter.size, 0);
  });
});

describe('false positives', () => {
  for (const rate of [0.1, 0.01, 0.001]) {
    it(`come as often as asked: ${rate}`, () => {
      const capacity = 20_000;
      const filter = new BloomFilter(capacity, rate);
      filter.addMany(items(0, capacity));
      const others = items(capacity, capacity + 400_000);
      const claimed = filter.hasMany(others).filter(Boolean).length / others.length;
      assert.ok(Math.abs(claimed / rate - 1) < 0.2, `${claimed}`);
    });
  }
});

describe('union', () => {
  it('is a new filter with both', () => {
    const [left, right] = [new BloomFilter(1000), new BloomFilter(1000)];
    left.addMany(items(0, 300));
    right.addMany(items(200, 500));
    const both = left.union(right);
    assert.ok(both.hasMany(items(0, 500)).every(Boolean));
    assert.ok(both.size > 450 && both.size < 550);
    assert.equal(left.size, 300);
  });

  it('needs two of a kind', () => {
    const filter = new BloomFilter(1000);
    for (const other of [new BloomFilter(999), new BloomFilter(1000, 0.02), new BloomFilter(1000, 0.01, { seed: 1 })]) {
      assert.throws(() => filter.union(other), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' });
    }
    assert.throws(() => filter.union({}), errors.invalidType('other'));
    assert.equal(filter.union(filter).size, 0);
  });
});

describe('bytes', () => {
  const filter = new BloomFilter(50, 0.05, { seed: 2 ** 40 });
  filter.addMany(items(0, 40));
  const bytes = filter.serialize();

  it('become the filter again, in any thread', async () => {
    const read = BloomFilter.deserialize(bytes);
    assert.ok(read.hasMany(items(0, 40)).every(Boolean));
    assert.deepEqual([read.size, read.capacity, read.falsePositiveRate], [filter.size, 50, 0.05]);
    assert.deepEqual(read.serialize(), bytes);
    const there = await runInWorker(({ load }, given) => load().BloomFilter.deserialize(given).has('item 7'), bytes);
    assert.equal(there, true);
  });

  it('of which any was changed are refused', () => {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = Buffer.from(bytes);
      damaged[bit >> 3] ^= 1 << (bit & 7);
      assert.throws(() => BloomFilter.deserialize(damaged), BAD_DATA);
    }
    assert.throws(() => BloomFilter.deserialize(Buffer.alloc(0)), BAD_DATA);
    assert.throws(() => BloomFilter.deserialize({}), errors.invalidType('bytes'));
  });
});

it('arguments are checked', () => {
  const make =
    (...given) =>
    () =>
      new BloomFilter(...given);
  assert.throws(make(), errors.invalidType('capacity'));
  assert.throws(make(0), errors.outOfRange('capacity'));
  assert.throws(make(2 ** 52), { code: 'ERR_OUT_OF_RANGE' });
  for (const rate of [0, 1, -1, NaN]) assert.throws(make(10, rate), errors.outOfRange('falsePositiveRate'));
  assert.throws(make(10, '0.1'), errors.invalidType('falsePositiveRate'));
  assert.throws(make(10, 0.1, { seeds: 1 }), errors.unknownOption('seeds', 'seed'));
  assert.throws(make(10, 0.1, { seed: -1 }), errors.outOfRange('options.seed'));
});
