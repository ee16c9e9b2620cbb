const { digestOf } = require('../harness/digest.js');
const { hotpath, loop } = require('./matchers.js');

const PATTERNS = ['^(?:a+)+$', '^(?:\\w+\\s?)*$', '(?:x+x+)+y'];

/** @param {number} length */
function hostileText(length) {
  return `${'a'.repeat(length)}!`;
}

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'hostile-intents',
  title: 'A hostile text',
  description:
    'One text that makes a backtracking matcher try exponentially many ways. Each character more doubles the time of the ' +
    'loop of RegExps; it is not asked for more than a second or two of it.',
  settings: {
    smoke: { rounds: 1, operations: 10 },
    quick: { rounds: 5, operations: 27 },
    full: { rounds: 5, operations: 28 },
  },
  cases: { text: { title: 'a text of a few letters' } },
  measures: { time: { label: 'time of one match', unit: 'milliseconds', better: 'lower', chart: true } },
  floors: [{ measure: 'time', atMost: 1, headline: 'intents: a hostile text' }],
  contenders: { hotpath, 'loop of RegExps': loop },

  async check({ open }) {
    const match = /** @type {any} */ (open())(PATTERNS);
    return digestOf(await Promise.all([hostileText(8), 'aaa', 'xxxxy', 'two words'].map(match)));
  },

  async run({ open, settings }) {
    const match = /** @type {any} */ (open())(PATTERNS);
    await match('warm');
    const text = hostileText(settings.operations);
    const before = process.hrtime.bigint();
    const checksum = await match(text);
    return { measures: { time: Number(process.hrtime.bigint() - before) / 1e6 }, checksum };
  },
};
