/**
 * A seeded source of integers (xorshift32), so that every contender, in its own process, is asked the very same questions.
 *
 * @param {number} seed any integer but 0
 * @returns {(bound: number) => number} a function that draws from [0, bound)
 */
function randomSource(seed) {
  let state = seed | 0;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return Math.floor(((state >>> 0) / 0x1_0000_0000) * bound);
  };
}

module.exports = { randomSource };
