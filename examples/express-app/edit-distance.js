'use strict';

// Edit distance with a swap of neighbours counted as one edit ("optimal string alignment"), by dynamic programming.

// Shared by all calls, which never overlap: allocating three rows per name would cost more than filling them.
let [before, above, row] = [[], [], []];

/** The edits that turn `a` into `b`; any number above `bound` once it is certain that they exceed it. */
function editDistance(a, b, bound) {
  if (Math.abs(a.length - b.length) > bound) return bound + 1;
  for (let j = 0; j <= b.length; j++) above[j] = j;
  for (let i = 1; i <= a.length; i++) {
    const letter = a.charCodeAt(i - 1);
    let least = i;
    row[0] = i;
    for (let j = 1; j <= b.length; j++) {
      const other = b.charCodeAt(j - 1);
      let edits = Math.min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter === other ? 0 : 1));
      if (i > 1 && j > 1 && letter === b.charCodeAt(j - 2) && a.charCodeAt(i - 2) === other)
        edits = Math.min(edits, before[j - 2] + 1);
      row[j] = edits;
      if (edits < least) least = edits;
    }
    if (least > bound) return bound + 1;
    [before, above, row] = [above, row, before];
  }
  return above[b.length];
}

module.exports = { editDistance };
