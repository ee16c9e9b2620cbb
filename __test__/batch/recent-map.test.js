'use strict';

const { it } = require('node:test');
const assert = require('node:assert/strict');
const { RecentMap, hashOf } = require('../../lib/batch/recent-map');
const { dice: diceOf } = require('../support/random');

it('agrees with a plain list of entries, whatever is done to it', () => {
  for (const most of [1, 2, 7, 64, 100]) {
    const dice = diceOf(most);
    const map = new RecentMap(most);
    /** Entries in the order in which they came; undefined where one was removed. */
    const list = [];
    const current = (key) => list.slice(-most).findIndex((entry) => entry?.key === key);
    for (let step = 0; step < 3_000; step++) {
      const key = `key ${dice.below(most * 3)}`;
      const known = current(key);
      const place = map.find(key, hashOf(key));
      const entry = known < 0 ? undefined : list.slice(-most)[known];
      assert.equal(map.get(key), entry?.value);
      assert.equal(place, known < 0 ? -1 : entry.number % most);
      const what = dice.below(20);
      if (known < 0) {
        const number = map.add(key, step, hashOf(key), step / 2);
        assert.equal(number, list.length, 'numbers are given in order');
        list.push({ key, value: step, number, stamp: step / 2 });
      } else if (what < 4) {
        map.removeAt(place);
        list[entry.number] = undefined;
      } else if (what < 12) {
        map.replaceAt(place, -step, step);
        Object.assign(entry, { value: -step, stamp: step });
      } else if (what === 12) {
        map.clear();
        list.fill(undefined);
      } else {
        assert.deepEqual([map.valueAt(place), map.stampAt(place)], [entry.value, entry.stamp]);
      }
      assert.equal(map.size, list.slice(-most).filter(Boolean).length);
      const any = dice.below(list.length);
      const alive = list.slice(-most).includes(list[any]) && list[any] !== undefined;
      assert.equal(map.placeOf(any), alive ? any % most : -1);
    }
  }
});

it('remembers nothing when it may not', () => {
  const map = new RecentMap(0);
  assert.equal(map.get('key'), undefined);
  assert.equal(map.size, 0);
  map.clear();
});

it('tells texts apart that share a chain', () => {
  const map = new RecentMap(64);
  const texts = Array.from({ length: 64 }, (_, index) => `${'long '.repeat(index)}text`);
  texts.forEach((text, index) => map.add(text, index));
  texts.forEach((text, index) => assert.equal(map.get(text), index));
});
