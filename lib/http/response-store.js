'use strict';

// Answers in a cache. One in memory is asked without a promise, and lends its bytes; any other is awaited.

const { openFaceMemory } = require('../cache/face-memory.js');
const { LEND } = require('../cache/internal.js');
const { lifeOptions } = require('../cache/ttl-argument.js');
const { MemoryCache } = require('../cache/memory-cache.js');
const { HotpathError } = require('../errors.js');
const { Variants, decode, newId } = require('./stored-response.js');
const { variantKey } = require('./request-key.js');

/** @typedef {import('./stored-response.js').StoredResponse} StoredResponse */

/** Keys and tags of ours in a cache that may hold other things, too. */
const KEYS = 'http:';
const URLS = 'http-url:';
const CODED = 'http-coded:';
const NOTES = 'http-note:';

/** How long threads know of each other's invalidations: longer than an application takes to answer. */
const NOTE_MS = 60_000;

class ResponseStore {
  #cache;
  #owned;
  /** Whether other threads may use the same cache. */
  #isShared = false;
  /** @type {import('../cache/lent-values.js').LentValues<StoredResponse | Variants> | undefined} */
  #answers;
  /** @type {import('../cache/lent-values.js').LentValues<{ bytes: Buffer }> | undefined} */
  #bodies;

  /** @param {{ cache?: any, name?: string, maxMemoryMB?: number }} settings */
  constructor({ cache, name, maxMemoryMB }) {
    this.#owned = cache === undefined;
    this.#cache = cache ?? openFaceMemory('responseCache', {}, { name, maxMemoryMB });
    if (this.#cache instanceof MemoryCache) {
      this.#isShared = this.#cache.name !== undefined;
      this.#answers = this.#cache[LEND](decode);
      this.#bodies = this.#cache[LEND]((bytes) => ({ bytes }));
    }
  }

  get cache() {
    return this.#cache;
  }

  /** Whether `find` answers at once. */
  get isSynchronous() {
    return this.#answers !== undefined;
  }

  /**
   * The answer for a request, or what tells its variants apart if there is none.
   * @param {string} key
   * @param {Record<string, any>} headers
   * @returns {StoredResponse | Variants | undefined}
   */
  find(key, headers) {
    const answers = /** @type {import('../cache/lent-values.js').LentValues<StoredResponse | Variants>} */ (
      this.#answers
    );
    const found = answers.get(KEYS + key);
    if (!(found instanceof Variants)) return found;
    const variant = answers.get(KEYS + variantKey(key, found, headers));
    return variant === undefined || variant instanceof Variants ? found : variant;
  }

  /**
   * `find` of any cache.
   * @param {string} key
   * @param {Record<string, any>} headers
   * @returns {Promise<StoredResponse | Variants | undefined>}
   */
  async ask(key, headers) {
    if (this.#answers !== undefined) return this.find(key, headers);
    const found = decode(await this.#cache.get(KEYS + key));
    if (!(found instanceof Variants)) return found;
    const variant = decode(await this.#cache.get(KEYS + variantKey(key, found, headers)));
    return variant === undefined || variant instanceof Variants ? found : variant;
  }

  /**
   * @param {string} key
   * @param {string} url
   * @param {Record<string, any>} headers of the request
   * @param {readonly string[]} vary
   * @param {StoredResponse} answer
   */
  async put(key, url, headers, vary, answer) {
    const { tags } = answer.description;
    const life = this.#life(answer, [...tags, URLS + url]);
    const bytes = answer.encode();
    if (vary.length === 0) {
      await this.#cache.set(KEYS + key, bytes, life);
      return;
    }
    const known = await this.ask(key, headers);
    const variants = known instanceof Variants ? known : await this.#variantsAt(key);
    const names = [...new Set([...(variants?.names ?? []), ...vary])].sort();
    const id = variants !== undefined && variants.names.length === names.length ? variants.id : newId();
    const index = new Variants({ id, names });
    await this.#cache.set(KEYS + variantKey(key, index, headers), bytes, life);
    // Anew each time: it has to live as long as the youngest of them.
    await this.#cache.set(KEYS + key, index.encode(), life);
  }

  /** @param {string} key */
  async #variantsAt(key) {
    const found = decode(await this.#cache.get(KEYS + key));
    return found instanceof Variants ? found : undefined;
  }

  /** @param {StoredResponse} answer @param {string[]} tags */
  #life(answer, tags) {
    const until = Math.max(answer.freshUntil, answer.servedUntil, answer.rescuesUntil);
    const ttlMs = Math.max(1, until - Date.now());
    return typeof this.#cache.invalidateTags === 'function' ? { ttlMs, tags } : lifeOptions(this.#cache, ttlMs);
  }

  /**
   * The body of an answer in a coding, made at most once for all who share the cache.
   * @param {StoredResponse} answer
   * @param {string} encoding
   * @param {(body: Buffer) => Promise<Buffer>} encode
   * @returns {Promise<Buffer>}
   */
  async coded(answer, encoding, encode) {
    // The name of the answer is in the key: a body can outlive its answer, and never stand in for another.
    const key = `${CODED}${encoding}:${answer.description.id}`;
    const known = await this.#codedBody(key);
    if (known !== undefined) return known;
    const body = await encode(answer.body);
    await this.#cache.set(key, body, this.#life(answer, answer.description.tags));
    return (await this.#codedBody(key)) ?? body;
  }

  /** @param {string} key @returns {Promise<Buffer | undefined>} */
  async #codedBody(key) {
    if (this.#bodies !== undefined) return this.#bodies.get(key)?.bytes;
    const body = await this.#cache.get(key);
    return Buffer.isBuffer(body) ? body : undefined;
  }

  /** Microseconds of the clock that all threads share. */
  get now() {
    return this.#isShared ? Number(process.hrtime.bigint() / 1000n) : 0;
  }

  /**
   * Leaves word of an invalidation, before it happens: another thread may be making an answer that is out of date by it.
   * @param {string[]} subjects
   */
  note(subjects) {
    if (!this.#isShared) return;
    for (const subject of subjects) this.#cache.set(NOTES + subject, this.now, lifeOptions(this.#cache, NOTE_MS));
  }

  /**
   * Whether any thread has invalidated an answer since it was begun. To be asked again once it is stored: either this
   * sees the note, or the other's deletion comes after.
   * @param {number} begun
   * @param {string} url
   * @param {readonly string[]} tags
   */
  isOvertaken(begun, url, tags) {
    if (!this.#isShared) return false;
    if (this.now - begun > NOTE_MS * 1000) return true;
    return [ALL, subjectOf(url), ...tags].some((subject) => this.#cache.peek(NOTES + subject) >= begun);
  }

  /** Lets go of all answers of a URL, whatever tells them apart. @param {string} url @param {string} [key] */
  async deleteUrl(url, key) {
    this.note([subjectOf(url)]);
    if (typeof this.#cache.invalidateTags === 'function') await this.#cache.invalidateTags([URLS + url]);
    else if (typeof this.#cache.deletePattern === 'function') {
      await this.#cache.deletePattern(`${KEYS}${escapeGlob(url)} *`);
    } else if (key !== undefined) await this.#cache.delete(KEYS + key);
    // Nothing says under which keys a URL is stored.
    else throw cannot('deletePattern');
  }

  /** `delete`, of what nobody else need know about. @param {string} key @returns {Promise<boolean>} */
  async remove(key) {
    return (await this.#cache.delete(KEYS + key)) === true;
  }

  /** @param {string} key */
  async delete(key) {
    this.note([ALL]);
    return this.remove(key);
  }

  /** @param {string} pattern of URLs */
  async deletePattern(pattern) {
    if (typeof this.#cache.deletePattern !== 'function') throw cannot('deletePattern');
    this.note([ALL]);
    return this.#cache.deletePattern(`${KEYS}${pattern} *`);
  }

  /** @param {string[]} tags */
  async invalidateTags(tags) {
    if (typeof this.#cache.invalidateTags !== 'function') throw cannot('invalidateTags');
    this.note(tags);
    return this.#cache.invalidateTags(tags);
  }

  async clear() {
    const isAlone = this.#owned && !this.#isShared;
    if (isAlone || typeof this.#cache.deletePattern !== 'function') return this.#cache.clear();
    // The notes stay.
    this.note([ALL]);
    await this.#cache.deletePattern(`${KEYS}*`);
    await this.#cache.deletePattern(`${CODED}*`);
  }

  close() {
    if (this.#owned) this.#cache.close();
  }
}

/** A subject that every answer has. No tag begins with a line break, and no URL. */
const ALL = '\nall';

/** @param {string} url */
function subjectOf(url) {
  return `\n${url}`;
}

/** @param {string} method */
function cannot(method) {
  return new HotpathError(`The cache of these answers has no method ${method}`, { code: 'ERR_HOTPATH_UNSUPPORTED' });
}

/** @param {string} text */
function escapeGlob(text) {
  return text.replace(/[\\*?[\]]/g, '\\$&');
}

module.exports = { ResponseStore };
