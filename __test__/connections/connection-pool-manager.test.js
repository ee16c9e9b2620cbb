'use strict';

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { inspect } = require('node:util');
const { ConnectionPoolManager } = require('hotpath/connections');
const { serviceSnapshots } = require('../../lib/services.js');
const { mongodb } = require('../support/mongodb.js');
const { postgres } = require('../support/postgres.js');
const { freePort, need, start, stop, temporaryFolder } = require('../support/servers.js');
const { waitFor } = require('../support/wait.js');

/** What document 000 shows for every pool. */
const FIELDS = [
  'activeConnections',
  'totalConnections',
  'commandsExecuted',
  'errors',
  'avgResponseTime',
  'lastHealthCheck',
];

function manager(t, options) {
  const pools = new ConnectionPoolManager(options);
  t.after(() => pools.close());
  return pools;
}

async function redis(t, args = []) {
  const port = await freePort();
  const program = need('redis-server');
  const folder = temporaryFolder(t, 'hotpath-redis-');
  const all = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', folder, ...args];
  let child = await start(program, all, { port });
  t.after(() => stop(child, 'SIGKILL'));
  return {
    port,
    kill: () => stop(child, 'SIGKILL'),
    async restart() {
      child = await start(program, all, { port });
    },
  };
}

describe('Redis', () => {
  test('a hundred requests for one configuration make one pool', async (t) => {
    const { port } = await redis(t);
    const pools = manager(t);
    const got = await Promise.all(Array.from({ length: 100 }, () => pools.getRedisPool({ host: '127.0.0.1', port })));
    assert.equal(new Set(got).size, 1);
    // The order of properties makes no other configuration; another database does.
    assert.equal(await pools.getRedisPool({ port, host: '127.0.0.1' }), got[0]);
    assert.notEqual(await pools.getRedisPool({ port, host: '127.0.0.1', db: 1 }), got[0]);
    assert.equal(pools.pools.size, 2);
    const clients = (await got[0].client('LIST')).trim().split('\n');
    assert.equal(clients.length, 2);
  });

  test('monitors see sums over all pools, and no key', async (t) => {
    const { port } = await redis(t);
    const pools = manager(t);
    const pool = await pools.getRedisPool({ host: '127.0.0.1', port, password: undefined });
    await assert.rejects(pool.call('NO-SUCH-COMMAND'));
    const snapshot = serviceSnapshots().get('connections');
    assert.deepEqual(snapshot, {
      ...{ pools: 1, unhealthy: 0, activeConnections: 0, totalConnections: 1, waiting: 0, errors: 1 },
    });
    await pools.close();
    assert.equal(serviceSnapshots().has('connections'), false);
  });

  test('its metrics are what happened', async (t) => {
    const { port } = await redis(t);
    const pools = manager(t);
    const config = { host: '127.0.0.1', port };
    const pool = await pools.getRedisPool(config);
    const key = pools.generatePoolKey('redis', config);
    await Promise.all(Array.from({ length: 50 }, (_, index) => pool.set(`k${index}`, index)));
    await assert.rejects(pool.call('NO-SUCH-COMMAND'));
    const metrics = pools.getPoolMetrics(key);
    for (const field of FIELDS) assert.equal(typeof metrics[field], 'number', field);
    assert.equal(metrics.commandsExecuted, 51);
    assert.equal(metrics.errors, 1);
    assert.equal(metrics.totalConnections, 1);
    assert.equal(metrics.activeConnections, 0);
    assert.equal(metrics.poolEfficiency, 1);
    assert.ok(metrics.avgResponseTime > 0 && metrics.responseTime.p99 >= metrics.responseTime.p50);
  });

  test('health checks see a server die and come back', async (t) => {
    const server = await redis(t);
    const pools = manager(t, { healthCheckIntervalMs: 20, healthCheckTimeoutMs: 500 });
    const config = { host: '127.0.0.1', port: server.port };
    const pool = await pools.getRedisPool(config);
    const key = pools.generatePoolKey('redis', config);
    const seen = [];
    pools.on('unhealthy', (event) => seen.push(['unhealthy', event.key]));
    pools.on('healthy', (event) => seen.push(['healthy', event.key]));
    await server.kill();
    await waitFor(() => !pools.getPoolMetrics(key).healthy);
    assert.equal(pools.getPoolMetrics(key).totalConnections, 0);
    await server.restart();
    await waitFor(() => pools.getPoolMetrics(key).healthy);
    assert.deepEqual(seen, [
      ['unhealthy', key],
      ['healthy', key],
    ]);
    assert.equal(await pool.set('again', 1), 'OK');
  });

  test('a cluster', async (t) => {
    const { port } = await redis(t, ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1']);
    const Redis = require('ioredis');
    const direct = new Redis(port, '127.0.0.1');
    await direct.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16383);
    await waitFor(async () => (await direct.call('CLUSTER', 'INFO')).includes('cluster_state:ok'));
    await direct.quit();
    const pools = manager(t);
    const config = { nodes: [{ host: '127.0.0.1', port }] };
    const pool = await pools.getRedisPool(config);
    await pool.set('a', 'b');
    assert.equal(await pool.get('a'), 'b');
    const metrics = pools.getPoolMetrics(pools.generatePoolKey('redis', config));
    assert.equal(metrics.totalConnections, 1);
    assert.equal(metrics.commandsExecuted, 2);
  });

  test('a wrong password shows nowhere', async (t) => {
    const { port } = await redis(t, ['--requirepass', 'the-right-word']);
    const pools = manager(t);
    const url = `redis://someone:the-wrong-word@127.0.0.1:${port}`;
    const error = await pools.getRedisPool({ url }).then(assert.fail, (reason) => reason);
    assert.ok(!inspect(error, { depth: 9 }).includes('the-wrong-word'), inspect(error));
    const key = pools.generatePoolKey('redis', { url });
    assert.match(key, /^redis:[0-9a-f]{32}$/);
    // The failure is not kept.
    assert.equal(pools.pools.size, 0);
    const pool = await pools.getRedisPool({ host: '127.0.0.1', port, password: 'the-right-word' });
    assert.equal(await pool.ping(), 'PONG');
  });

  test('a thousand pools opened and closed leave no connection', async (t) => {
    const { port } = await redis(t);
    const Redis = require('ioredis');
    const watcher = new Redis(port, '127.0.0.1');
    t.after(() => watcher.disconnect());
    const pools = manager(t);
    for (let round = 0; round < 1000; round++) {
      await pools.getRedisPool({ host: '127.0.0.1', port });
      assert.deepEqual(await pools.closeAllPools(), { closed: 1, failed: [] });
    }
    await waitFor(async () => (await watcher.client('LIST')).trim().split('\n').length === 1);
  });
});

describe('PostgreSQL', () => {
  test('queries, metrics, waiting and health', async (t) => {
    const server = await postgres(t);
    const pools = manager(t, { healthCheckIntervalMs: 50, healthCheckTimeoutMs: 1000 });
    const config = { ...server.config, min: 2, max: 2 };
    const pool = await pools.getSqlPool(config);
    const key = pools.generatePoolKey('sql', config);
    assert.equal(pools.getPoolMetrics(key).totalConnections, 2);
    const { rows } = await pool.query('SELECT $1::int + 1 AS sum', [1]);
    assert.deepEqual(rows, [{ sum: 2 }]);
    await assert.rejects(pool.query('SELECT * FROM nowhere'));
    await Promise.all(Array.from({ length: 6 }, () => pool.query('SELECT pg_sleep(0.05)')));
    const metrics = pools.getPoolMetrics(key);
    assert.ok(metrics.commandsExecuted >= 8);
    assert.ok(metrics.errors >= 1);
    assert.ok(metrics.poolEfficiency < 1 && metrics.poolEfficiency > 0, `${metrics.poolEfficiency}`);
    assert.ok(metrics.responseTime.max >= 40);
    assert.deepEqual([pools.poolSize(key), pools.poolSize('none')], [2, undefined]);
    assert.deepEqual([pools.resizePool(key, 4), pools.resizePool('none', 4)], [true, false]);
    const more = Array.from({ length: 4 }, () => pool.query('SELECT pg_sleep(0.2)'));
    await waitFor(() => pools.getPoolMetrics(key).totalConnections === 4);
    await Promise.all(more);
    assert.throws(() => pools.resizePool(key, 0), { code: 'ERR_OUT_OF_RANGE' });
    await new Promise((resolve, reject) => pool.query('SELECT 1', (error) => (error ? reject(error) : resolve())));
    await server.kill();
    await waitFor(() => !pools.getPoolMetrics(key).healthy);
    await server.restart();
    await waitFor(() => pools.getPoolMetrics(key).healthy);
    assert.equal((await pool.query('SELECT 1 AS one')).rows[0].one, 1);
    const wrong = { ...config, password: 'the-wrong-word', acquire: 2000 };
    const error = await pools.getSqlPool(wrong).then(assert.fail, (reason) => reason);
    assert.ok(!inspect(error, { depth: 9 }).includes('the-wrong-word'));
  });
});

describe('MongoDB', () => {
  test('commands, metrics and health', async (t) => {
    const server = await mongodb(t);
    const pools = manager(t, { healthCheckIntervalMs: 50, healthCheckTimeoutMs: 1000 });
    const config = {
      connectionString: process.env.HOTPATH_MONGODB_URL ?? server.connectionString,
      minPoolSize: 1,
    };
    const [client, same] = await Promise.all([pools.getMongoPool(config), pools.getMongoPool({ ...config })]);
    assert.equal(client, same);
    const key = pools.generatePoolKey('mongodb', config);
    assert.equal((await client.db('a').command({ buildInfo: 1 })).ok, 1);
    await waitFor(() => server.commands.includes('ping') || process.env.HOTPATH_MONGODB_URL);
    const metrics = pools.getPoolMetrics(key);
    for (const field of FIELDS) assert.equal(typeof metrics[field], 'number', field);
    assert.ok(metrics.commandsExecuted >= 1);
    assert.ok(metrics.totalConnections >= 1);
    assert.ok(metrics.acquires >= 1);
  });
});

describe('the manager', () => {
  test('closes all pools even when one cannot be closed', async (t) => {
    const { port } = await redis(t);
    const pools = manager(t);
    const [first, second] = await Promise.all([0, 1].map((db) => pools.getRedisPool({ host: '127.0.0.1', port, db })));
    first.quit = () => Promise.reject(new Error('cannot'));
    const failures = [];
    pools.on('closeFailed', (failure) => failures.push(failure));
    const { closed, failed } = await pools.closeAllPools();
    assert.equal(closed, 1);
    assert.deepEqual(failed, failures);
    assert.match(failed[0].error.message, /cannot/);
    await waitFor(() => second.status === 'end');
    assert.equal(pools.pools.size, 0);
    first.disconnect();
  });

  test('after close it opens nothing', async () => {
    const pools = new ConnectionPoolManager();
    await pools.close();
    await pools.close();
    await assert.rejects(pools.getRedisPool({ port: 1 }), { code: 'ERR_HOTPATH_CLOSED' });
  });

  test('a server that is not there is an error for all who asked', async (t) => {
    const pools = manager(t);
    const port = await freePort();
    const config = { host: '127.0.0.1', port, retryStrategy: () => null };
    const results = await Promise.allSettled([pools.getRedisPool(config), pools.getRedisPool(config)]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    assert.equal(results[0].reason.code, 'ECONNREFUSED');
  });

  test('a password that is wrong is told, and not which it was', async (t) => {
    const { port } = await redis(t, ['--requirepass', 'right']);
    const pools = manager(t);
    for (const config of [
      { host: '127.0.0.1', port, password: 'never to be seen' },
      { nodes: [{ host: '127.0.0.1', port }], password: 'never to be seen' },
    ]) {
      const error = await pools.getRedisPool(config).catch((reason) => reason);
      assert.equal(error.code, 'ERR_HOTPATH_CONNECTION_REFUSED');
      assert.match(error.message, /WRONGPASS/);
      assert.doesNotMatch(inspect(error, { depth: 9 }), /never to be seen/);
    }
  });

  test('wrong options and configurations are named', async (t) => {
    assert.throws(() => new ConnectionPoolManager({ healthCheckInterval: 1 }), { code: 'ERR_HOTPATH_UNKNOWN_OPTION' });
    assert.throws(() => new ConnectionPoolManager({ healthCheckIntervalMs: -1 }), { code: 'ERR_OUT_OF_RANGE' });
    const pools = manager(t);
    await assert.rejects(pools.getRedisPool(undefined), { code: 'ERR_INVALID_ARG_TYPE', message: /config/ });
    await assert.rejects(pools.getMongoPool({}), { code: 'ERR_INVALID_ARG_TYPE', message: /connectionString/ });
    assert.equal(pools.getPoolMetrics('redis:none'), undefined);
  });
});
