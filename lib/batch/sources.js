'use strict';

// Where batches get their items from: chunk after chunk, each only when there is somebody to work on it.

const { Readable } = require('node:stream');

/**
 * @typedef {object} Chunk
 * @property {number} number from 0
 * @property {number} start the index of its first item
 * @property {any[]} items
 * @property {number[]} [lines] where each item stands in its file
 * @property {{ line: number, error: Error }[]} [malformed] lines that were passed over on the way to its last item
 * @property {number} [malformedCount] how many there were, if not all are told
 * @property {unknown} [next] where the chunk after it begins
 */

/**
 * @typedef {object} Source
 * @property {number | null} total items, if that is known
 * @property {() => Promise<Chunk | undefined>} next
 * @property {(number: number, start: number, place: unknown) => void} skipTo begins with a later chunk
 * @property {() => number | null} share of the source that was read, from 0 to 1
 * @property {() => Promise<void> | void} close
 */

/** @implements {Source} */
class ArraySource {
  #items;
  #size;
  #number = 0;

  /** @param {any[]} items @param {number} size */
  constructor(items, size) {
    this.#items = items;
    this.#size = size;
    this.total = items.length;
  }

  /** @returns {Promise<Chunk | undefined>} */
  async next() {
    const number = this.#number++;
    const start = number * this.#size;
    if (start >= this.#items.length) return undefined;
    return { number, start, items: this.#items.slice(start, start + this.#size) };
  }

  /** @param {number} number */
  skipTo(number) {
    this.#number = number;
  }

  share() {
    return null;
  }

  close() {}
}

/** Anything that is iterated, streams included. What was finished before is read again, and left out. @implements {Source} */
class IterableSource {
  #iterable;
  /** @type {AsyncIterator<any> | Iterator<any>} */
  #iterator;
  #size;
  #number = 0;
  #start = 0;
  #skipped = 0;
  #ended = false;
  /** @type {number | null} */
  total = null;

  /** @param {any} iterable @param {number} size */
  constructor(iterable, size) {
    this.#iterable = iterable;
    this.#iterator = (iterable[Symbol.asyncIterator] ?? iterable[Symbol.iterator]).call(iterable);
    this.#size = size;
  }

  /** @returns {Promise<Chunk | undefined>} */
  async next() {
    const items = [];
    while (items.length < this.#size && !this.#ended) {
      const step = await this.#iterator.next();
      if (step.done) this.#ended = true;
      else if (this.#skipped > 0) this.#skipped--;
      else items.push(step.value);
    }
    if (items.length === 0) return undefined;
    const chunk = { number: this.#number++, start: this.#start, items };
    this.#start += items.length;
    return chunk;
  }

  /** @param {number} number @param {number} start */
  skipTo(number, start) {
    this.#number = number;
    this.#start = start;
    this.#skipped = start;
  }

  share() {
    return null;
  }

  close() {
    if (this.#ended) return;
    this.#ended = true;
    // An iterator that is being waited for returns only when it has given something: a stream is told directly.
    if (this.#iterable instanceof Readable) this.#iterable.destroy();
    const returned = (async () => this.#iterator.return?.())();
    // What it thinks of that is nobody's concern any more.
    returned.catch(() => {});
  }
}

module.exports = { ArraySource, IterableSource };
