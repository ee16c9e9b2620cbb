const { judge } = require('../harness/verdicts.js');
const { headlineSection } = require('./headline.js');
const { losses } = require('./losses.js');
const { conditionsOf, section } = require('./section.js');
const { table } = require('./table.js');
const { wordsOf } = require('./verdict.js');

/**
 * @typedef {object} Entry a trial that has a result
 * @property {import('../harness/types.js').FoundTrial} trial
 * @property {import('../harness/types.js').TrialResult} result
 * @property {string} chartFile
 */

const PREAMBLE = `# Benchmarks

<!-- Written by \`npm run bench\`; do not edit. \`node benchmark/index.js --render\` writes it again from benchmark/results. -->

How it is measured: each contender runs in a process of its own; rounds follow each other with the order of the contenders rotated; nothing is timed before all contenders have given the same answers to the same operations. Loops warm up for a fifth of their length (the trials about memory need none) and yield to the event loop every 10,000 operations or more often, as a server does; all time counts, garbage collection included. Processor time is that of all threads together, native ones included.

A figure is the median over the rounds, followed by the least and the greatest. A ratio compares contenders within one round; its median is taken over the rounds; in a row of a table it says how many times better the first contender is than that row’s. The values of every round are in \`benchmark/results\`.
`;

/**
 * The whole page.
 *
 * @param {Entry[]} entries
 */
function page(entries) {
  const conditions = new Set(entries.map(({ result }) => conditionsOf(result).machine));
  return [
    PREAMBLE,
    `Measured on: ${[...conditions].join('; ')}. Absolute times differ from machine to machine; the ratios are what counts.\n`,
    ...headlineSection(),
    '## Floors\n',
    'What hotpath has set itself, and what was measured.\n',
    floorTable(entries),
    '\n## Where hotpath loses\n',
    losses(entries),
    ...entries.map(section),
    '',
  ].join('\n');
}

/** @param {Entry[]} entries */
function floorTable(entries) {
  const rows = entries.flatMap(({ trial, result }) =>
    judge(trial, result).map((verdict) => {
      const { what, against, measured, floor, verdict: word } = wordsOf(trial, verdict);
      return [`[${trial.title}](#${anchor(trial.title)})`, what, against, measured, floor, word];
    }),
  );
  return table(['trial', 'measure', 'against', 'measured', 'floor', 'verdict'], rows);
}

/** @param {string} title */
const anchor = (title) =>
  title
    .toLowerCase()
    .replaceAll(/[^\w -]/g, '')
    .replaceAll(' ', '-');

module.exports = { page };
