const { digestOf } = require('../harness/digest.js');

/** Places that are not zero, one in a hundred. @param {number} side */
function* places(side) {
  for (let index = 0; index < side * side; index += 100) yield [Math.floor(index / side), index % side];
}

/** @type {any} */
const hotpath = {
  package: 'hotpath',
  options: () => ({}),
  open() {
    const { SparseMatrix } = require('../..');
    return {
      fill(side) {
        const matrix = new SparseMatrix(side, side);
        for (const [row, col] of places(side)) matrix.set(row, col, row + col + 1);
        return { get: (row, col) => matrix.get(row, col), bytes: matrix.bytes };
      },
    };
  },
};

/** @type {any} */
const denseArrays = {
  package: 'hotpath',
  options: () => ({}),
  open() {
    return {
      fill(side) {
        const rows = Array.from({ length: side }, () => new Array(side).fill(0));
        for (const [row, col] of places(side)) rows[row][col] = row + col + 1;
        return { get: (row, col) => rows[row][col], bytes: side * side * 8 };
      },
    };
  },
};

/** @type {any} */
module.exports = {
  name: 'sparse-matrix',
  title: 'A matrix of which one element in a hundred is not zero',
  description: 'Bytes of the elements, native or in arrays of arrays, where V8 keeps 8 bytes for each.',
  settings: {
    smoke: { rounds: 1, entries: 200 },
    quick: { rounds: 3, entries: 2_000 },
    full: { rounds: 5, entries: 4_000 },
  },
  cases: { square: { title: 'square' } },
  measures: { bytes: { label: 'bytes', unit: 'bytes', better: 'lower', chart: true } },
  floors: [{ measure: 'bytes', against: 'dense arrays', atLeast: 20 }],
  contenders: { hotpath, 'dense arrays': denseArrays },

  check({ open, settings }) {
    const { get } = open().fill(settings.entries);
    return digestOf(
      [...places(settings.entries)].map(([row, col]) => [get(row, col), get(row, (col + 1) % settings.entries)]),
    );
  },

  run({ open, settings }) {
    return { measures: { bytes: open().fill(settings.entries).bytes } };
  },
};
