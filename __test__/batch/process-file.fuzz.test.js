'use strict';

// Lines that are nearly JSON: what JSON.parse takes is a record and the same one, what it refuses is malformed.

const { it } = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { BatchProcessingEngine } = require('../..');
const { dice: diceOf } = require('../support/random');
const { temporaryDirectory } = require('../support/pools');

const SEED = Date.now() >>> 0;
const SEEDS = [
  '{"a":1,"b":[true,null,{"c":-0.5e+3}]}',
  '{"b":"\\u0061\\ud800\\n\\"","a":"é✓😀"}',
  '{"\\u0061":1,"a\\ud800":2,"b":{}}',
  '{"a":1e999,"b":-0,"a":2}',
  ' {"a" : "x" , "b" : [ ] } ',
  `{"a":${'['.repeat(200)}${']'.repeat(200)}}`,
];
const PIECES = [
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '0',
  '1',
  '.',
  'e',
  '-',
  '+',
  'u',
  'true',
  'nul',
  ' ',
  '\t',
  '\u2028',
];

function mutated(dice) {
  let line = dice.pick(SEEDS);
  for (let change = dice.below(4); change > 0; change--) {
    const at = dice.below(line.length + 1);
    const end = at + (dice.chance(0.5) ? dice.below(3) : 0);
    line = line.slice(0, at) + (dice.chance(0.7) ? dice.pick(PIECES) : '') + line.slice(end);
  }
  return line.toWellFormed();
}

/** What JSON.parse makes of each line: records with their lines, and the lines that it refuses. */
function parsed(lines, keep) {
  const records = [];
  const malformed = [];
  lines.forEach((line, index) => {
    // Blank to a reader of lines, though not to JavaScript's trim.
    if (/^[ \t\r]*$/.test(line)) return;
    try {
      const record = JSON.parse(line);
      if (!keep.accepts(record)) malformed.push(index + 1);
      else records.push({ line: index + 1, record: keep.of(record) });
    } catch {
      malformed.push(index + 1);
    }
  });
  return { records, malformed };
}

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const WAYS = {
  'whole records': { options: {}, accepts: () => true, of: (record) => record },
  'some fields': {
    options: { fields: ['a', 'b'] },
    accepts: isObject,
    of: (record) =>
      Object.fromEntries(['a', 'b'].filter((name) => Object.hasOwn(record, name)).map((name) => [name, record[name]])),
  },
};

for (const [title, way] of Object.entries(WAYS)) {
  it(`${title} of lines that are nearly JSON (seed ${SEED})`, async (t) => {
    const dice = diceOf(SEED);
    // Malformed lines are told one by one up to a hundred in each block: few in each file.
    for (let round = 0; round < 40; round++) {
      const lines = Array.from({ length: 100 }, () => mutated(dice));
      const file = path.join(temporaryDirectory(t), 'lines.ndjson');
      fs.writeFileSync(file, lines.join('\n'));
      const engine = new BatchProcessingEngine();
      const found = [];
      const { errors } = await engine.processFile(file, {
        ...way.options,
        processor: (records, { lines: numbers }) => {
          records.forEach((record, index) => found.push({ line: numbers[index], record }));
          return records;
        },
      });
      const expected = parsed(lines, way);
      assert.deepEqual(
        errors.map(({ line }) => line),
        expected.malformed,
      );
      assert.deepEqual(found, expected.records);
      await engine.close();
    }
  });
}
