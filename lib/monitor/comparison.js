'use strict';

// Two variants of something, measured in turn. Each round runs both, in an order that changes from round to round, so that
// whatever drifts meanwhile (a warmer cache, a busier machine) meets both alike; the differences within the rounds are what
// is tested.

const { performance } = require('node:perf_hooks');
const { invalidArgType } = require('../errors.js');
const check = require('../validate.js');
const { mean, median, signedRank } = require('./statistics.js');

const OPTIONS = ['rounds', 'warmup', 'better', 'signal', 'significance'];
const VARIANT = ['name', 'setup', 'run', 'teardown'];

/** Rounds below which no difference can be told from chance at 5 %. */
const LEAST_ROUNDS = 6;

/**
 * @typedef {object} Variant
 * @property {string} name
 * @property {(() => unknown) | undefined} setup
 * @property {() => unknown} run
 * @property {(() => unknown) | undefined} teardown
 */

/** @param {any} value @param {string} path @param {string} name @returns {Variant} */
function variantOf(value, path, name) {
  if (typeof value === 'function')
    return { name: value.name || name, setup: undefined, run: value, teardown: undefined };
  if (!check.isPlainObject(value)) throw invalidArgType('a function or a plain object', path, value);
  const given = check.options(value, path, VARIANT);
  const optional = (/** @type {'setup' | 'teardown'} */ part) =>
    given[part] === undefined ? undefined : check.function_(given[part], `${path}.${part}`);
  return {
    name: given.name === undefined ? name : check.nonEmptyString(given.name, `${path}.name`),
    run: check.function_(given.run, `${path}.run`),
    setup: optional('setup'),
    teardown: optional('teardown'),
  };
}

/** Milliseconds, or the number that the variant measured itself. @param {Variant} variant */
async function runOnce({ setup, run, teardown }) {
  await setup?.();
  try {
    const begin = performance.now();
    const result = await run();
    const passed = performance.now() - begin;
    if (typeof result !== 'number') return passed;
    return check.finiteNumber(result, 'the measurement of a variant');
  } finally {
    await teardown?.();
  }
}

/** @param {Variant} variant @param {readonly number[]} values */
function summary({ name }, values) {
  return { name, mean: mean(values), median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/**
 * @param {unknown} first
 * @param {unknown} second
 * @param {unknown} options
 */
async function compareVariants(first, second, options) {
  const [a, b] = [variantOf(first, 'variantA', 'A'), variantOf(second, 'variantB', 'B')];
  const given = check.options(options, 'options', OPTIONS);
  const rounds = check.integerBetween(given.rounds ?? 20, 'options.rounds', LEAST_ROUNDS, 1_000);
  const warmup = check.nonNegativeInteger(given.warmup ?? 2, 'options.warmup');
  const better = check.oneOf(given.better ?? 'lower', 'options.better', /** @type {const} */ (['lower', 'higher']));
  const level = check.numberWithin(given.significance ?? 0.05, 'options.significance', 0, 1);
  const { signal } = given;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidArgType('an AbortSignal', 'options.signal', signal);
  }
  /** @type {[number[], number[]]} */
  const values = [[], []];
  for (let round = -warmup; round < rounds; round += 1) {
    // a b, b a, b a, a b: each is first as often, and no simple drift favours one.
    const order = [1, 2].includes(((round % 4) + 4) % 4) ? [1, 0] : [0, 1];
    for (const which of order) {
      signal?.throwIfAborted();
      const value = await runOnce(which === 0 ? a : b);
      if (round >= 0) values[which].push(value);
    }
  }
  const differences = values[1].map((value, index) => value - values[0][index]);
  const { pValue, estimate, low, high } = signedRank(differences);
  const [ofA, ofB] = [summary(a, values[0]), summary(b, values[1])];
  const significant = pValue < level;
  const secondIsBetter = better === 'lower' ? estimate < 0 : estimate > 0;
  const winner = significant && estimate !== 0 ? (secondIsBetter ? ofB.name : ofA.name) : null;
  const relative = ofA.median === 0 ? null : estimate / ofA.median;
  const said = relative === null ? estimate.toPrecision(3) : `${(Math.abs(relative) * 100).toFixed(1)}%`;
  const conclusion =
    winner === null
      ? `No difference that ${rounds} rounds could tell from chance (p = ${pValue.toPrecision(2)})`
      : `${winner} is better by ${said} (p = ${pValue.toPrecision(2)}, ${rounds} rounds)`;
  return {
    ...{ a: ofA, b: ofB, rounds, better, pValue, significant, winner, conclusion },
    difference: { estimate, low, high, relative },
    values: { a: values[0], b: values[1] },
  };
}

module.exports = { compareVariants };
