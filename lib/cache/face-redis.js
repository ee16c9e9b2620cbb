'use strict';

const { RedisCache } = require('./redis-cache.js');

/**
 * The Redis behind a class.
 * @param {any} redis a URL, options, or a cache that is open already
 * @param {Record<string, unknown>} [defaults] of options
 * @returns {RedisCache}
 */
function openRedis(redis, defaults) {
  if (redis instanceof RedisCache) return redis;
  return new RedisCache({ ...defaults, ...(typeof redis === 'string' ? { url: redis } : redis) });
}

module.exports = { openRedis };
