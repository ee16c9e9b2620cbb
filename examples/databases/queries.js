'use strict';

// Queries of an application on PostgreSQL, as docs/guide-databases.md explains them: only the columns that are needed,
// one statement for many ids, pages by key, and results that stay cached until the row changes.

const { MemoryCache, OptimizedDataService } = require('hotpath');

const COLUMNS = 'id, email, name';
const SECONDS_CACHED = 60;

/** Tables and indexes. Each index serves one of the queries below; an index that serves none only slows writes. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    biography text
  );
  CREATE UNIQUE INDEX IF NOT EXISTS users_email ON users (email);
  CREATE INDEX IF NOT EXISTS users_newest ON users (created_at DESC, id DESC);
`;

class Users {
  #writes;
  #reads;
  #cache = new MemoryCache({ ttlMs: SECONDS_CACHED * 1000, maxMemoryMB: 16 });
  #byId;

  /**
   * @param {object} pools
   * @param {import('pg').Pool} pools.primary takes the writes
   * @param {import('pg').Pool} [pools.replica] takes the reads that may be a moment behind
   */
  constructor({ primary, replica = primary }) {
    this.#writes = primary;
    this.#reads = replica;
    // What was asked for within one turn of the event loop becomes one statement, however many callers asked.
    this.#byId = new OptimizedDataService({
      add: (_table, user) => this.add(user),
      getByUuid: async (_table, id) => (await this.#many([id]))[0],
      getMany: (_table, ids) => this.#many(ids),
      find: async (_table, email) => [await this.byEmail(email)].filter(Boolean),
    });
  }

  prepare() {
    return this.#writes.query(SCHEMA);
  }

  async add({ email, name, biography = null }) {
    const { rows } = await this.#writes.query(
      `INSERT INTO users (email, name, biography) VALUES ($1, $2, $3) RETURNING ${COLUMNS}`,
      [email, name, biography],
    );
    return rows[0];
  }

  /** By the unique index, and once a minute at most. */
  byEmail(email) {
    return this.#cache.getOrSet(
      `email:${email}`,
      async () => {
        const { rows } = await this.#reads.query(`SELECT ${COLUMNS} FROM users WHERE email = $1`, [email]);
        return rows[0];
      },
      { tags: ['users'] },
    );
  }

  /** One of many: see the constructor. */
  byId(id) {
    return this.#byId.load('users', String(id));
  }

  /** The newest first. A page begins after the last row of the one before: an offset would read and drop all of them. */
  async page({ limit = 20, after } = {}) {
    const [where, values] = after ? ['WHERE (created_at, id) < ($2, $3)', [after.createdAt, after.id]] : ['', []];
    const { rows } = await this.#reads.query(
      `SELECT ${COLUMNS}, created_at AS "createdAt" FROM users ${where} ORDER BY created_at DESC, id DESC LIMIT $1`,
      [limit, ...values],
    );
    return rows;
  }

  /** Writes go to the primary; what the cache knew of users is void from then on. */
  async rename(id, name) {
    const { rows } = await this.#writes.query(`UPDATE users SET name = $2 WHERE id = $1 RETURNING ${COLUMNS}`, [
      id,
      name,
    ]);
    this.#cache.invalidateTags('users');
    return rows[0];
  }

  async close() {
    await this.#byId.close();
    this.#cache.close();
  }

  async #many(ids) {
    const { rows } = await this.#reads.query(`SELECT ${COLUMNS} FROM users WHERE id = ANY ($1::bigint[])`, [ids]);
    const users = new Map(rows.map((user) => [String(user.id), user]));
    return ids.map((id) => users.get(String(id)));
  }
}

module.exports = { Users };
