/**
 * A seeded source of integers, so that every contender, in its own process, is asked the very same questions: a counter
 * through the finaliser of MurmurHash3, whose consecutive values do not depend on each other in any way that shows.
 *
 * @param {number} seed
 * @returns {(bound: number) => number} a function that draws from [0, bound)
 */
function randomSource(seed) {
  let counter = Math.imul(seed, 0x9e37_79b1);
  return (bound) => {
    counter = (counter + 1) | 0;
    let mixed = counter;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
    return Math.floor((((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32) * bound);
  };
}

module.exports = { randomSource };
