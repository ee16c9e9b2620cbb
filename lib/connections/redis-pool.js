'use strict';

// Redis through ioredis: one connection that all commands share, or a cluster with one to each node.

const { HotpathError } = require('../errors.js');
const { requirePeer } = require('../peer.js');
const { PoolMetrics } = require('./pool-metrics.js');

const DEFAULTS = { enableOfflineQueue: false, maxRetriesPerRequest: 3, keepAlive: 30_000, connectTimeout: 10_000 };
const COMMAND_TIMEOUT_MS = 5000;
const RETRY_ON_FAILOVER_MS = 100;

/** @param {Record<string, any>} config */
function createClient({ nodes, url, ...config }) {
  const { Redis, Cluster } = requirePeer('ioredis');
  /** @type {Record<string, any>} */
  const node = { ...DEFAULTS, commandTimeout: COMMAND_TIMEOUT_MS, ...config, lazyConnect: true };
  if (nodes === undefined) return url === undefined ? new Redis(node) : new Redis(url, node);
  // A cluster has no numbered databases, and its nodes say where they are.
  const { host, port, db, ...redisOptions } = node;
  return new Cluster(nodes, {
    lazyConnect: true,
    // Until the slots are known, commands have to wait: nothing else could tell where they belong.
    enableOfflineQueue: true,
    enableReadyCheck: true,
    retryDelayOnFailover: RETRY_ON_FAILOVER_MS,
    redisOptions,
  });
}

/** @param {any} client */
function connectionsOf(client) {
  return client.isCluster ? client.nodes('all') : [client];
}

/** @param {any} client */
function count(client) {
  const ready = connectionsOf(client).filter((/** @type {any} */ { status }) => status === 'ready');
  const active = ready.filter((/** @type {any} */ { commandQueue }) => commandQueue.length > 0);
  const waiting = connectionsOf(client).reduce(
    (/** @type {number} */ sum, /** @type {any} */ { offlineQueue }) => {
      return sum + offlineQueue.length;
    },
    client.isCluster ? client.offlineQueue.length : 0,
  );
  return { active: active.length, total: ready.length, waiting };
}

/** Times every command. @param {any} client @param {PoolMetrics} metrics */
function observe(client, metrics) {
  const send = client.sendCommand;
  client.sendCommand = (/** @type {any} */ command, /** @type {any[]} */ ...rest) => {
    metrics.countAcquire(client.status === 'ready');
    const end = metrics.begin();
    command.promise.then(
      () => end(false),
      () => end(true),
    );
    return send.call(client, command, ...rest);
  };
}

/**
 * Lets what is under way finish, and ends in any case: a server that goes away in the middle of the goodbye would
 * otherwise be looked for ever after.
 *
 * @param {any} client
 */
async function close(client) {
  for (const { options } of client.isCluster ? [client, ...client.nodes('all')] : [client]) {
    options.retryStrategy = options.clusterRetryStrategy = () => null;
  }
  try {
    if (client.status === 'ready') await client.quit();
  } finally {
    client.disconnect();
  }
}

/**
 * Why there is no connection: ioredis itself only says that it is closed. The errors that it reports hold the command
 * that failed, which may be AUTH with the password; a server that does not know it repeats it in its text. So nothing is
 * taken from them but what the system says, and the word that an answer begins with.
 *
 * @param {any} met what was reported first
 * @param {any} error what connecting ended with
 */
function failure(met, error) {
  const reason = met?.lastNodeError ?? met ?? error;
  if (reason.name === 'ReplyError') {
    const [word] = /^[A-Z]+\b/.exec(reason.message) ?? ['ERR'];
    return new HotpathError(`Redis refused the connection: ${word}`, { code: 'ERR_HOTPATH_CONNECTION_REFUSED' });
  }
  return typeof reason.syscall === 'string' ? Object.assign(new Error(reason.message), { code: reason.code }) : error;
}

/** @param {Record<string, any>} config */
async function openRedisPool(config) {
  const client = createClient(config);
  const metrics = new PoolMetrics(() => count(client));
  /** @type {unknown} */
  let met;
  // ioredis reports what its reconnecting meets; commands fail on their own account.
  client.on('error', (/** @type {unknown} */ error) => {
    metrics.errors++;
    met ??= error;
  });
  try {
    await client.connect();
  } catch (error) {
    client.disconnect();
    throw failure(met, error);
  }
  observe(client, metrics);
  return {
    pool: client,
    metrics,
    ping: () => client.ping(),
    close: () => close(client),
  };
}

module.exports = { openRedisPool };
