const { digestOf } = require('../harness/digest.js');
const { timeMeasures } = require('../harness/timing.js');
const { randomSource } = require('../workload/random.js');
const { hotpath, loop, patternsOf } = require('./matchers.js');

const WORDS = 'please could you tell me something about my last invoice because I would like to know order city'.split(
  ' ',
);

/** Texts of ten words, of which one in twenty means something. @param {number} count @param {number} patterns */
function textsOf(count, patterns) {
  const below = randomSource(23);
  return Array.from({ length: count }, (_, index) => {
    const words = Array.from({ length: 10 }, () => WORDS[below(WORDS.length)]);
    if (index % 20 === 0) words.push(`weather in city${below(patterns / 4) * 4 + 3}`);
    return `${words.join(' ')} ${index}`;
  });
}

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'intents',
  title: 'Texts against many patterns',
  description:
    'Texts of ten words are matched against patterns; one text in twenty matches one. The loop tests one compiled RegExp ' +
    'after the other. Nothing is remembered.',
  settings: {
    smoke: { rounds: 1, operations: 200 },
    quick: { rounds: 3, operations: 1_000 },
    full: { rounds: 11, operations: 100_000 },
  },
  cases: {
    thousand: { title: '1,000 patterns', settings: { entries: 1_000 } },
    tenThousand: { title: '10,000 patterns', settings: { entries: 10_000 } },
  },
  measures: timeMeasures('text'),
  floors: [
    { measure: 'time', case: 'thousand', against: 'loop of RegExps', atLeast: 20, headline: 'intents: 1,000 patterns' },
    { measure: 'time', case: 'tenThousand', against: 'loop of RegExps', atLeast: 20 },
  ],
  contenders: { hotpath, 'loop of RegExps': loop },

  async check({ open, settings }) {
    const match = /** @type {any} */ (open())(patternsOf(settings.entries));
    return digestOf(await Promise.all(textsOf(300, settings.entries).map(match)));
  },

  async run({ open, settings }) {
    const match = /** @type {any} */ (open())(patternsOf(settings.entries));
    const texts = textsOf(2_000, settings.entries);
    const rounds = async (/** @type {number} */ operations) => {
      let sum = 0;
      for (let index = 0; index < operations; index += 1) sum += await match(texts[index % texts.length]);
      return sum;
    };
    await rounds(Math.min(2_000, settings.operations));
    const processorBefore = process.cpuUsage();
    const before = process.hrtime.bigint();
    const checksum = await rounds(settings.operations);
    const time = Number(process.hrtime.bigint() - before) / settings.operations;
    const { user, system } = process.cpuUsage(processorBefore);
    return { measures: { time, processor: ((user + system) * 1_000) / settings.operations }, checksum };
  },
};
