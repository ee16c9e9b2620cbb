'use strict';

const { Pool } = require('pg');
const { BatchError, OptimizedDataService } = require('../..');
const { PostgresDataProvider } = require('./provider.js');

async function main(connectionString) {
  const pool = new Pool({ connectionString });
  const provider = new PostgresDataProvider(pool);
  await provider.prepare();
  const service = new OptimizedDataService(provider);
  const people = Array.from({ length: 1_000 }, (_, id) => ({ id, name: `Person ${id}` }));
  const uuids = await service.addBatch('people', people);
  const [first, last] = await Promise.all([service.load('people', uuids[0]), service.load('people', uuids[999])]);
  console.log(`${uuids.length} people stored; the first is ${first.name}, the last ${last.name}`);
  // PostgreSQL takes no NUL in texts: that row fails, the others do not.
  const outcome = await service.addBatch('people', [{ name: 'good' }, { name: 'bad\0' }]).catch((error) => error);
  if (outcome instanceof BatchError) console.log(`Told apart: ${outcome.message}`);
  await service.close();
  await pool.end();
  return { stored: uuids.length, failed: outcome.errors?.length };
}

module.exports = { main };

if (require.main === module) main(process.env.DATABASE_URL);
