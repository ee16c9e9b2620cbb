'use strict';

module.exports = {
  ...require('./wait'),
  ...require('./random'),
  ...require('./caches'),
  ...require('./threads'),
  ...require('./processes'),
  errors: require('./errors'),
};
