'use strict';

// Against values of R (t.test, lm, wilcox.test, pt), to the digits that it prints.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { mean, median, regression, signedRank, studentP, variance, welch } = require('../../lib/monitor/statistics.js');
const { seededRandom } = require('../support');

const near = (actual, expected, tolerance = 1e-6) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

describe("Student's distribution", () => {
  it('has the tabulated tails', () => {
    for (const [t, degrees, p] of [
      [12.7062, 1, 0.05],
      [2.2281389, 10, 0.05],
      [3.169273, 10, 0.01],
      [2.0422725, 30, 0.05],
      [1.959964, 1e7, 0.05],
      [0, 5, 1],
      [-2.2281389, 10, 0.05],
    ]) {
      near(studentP(t, degrees), p, 2e-6);
    }
    assert.equal(studentP(Number.POSITIVE_INFINITY, 3), 0);
    assert.equal(studentP(Number.NaN, 3), 1);
  });
});

describe("Welch's test", () => {
  it('tells samples apart as it should', () => {
    // By hand: t = 4 / sqrt(2.5 / 5 + 2.5 / 5) = 4 with 8 degrees of freedom.
    near(welch([1, 2, 3, 4, 5], [5, 6, 7, 8, 9]), studentP(4, 8), 1e-12);
    near(studentP(4, 8), 0.003949772, 1e-8);
    assert.equal(welch([1, 1, 1], [1, 1, 1]), 1);
    assert.equal(welch([1, 1, 1], [2, 2, 2]), 0);
    assert.equal(welch([1], [2]), 1, 'too little');
  });

  it('is wrong as often as it says: one time in twenty', () => {
    const random = seededRandom(7);
    let wrong = 0;
    const noise = () => random() + random() + random();
    for (let round = 0; round < 2_000; round += 1) {
      const draw = () => Array.from({ length: 8 }, noise);
      if (welch(draw(), draw()) < 0.05) wrong += 1;
    }
    assert.ok(wrong > 60 && wrong < 140, `${wrong} of 2000`);
  });
});

describe('a regression', () => {
  it('finds line, fit and certainty', () => {
    const { slope, intercept, r2, pValue } = regression([1, 2, 3, 4, 5], [2, 4.1, 5.9, 8.2, 9.9]);
    near(slope, 1.99, 1e-12);
    near(intercept, 0.05, 1e-12);
    near(r2, 39.601 / 39.668, 1e-12);
    near(pValue, 2.948e-5, 1e-8);
  });

  it('finds nothing where nothing is', () => {
    assert.deepEqual(regression([1, 2], [1, 5]).pValue, 1);
    assert.equal(regression([1, 1, 1], [1, 2, 3]).slope, 0);
    assert.equal(regression([1, 2, 3, 4], [7, 7, 7, 7]).pValue, 1);
    assert.equal(regression([1, 2, 3, 4], [1, 2, 3, 4]).pValue, 0);
  });
});

describe("Wilcoxon's test", () => {
  it('counts small samples exactly', () => {
    // All ten of one sign: 2 / 2^10. With the two smallest of the other: sums 3 and less can be had in 5 ways.
    near(signedRank([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]).pValue, 2 / 1024, 1e-12);
    near(signedRank([-1, -2, 3, 4, 5, 6, 7, 8, 9, 10]).pValue, 10 / 1024, 1e-12);
    assert.equal(signedRank([0, 0, 0]).pValue, 1);
    assert.equal(signedRank([1, -1]).pValue, 1);
  });

  it('estimates the difference, whatever outliers say', () => {
    const { estimate, low, high } = signedRank([2.1, 1.9, 2, 2.2, 1.8, 2, 1_000, 2.1, 1.9, 2]);
    near(estimate, 2, 0.1);
    assert.ok(low > 1.5 && high > estimate);
  });

  it('is wrong as often as it says, also with ties and many pairs', () => {
    const random = seededRandom(11);
    for (const pairs of [12, 60]) {
      let wrong = 0;
      for (let round = 0; round < 1_000; round += 1) {
        const differences = Array.from({ length: pairs }, () => Math.round((random() - 0.5) * 40));
        if (signedRank(differences).pValue < 0.05) wrong += 1;
      }
      assert.ok(wrong > 20 && wrong < 80, `${wrong} of 1000 with ${pairs} pairs`);
    }
  });
});

describe('the simple ones', () => {
  it('are as everybody knows them', () => {
    assert.equal(mean([1, 2, 6]), 3);
    assert.equal(median([5, 1, 3]), 3);
    assert.equal(median([4, 1, 3, 2]), 2.5);
    near(variance([1, 2, 3, 4]), 5 / 3, 1e-12);
    for (const nothing of [mean([]), median([]), variance([1])]) assert.ok(Number.isNaN(nothing));
  });
});
