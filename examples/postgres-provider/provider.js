'use strict';

// A data provider on PostgreSQL: what OptimizedDataService needs, with one statement for a batch.

const { randomUUID } = require('node:crypto');

class PostgresDataProvider {
  #pool;

  /** @param {import('pg').Pool} pool */
  constructor(pool) {
    this.#pool = pool;
  }

  /** Makes the table and the index that `find` uses. May be repeated. */
  async prepare() {
    await this.#pool.query(`
      CREATE TABLE IF NOT EXISTS objects (
        container text NOT NULL,
        uuid uuid NOT NULL,
        body jsonb NOT NULL,
        PRIMARY KEY (container, uuid)
      )`);
    await this.#pool.query('CREATE INDEX IF NOT EXISTS objects_body ON objects USING gin (body jsonb_path_ops)');
  }

  async add(container, object) {
    const [uuid] = await this.addMany(container, [object]);
    return uuid;
  }

  /** One statement: all rows or none. */
  async addMany(container, objects) {
    const uuids = objects.map(() => randomUUID());
    const bodies = objects.map((object) => JSON.stringify(object));
    await this.#pool.query(
      'INSERT INTO objects (container, uuid, body) SELECT $1, * FROM unnest($2::uuid[], $3::jsonb[])',
      [container, uuids, bodies],
    );
    return uuids;
  }

  async getByUuid(container, uuid) {
    const [object] = await this.getMany(container, [uuid]);
    return object;
  }

  /** One statement, and the answers in the order of the question. */
  async getMany(container, uuids) {
    const { rows } = await this.#pool.query(
      'SELECT uuid, body FROM objects WHERE container = $1 AND uuid = ANY ($2::uuid[])',
      [container, uuids],
    );
    const bodies = new Map(rows.map(({ uuid, body }) => [uuid, body]));
    return uuids.map((uuid) => bodies.get(uuid));
  }

  /** Objects that have all properties of an object (by the index), or that contain a text. */
  async find(container, term) {
    const { rows } =
      typeof term === 'object'
        ? await this.#pool.query('SELECT body FROM objects WHERE container = $1 AND body @> $2', [container, term])
        : await this.#pool.query(
            'SELECT body FROM objects WHERE container = $1 AND strpos(lower(body::text), lower($2)) > 0',
            [container, String(term)],
          );
    return rows.map(({ body }) => body);
  }
}

module.exports = { PostgresDataProvider };
