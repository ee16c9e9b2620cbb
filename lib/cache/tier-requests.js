'use strict';

// What native code asks this thread to do: use foreign tiers, and put values that are in one cache's own words into
// words that all know. Events come the same way.

const native = require('../native.js');
const { nextSubscription, subscribers } = require('../environment.js');
const { HotpathTierError } = require('../errors.js');
const { translate } = require('../native-errors.js');
const { DECODE } = require('./internal.js');

/** Answers, in the numbers of the native side. */
const NOTHING = 0;
const SOMETHING = 1;
const VALUE = 2;
const FAILED = 3;

class TierRequests {
  #cache;
  #codec;
  #tiers;
  #handle = -1;
  /** What the native side knows this object by. */
  subscription = nextSubscription();

  /**
   * @param {{ [TELL]: (event: string, value: any) => void }} cache
   * @param {import('./codec.js').Codec} codec
   * @param {Map<number, import('./tier-adapters.js').Described>} tiers by level
   */
  constructor(cache, codec, tiers) {
    this.#cache = new WeakRef(cache);
    this.#codec = codec;
    this.#tiers = tiers;
  }

  /** @param {number} handle */
  begin(handle) {
    this.#handle = handle;
    // Held weakly: a cache that nobody can reach may go.
    subscribers.set(this.subscription, new WeakRef(this));
  }

  end() {
    subscribers.delete(this.subscription);
    this.#handle = -1;
  }

  /** Called on wake-ups. */
  deliver() {
    if (this.#handle === -1) return;
    const taken = native.tieredTake(this.#handle);
    if (taken === undefined) return;
    const [requests, events] = taken;
    for (const request of requests) this.#serve(request);
    for (const event of events) this.#tell(event);
  }

  /** @param {any[]} request */
  async #serve([number, level, what, ...details]) {
    const handle = this.#handle;
    try {
      switch (what) {
        case 'get':
          return this.#answerEntry(handle, number, await this.#foreign(level).get(details[0]));
        case 'translate':
          return this.#answerEntry(handle, number, { value: await this.#decode(level, details[1], details[2]) });
        case 'set':
          await this.#set(level, details);
          return this.#answer(handle, number, NOTHING);
        case 'delete': {
          const existed = await this.#foreign(level).delete(details[0]);
          return this.#answer(handle, number, existed ? SOMETHING : NOTHING);
        }
        case 'keys':
          return native.tieredAnswerKeys(handle, number, await this.#foreign(level).keys());
        default:
          await this.#foreign(level).clear();
          return this.#answer(handle, number, NOTHING);
      }
    } catch (error) {
      this.#answer(handle, number, FAILED);
      const key = typeof details[0] === 'string' ? details[0] : undefined;
      const tier = this.#tiers.get(level)?.native.kind ?? 'foreign';
      this.tellFailure({ tier, level, operation: what, key, cause: error });
    }
  }

  /** @param {number} level */
  #foreign(level) {
    return /** @type {import('./tier-adapters.js').ForeignTier} */ (this.#tiers.get(level)?.foreign);
  }

  /** @param {number} level @param {number} kind @param {any} payload */
  #decode(level, kind, payload) {
    const own = this.#tiers.get(level)?.given;
    return own[DECODE](kind, payload);
  }

  /** @param {number} level @param {any[]} details */
  #set(level, [key, kind, payload, ttlMs, ...attributes]) {
    const value = this.#codec.decodeAlone(kind, payload);
    if (attributes.length === 0) return this.#foreign(level).set(key, value, ttlMs);
    const [expires, keptUntil, tags] = attributes;
    return this.#foreign(level).set(key, value, ttlMs, { expires, keptUntil, tags: tags.map(String) });
  }

  /** @param {number} handle @param {number} number @param {number} status */
  #answer(handle, number, status) {
    native.tieredAnswer(handle, number, status, 0, undefined, 0, 0, 0, 0, undefined);
  }

  /**
   * @param {number} handle
   * @param {number} number
   * @param {({ value: unknown } & import('./tier-adapters.js').Attributes) | undefined} entry
   */
  #answerEntry(handle, number, entry) {
    if (entry === undefined) return this.#answer(handle, number, NOTHING);
    const codec = this.#codec;
    const kind = codec.encode(entry.value);
    const { expires = 0, keptUntil = 0, tags } = entry;
    const { payload, start, end } = codec;
    native.tieredAnswer(handle, number, VALUE, kind, payload, start, end, expires, keptUntil, tags);
    codec.payload = undefined;
  }

  /** @param {{ tier: string, level: number, operation: string, key: string | undefined, cause: any }} fields */
  tellFailure(fields) {
    this.#cache.deref()?.[TELL]('error', tierError(fields));
  }

  /** @param {any[]} event */
  #tell([name, ...details]) {
    const cache = this.#cache.deref();
    if (cache === undefined) return;
    switch (name) {
      case 'promotion':
        return cache[TELL](name, { key: details[0], from: details[1] });
      case 'error': {
        const [key, level, tier, operation, cause] = details;
        return cache[TELL](name, tierError({ tier, level, operation, key, cause: translate(cause) }));
      }
      case 'stale':
        return cache[TELL](name, { key: details[0], reason: details[1] });
      case 'refresh':
        return cache[TELL](name, { key: details[0] });
      default: {
        const [level, tier, state] = details;
        return cache[TELL](name, { level, tier, state });
      }
    }
  }
}

/** A cache's method that raises an event. */
const TELL = Symbol('tell');

/** @param {{ tier: string, level: number, operation: string, key: string | undefined, cause: any }} fields */
function tierError({ cause, ...fields }) {
  const { tier, level, operation } = fields;
  const code = typeof cause?.code === 'string' && cause.code.startsWith('ERR_HOTPATH') ? { code: cause.code } : {};
  return new HotpathTierError(`The ${tier} tier (level ${level}) failed in ${operation}`, {
    ...fields,
    ...code,
    cause,
  });
}

module.exports = { TELL, TierRequests };
