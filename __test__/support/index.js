'use strict';

module.exports = {
  ...require('./wait'),
  ...require('./random'),
  ...require('./caches'),
  ...require('./threads'),
  ...require('./processes'),
  ...require('./containers'),
  errors: require('./errors'),
};
