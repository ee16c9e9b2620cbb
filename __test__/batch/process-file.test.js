'use strict';

const { after, describe, it } = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { BatchProcessingEngine } = require('../..');
const { collectGarbage } = require('../support/context').makeContext({});
const { runInChild, startWorker } = require('../support');
const { turnOfTheLoop } = require('../support/wait');

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'hotpath-files-'));
after(() => fs.rmSync(root, { recursive: true, force: true, maxRetries: 10 }));
let files = 0;

function write(content, extension = 'ndjson') {
  const file = path.join(root, `${files++}.${extension}`);
  fs.writeFileSync(file, content);
  return file;
}

const lines = (records) => records.map((record) => JSON.stringify(record)).join('\n');
const places = Array.from({ length: 3_000 }, (_, id) => ({
  id,
  name: `Ort "${id}" ü`,
  country: ['DE', 'AT', 'CH'][id % 3],
  population: (id * 7919) % 100_000,
  capital: id % 100 === 0,
  note: id % 2 === 0 ? null : undefined,
  deep: { list: [id, 'x'] },
}));
const engine = new BatchProcessingEngine({ batchSize: 100 });
const all = { maxResults: Number.POSITIVE_INFINITY };

describe('processFile: NDJSON', () => {
  const file = write(`${lines(places)}\n`);
  const whole = JSON.parse(JSON.stringify(places));

  it('hands over all records without being asked for less', async () => {
    const seen = [];
    const processor = (records, { lines: numbers, startIndex }) => {
      assert.equal(records.length, numbers.length);
      seen.push([startIndex, numbers[0]]);
      return records.map(({ id }) => id);
    };
    const { batchId, ...summary } = await engine.processFile(file, { ...all, processor });
    assert.deepEqual(summary, {
      status: 'completed',
      results: places.map(({ id }) => id),
      errors: [],
      processed: 3_000,
      succeeded: 3_000,
      failed: 0,
      malformed: 0,
      truncated: false,
    });
    assert.ok(seen.every(([index, line]) => line === index + 1));
    assert.deepEqual((await engine.processFile(pathToFileURL(file), { ...all, format: 'ndjson' })).results, whole);
  });

  it('hands over the fields asked for, in that order', async () => {
    const { results } = await engine.processFile(file, { ...all, fields: ['note', 'id', 'missing', 'deep'] });
    assert.deepEqual(
      results,
      whole.map(({ id, note, deep }) => (note === undefined ? { id, deep } : { note, id, deep })),
    );
    assert.deepEqual(Object.keys(results[0]), ['note', 'id', 'deep']);
    assert.deepEqual((await engine.processFile(file, { fields: [], where: { id: 3 } })).results, [{}]);
  });

  for (const [title, where, expected] of [
    ['a value', { country: 'DE' }, ({ country }) => country === 'DE'],
    ['values', { country: ['DE', 'CH'] }, ({ country }) => country !== 'AT'],
    ['null', { note: null }, ({ note }) => note === null],
    ['a boolean', { capital: true }, ({ capital }) => capital],
    ['several', { country: 'DE', population: { gte: 50_000 } }, (p) => p.country === 'DE' && p.population >= 50_000],
    ['bounds', { id: { gt: 10, lte: 20 } }, ({ id }) => id > 10 && id <= 20],
    ['alternatives', [{ id: 1 }, { id: { lt: 1 } }], ({ id }) => id <= 1],
    ['texts', { name: { contains: '"17', endsWith: 'ü' } }, ({ name }) => name.includes('"17')],
    ['an order of texts', { country: { lt: 'CI' } }, ({ country }) => country < 'CI'],
    ['ne', { country: { ne: 'DE' } }, ({ country }) => country !== 'DE'],
    ['notIn, also of what is missing', { note: { notIn: [1] } }, () => true],
    ['exists', { note: { exists: true } }, ({ note }) => note !== undefined],
    ['names with $', { id: { $in: [5, 6] } }, ({ id }) => id === 5 || id === 6],
    ['another type', { id: '5' }, () => false],
    ['a list', { deep: 'x' }, () => false],
    ['nothing', {}, () => true],
    ['a function', ({ id, deep }) => id % 1_000 === deep.list[0], ({ id }) => id < 1_000],
  ]) {
    it(`filters by ${title}`, async () => {
      const { results } = await engine.processFile(file, { ...all, fields: ['id'], where });
      assert.deepEqual(
        results,
        whole.filter(expected).map(({ id }) => ({ id })),
      );
    });
  }

  it('tells malformed lines, and goes on', async () => {
    const broken = write('{"a":1}\n{"a":\n\n  \n{"a":2}\r\nnot json\n[1]\n{"a":3} {"a":4}\n{"a":"\u0001"}\n{"a":5}');
    const { results, errors, malformed, processed } = await engine.processFile(broken, { fields: ['a'] });
    assert.deepEqual(results, [{ a: 1 }, { a: 2 }, { a: 5 }]);
    assert.deepEqual(
      errors.map(({ line, index, error: { code, line: own } }) => [line, index, code, own]),
      [2, 6, 7, 8, 9].map((line) => [line, undefined, 'ERR_HOTPATH_MALFORMED', line]),
    );
    assert.deepEqual([malformed, processed], [5, 3]);
    await assert.rejects(engine.processFile(broken, { stopOnMalformed: true }), {
      code: 'ERR_HOTPATH_MALFORMED',
      line: 2,
      message: /^Line 2 is malformed: /,
    });
  });

  it('takes what JSON.parse takes', async () => {
    const odd = ['1', '"\\ud800"', 'null', '[[]]', '-0', '1e400', '{"__proto__":1}', '{"a":1,"a":2}', ' {} ', '{"":1}'];
    const { results, errors } = await engine.processFile(write(odd.join('\n')));
    assert.deepEqual(errors, []);
    assert.deepEqual(
      results,
      odd.map((text) => JSON.parse(text)),
    );
    const projected = await engine.processFile(write('{"a":1,"\\u0061":2,"\\ud800":3}\n{"__proto__":7}'), {
      fields: ['a', '__proto__'],
    });
    assert.deepEqual(projected.results, [{ a: 2 }, JSON.parse('{"__proto__":7}')]);
    const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`;
    assert.equal((await engine.processFile(write(deep))).malformed, 0);
  });

  it('takes empty files, and files that end anywhere', async () => {
    for (const [content, count] of [
      ['', 0],
      ['\n\n', 0],
      ['\uFEFF{"a":1}', 1],
      ['1\r\n2', 2],
    ]) {
      const { results, errors, status } = await engine.processFile(write(content));
      assert.deepEqual([results.length, errors.length, status], [count, 0, 'completed'], JSON.stringify(content));
    }
  });

  it('tells items that fail with their lines', async () => {
    const { errors } = await engine.processFile(write('1\n\n2\n3'), {
      processor: (items) => items.map((item) => (item === 2 ? new Error('two') : item)),
    });
    assert.deepEqual(
      errors.map(({ index, line, error }) => [index, line, error.message]),
      [[1, 3, 'two']],
    );
  });
});

describe('processFile: CSV', () => {
  it('reads rows by the names of their columns', async () => {
    const file = write('id,name,"with, comma"\r\n1,Ada,x\r\n2,"B ""b""\nnew line",\r\n3,ü,y', 'csv');
    const { results } = await engine.processFile(file);
    assert.deepEqual(results, [
      { id: '1', name: 'Ada', 'with, comma': 'x' },
      { id: '2', name: 'B "b"\nnew line', 'with, comma': '' },
      { id: '3', name: 'ü', 'with, comma': 'y' },
    ]);
    const where = { id: { gte: 2 }, name: { ne: 'ü' } };
    assert.deepEqual((await engine.processFile(file, { fields: ['id'], where })).results, [{ id: '2' }]);
    assert.deepEqual((await engine.processFile(file, { fields: ['id'], where: { 'with, comma': null } })).results, [
      { id: '2' },
    ]);
  });

  it('takes other separators, and names from outside', async () => {
    const file = write("1;'a;b'\n2;c\n", 'txt');
    const options = { format: 'csv', delimiter: ';', quote: "'", columns: ['n', 't'] };
    assert.deepEqual((await engine.processFile(file, options)).results, [
      { n: '1', t: 'a;b' },
      { n: '2', t: 'c' },
    ]);
  });

  it('tells rows of the wrong length, with the line they begin in', async () => {
    const file = write('a,b\n1,"x\ny"\n2\n3,4,5\n\n6,7\n', 'csv');
    const { results, errors } = await engine.processFile(file);
    assert.deepEqual(results, [
      { a: '1', b: 'x\ny' },
      { a: '6', b: '7' },
    ]);
    assert.deepEqual(
      errors.map(({ line }) => line),
      [4, 5],
    );
  });

  it('rejects names of columns that are not there', async () => {
    const file = write('a,b\n1,2\n', 'csv');
    await assert.rejects(engine.processFile(file, { fields: ['c'] }), {
      code: 'ERR_HOTPATH_NO_COLUMN',
      message: "The file has no column 'c'",
    });
    await assert.rejects(engine.processFile(file, { where: { c: 1 } }), { code: 'ERR_HOTPATH_NO_COLUMN' });
  });
});

describe('processFile', () => {
  it('tells progress by bytes', async () => {
    const file = write('{"a":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}\n'.repeat(60_000));
    const seen = [];
    await engine.processFile(file, { batchSize: 5_000, onProgress: ({ progress }) => seen.push(progress) });
    assert.ok(seen.length >= 12 && seen.every((value) => value > 0 && value <= 100));
    assert.deepEqual(
      seen,
      [...seen].sort((a, b) => a - b),
    );
  });

  it('stays in flat memory, however large the file and slow the processor', async () => {
    const file = path.join(root, 'large.ndjson');
    const record = `${JSON.stringify({ id: 1, text: 'x'.repeat(1_000) })}\n`;
    for (let part = 0; part < 100; part++) fs.appendFileSync(file, record.repeat(1_000));
    const size = fs.statSync(file).size;
    assert.ok(size > 100e6);
    collectGarbage();
    const held = () => process.memoryUsage().heapUsed + process.memoryUsage().external;
    const before = held();
    let most = 0;
    let processed = 0;
    await engine.processFile(file, {
      batchSize: 500,
      maxResults: 0,
      processor: async (records) => {
        processed += records.length;
        if (processed % 10_000 === 0) {
          await turnOfTheLoop();
          collectGarbage();
          most = Math.max(most, held() - before);
        }
        return records.map(() => null);
      },
    });
    assert.equal(processed, 100_000);
    assert.ok(most < size / 5, `${most} bytes more than before`);
  });

  it('is taken up after kill -9 in the middle of the file, and repeats nothing', async () => {
    const content = Array.from({ length: 60_000 }, (_, id) =>
      id % 20_000 === 7 ? 'broken' : `{"id":${id},"pad":"${'y'.repeat(60)}"}`,
    );
    const file = write(content.join('\n'));
    const checkpoint = path.join(root, 'file-checkpoint');
    const options = { fields: ['id'], where: { id: { gte: 1 } }, checkpoint, maxResults: Number.MAX_SAFE_INTEGER };
    const { said, signal } = await runInChild(
      async ({ load, say }, data) => {
        const engine = new (load().BatchProcessingEngine)({ batchSize: 1_000, maxConcurrency: 3 });
        engine.on('progress', ({ processed }) => processed > 30_000 && process.kill(process.pid, 'SIGKILL'));
        const processor = async (records, { chunkIndex }) => {
          await new Promise((resolve) => setImmediate(resolve));
          say(chunkIndex);
          return records.map(({ id }) => id);
        };
        await engine.processFile(data.file, { ...data.options, processor });
      },
      { data: { file, options } },
    );
    assert.equal(signal, 'SIGKILL');
    const now = [];
    const processor = (records, { chunkIndex }) => {
      now.push(chunkIndex);
      return records.map(({ id }) => id);
    };
    const resumed = await new BatchProcessingEngine({ batchSize: 1_000, maxConcurrency: 3 }).processFile(file, {
      ...options,
      processor,
    });
    assert.deepEqual(
      [...said, ...now].sort((a, b) => a - b),
      Array.from({ length: 60 }, (_, number) => number),
    );
    const ids = Array.from({ length: 60_000 }, (_, id) => id).filter((id) => id !== 0 && id % 20_000 !== 7);
    assert.deepEqual(resumed.results, ids);
    assert.deepEqual(
      resumed.errors.map(({ line }) => line),
      [8, 20_008, 40_008],
    );
    const changed = write(`${content.join('\n')}\n1`);
    fs.writeFileSync(checkpoint, '');
    assert.equal((await engine.processFile(changed, { ...options, where: { id: 5 } })).processed, 1);
  });

  it('rejects for files that are not there, and for other options', async () => {
    await assert.rejects(engine.processFile(path.join(root, 'nothing')), { code: 'ENOENT' });
    await assert.rejects(engine.processFile(root), { code: 'ERR_HOTPATH_STORAGE' });
    await assert.rejects(engine.processFile(7), { code: 'ERR_INVALID_ARG_TYPE' });
    const file = write('1');
    for (const [options, expected] of [
      [{ format: 'xml' }, { code: 'ERR_OUT_OF_RANGE' }],
      [{ fields: 'a' }, { code: 'ERR_INVALID_ARG_TYPE' }],
      [{ fields: [1] }, { code: 'ERR_INVALID_ARG_TYPE', message: /options\.fields\[0\]/ }],
      [{ where: 7 }, { code: 'ERR_INVALID_ARG_TYPE' }],
      [{ where: { a: { gte: null } } }, { code: 'ERR_INVALID_ARG_TYPE', message: /options\.where\.a\.gte/ }],
      [{ where: { a: { like: 'x' } } }, { code: 'ERR_OUT_OF_RANGE', message: /"startsWith"/ }],
      [{ where: { a: Number.NaN } }, { code: 'ERR_OUT_OF_RANGE' }],
      [{ delimiter: ';;' }, { code: 'ERR_OUT_OF_RANGE' }],
      [{ quote: 'é' }, { code: 'ERR_OUT_OF_RANGE' }],
      [{ columns: 'a' }, { code: 'ERR_INVALID_ARG_TYPE' }],
      [{ field: ['a'] }, { message: /"fields"/ }],
    ]) {
      await assert.rejects(engine.processFile(file, options), expected, JSON.stringify(options));
    }
  });

  it('can be cancelled, and a thread may end in the middle of a file', async () => {
    const file = write('{"a":1}\n'.repeat(500_000));
    const controller = new AbortController();
    const cancelled = await engine.processFile(file, {
      signal: controller.signal,
      processor: (records) => {
        controller.abort();
        return records;
      },
    });
    assert.equal(cancelled.status, 'cancelled');
    for (let round = 0; round < 3; round++) {
      await startWorker(async ({ load }, place) => {
        const inside = new (load().BatchProcessingEngine)();
        await new Promise((resolve) => {
          inside.processFile(place, { processor: (records) => (resolve(), records) });
        });
        process.exit(0);
      }, file).exited;
    }
  });
});
