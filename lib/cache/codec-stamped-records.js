'use strict';

// Records for tiers that are far away: the dictionary of shapes lies on a server and takes time to reach, so it cannot
// be extended in the middle of a write, as codec-records.js does it.
//
// A shape that is met often is proposed for the dictionary, and defined inside the values until the dictionary has it.
// Every record is stamped with the dictionary that it was written with and with how many of its shapes it may use; 0 of
// 0 needs none. So a record is read with the right names or not at all, even after the server was flushed and another
// dictionary took the place of the old one. The native side sees to it that the dictionary of a stamp is known before it
// hands a record over.

const { Packr, Unpackr } = require('msgpackr');
const { PACK_MODE } = require('./codec-records.js');
const { Doorkeeper, FORMAT } = require('./codec-shapes.js');

/** A stamp: the dictionary's number, 32 bits, little endian, and how many shapes. */
const STAMP_BYTES = 5;

/** A shape that was proposed is proposed again after so many more uses: the first time may have come to nothing. */
const PROPOSE_EVERY = 256;

/**
 * @typedef {object} RemoteDictionary
 * @property {(number: number) => Uint8Array | null} load a document by its number, 0 for the current one
 * @property {(shape: string) => void} propose a list of names, as JSON, that the document should have
 */

/** @typedef {{ number: number, shapes: string[][] }} Document */

/** @param {Uint8Array | null} bytes @returns {Document} */
function parse(bytes) {
  if (bytes === null) return { number: 0, shapes: [] };
  const { id, shapes } = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
  return { number: id, shapes };
}

/** msgpackr makes the lists of names that it is given its own. @param {string[][]} shapes */
function copyOf(shapes) {
  return shapes.map((names) => [...names]);
}

class StampedRecords {
  #dictionary;
  #packr;
  #doorkeeper = new Doorkeeper();
  /** Uses of shapes that the dictionary does not have yet. @type {Map<string, number>} */
  #proposals = new Map();
  /** @type {Map<number, { unpackr: Unpackr, shapes: number }>} */
  #readers = new Map();
  /** @type {number | undefined} */
  #version;
  #range = { start: 0, end: 0 };
  /** The stamp of what `pack` makes: the document's number. */
  number = 0;
  /** And how many shapes it has. */
  shapes = 0;

  /** @param {RemoteDictionary} dictionary */
  constructor(dictionary) {
    this.#dictionary = dictionary;
    this.#packr = this.#makePackr([]);
  }

  /** @param {string[][]} shapes */
  #makePackr(shapes) {
    return new Packr({
      ...FORMAT,
      getStructures: () => copyOf(shapes),
      // Without it msgpackr would not look for shared shapes. No shape is ever admitted here, so it is never called.
      saveStructures: () => true,
      shouldShareStructure: (keys) => this.#consider(keys),
      writeFunction: () => {
        throw new TypeError('A getter returned a function');
      },
    });
  }

  /** Proposes a shape if it comes often. It is not in the dictionary yet, so this value has to define it. */
  #consider(/** @type {string[]} */ keys) {
    if (!this.#doorkeeper.admits(keys, this.shapes)) return false;
    const shape = JSON.stringify(keys);
    const uses = this.#proposals.get(shape) ?? 0;
    this.#proposals.set(shape, uses + 1);
    if (uses % PROPOSE_EVERY === 0) this.#dictionary.propose(shape);
    return false;
  }

  /** Takes up the current document if it is another than last time. @param {number} version */
  refresh(version) {
    if (version === this.#version) return;
    const { number, shapes } = parse(this.#dictionary.load(0));
    this.#packr = this.#makePackr(shapes);
    this.#proposals.clear();
    this.number = number;
    this.shapes = shapes.length;
    this.#version = version;
  }

  /**
   * The result lies in a buffer that msgpackr shares with everybody else in the thread, and has no stamp yet: `number`
   * and `shapes` make it.
   * @param {unknown} value
   * @returns {Buffer & { start?: number, end?: number }}
   */
  pack(value) {
    return this.#packr.pack(value, PACK_MODE);
  }

  /**
   * @param {Buffer} buffer
   * @param {number} start where the stamp is
   * @param {number} end
   * @returns {unknown}
   */
  unpack(buffer, start, end) {
    const unpackr = this.#reader(buffer.readUInt32LE(start), buffer[start + STAMP_BYTES - 1]);
    this.#range.start = start + STAMP_BYTES;
    this.#range.end = end;
    return unpackr.unpack(buffer, this.#range);
  }

  /** @param {number} number @param {number} needed @returns {Unpackr} */
  #reader(number, needed) {
    const known = this.#readers.get(number);
    if (known !== undefined && known.shapes >= needed) return known.unpackr;
    const { shapes } = needed === 0 ? { shapes: [] } : parse(this.#dictionary.load(number));
    if (shapes.length < needed) throw new Error('Unknown dictionary');
    const unpackr = new Unpackr({ ...FORMAT, getStructures: () => copyOf(shapes) });
    this.#readers.set(number, { unpackr, shapes: shapes.length });
    return unpackr;
  }
}

module.exports = { StampedRecords };
