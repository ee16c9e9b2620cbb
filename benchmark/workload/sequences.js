const { randomSource } = require('./random.js');

/** Loops walk a drawn sequence again and again; its length is a power of two so that a mask replaces a division. */
const LENGTH = 1 << 20;
const MASK = LENGTH - 1;

/**
 * The numbers below `count` in random order.
 *
 * @param {number} count
 * @param {number} seed
 */
function permutation(count, seed) {
  const below = randomSource(seed);
  const numbers = Uint32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last -= 1) {
    const other = below(last + 1);
    [numbers[last], numbers[other]] = [numbers[other], numbers[last]];
  }
  return numbers;
}

/**
 * Ids drawn evenly from `hot` of `entries` ids; the hot ones lie scattered among the others.
 *
 * @param {{ entries: number, hot?: number }} settings
 */
function evenly({ entries, hot = entries }) {
  const ids = permutation(entries, 7);
  const below = randomSource(11);
  return Uint32Array.from({ length: LENGTH }, () => ids[below(hot)]);
}

/**
 * Ids by Zipf's law with s = 1: the id of rank r is drawn in proportion to 1 / r; ranks are scattered over the ids.
 *
 * @param {{ entries: number }} settings
 */
function zipf({ entries }) {
  const ids = permutation(entries, 7);
  const below = randomSource(13);
  const cumulative = new Float64Array(entries);
  let total = 0;
  for (let rank = 0; rank < entries; rank += 1) {
    total += 1 / (rank + 1);
    cumulative[rank] = total;
  }
  return Uint32Array.from({ length: LENGTH }, () => ids[firstAbove(cumulative, (below(2 ** 32) / 2 ** 32) * total)]);
}

/**
 * @param {Float64Array} sorted
 * @param {number} value
 */
function firstAbove(sorted, value) {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

module.exports = { MASK, permutation, evenly, zipf };
