'use strict';

const { compression } = require('./compression.js');
const { responseCache } = require('./response-cache-middleware.js');

module.exports = {
  compression,
  responseCache,
};
