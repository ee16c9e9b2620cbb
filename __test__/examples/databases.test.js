'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { Pool } = require('pg');
const { Users } = require('../../examples/databases/queries.js');
const { postgres } = require('../support/postgres');
const { waitFor } = require('../support/wait');

/** A pool on a server that counts the statements it is given. */
function counting(t, config) {
  const pool = new Pool({ ...config, max: 4 });
  pool.on('error', () => {});
  t.after(() => pool.end());
  const statements = [];
  const query = pool.query;
  pool.query = (...args) => {
    statements.push(args[0]);
    return query.apply(pool, args);
  };
  return { pool, statements };
}

describe('the example of queries on PostgreSQL', () => {
  it('asks once for what is asked for together, and not again for what is cached', async (t) => {
    const server = await postgres(t);
    const { pool, statements } = counting(t, server.config);
    const users = new Users({ primary: pool });
    t.after(() => users.close());
    await users.prepare();
    const people = await Promise.all(
      Array.from({ length: 60 }, (_, index) => users.add({ email: `u${index}@example.org`, name: `User ${index}` })),
    );
    statements.length = 0;
    const found = await Promise.all([...people, ...people].map(({ id }) => users.byId(id)));
    assert.deepEqual(found, [...people, ...people]);
    assert.equal(statements.length, 1);

    statements.length = 0;
    const twice = await Promise.all([users.byEmail('u7@example.org'), users.byEmail('u7@example.org')]);
    assert.deepEqual(twice, [people[7], people[7]]);
    assert.equal(statements.length, 1);
    await users.rename(people[7].id, 'Somebody else');
    assert.equal((await users.byEmail('u7@example.org')).name, 'Somebody else');
    assert.equal(await users.byEmail('nobody@example.org'), undefined);
  });

  it('pages by key: each row once, whatever was added meanwhile', async (t) => {
    const server = await postgres(t);
    const { pool } = counting(t, server.config);
    const users = new Users({ primary: pool });
    t.after(() => users.close());
    await users.prepare();
    await pool.query(
      "INSERT INTO users (email, name, created_at) SELECT 'p' || n, 'P', now() - n * interval '1 minute' FROM generate_series(1, 50) n",
    );
    const seen = [];
    for (let page = await users.page({ limit: 20 }); page.length > 0; ) {
      seen.push(...page.map(({ id }) => id));
      await users.add({ email: `new${seen.length}@example.org`, name: 'New' });
      page = await users.page({ limit: 20, after: page.at(-1) });
    }
    assert.equal(seen.length, 50);
    assert.equal(new Set(seen).size, 50);
  });

  it('uses its indexes', async (t) => {
    const server = await postgres(t);
    const { pool } = counting(t, server.config);
    const users = new Users({ primary: pool });
    t.after(() => users.close());
    await users.prepare();
    await pool.query("INSERT INTO users (email, name) SELECT 'p' || n, 'P' FROM generate_series(1, 20000) n");
    await pool.query('ANALYZE users');
    const plan = async (sql) => JSON.stringify((await pool.query(`EXPLAIN (FORMAT JSON) ${sql}`)).rows);
    assert.match(await plan("SELECT id FROM users WHERE email = 'p7'"), /users_email/);
    assert.match(await plan('SELECT id FROM users ORDER BY created_at DESC, id DESC LIMIT 20'), /users_newest/);
    assert.doesNotMatch(await plan("SELECT id FROM users WHERE name = 'P7'"), /Index/);
  });

  it('reads from a replica, and writes to the primary', async (t) => {
    const primary = await postgres(t);
    const replica = await primary.replica();
    const writes = counting(t, primary.config);
    const reads = counting(t, replica.config);
    const users = new Users({ primary: writes.pool, replica: reads.pool });
    t.after(() => users.close());
    await users.prepare();
    const ada = await users.add({ email: 'ada@example.org', name: 'Ada' });
    const { rows } = await writes.pool.query('SELECT pg_current_wal_lsn() AS written');
    const caughtUp = 'SELECT pg_last_wal_replay_lsn() >= $1 AS done';
    await waitFor(async () => (await reads.pool.query(caughtUp, [rows[0].written])).rows[0].done, {
      what: 'replication',
    });
    writes.statements.length = 0;
    assert.deepEqual(await users.byId(ada.id), ada);
    assert.ok(reads.statements.some((sql) => /ANY/.test(sql)));
    assert.deepEqual(writes.statements, []);
    await assert.rejects(reads.pool.query('DELETE FROM users'), /read-only/);
  });
});
