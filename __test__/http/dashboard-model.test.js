'use strict';

// What the dashboard knows, without a page.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');

const dashboard = (file) => import(`../../lib/http/dashboard/${file}`);
const throughput = (timestamp, value) => ({ timestamp, throughput: value });

/** A model whose server gives these answers, each when it is told to. */
async function modelOf(...answers) {
  const { Model } = await dashboard('model.mjs');
  const waiting = [];
  const get = () => new Promise((resolve) => waiting.push(() => resolve(answers.shift())));
  return { model: new Model({ get }), answer: () => waiting.shift()() };
}

describe('the past on the dashboard', () => {
  const known = {
    history: { timestamps: [0, 30_000], series: { throughput: [1, 2] } },
    recent: [throughput(60_000, 3)],
  };

  it('is there, whether news come before it or after it', async () => {
    for (const order of ['first the news', 'first the past']) {
      const { model, answer } = await modelOf({ ...known, live: throughput(62_000, 4) });
      const loaded = model.load();
      if (order === 'first the news') await model.apply('sample', throughput(62_000, 4));
      answer();
      await loaded;
      await model.apply('sample', throughput(64_000, 5));
      assert.deepEqual(model.series.since(['throughput'], 0), [
        [0, 30, 60, 62, 64],
        [1, 2, 3, 4, 5],
      ]);
    }
  });

  it('of a time without a connection is filled in, and what is known stays', async () => {
    const later = { history: { timestamps: [0, 30_000, 60_000, 90_000], series: { throughput: [1, 2, 9, 6] } } };
    const { model, answer } = await modelOf(known, later);
    const loaded = model.load();
    answer();
    await loaded;
    await model.apply('sample', throughput(120_000, 7));
    const again = model.apply('hello', { resumed: false });
    await model.apply('sample', throughput(122_000, 8));
    answer();
    await again;
    assert.deepEqual(model.series.since(['throughput'], 0), [
      [0, 30, 60, 90, 120, 122],
      [1, 2, 3, 6, 7, 8],
    ]);
  });
});

describe('a series', () => {
  it('has gaps where a column begins later, or says nothing', async () => {
    const { Series } = await dashboard('series.mjs');
    const series = new Series();
    series.add(1_000, { a: 1 });
    series.add(9_000, { b: 2, a: Number.NaN });
    series.fill([[5_000, { b: 3 }]]);
    assert.deepEqual(series.since(['a', 'b', 'c'], 0), [
      [1, 5, 9],
      [1, null, null],
      [null, 3, 2],
      [null, null, null],
    ]);
    assert.deepEqual([series.length, series.newest, series.latest('b')], [3, 9_000, 2]);
  });
});
