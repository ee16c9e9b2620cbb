'use strict';

const { it } = require('node:test');
const assert = require('node:assert/strict');
const { PassThrough } = require('node:stream');
const { postgres } = require('../support/postgres');

/** A terminal, as far as the example can see, and what was written to it. */
function terminal() {
  const stream = Object.assign(new PassThrough(), { isTTY: true });
  let text = '';
  stream.setEncoding('utf8').on('data', (part) => (text += part));
  return { stream, text: () => text };
}

it('batch-places stores the large places of the world, with a progress bar', async () => {
  const { main } = require('../../examples/batch-places/run');
  const { stream, text } = terminal();
  const processed = await main(500_000, stream);
  assert.ok(processed > 500 && processed < 2_000, `${processed} places`);
  const bars = text().match(/\rStoring █*░* \d+ places, \d+\/s/g);
  assert.ok(bars.length >= 2, text());
  assert.match(bars.at(-1), new RegExp(` ${processed} places`));
  assert.match(text(), /Berlin \(DE\): \d{7}/);
  assert.match(text(), /Tokyo \(JP\): \d{7}/);
});

it('batch-places draws no bar where there is no terminal', () => {
  const { progressBar } = require('../../examples/batch-places/run');
  const stream = new PassThrough();
  progressBar('Storing', stream)({ progress: 50, processed: 1, throughput: 1, eta: null });
  assert.equal(stream.read(), null);
});

it('similar-countries compares them off the event loop', async () => {
  const { main } = require('../../examples/similar-countries/run');
  const said = [];
  const { countries, alike } = await main('FR', (line) => said.push(line));
  assert.ok(countries > 50, `${countries} countries`);
  assert.equal(alike.length, 5);
  for (const { a, similarity } of alike) assert.ok(a === 'FR' && similarity > 0.5 && similarity <= 1);
  assert.equal(said.length, 6);
});

it('postgres-provider stores and reads batches, and tells a bad row apart', async (t) => {
  const { config } = await postgres(t);
  const { Pool } = require('pg');
  const { OptimizedDataService } = require('../..');
  const { PostgresDataProvider } = require('../../examples/postgres-provider/provider');
  const { main } = require('../../examples/postgres-provider/run');
  const { user, password, host, port, database } = config;
  assert.deepEqual(await main(`postgres://${user}:${password}@${host}:${port}/${database}`), {
    stored: 1_000,
    failed: 1,
  });

  const pool = new Pool(config);
  let statements = 0;
  const counted = { query: (...query) => (statements++, pool.query(...query)) };
  const service = new OptimizedDataService(new PostgresDataProvider(counted));
  const uuids = await service.addBatch('places', [{ name: 'Ulm' }, { name: 'Köln', tags: ['dom'] }, { name: 'Bonn' }]);
  assert.equal(statements, 1, 'one statement for a batch');
  const loads = [2, 0, 2].map((index) => service.load('places', uuids[index]));
  assert.deepEqual(await Promise.all(loads), [{ name: 'Bonn' }, { name: 'Ulm' }, { name: 'Bonn' }]);
  assert.equal(statements, 2, 'one statement for the loads of a tick');
  const found = await service.findBatch('places', [{ tags: ['dom'] }, 'KÖLN', 'nowhere']);
  assert.deepEqual(found, [{ item: { name: 'Köln', tags: ['dom'] }, matchedTerms: [{ tags: ['dom'] }, 'KÖLN'] }]);
  const read = await service.getBatch('places', [uuids[1], 'no uuid']);
  assert.deepEqual(
    read.map(({ status }) => status),
    ['fulfilled', 'rejected'],
    'a name that is none fails alone',
  );
  const missing = '00000000-0000-4000-8000-000000000000';
  assert.equal(await service.load('places', missing), undefined);
  await pool.end();
});
