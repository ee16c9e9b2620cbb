const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { pipeline } = require('node:stream/promises');
const readline = require('node:readline');
const { digestOf } = require('../harness/digest.js');

const FIELDS = ['id', 'name', 'population'];
const COLUMNS = [...FIELDS, 'country', ...Array.from({ length: 16 }, (_, index) => `column${index}`)];

/** @param {number} id @returns {Record<string, any>} */
function makeRecord(id) {
  /** @type {Record<string, any>} */
  const record = { id, name: `Place number ${id}`, population: (id * 7919) % 1_000_000, country: `C${id % 50}` };
  for (let index = 0; index < 16; index += 1)
    record[`column${index}`] = index % 2 ? id * index : `text ${id} of ${index}`;
  return record;
}

/** The file of a format and size, made once on a machine. @param {string} format @param {number} records */
function fileOf(format, records) {
  const file = path.join(os.tmpdir(), `hotpath-benchmark-${records}.${format}`);
  if (fs.existsSync(file)) return file;
  const making = `${file}.${process.pid}`;
  const handle = fs.openSync(making, 'w');
  if (format === 'csv') fs.writeSync(handle, `${COLUMNS.join(',')}\n`);
  for (let from = 0; from < records; from += 1_000) {
    let text = '';
    for (let id = from; id < Math.min(from + 1_000, records); id += 1) {
      const record = makeRecord(id);
      text += format === 'csv' ? `${COLUMNS.map((name) => record[name]).join(',')}\n` : `${JSON.stringify(record)}\n`;
    }
    fs.writeSync(handle, text);
  }
  fs.closeSync(handle);
  fs.renameSync(making, file);
  return file;
}

/** @param {any} record */
function pick({ id, name, population }) {
  return { id, name, population };
}

/** @type {any} */
const hotpath = {
  package: 'hotpath',
  options: () => ({ fields: FIELDS, where: { country: 'C7' } }),
  open(/** @type {any} */ options) {
    const { BatchProcessingEngine } = require('../..');
    const engine = new BatchProcessingEngine();
    return async (/** @type {string} */ file, /** @type {(records: any[]) => void} */ take) => {
      const processor = (/** @type {any[]} */ records) => {
        take(records);
        return records;
      };
      await engine.processFile(file, { ...options, processor, maxResults: 0 });
    };
  },
};

/** What one writes with Node's own means. @type {any} */
const readlineAndParse = {
  package: 'hotpath',
  options: () => ({}),
  open: () => async (/** @type {string} */ file, /** @type {(records: any[]) => void} */ take) => {
    for await (const line of readline.createInterface({ input: fs.createReadStream(file) })) {
      const record = JSON.parse(line);
      if (record.country === 'C7') take([pick(record)]);
    }
  },
};

/** @type {any} */
const csvParse = {
  package: 'csv-parse',
  options: () => ({ columns: true }),
  open:
    (/** @type {any} */ options) =>
    async (/** @type {string} */ file, /** @type {(records: any[]) => void} */ take) => {
      const { parse } = require('csv-parse');
      await pipeline(fs.createReadStream(file), parse(options), async (/** @type {AsyncIterable<any>} */ rows) => {
        for await (const row of rows) if (row.country === 'C7') take([pick(row)]);
      });
    },
};

/** Each format has a peer of its own. @type {any} */
const usual = {
  package: 'csv-parse',
  options: () => ({}),
  open: () => async (/** @type {string} */ file, /** @type {any} */ take) => {
    const reader = file.endsWith('csv') ? csvParse : readlineAndParse;
    await reader.open(reader.options())(file, take);
  },
};

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'process-file',
  title: 'Records of a large file',
  description:
    'A file of records with 20 fields; those of one country in fifty are wanted, and 3 fields of them. The others read ' +
    'every line with readline and parse it with `JSON.parse`, or read every row with csv-parse. The time of the main ' +
    'thread is what it is busy for, with what it does for the event loop.',
  settings: {
    smoke: { rounds: 1, entries: 2_000 },
    quick: { rounds: 3, entries: 400_000 },
    // Two gigabytes.
    full: { rounds: 3, entries: 4_400_000 },
  },
  cases: {
    ndjson: { title: 'NDJSON', settings: /** @type {any} */ ({ format: 'ndjson' }) },
    csv: { title: 'CSV', settings: /** @type {any} */ ({ format: 'csv' }) },
  },
  measures: {
    time: { label: 'wall time', unit: 'milliseconds', better: 'lower', chart: true },
    mainThread: { label: 'time of the main thread', unit: 'milliseconds', better: 'lower', chart: true },
    memory: { label: 'resident memory gained at most', unit: 'bytes', better: 'lower' },
    speed: { label: 'bytes a second', unit: 'perSecond', better: 'higher', detail: true },
  },
  floors: [
    { measure: 'time', case: 'ndjson', against: 'the usual way', atLeast: 5, headline: '`processFile` of NDJSON' },
    { measure: 'mainThread', case: 'ndjson', against: 'the usual way', atLeast: 10 },
    { measure: 'time', case: 'csv', against: 'the usual way', atLeast: 5, headline: '`processFile` of CSV' },
    { measure: 'mainThread', case: 'csv', against: 'the usual way', atLeast: 10 },
    { measure: 'memory', case: 'ndjson', atMost: 256e6, headline: '`processFile` of a large file: memory' },
  ],
  contenders: { hotpath, 'the usual way': usual },

  async check({ open, settings }) {
    const read = /** @type {any} */ (open());
    /** @type {any[]} */
    const found = [];
    await read(fileOf(/** @type {any} */ (settings).format, 2_000), (/** @type {any[]} */ records) =>
      found.push(...records),
    );
    return digestOf(found);
  },

  async run({ open, settings }) {
    const read = /** @type {any} */ (open());
    const file = fileOf(/** @type {any} */ (settings).format, settings.entries);
    let population = 0;
    const held = process.memoryUsage.rss();
    let memory = 1;
    let calls = 0;
    const take = (/** @type {any[]} */ records) => {
      for (const record of records) population += Number(record.population);
      calls += 1;
      if (calls % 32 === 0) memory = Math.max(memory, process.memoryUsage.rss() - held);
    };
    const idle = performance.eventLoopUtilization();
    const before = process.hrtime.bigint();
    await read(file, take);
    const time = Number(process.hrtime.bigint() - before) / 1e6;
    const { active } = performance.eventLoopUtilization(idle);
    const speed = fs.statSync(file).size / (time / 1e3);
    return { measures: { time, mainThread: active, memory, speed }, checksum: population };
  },
};
