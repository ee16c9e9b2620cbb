'use strict';

const { legacyRoutes } = require('./legacy-routes.js');
const { performanceRouter } = require('./performance-router.js');

module.exports = {
  legacyRoutes,
  performanceRouter,
};
