'use strict';

// The circuit breaker that the tiers use, for any function of the application's own. The state machine is native; it
// moves only when it is asked, so there is no timer.

const { EventEmitter } = require('node:events');
const { DISPOSE, addAliases } = require('../aliases.js');
const native = require('../native.js');
const { HotpathError, invalidArgType, outOfRange } = require('../errors.js');
const check = require('../validate.js');
const { within } = require('../within.js');

const COUNTED = Object.freeze(['failureThreshold', 'minimumCalls', 'windowMs', 'openMs', 'probes']);
const OPTIONS = Object.freeze([...COUNTED, 'failureRatio', 'timeoutMs', 'isFailure']);

/** @param {unknown} value @param {string} path */
function ratio(value, path) {
  if (check.positiveFiniteNumber(value, path) > 1) throw outOfRange('a share up to 1', path, value);
}

/** @param {unknown} options */
function breakerOptions(options) {
  const path = 'options';
  const { timeoutMs, isFailure, ...given } = check.options(options, path, OPTIONS);
  for (const name of COUNTED) if (given[name] !== undefined) check.positiveInteger(given[name], `${path}.${name}`);
  if (given.failureRatio !== undefined) ratio(given.failureRatio, `${path}.failureRatio`);
  return {
    given,
    timeoutMs: timeoutMs === undefined ? undefined : check.positiveInteger(timeoutMs, `${path}.timeoutMs`),
    isFailure: isFailure === undefined ? () => true : check.function_(isFailure, `${path}.isFailure`),
  };
}

class CircuitBreaker extends EventEmitter {
  #breaker;
  #timeoutMs;
  #isFailure;
  #state = 'closed';

  /** @param {unknown} [options] */
  constructor(options) {
    super();
    const { given, timeoutMs, isFailure } = breakerOptions(options);
    this.#breaker = native.makeBreaker(given);
    this.#timeoutMs = timeoutMs;
    this.#isFailure = isFailure;
  }

  get state() {
    const state = native.breakerState(this.#breaker);
    this.#notice(state);
    return state;
  }

  get stats() {
    return { state: this.state, ...native.breakerCounts(this.#breaker) };
  }

  /** @param {(...args: any[]) => any} fn @param {any[]} args */
  async execute(fn, ...args) {
    if (typeof fn !== 'function') throw invalidArgType('a function', 'fn', fn);
    const permit = native.acquirePermit(this.#breaker);
    this.#notice(native.breakerState(this.#breaker));
    if (permit === null) {
      const { retryAfterMs } = native.breakerCounts(this.#breaker);
      throw new HotpathError('The circuit breaker is open', { code: 'ERR_HOTPATH_CIRCUIT_OPEN', retryAfterMs });
    }
    try {
      const result = await this.#limited(fn, args);
      this.#report(permit, true);
      return result;
    } catch (error) {
      this.#report(permit, this.#judged(error));
      throw error;
    }
  }

  /** @template {(...args: any[]) => any} F @param {F} fn */
  wrap(fn) {
    if (typeof fn !== 'function') throw invalidArgType('a function', 'fn', fn);
    const breaker = this;
    return /** @this {any} */ function (/** @type {any[]} */ ...args) {
      return breaker.execute(() => fn.apply(this, args));
    };
  }

  /** Whether an error is a success all the same: a refusal is an answer. @param {unknown} error */
  #judged(error) {
    try {
      return !this.#isFailure(error);
    } catch {
      return false;
    }
  }

  /** @param {(...args: any[]) => any} fn @param {any[]} args */
  async #limited(fn, args) {
    const limit = this.#timeoutMs;
    return limit === undefined ? fn(...args) : within(fn(...args), limit);
  }

  /** @param {any} permit @param {boolean} succeeded */
  #report(permit, succeeded) {
    native.reportCall(this.#breaker, permit, succeeded);
    this.#notice(native.breakerState(this.#breaker));
  }

  /** @param {string} state */
  #notice(state) {
    const previous = this.#state;
    if (state === previous) return;
    this.#state = state;
    this.emit('state', state, previous);
  }
}

// It takes no timer and no handle: listeners are all there is to let go of.
addAliases(CircuitBreaker, { [DISPOSE]: 'removeAllListeners' });

module.exports = { CircuitBreaker };
