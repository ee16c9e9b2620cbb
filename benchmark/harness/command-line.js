const { parseArgs } = require('node:util');

const USAGE = `Usage: node benchmark/index.js [options]

  (nothing)      the quick set: a trial or more of each area, in under five minutes on two cores
  --full         all trials, larger, in more rounds
  --smoke        every trial tiny: are the answers equal, does the harness work; writes nothing
  --only <name>  only the trial of this name, or one of its cases (trial/case); may be repeated
  --headline     only the targets of the documents, beside what the demo application reaches
  --enforce      exit with code 2 when a floor is missed
  --render       only write docs/benchmarks.md and its charts again, from benchmark/results
  --help         this text

Exits with code 1 when a contender fails or answers differ.`;

/** @param {string[]} argv */
function readCommandLine(argv) {
  const { values } = parseArgs({
    args: argv,
    options: {
      full: { type: 'boolean', default: false },
      smoke: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      enforce: { type: 'boolean', default: false },
      headline: { type: 'boolean', default: false },
      render: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.full && values.smoke) throw new Error('--full and --smoke exclude each other');
  /** @type {import('./types.js').Mode} */
  const mode = values.full ? 'full' : values.smoke ? 'smoke' : 'quick';
  const { only, enforce, headline, render, help } = values;
  return { mode, only, enforce, headline, render, help };
}

module.exports = { readCommandLine, USAGE };
