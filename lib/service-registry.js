'use strict';

// The services of an application, by name. Monitors ask those with a method `getAnalytics` for their figures. The
// engines that it makes by itself are loaded when they are asked for.

const { isDeepStrictEqual } = require('node:util');
const check = require('./validate.js');
const { HotpathConflictError, invalidArgType } = require('./errors.js');

/** Where data are kept on disk unless somebody says otherwise, in the working directory. */
const DATA_DIRECTORY = 'data';

class ServiceRegistry {
  /** @type {Map<string, any>} */
  #services = new Map();
  /** What was made here, and with which options. @type {Map<string, { service: any, options: object }>} */
  #made = new Map();

  /** @param {string} name @param {object} service */
  register(name, service) {
    check.nonEmptyString(name, 'name');
    if ((typeof service !== 'object' && typeof service !== 'function') || service === null) {
      throw invalidArgType('an object', 'service', service);
    }
    this.#services.set(name, service);
    return service;
  }

  /** @param {string} name */
  unregister(name) {
    return this.#services.delete(check.nonEmptyString(name, 'name'));
  }

  /** @param {string} name */
  getServiceInstance(name) {
    return this.#services.get(check.nonEmptyString(name, 'name'));
  }

  /**
   * The cache of this kind that everybody shares. Redis is where the environment says, as hosts of applications do.
   * @param {'memory' | 'redis'} kind
   * @param {object} [options] for the first who asks; those who come later must agree
   */
  cache(kind, options) {
    check.oneOf(kind, 'kind', ['memory', 'redis']);
    return this.#shared(`cache:${kind}`, options, () => {
      const { MemoryCache, RedisCache } = require('./cache/index.js');
      if (kind === 'memory') return new MemoryCache(options);
      const { REDIS_URL, HOTPATH_REDIS_URL: url = REDIS_URL } = process.env;
      return new RedisCache(url ? { url, ...options } : options);
    });
  }

  /**
   * The data provider of this kind that everybody shares.
   * @param {'memory' | 'disk'} kind
   * @param {object} [options] for the first who asks; those who come later must agree
   */
  dataService(kind, options) {
    check.oneOf(kind, 'kind', ['memory', 'disk']);
    return this.#shared(`dataService:${kind}`, options, () => {
      const { MemoryDataProvider, DiskDataProvider } = require('./batch/index.js');
      if (kind === 'disk') return new DiskDataProvider({ directory: DATA_DIRECTORY, ...options });
      check.options(options, 'options', []);
      return new MemoryDataProvider();
    });
  }

  /** @param {string} name @param {object | undefined} options @param {() => { closed: boolean }} make */
  #shared(name, options, make) {
    const known = this.#made.get(name);
    if (known === undefined || known.service.closed) {
      const service = make();
      this.#made.set(name, { service, options: options ?? {} });
      return service;
    }
    if (options !== undefined && !isDeepStrictEqual(options, known.options)) {
      throw new HotpathConflictError(`The service '${name}' was made with other options`);
    }
    return known.service;
  }

  /** Names and services, in the order in which they came. */
  entries() {
    return [...this.#services];
  }
}

const serviceRegistry = new ServiceRegistry();

module.exports = { ServiceRegistry, serviceRegistry };
