'use strict';

// Records of a file, which native threads split, parse and filter. What arrives here is the text of a JSON array for
// each block of the file, with nothing in it that was not asked for.

const native = require('../native.js');
const { pending } = require('../environment.js');
const { HotpathError } = require('../errors.js');
const { translated } = require('../native-errors.js');
const { addProperty } = require('../own-property.js');

/**
 * @typedef {object} FileOptions
 * @property {'ndjson' | 'csv'} format
 * @property {string[] | undefined} fields
 * @property {{ names: string[], alternatives: [string, string, any][][] }} filter
 * @property {((record: any) => boolean) | undefined} predicate decides here, and sees whole records
 * @property {string} delimiter
 * @property {string} quote
 * @property {string[] | undefined} columns
 */

/**
 * A block of the file.
 * @typedef {object} Block
 * @property {any[]} records
 * @property {number[]} lines
 * @property {{ start: number, line: number }} place
 * @property {number} taken how many of its records are in chunks
 */

class FileSource {
  #path;
  #options;
  #size;
  #bytes;
  /** @type {number | undefined} */
  #scan;
  #ended = false;
  /** @type {Block | undefined} */
  #block;
  #number = 0;
  #start = 0;
  #place = { offset: 0, line: 1, taken: 0 };
  #read = 0;
  /** @type {{ line: number, error: Error }[]} */
  #malformed = [];
  #malformedCount = 0;
  /** @type {number | null} */
  total = null;

  /** @param {string} path @param {number} bytes @param {FileOptions} options @param {number} size */
  constructor(path, bytes, options, size) {
    this.#path = path;
    this.#bytes = bytes;
    this.#options = options;
    this.#size = size;
  }

  /** @returns {Promise<import('./sources.js').Chunk | undefined>} */
  async next() {
    /** @type {any[]} */
    const items = [];
    /** @type {number[]} */
    const lines = [];
    while (items.length < this.#size) {
      if (this.#block === undefined || this.#block.taken === this.#block.records.length) {
        this.#block = await this.#nextBlock();
        if (this.#block === undefined) break;
      }
      this.#take(this.#block, items, lines);
    }
    const [malformed, malformedCount] = [this.#malformed, this.#malformedCount];
    if (items.length === 0 && malformedCount === 0) return undefined;
    this.#malformed = [];
    this.#malformedCount = 0;
    const chunk = { number: this.#number++, start: this.#start, items, lines, malformed, malformedCount };
    this.#start += items.length;
    return { ...chunk, next: this.#nextPlace() };
  }

  /** @param {Block} block @param {any[]} items @param {number[]} lines */
  #take(block, items, lines) {
    const { predicate, fields } = this.#options;
    while (items.length < this.#size && block.taken < block.records.length) {
      const index = block.taken++;
      const record = block.records[index];
      if (predicate !== undefined && !predicate(record)) continue;
      items.push(predicate !== undefined && fields !== undefined ? pick(record, fields) : record);
      lines.push(block.lines[index]);
    }
  }

  #nextPlace() {
    const block = this.#block;
    if (block === undefined) return this.#place;
    return { offset: block.place.start, line: block.place.line, taken: block.taken };
  }

  /** @returns {Promise<Block | undefined>} */
  async #nextBlock() {
    if (this.#ended) return undefined;
    this.#scan ??= this.#open();
    const scan = this.#scan;
    const answer = await pending((operation) => native.takeChunk(scan, operation));
    if (answer === undefined) {
      this.#ended = true;
      this.#place = { offset: this.#bytes, line: 0, taken: 0 };
      return undefined;
    }
    const [, text, , lineBytes, , facts] = answer;
    const { start, end, line, malformed, malformedCount } = JSON.parse(facts);
    this.#read = end;
    // A block that an earlier run has begun: its malformed lines were told then.
    const taken = this.#place.taken;
    this.#place = { offset: end, line: 0, taken: 0 };
    if (taken === 0) this.#note(malformed, malformedCount);
    return { records: JSON.parse(text), lines: wordsOf(lineBytes), place: { start, line }, taken };
  }

  /** @param {[number, string][]} told @param {number} count */
  #note(told, count) {
    this.#malformedCount += count;
    for (const [line, reason] of told) {
      const message = `Line ${line} is malformed: ${reason}`;
      this.#malformed.push({ line, error: new HotpathError(message, { code: 'ERR_HOTPATH_MALFORMED', line }) });
    }
  }

  /** @returns {number} */
  #open() {
    const { format, fields, filter, predicate, delimiter, quote, columns } = this.#options;
    const shown = predicate === undefined ? fields : undefined;
    const names = [...new Set([...(shown ?? []), ...filter.names])];
    const conditions = filter.alternatives.map((all) =>
      all.map(([name, test, operand]) => [names.indexOf(name), test, operand]),
    );
    return translated(() =>
      native.openScan({
        path: this.#path,
        csv: format === 'csv',
        delimiter: delimiter.charCodeAt(0),
        quote: quote.charCodeAt(0),
        columns,
        names,
        fields: shown === undefined ? undefined : new Set(shown).size,
        filter: JSON.stringify(conditions),
        offset: this.#place.offset,
        line: this.#place.line,
      }),
    );
  }

  /** @param {number} number @param {number} start @param {any} place */
  skipTo(number, start, place) {
    this.#number = number;
    this.#start = start;
    this.#place = place;
    this.#read = place.offset;
  }

  share() {
    return this.#bytes === 0 ? 1 : Math.min(1, this.#read / this.#bytes);
  }

  close() {
    this.#ended = true;
    this.#block = undefined;
    if (this.#scan !== undefined) native.closeScan(this.#scan);
  }
}

/** @param {any} record @param {string[]} fields */
function pick(record, fields) {
  /** @type {Record<string, any>} */
  const picked = {};
  for (const field of fields) {
    if (Object.hasOwn(Object(record), field)) addProperty(picked, field, record[field]);
  }
  return picked;
}

/** @param {Buffer} bytes @returns {number[]} */
function wordsOf(bytes) {
  const words = new Array(bytes.length / 4);
  for (let index = 0; index < words.length; index++) words[index] = bytes.readUInt32LE(index * 4);
  return words;
}

module.exports = { FileSource };
