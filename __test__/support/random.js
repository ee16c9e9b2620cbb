'use strict';

// A small seeded generator: a failing run can be repeated from the seed in its message.

/** Numbers in [0, 1), the same for the same seed (a multiply-xorshift mixer over a counter). */
function seededRandom(seed) {
  let state = seed >>> 0;
  return function next() {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** Helpers over one generator: whole numbers, choices, subsets and bytes. */
function dice(seed) {
  const random = seededRandom(seed);
  const below = (limit) => Math.floor(random() * limit);
  return {
    random,
    below,
    pick: (list) => list[below(list.length)],
    chance: (probability) => random() < probability,
    some: (list, most) => Array.from({ length: below(most + 1) }, () => list[below(list.length)]),
    bytes: (length) => Buffer.from(Array.from({ length }, () => below(256))),
  };
}

module.exports = { seededRandom, dice };
