'use strict';

const { KeyvStore, createKeyv } = require('./keyv-store.js');
const { NodeCache } = require('./node-cache.js');
const { SessionStore } = require('./session-store.js');

module.exports = { KeyvStore, NodeCache, SessionStore, createKeyv };
