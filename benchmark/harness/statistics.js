/**
 * @param {number[]} values
 * @returns {import('./types.js').Spread}
 */
function spreadOf(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, min: sorted[0], max: sorted[sorted.length - 1] };
}

/**
 * How many times better the subject did than a peer. Each round is compared with itself, since the machine drifts
 * between rounds; the median is taken over the rounds' ratios.
 *
 * @param {import('./types.js').Measure} measure
 * @param {number[]} subject values by round
 * @param {number[]} peer
 */
function advantage({ better }, subject, peer) {
  return spreadOf(subject.map((own, round) => (better === 'lower' ? peer[round] / own : own / peer[round])));
}

/**
 * @param {import('./types.js').Spread} spread
 * @returns {import('./types.js').Spread}
 */
function inverse({ median, min, max }) {
  return { median: 1 / median, min: 1 / max, max: 1 / min };
}

module.exports = { spreadOf, advantage, inverse };
