'use strict';

const { invalidArgType } = require('../errors.js');
const check = require('../validate.js');
const { OptimizedIntentMatcher } = require('./intent-matcher.js');

class ParallelIntentProcessor {
  /** @type {(inputs: any[]) => Promise<any[]>} */
  #process;

  /** @param {unknown} matcher a matcher, an object with a `match` method, or a function of an input */
  constructor(matcher) {
    if (matcher instanceof OptimizedIntentMatcher) {
      this.#process = async (inputs) => {
        const intents = await matcher.matchMany(inputs);
        return inputs.map((input, index) => ({ input, intent: intents[index] }));
      };
    } else if (typeof matcher === 'function') {
      this.#process = (inputs) => each(inputs, async (input) => matcher(input));
    } else if (typeof matcher === 'object' && typeof (/** @type {any} */ (matcher)?.match) === 'function') {
      const { match } = /** @type {any} */ (matcher);
      this.#process = (inputs) => each(inputs, async (input) => ({ input, intent: await match.call(matcher, input) }));
    } else {
      throw invalidArgType('an OptimizedIntentMatcher or a function', 'matcher', matcher);
    }
  }

  /** @param {unknown} inputs */
  async processIntents(inputs) {
    return this.#process(checkInputs(inputs));
  }

  /** @param {unknown} inputs @param {unknown} [batchSize] */
  async processBatch(inputs, batchSize = 10) {
    const list = checkInputs(inputs);
    const size = check.positiveInteger(batchSize, 'batchSize');
    const results = [];
    for (let from = 0; from < list.length; from += size) {
      for (const result of await this.#process(list.slice(from, from + size))) results.push(result);
    }
    return results;
  }
}

/** @param {unknown} inputs @returns {any[]} */
function checkInputs(inputs) {
  if (!Array.isArray(inputs)) throw invalidArgType('an array', 'inputs', inputs);
  return inputs;
}

/**
 * Runs a function over all inputs at once. After a failure nothing is left running: the first error is thrown when all
 * have come to an end.
 * @param {any[]} inputs
 * @param {(input: any) => Promise<any>} process
 */
async function each(inputs, process) {
  const outcomes = await Promise.allSettled(inputs.map(process));
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}

module.exports = { ParallelIntentProcessor };
