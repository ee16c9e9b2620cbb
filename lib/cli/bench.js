'use strict';

// A short comparison with plain JavaScript, on the machine of whoever asks: nothing but hotpath is needed.

const { performance } = require('node:perf_hooks');
const { UsageError, readArguments } = require('./arguments.js');
const { COMPARISONS } = require('./comparisons.js');
const { table } = require('./table.js');

const usage = `Usage: npx hotpath bench [options]

  Compares hotpath with what plain JavaScript offers for the same: half a minute. Both must give the same answers.
  The benchmarks against other packages are in the repository: npm run bench.

      --seconds <number>  how long each side of a comparison is timed, at most (1)
      --only <name>       one comparison; may be repeated: ${COMPARISONS.map(({ name }) => name).join(', ')}
      --output <json>     print the figures as JSON`;

/** @type {Record<string, import('./arguments.js').Option>} */
const OPTIONS = {
  seconds: { type: 'number' },
  only: { type: 'text', many: true },
  output: { type: 'text' },
};

/** @param {string[]} args */
async function run(args) {
  const { options, rest } = readArguments(args, OPTIONS);
  if (rest.length > 0) throw new UsageError(`The benchmark takes no ${rest[0].slice(0, 40)}`);
  const { seconds = 1, only, output } = options;
  if (!(seconds > 0)) throw new UsageError('--seconds must be more than 0');
  if (output !== undefined && output !== 'json') throw new UsageError('--output knows only json');
  const unknown = only?.find((/** @type {string} */ name) => !COMPARISONS.some((one) => one.name === name));
  if (unknown) throw new UsageError(`There is no comparison ${unknown.slice(0, 40)}`);

  let stopped = false;
  const stop = () => {
    stopped = true;
  };
  process.once('SIGINT', stop);
  const results = [];
  for (const comparison of COMPARISONS) {
    if (stopped) break;
    if (only && !only.includes(comparison.name)) continue;
    if (output === undefined) process.stderr.write(`${comparison.title} ...\n`);
    results.push(await compare(comparison, seconds, () => stopped));
    // Ctrl-C has its turn between two comparisons.
    await new Promise((resolve) => setImmediate(resolve));
  }
  process.off('SIGINT', stop);
  console.log(output === 'json' ? JSON.stringify(results, null, 2) : describe(results));
  return stopped ? 130 : 0;
}

/**
 * Rounds of both sides in turn, and of each the median.
 * @param {import('./comparisons.js').Comparison} comparison
 * @param {number} seconds
 * @param {() => boolean} stopped
 */
async function compare({ name, title, unit, plain, open }, seconds, stopped) {
  const sides = await open();
  try {
    if (sides.measure) return { name, title, unit, plain, ...(await sides.measure()) };
    const [theirs, ours] = [await sides.plain(), await sides.hotpath()];
    if (theirs !== ours) throw new Error(`${title}: the answers differ (${theirs}, ${ours})`);
    /** @type {{ plain: number[], hotpath: number[] }} */
    const times = { plain: [], hotpath: [] };
    const end = performance.now() + seconds * 2000;
    do {
      for (const side of /** @type {const} */ (['plain', 'hotpath'])) {
        const started = performance.now();
        await sides[side]();
        times[side].push(((performance.now() - started) * 1e6) / sides.operations);
      }
    } while (performance.now() < end && !stopped());
    return { name, title, unit, plain, plainValue: median(times.plain), hotpathValue: median(times.hotpath) };
  } finally {
    await sides.close?.();
  }
}

/** @param {number[]} list */
function median(list) {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** @param {any[]} results */
function describe(results) {
  if (results.length === 0) return 'Stopped before the first result.';
  const rows = results.map(({ title, plain, unit, plainValue, hotpathValue }) => {
    return [
      title,
      plain,
      shown(plainValue, unit),
      shown(hotpathValue, unit),
      `${(plainValue / hotpathValue).toFixed(2)}x`,
    ];
  });
  const head = ['', 'plain JavaScript', 'takes', 'hotpath', 'better by'];
  return `${table([head, ...rows])}\n\n  Below 1x, plain JavaScript is better. Node.js ${process.version}.`;
}

/** @param {number} value @param {string} unit */
function shown(value, unit) {
  if (unit === 'bytes') return `${(value / 2 ** 20).toFixed(1)} MB`;
  if (value < 1000) return `${value.toFixed(0)} ns`;
  return value < 1e6 ? `${(value / 1000).toFixed(1)} us` : `${(value / 1e6).toFixed(1)} ms`;
}

module.exports = { run, usage };
