'use strict';

// PostgreSQL through pg and its pool. The options `min`, `max`, `idle`, `acquire` and `evict` are those that Sequelize
// and its likes use; pg times each idle connection by itself, so `evict`, how often to look for them, has nothing to do.

const { requirePeer } = require('../peer.js');
const { PoolMetrics } = require('./pool-metrics.js');

const DEFAULTS = { min: 5, max: 20, idle: 10_000, acquire: 60_000, evict: 1000 };

/** Times the queries of a connection. @param {any} client @param {PoolMetrics} metrics */
function observe(client, metrics) {
  const query = client.query;
  client.query = (/** @type {any[]} */ ...args) => {
    const end = metrics.begin();
    const callback = args.at(-1);
    if (typeof callback === 'function') {
      args[args.length - 1] = (/** @type {any} */ error, /** @type {any} */ result) => {
        end(Boolean(error));
        callback(error, result);
      };
      return query.apply(client, args);
    }
    const answer = query.apply(client, args);
    // A cursor or a stream is neither: it has no one end.
    if (typeof answer?.then === 'function') {
      answer.then(
        () => end(false),
        () => end(true),
      );
    }
    return answer;
  };
}

/** Opens the connections that are to be there from the start. @param {any} pool @param {number} min */
async function warm(pool, min) {
  const opened = await Promise.allSettled(Array.from({ length: Math.max(1, min) }, () => pool.connect()));
  for (const { status, value } of /** @type {any[]} */ (opened)) if (status === 'fulfilled') value.release();
  const failed = opened.find(({ status }) => status === 'rejected');
  if (failed) throw /** @type {PromiseRejectedResult} */ (failed).reason;
}

/** @param {Record<string, any>} config */
async function openSqlPool(config) {
  const { Pool } = requirePeer('pg');
  const { min, max, idle, acquire, evict, ...connection } = { ...DEFAULTS, ...config };
  const pool = new Pool({
    ...connection,
    min,
    max,
    idleTimeoutMillis: idle,
    connectionTimeoutMillis: acquire,
    allowExitOnIdle: true,
  });
  const metrics = new PoolMetrics(() => ({
    active: pool.totalCount - pool.idleCount,
    total: pool.totalCount,
    waiting: pool.waitingCount,
  }));
  // A connection that breaks while idle is replaced at the next use.
  pool.on('error', () => {
    metrics.errors++;
  });
  pool.on('connect', (/** @type {any} */ client) => observe(client, metrics));
  try {
    await warm(pool, min);
  } catch (error) {
    await pool.end();
    throw error;
  }
  const connect = pool.connect;
  pool.connect = (/** @type {any[]} */ ...args) => {
    metrics.countAcquire(pool.idleCount > 0);
    return connect.apply(pool, args);
  };
  return {
    pool,
    metrics,
    ping: () => pool.query('SELECT 1'),
    close: () => pool.end(),
    size: () => pool.options.max,
    // pg looks at this whenever somebody asks for a connection; those beyond it leave when they are idle.
    resize: (/** @type {number} */ size) => {
      pool.options.max = size;
    },
  };
}

module.exports = { openSqlPool };
