'use strict';

// MongoDB through its own driver, which keeps the pool and tells by events what happens in it.

const { requirePeer } = require('../peer.js');
const { PoolMetrics } = require('./pool-metrics.js');

const DEFAULTS = {
  maxPoolSize: 10,
  minPoolSize: 2,
  maxIdleTimeMS: 30_000,
  serverSelectionTimeoutMS: 5000,
  socketTimeoutMS: 45_000,
};

/** Counts connections by the driver's events. @param {any} client */
function countConnections(client) {
  const counts = { active: 0, total: 0, waiting: 0 };
  client.on('connectionCreated', () => counts.total++);
  client.on('connectionClosed', () => counts.total--);
  client.on('connectionCheckOutStarted', () => counts.waiting++);
  client.on('connectionCheckOutFailed', () => counts.waiting--);
  client.on('connectionCheckedOut', () => {
    counts.waiting--;
    counts.active++;
  });
  client.on('connectionCheckedIn', () => counts.active--);
  return counts;
}

/** @param {Record<string, any>} config */
async function openMongoPool({ connectionString, ...options }) {
  const { MongoClient } = requirePeer('mongodb');
  const client = new MongoClient(connectionString, { ...DEFAULTS, ...options, monitorCommands: true });
  const counts = countConnections(client);
  const metrics = new PoolMetrics(() => ({ ...counts }));
  client.on('connectionCheckOutStarted', () => metrics.countAcquire(counts.total > counts.active));
  client.on('commandSucceeded', (/** @type {any} */ { duration }) => metrics.countCommand(duration, false));
  client.on('commandFailed', (/** @type {any} */ { duration }) => metrics.countCommand(duration, true));
  try {
    await client.connect();
  } catch (error) {
    await client.close();
    throw error;
  }
  return {
    pool: client,
    metrics,
    ping: () => client.db().admin().ping(),
    close: () => client.close(),
  };
}

module.exports = { openMongoPool };
