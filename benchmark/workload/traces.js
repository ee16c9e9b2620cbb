const fs = require('node:fs');
const path = require('node:path');

/**
 * The keys' numbers of a real trace, in the order in which they were asked for; see benchmark/traces/README.md.
 *
 * @param {string} name
 */
function readTrace(name) {
  const bytes = fs.readFileSync(path.join(__dirname, '..', 'traces', `${name}.u16`));
  return Uint16Array.from({ length: bytes.length / 2 }, (_, index) => bytes.readUInt16LE(2 * index));
}

/**
 * Reads through a trace as an application does: what is not there is made and written. Returns the percentage of hits.
 *
 * @param {{ get(key: string): unknown, set(key: string, value: unknown): unknown }} cache
 * @param {Iterable<number>} trace
 * @param {{ keyOf?: (number: number) => string, afterWrite?: () => void }} [options]
 */
function hitRatio(cache, trace, { keyOf = (number) => `key:${number}`, afterWrite = () => {} } = {}) {
  let hits = 0;
  let accesses = 0;
  for (const number of trace) {
    accesses += 1;
    const key = keyOf(number);
    if (cache.get(key) !== undefined) {
      hits += 1;
    } else {
      cache.set(key, number);
      afterWrite();
    }
  }
  return (100 * hits) / accesses;
}

module.exports = { readTrace, hitRatio };
