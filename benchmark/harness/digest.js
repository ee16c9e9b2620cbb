const { createHash } = require('node:crypto');

/**
 * A digest of answers in their order.
 *
 * @param {Iterable<unknown>} answers plain data, or undefined for a miss
 */
function digestOf(answers) {
  const hash = createHash('sha256');
  for (const answer of answers) hash.update(`${JSON.stringify(answer)}\n`);
  return hash.digest('hex');
}

module.exports = { digestOf };
