'use strict';

// getOrSet of a multi-level cache beyond memory: waiting for the native side, and running the loader when it is this
// caller's turn.

const native = require('../native.js');
const environment = require('../environment.js');
const { scratch } = environment;
const { translate } = require('../native-errors.js');
const { decodeThrown, encodeThrown } = require('./thrown.js');

/** Marks of an answer, in the numbers of the native side. */
const MARK = Object.freeze({ STALE: 1, DUE: 2, LOADED: 4 });

/** Flags of a load. */
const QUIET = 1;
const REFRESH = 2;

/** In a form: the value lies in the shared memory, and is given by start times the radix plus length. */
const IN_SCRATCH = 1 << 25;
const SCRATCH_RADIX = 1 << 20;

/** Tells the native side that there is no limit. */
const NONE = -1;

/**
 * An answer, taken apart.
 * @typedef {object} Answer
 * @property {boolean} found
 * @property {number} level 0 unless a level had it
 * @property {number} marks
 * @property {any} value
 */

/**
 * To be called as soon as the answer is there: the shared memory may be used again afterwards.
 * @param {import('./codec.js').Codec} codec
 * @param {number} form kind, level and marks, and flags in the highest byte
 * @param {any} value
 * @param {boolean} quiet
 * @returns {Answer}
 */
function answerOf(codec, form, value, quiet) {
  if (form === 0) return { found: false, level: 0, marks: 0, value: undefined };
  const kind = form & 0xff;
  return {
    found: true,
    level: (form >>> 8) & 0xff,
    marks: (form >>> 16) & 0xff,
    value: quiet || kind === 0 ? undefined : decodedOf(codec, kind, form, value),
  };
}

/** @param {import('./codec.js').Codec} codec @param {number} kind @param {number} form @param {any} value */
function decodedOf(codec, kind, form, value) {
  if ((form & IN_SCRATCH) === 0) return codec.decodeAlone(kind, value);
  const length = value % SCRATCH_RADIX;
  const start = (value - length) / SCRATCH_RADIX;
  return codec.decode(kind, scratch, start, start + length);
}

/**
 * What one call wants.
 * @typedef {object} Wish
 * @property {string} key
 * @property {(key: string) => any} loader
 * @property {import('./multi-level-options.js').LoadSettings} settings
 * @property {string[] | undefined} tags
 * @property {boolean} [quiet] nobody looks at the value
 * @property {boolean} [refresh] load although there is a value
 */

class TieredLoads {
  #handle;
  #codec;
  #failed;

  /**
   * @param {number} handle
   * @param {import('./codec.js').Codec} codec
   * @param {(key: string, error: unknown) => void} failed hears of loaders that fail when nobody waits any more
   */
  constructor(handle, codec, failed) {
    this.#handle = handle;
    this.#codec = codec;
    this.#failed = failed;
  }

  /** @param {Wish} wish @returns {Promise<Answer>} */
  load(wish) {
    return new Promise((resolve, reject) => {
      const operation = environment.nextOperation();
      const load = new Load(operation, this.#codec, wish, resolve, reject, this.#failed);
      load.wait();
      try {
        const answer = this.#begin(operation, wish);
        if (answer !== undefined) load.answerAtOnce(answer);
      } catch (error) {
        load.refuseAtOnce(translate(error));
      }
    });
  }

  /** @param {number} operation @param {Wish} wish */
  #begin(operation, { key, settings, tags, quiet, refresh }) {
    const { ttlMs, graceMs, softTimeoutMs, hardTimeoutMs, lock } = settings;
    const flags = (quiet ? QUIET : 0) | (refresh ? REFRESH : 0);
    return native.tieredLoad(
      this.#handle,
      operation,
      key,
      jittered(settings) ?? NONE,
      graceMs,
      softTimeoutMs ?? NONE,
      hardTimeoutMs ?? NONE,
      earlyMs(ttlMs, settings.eagerRefresh),
      lock?.holdMs ?? NONE,
      lock?.waitMs ?? NONE,
      flags,
      tags,
    );
  }
}

/** How long before its end a value is due. @param {number | undefined} ttlMs @param {number | undefined} eagerRefresh */
function earlyMs(ttlMs, eagerRefresh) {
  return ttlMs === undefined || eagerRefresh === undefined || ttlMs === Infinity ? 0 : ttlMs * (1 - eagerRefresh);
}

/** Chance makes a ttl shorter, never longer. @param {{ ttlMs?: number, jitter: number }} settings */
function jittered({ ttlMs, jitter }) {
  return ttlMs === undefined || jitter === 0 ? ttlMs : ttlMs * (1 - jitter * Math.random());
}

/** One call that waits: the operation that the native side completes. */
class Load {
  #operation;
  #codec;
  #wish;
  #resolve;
  #reject;
  #failed;
  /** True once the caller was answered. */
  #answered = false;
  /** What the loader made or threw, when it was this call's turn. @type {{ value?: any, error?: any } | undefined} */
  #own;

  /**
   * @param {number} operation
   * @param {import('./codec.js').Codec} codec
   * @param {Wish} wish
   * @param {(answer: Answer) => void} resolve
   * @param {(error: unknown) => void} reject
   * @param {(key: string, error: unknown) => void} failed
   */
  constructor(operation, codec, wish, resolve, reject, failed) {
    this.#operation = operation;
    this.#codec = codec;
    this.#wish = wish;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#failed = failed;
  }

  wait() {
    environment.awaitOperation(this.#operation, this);
  }

  /** @param {[number, any]} answer */
  answerAtOnce([form, value]) {
    environment.takeOperation(this.#operation);
    this.succeed(form, value);
  }

  /** @param {unknown} error */
  refuseAtOnce(error) {
    environment.takeOperation(this.#operation);
    this.refuse(error);
  }

  /** @param {number} form @param {any} value */
  succeed(form, value) {
    this.#answered = true;
    try {
      const answer = answerOf(this.#codec, form, value, this.#wish.quiet === true);
      // The one who made the value has it already, as it was made.
      const isOwn = (answer.marks & MARK.LOADED) !== 0 && this.#own !== undefined;
      this.#resolve(isOwn ? { ...answer, value: this.#own?.value } : answer);
    } catch (error) {
      this.#reject(error);
    }
  }

  /** @param {Buffer} error */
  fail(error) {
    this.#answered = true;
    try {
      this.#reject(this.#own === undefined ? decodeThrown(this.#codec, error) : this.#own.error);
    } catch (damage) {
      this.#reject(damage);
    }
  }

  /** @param {unknown} error */
  refuse(error) {
    this.#answered = true;
    this.#reject(error);
  }

  async lead() {
    this.wait();
    const codec = this.#codec;
    try {
      const value = await this.#wish.loader(this.#wish.key);
      const kind = codec.encode(value);
      this.#own = { value };
      native.tieredLoaded(this.#operation, kind, codec.payload, codec.start, codec.end);
      codec.payload = undefined;
    } catch (error) {
      this.#own = { error };
      if (this.#answered || this.#wish.refresh) this.#failed(this.#wish.key, error);
      native.tieredLoadFailed(this.#operation, encodeThrown(codec, error));
    }
  }
}

module.exports = { MARK, TieredLoads, answerOf, jittered };
