'use strict';

// Whether a difference is real: the tests behind trends, trials and comparisons. Small samples, a few hundred numbers at
// most, so clarity comes before speed.
//
// Student's distribution by the continued fraction of the incomplete beta function (DLMF 8.17.22); Welch, "The
// generalization of Student's problem" (Biometrika 1947); Wilcoxon, "Individual comparisons by ranking methods" (1945), with
// the estimate and interval of Hodges and Lehmann (1963).

/** @param {readonly number[]} values */
function mean(values) {
  return values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** @param {readonly number[]} values */
function variance(values) {
  if (values.length < 2) return Number.NaN;
  const middle = mean(values);
  return values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
}

/** @param {readonly number[]} values */
function median(values) {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const LANCZOS = [
  76.18009172947146, -86.50532032941678, 24.01409824083091, -1.231739572450155, 0.1208650973866179e-2,
  -0.5395239384953e-5,
];

/** The logarithm of the gamma function. @param {number} x */
function logGamma(x) {
  const shifted = x + 5.5;
  const series = LANCZOS.reduce((sum, factor, index) => sum + factor / (x + index + 1), 1.000000000190015);
  return (x + 0.5) * Math.log(shifted) - shifted + Math.log((2.506628274631 * series) / x);
}

/** The regularized incomplete beta function. @param {number} a @param {number} b @param {number} x @returns {number} */
function incompleteBeta(a, b, x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast on this side; the other is its mirror.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(b, a, 1 - x);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log(1 - x)) / a;
  const tiny = 1e-300;
  let [fraction, c, d] = [1, 1, 0];
  for (let step = 0; step <= 300; step += 1) {
    const m = step >> 1;
    let numerator = 1;
    if (step > 0) {
      numerator =
        step % 2 === 0
          ? (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
          : -((a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    }
    d = 1 + numerator * d;
    d = 1 / (Math.abs(d) < tiny ? tiny : d);
    c = 1 + numerator / c;
    c = Math.abs(c) < tiny ? tiny : c;
    fraction *= c * d;
    if (Math.abs(1 - c * d) < 1e-12) break;
  }
  return front * (fraction - 1);
}

/** How likely a value at least this far from 0 is by chance. @param {number} t @param {number} degrees */
function studentP(t, degrees) {
  if (Number.isNaN(t) || !(degrees > 0)) return 1;
  if (!Number.isFinite(t)) return 0;
  return incompleteBeta(degrees / 2, 0.5, degrees / (degrees + t * t));
}

/**
 * Whether two samples differ in their means, by Welch's test.
 * @param {readonly number[]} before
 * @param {readonly number[]} after
 * @returns {number} the p-value; 1 when there is too little to tell
 */
function welch(before, after) {
  const [left, right] = [variance(before) / before.length, variance(after) / after.length];
  const spread = left + right;
  const difference = mean(after) - mean(before);
  if (Number.isNaN(spread)) return 1;
  if (spread === 0) return difference === 0 ? 1 : 0;
  const degrees = spread ** 2 / (left ** 2 / (before.length - 1) + right ** 2 / (after.length - 1));
  return studentP(difference / Math.sqrt(spread), degrees);
}

/**
 * The least-squares line through points.
 * @param {readonly number[]} xs
 * @param {readonly number[]} ys
 */
function regression(xs, ys) {
  const count = xs.length;
  const [x, y] = [mean(xs), mean(ys)];
  let [xx, xy, yy] = [0, 0, 0];
  for (let index = 0; index < count; index += 1) {
    const [dx, dy] = [xs[index] - x, ys[index] - y];
    xx += dx * dx;
    xy += dx * dy;
    yy += dy * dy;
  }
  if (count < 3 || xx === 0) return { slope: 0, intercept: y, r2: 0, pValue: 1 };
  const slope = xy / xx;
  const residual = Math.max(0, yy - slope * xy);
  const r2 = yy === 0 ? 0 : 1 - residual / yy;
  const error = Math.sqrt(residual / (count - 2) / xx);
  const pValue = yy === 0 ? 1 : studentP(error === 0 ? Number.POSITIVE_INFINITY : slope / error, count - 2);
  return { slope, intercept: y - slope * x, r2, pValue };
}

/** Of the standard normal distribution, both tails. @param {number} z */
function normalP(z) {
  // Student's with so many degrees is the normal one to nine digits.
  return studentP(z, 1e7);
}

/** The p-value of a signed-rank sum without ties, counted exactly. @param {number} sum @param {number} count */
function exactSignedRank(sum, count) {
  const most = (count * (count + 1)) / 2;
  const ways = new Float64Array(most + 1);
  ways[0] = 1;
  for (let rank = 1; rank <= count; rank += 1) {
    for (let total = most; total >= rank; total -= 1) ways[total] += ways[total - rank];
  }
  const low = Math.min(sum, most - sum);
  let tail = 0;
  for (let total = 0; total <= low; total += 1) tail += ways[total];
  return Math.min(1, (2 * tail) / 2 ** count);
}

/** Pairs up to which the distribution is counted, and beyond which it is as good as normal. */
const EXACT_PAIRS = 30;

/**
 * Whether paired differences lie around 0, by Wilcoxon's signed-rank test, with the median difference and the interval that
 * holds it at 95 %.
 * @param {readonly number[]} differences
 */
function signedRank(differences) {
  const nonZero = differences.filter((value) => value !== 0);
  const count = nonZero.length;
  const ordered = nonZero.map((value) => ({ value, size: Math.abs(value) })).sort((a, b) => a.size - b.size);
  let [sum, ties] = [0, 0];
  for (let first = 0; first < count; ) {
    let next = first + 1;
    while (next < count && ordered[next].size === ordered[first].size) next += 1;
    const rank = (first + 1 + next) / 2;
    for (let index = first; index < next; index += 1) if (ordered[index].value > 0) sum += rank;
    ties += (next - first) ** 3 - (next - first);
    first = next;
  }
  const spread = Math.sqrt((count * (count + 1) * (2 * count + 1)) / 24 - ties / 48);
  const distance = sum - (count * (count + 1)) / 4;
  let pValue = 1;
  if (count > 0 && count <= EXACT_PAIRS && ties === 0) pValue = exactSignedRank(sum, count);
  else if (count > 0) pValue = normalP(Math.max(0, Math.abs(distance) - 0.5) / (spread || 1));
  return { pValue, ...hodgesLehmann(differences) };
}

/** @param {readonly number[]} differences */
function hodgesLehmann(differences) {
  const walsh = [];
  for (let left = 0; left < differences.length; left += 1) {
    for (let right = left; right < differences.length; right += 1) {
      walsh.push((differences[left] + differences[right]) / 2);
    }
  }
  walsh.sort((left, right) => left - right);
  const count = differences.length;
  const spread = Math.sqrt((count * (count + 1) * (2 * count + 1)) / 24);
  const skipped = Math.max(0, Math.floor((count * (count + 1)) / 4 - 1.96 * spread));
  return {
    estimate: median(walsh),
    low: walsh[skipped] ?? Number.NaN,
    high: walsh[walsh.length - 1 - skipped] ?? Number.NaN,
  };
}

module.exports = { mean, median, regression, signedRank, studentP, variance, welch };
