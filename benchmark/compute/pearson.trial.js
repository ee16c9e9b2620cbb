const { hotpath, ifNumpy, numpy, typedArrays } = require('./contenders.js');
const { digest, measures, time } = require('./measuring.js');

/** @type {any} */
module.exports = {
  name: 'pearson',
  title: 'Correlation of all pairs',
  description:
    '500 rows of 1,000 doubles, each correlated with each. numpy runs corrcoef on as many threads as hotpath takes. The typed ' +
    'arrays are a loop in JavaScript over rows that were centred and scaled beforehand, on the main thread.',
  settings: {
    smoke: { rounds: 1, rows: 40, columns: 50, operations: 2 },
    quick: { rounds: 5, rows: 500, columns: 1000, operations: 10 },
    full: { rounds: 11, rows: 500, columns: 1000, operations: 40 },
  },
  cases: { pairs: { title: '500 x 1,000' } },
  measures,
  floors: [
    { measure: 'time', against: 'typed arrays', atLeast: 15, headline: 'correlation of all pairs' },
    ...ifNumpy({ measure: 'time', atLeast: 0.7 }),
  ],
  contenders: { hotpath, 'typed arrays': typedArrays, ...numpy },
  check: (/** @type {any} */ context) => digest(context, 'pearson'),
  run: (/** @type {any} */ context) => time(context, 'pearson'),
};
