'use strict';

/**
 * Edit distance (Levenshtein 1966), letters compared without case: `maxentries` is meant as `maxEntries`.
 * @param {string} a
 * @param {string} b
 */
function distance(a, b) {
  const from = a.toLowerCase();
  const to = b.toLowerCase();
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = row[j - 1] + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[to.length];
}

/**
 * The candidate closest to `name`, the first one on a tie; undefined when there is none.
 * Long names are cut: the cost is their length times the candidate's, and the caller may not choose it.
 * @param {string} name
 * @param {readonly string[]} candidates
 */
function nearest(name, candidates) {
  const short = name.slice(0, 64);
  /** @type {string | undefined} */
  let best;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const edits = distance(short, candidate);
    if (edits < least) {
      least = edits;
      best = candidate;
    }
  }
  return best;
}

module.exports = { nearest };
