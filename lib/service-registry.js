'use strict';

// The services of an application, by name. Monitors ask those with a method `getAnalytics` for their figures. The
// engines that it makes by itself are loaded when they are asked for.

const check = require('./validate.js');
const { invalidArgType } = require('./errors.js');

class ServiceRegistry {
  /** @type {Map<string, any>} */
  #services = new Map();
  /** What was made here. @type {Map<string, any>} */
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
   */
  cache(kind) {
    check.oneOf(kind, 'kind', ['memory', 'redis']);
    return this.#shared(`cache:${kind}`, () => {
      const { MemoryCache, RedisCache } = require('./cache/index.js');
      if (kind === 'memory') return new MemoryCache();
      const { REDIS_URL, HOTPATH_REDIS_URL: url = REDIS_URL } = process.env;
      return new RedisCache(url ? { url } : undefined);
    });
  }

  /** The data provider of this kind that everybody shares. @param {'memory' | 'disk'} kind */
  dataService(kind) {
    check.oneOf(kind, 'kind', ['memory', 'disk']);
    return this.#shared(`dataService:${kind}`, () => {
      const { MemoryDataProvider, DiskDataProvider } = /** @type {any} */ (require('./batch/index.js'));
      return kind === 'memory' ? new MemoryDataProvider() : new DiskDataProvider();
    });
  }

  /** @param {string} name @param {() => object} make */
  #shared(name, make) {
    const known = this.#made.get(name);
    if (known !== undefined && !known.closed) return known;
    const made = make();
    this.#made.set(name, made);
    return made;
  }

  /** Names and services, in the order in which they came. */
  entries() {
    return [...this.#services];
  }
}

const serviceRegistry = new ServiceRegistry();

module.exports = { ServiceRegistry, serviceRegistry };
