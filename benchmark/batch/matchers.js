// Ways to find the first of many patterns that a text matches.

/** @typedef {{ first(text: string): number }} Matcher */

/** @param {number} count */
function patternsOf(count) {
  return Array.from({ length: count }, (_, number) => {
    switch (number % 4) {
      case 0:
        return `\\b(?:show|list) (?:me )?order ${number}\\b`;
      case 1:
        return `cancel\\s+subscription[- ]?${number}$`;
      case 2:
        return `^what is the status of ticket #?${number}\\?`;
      default:
        return `weather in city${number}`;
    }
  });
}

/** @type {any} */
const hotpath = {
  package: 'hotpath',
  options: () => ({ cacheEntries: 0 }),
  open(/** @type {any} */ options) {
    const { OptimizedIntentMatcher } = require('../..');
    return (/** @type {string[]} */ patterns) => {
      const matcher = new OptimizedIntentMatcher(
        patterns.map((pattern, id) => ({ id, pattern })),
        options,
      );
      return async (/** @type {string} */ text) => (await matcher.match(text))?.id ?? -1;
    };
  },
};

/** @type {any} */
const loop = {
  package: 'hotpath',
  options: () => ({}),
  open: () => (/** @type {string[]} */ patterns) => {
    const regexes = patterns.map((pattern) => new RegExp(pattern, 'i'));
    return async (/** @type {string} */ text) => regexes.findIndex((regex) => regex.test(text));
  },
};

module.exports = { patternsOf, hotpath, loop };
