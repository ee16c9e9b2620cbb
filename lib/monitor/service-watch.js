'use strict';

// The services that a monitor looks at: those that were registered with it, those in the service registry, and the
// engines of this thread, which register themselves.

const { serviceSnapshots } = require('../services.js');
const { serviceRegistry } = require('../service-registry.js');
const { within } = require('../within.js');

/** How long a service may take to tell its figures. */
const PATIENCE_MS = 5_000;

/** The registered services of shared monitors, by the monitor's name. @type {Map<string, Map<string, () => unknown>>} */
const shared = new Map();

class ServiceWatch {
  /** @type {Map<string, () => unknown>} */
  #registered = new Map();
  /** What is wrong with a service, or undefined if nothing. @type {Map<string, string | undefined>} */
  #states = new Map();

  /** @param {string | undefined} name of the monitor, if it is shared: its handles have the services in common */
  constructor(name) {
    if (name === undefined) return;
    this.#registered = shared.get(name) ?? this.#registered;
    shared.set(name, this.#registered);
  }

  /** @param {string} name @param {() => unknown} getAnalytics */
  register(name, getAnalytics) {
    this.#registered.set(name, getAnalytics);
  }

  /** @param {string} name */
  unregister(name) {
    this.#states.delete(name);
    return this.#registered.delete(name);
  }

  /**
   * Asks all services at once and hands over what they tell.
   * @param {(name: string, analytics: Record<string, unknown>) => void} take
   */
  async collect(take) {
    for (const [name, figures] of serviceSnapshots()) take(name, figures);
    const sources = new Map(this.#registered);
    for (const [name, service] of serviceRegistry.entries()) {
      if (typeof service?.getAnalytics === 'function' && !sources.has(name)) {
        sources.set(name, () => service.getAnalytics());
      }
    }
    await Promise.all([...sources].map(([name, ask]) => this.#ask(name, ask, take)));
  }

  /**
   * @param {string} name
   * @param {() => unknown} ask
   * @param {(name: string, analytics: Record<string, unknown>) => void} take
   */
  async #ask(name, ask, take) {
    try {
      const analytics = /** @type {any} */ (await within(ask(), PATIENCE_MS, { keepAlive: false }));
      if (typeof analytics !== 'object' || analytics === null) throw new TypeError('it told nothing');
      take(name, analytics);
      const down = analytics.status === 'down' || analytics.healthy === false;
      this.#states.set(name, down ? 'it says that it is down' : undefined);
    } catch (error) {
      this.#states.set(name, error instanceof Error ? error.message : String(error));
    }
  }

  /** The services that were asked, with what is wrong with each. */
  get states() {
    return this.#states;
  }
}

module.exports = { ServiceWatch };
