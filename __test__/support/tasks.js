'use strict';

// Compute tasks of known size, for tests of what happens around them.

const { waitFor } = require('./wait');

/** Typed numbers in memory that tasks read in place. */
function shared(length) {
  return new Float64Array(new SharedArrayBuffer(length * Float64Array.BYTES_PER_ELEMENT));
}

/** A matrix whose inverse takes far longer than any test waits. */
function endlessMatrix(side = 4000) {
  const data = shared(side * side);
  for (let place = 0; place < data.length; place += side + 1) data[place] = 1;
  return { data, rows: side, cols: side };
}

let endless;

/** Begins a task that ends only when it is stopped, and waits until it runs: `task` is its promise. */
async function occupy(engine, options) {
  endless ??= endlessMatrix();
  const before = engine.stats.tasks.running;
  const task = engine.executeTask('matrix_inverse', { matrix: endless }, options);
  task.catch(() => {});
  await waitFor(() => engine.stats.tasks.running > before, { what: 'a task to run' });
  // In an object: a promise that is returned would be waited for.
  return { task };
}

module.exports = { endlessMatrix, occupy, shared };
