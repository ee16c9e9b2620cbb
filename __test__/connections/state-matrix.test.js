'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { CircuitBreaker, ConnectionPoolManager } = require('../../index.js');
const { errors, runInWorker, waitFor } = require('../support');
const { sharedRedis } = require('../support/redis.js');

describe('ConnectionPoolManager: state matrix', () => {
  const server = sharedRedis();
  const config = () => ({ url: server().url });

  const operations = {
    getRedisPool: async (pools, config) => (await pools.getRedisPool(config)).ping(),
    generatePoolKey: (pools, config) => pools.generatePoolKey('redis', config).startsWith('redis:'),
    getPoolMetrics: (pools, config) => pools.getPoolMetrics(pools.generatePoolKey('redis', config)).healthy,
    pools: (pools) => pools.pools.size,
    checkHealth: (pools) => pools.checkHealth(),
    closeAllPools: (pools) => pools.closeAllPools(),
  };
  const answers = {
    ...{ getRedisPool: 'PONG', generatePoolKey: true, getPoolMetrics: true, pools: 1, checkHealth: undefined },
    closeAllPools: { closed: 1, failed: [] },
  };

  async function opened(t) {
    const pools = new ConnectionPoolManager();
    t.after(() => pools.close());
    await pools.getRedisPool(config());
    return pools;
  }

  it('knows every public member', () => {
    // Pools of PostgreSQL alone are resized; connection-pool-manager.test.js does that.
    const others = ['constructor', 'close', 'getMongoPool', 'getSqlPool', 'poolSize', 'resizePool'];
    assert.deepEqual(
      Object.getOwnPropertyNames(ConnectionPoolManager.prototype).sort(),
      [...Object.keys(operations), ...others].sort(),
    );
  });

  for (const [name, operate] of Object.entries(operations)) {
    it(`${name} while idle`, async (t) => {
      assert.deepEqual(await operate(await opened(t), config()), answers[name]);
    });

    it(`${name} while busy`, async (t) => {
      const pools = await opened(t);
      const client = await pools.getRedisPool(config());
      const busy = Array.from({ length: 200 }, (_, index) => client.set(`busy ${index}`, index));
      assert.deepEqual(await operate(pools, config()), answers[name]);
      assert.ok((await Promise.allSettled(busy)).every(({ status }) => status === 'fulfilled'));
    });

    it(`${name} inside a listener`, async (t) => {
      const pools = new ConnectionPoolManager();
      t.after(() => pools.close());
      const client = await pools.getRedisPool(config());
      const answer = new Promise((resolve, reject) => {
        pools.once('unhealthy', () => {
          client.ping = Object.getPrototypeOf(client).ping;
          Promise.resolve(operate(pools, config())).then(resolve, reject);
        });
      });
      client.ping = () => Promise.reject(new Error('away'));
      await pools.checkHealth();
      assert.deepEqual(await answer, name === 'getPoolMetrics' ? false : answers[name]);
    });

    it(`${name} after closeAllPools, and closed`, async (t) => {
      const pools = await opened(t);
      await pools.closeAllPools();
      if (name === 'getPoolMetrics') assert.throws(() => operate(pools, config()), TypeError);
      else await operate(pools, config());
      await pools.close();
      await pools.close();
      if (name === 'getRedisPool') await assert.rejects(operate(pools, config()), errors.closed);
      else if (name === 'pools') assert.equal(operate(pools), 0);
      else if (name === 'closeAllPools') assert.deepEqual(await operate(pools), { closed: 0, failed: [] });
    });
  }

  for (const name of ['getMongoPool', 'getSqlPool']) {
    it(`${name} closed`, async () => {
      const pools = new ConnectionPoolManager();
      await pools.close();
      const asked = { connectionString: 'mongodb://127.0.0.1:1', host: '127.0.0.1', port: 1 };
      await assert.rejects(pools[name](asked), errors.closed);
    });
  }

  it('one that is closed while it opens a pool leaves none', async () => {
    const pools = new ConnectionPoolManager();
    const opening = pools.getRedisPool(config());
    await pools.close();
    const client = await opening;
    await waitFor(() => client.status === 'end', { what: 'the connection to end' });
    assert.equal(pools.pools.size, 0);
  });

  it('in another thread', async () => {
    const answer = await runInWorker(async ({ load }, config) => {
      const { ConnectionPoolManager } = load();
      const pools = new ConnectionPoolManager();
      const pong = await (await pools.getRedisPool(config)).ping();
      return [pong, await pools.close()];
    }, config());
    assert.deepEqual(answer, ['PONG', { closed: 1, failed: [] }]);
  });
});

describe('CircuitBreaker: state matrix', () => {
  const fail = () => Promise.reject(new Error('away'));

  /** Each state, and how a breaker gets there. */
  const states = {
    closed: async () => new CircuitBreaker({ failureThreshold: 1, openMs: 60_000 }),
    async open() {
      const breaker = await states.closed();
      await assert.rejects(breaker.execute(fail), /away/);
      return breaker;
    },
    async 'half-open'() {
      const breaker = new CircuitBreaker({ failureThreshold: 1, openMs: 1, probes: 1 });
      await assert.rejects(breaker.execute(fail), /away/);
      await waitFor(() => breaker.state === 'half-open');
      return breaker;
    },
  };

  for (const [state, make] of Object.entries(states)) {
    it(`every member while ${state}`, async () => {
      const breaker = await make();
      assert.equal(breaker.state, state);
      assert.equal(breaker.stats.state, state);
      const open = { code: 'ERR_HOTPATH_CIRCUIT_OPEN' };
      const calls = [breaker.execute((a) => a, 1), breaker.wrap((a) => a)(2)];
      const outcomes = await Promise.allSettled(calls);
      if (state === 'closed') assert.deepEqual([outcomes[0].value, outcomes[1].value], [1, 2]);
      if (state === 'open') for (const { reason } of outcomes) assert.equal(reason.code, open.code);
      // One probe is let through, and its neighbour is not.
      if (state === 'half-open') assert.deepEqual([outcomes[0].value, outcomes[1].reason?.code], [1, open.code]);
    });

    it(`every member inside its own function, begun while ${state}`, async () => {
      const breaker = await make();
      if (state === 'open') return;
      const inner = await breaker.execute(async () => [breaker.state, breaker.stats.state]);
      assert.equal(inner[0], inner[1]);
    });
  }

  it('in a listener, and in another thread', async () => {
    const breaker = await states.closed();
    const heard = [];
    breaker.on('state', (now, before) => heard.push([before, now, breaker.state, breaker.stats.state]));
    await assert.rejects(breaker.execute(fail), /away/);
    assert.deepEqual(heard, [['closed', 'open', 'open', 'open']]);
    const answer = await runInWorker(async ({ load }) => {
      const { CircuitBreaker } = load();
      const breaker = new CircuitBreaker({ failureThreshold: 1 });
      await breaker.execute(() => Promise.reject(new Error('away'))).catch(() => {});
      return breaker.state;
    });
    assert.equal(answer, 'open');
  });
});
