'use strict';

const { responseCache } = require('./response-cache-middleware.js');

module.exports = {
  responseCache,
};
