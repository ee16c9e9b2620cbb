const { hotpath, ifNumpy, mlMatrix, numpy } = require('./contenders.js');
const { digest, measures, time } = require('./measuring.js');

/** @type {any} */
module.exports = {
  name: 'matrix-multiply',
  title: 'Matrix product',
  description:
    'Two square matrices of doubles, over shared memory, which hotpath reads in place. numpy runs OpenBLAS on as many threads ' +
    'as hotpath takes: one less than cores. ml-matrix computes on the main thread.',
  settings: {
    smoke: { rounds: 1, rows: 64, columns: 64, operations: 2 },
    quick: { rounds: 5, rows: 512, columns: 512, operations: 10 },
    full: { rounds: 11, rows: 512, columns: 512, operations: 40 },
  },
  cases: { square: { title: '512 x 512' } },
  measures,
  floors: [
    { measure: 'time', against: 'ml-matrix', atLeast: 35, headline: 'matrix product' },
    ...ifNumpy({ measure: 'time', atLeast: 0.9 }),
  ],
  contenders: { hotpath, 'ml-matrix': mlMatrix, ...numpy },
  check: (/** @type {any} */ context) => digest(context, 'multiply'),
  run: (/** @type {any} */ context) => time(context, 'multiply'),
};
