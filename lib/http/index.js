'use strict';

const { compression } = require('./compression.js');
const { createHttp2Server } = require('./http2-server.js');
const { rateLimit } = require('./rate-limit.js');
const { responseCache } = require('./response-cache-middleware.js');
const { tuneServer } = require('./tune-server.js');
const { WebSocketManager } = require('./web-socket-manager.js');

module.exports = {
  WebSocketManager,
  compression,
  createHttp2Server,
  rateLimit,
  responseCache,
  tuneServer,
};
