'use strict';

// What a batch has finished, in a file that only grows: a record for each finished chunk, written before the chunk
// counts as finished. Whatever moment the process ends at, the file says which chunks need not run again; a record that
// was cut off is not taken for one.

const { createHash } = require('node:crypto');
const fs = require('node:fs');
const { isDeepStrictEqual } = require('node:util');
const v8 = require('node:v8');
const { HotpathError } = require('../errors.js');

const LENGTH_BYTES = 4;
const DIGEST_BYTES = 8;

/**
 * A finished chunk.
 * @typedef {object} Entry
 * @property {number} number
 * @property {number} start
 * @property {number} count items
 * @property {any[] | undefined} results undefined when they are not kept
 * @property {{ index?: number, line?: number, error: any }[]} errors
 * @property {{ line: number, error: any }[]} malformed
 * @property {number} malformedCount
 * @property {unknown} next
 */

class Checkpoint {
  #path;
  #file;
  /** @type {Map<number, Entry>} */
  #finished = new Map();

  /**
   * @param {string} path
   * @param {object} identity what the batch is about: a checkpoint of another batch is refused
   */
  constructor(path, identity) {
    this.#path = path;
    this.#file = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600);
    try {
      this.#load(identity);
    } catch (error) {
      fs.closeSync(this.#file);
      throw error;
    }
  }

  /** @param {object} identity */
  #load(identity) {
    const bytes = fs.readFileSync(this.#file);
    let end = 0;
    /** @type {any} */
    let owner;
    for (const { value, next } of framesOf(bytes)) {
      if (owner === undefined) owner = value;
      else this.#finished.set(value.number, revive(value));
      end = next;
    }
    if (owner !== undefined && !isDeepStrictEqual(owner, identity)) {
      throw new HotpathError('The checkpoint belongs to another batch, or its data has changed', {
        code: 'ERR_HOTPATH_CHECKPOINT',
      });
    }
    if (owner === undefined && bytes.length > LENGTH_BYTES && !looksCutOff(bytes)) {
      throw new HotpathError('The file for the checkpoint holds something else', { code: 'ERR_HOTPATH_CHECKPOINT' });
    }
    // What comes after the last whole record would hide all that follow.
    fs.ftruncateSync(this.#file, end);
    this.#position = end;
    if (owner === undefined) this.#write(frameOf(identity));
  }

  #position = 0;

  /** @param {Buffer} frame */
  #write(frame) {
    fs.writeSync(this.#file, frame, 0, frame.length, this.#position);
    this.#position += frame.length;
  }

  /** @param {number} number */
  entry(number) {
    return this.#finished.get(number);
  }

  /** The first chunks of the batch, without a gap. @returns {Entry[]} */
  prefix() {
    const entries = [];
    for (let number = 0; ; number++) {
      const entry = this.#finished.get(number);
      if (entry === undefined) return entries;
      entries.push(entry);
    }
  }

  /** Forgets what has been taken over, so that it is not held twice. @param {number} number */
  release(number) {
    this.#finished.delete(number);
  }

  /** @param {Entry} entry */
  finish(entry) {
    const plain = { ...entry, errors: entry.errors.map(flatten), malformed: entry.malformed.map(flatten) };
    let frame;
    try {
      frame = frameOf(plain);
    } catch {
      // Functions and the like cannot be written down: the chunk is finished all the same.
      frame = frameOf({ ...plain, results: undefined });
    }
    this.#write(frame);
  }

  /** Ends the use of the file; a batch that is complete needs it no more. @param {boolean} complete */
  close(complete) {
    fs.closeSync(this.#file);
    if (complete) fs.rmSync(this.#path, { force: true });
  }
}

/** @param {unknown} value */
function frameOf(value) {
  const payload = v8.serialize(value);
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(payload.length);
  return Buffer.concat([length, digestOf(payload), payload]);
}

/** @param {Buffer} payload */
function digestOf(payload) {
  return createHash('sha256').update(payload).digest().subarray(0, DIGEST_BYTES);
}

/** The records up to the first that is not whole. @param {Buffer} bytes */
function* framesOf(bytes) {
  for (let at = 0; at + LENGTH_BYTES + DIGEST_BYTES <= bytes.length; ) {
    const begin = at + LENGTH_BYTES + DIGEST_BYTES;
    const next = begin + bytes.readUInt32LE(at);
    if (next > bytes.length) return;
    const payload = bytes.subarray(begin, next);
    if (!digestOf(payload).equals(bytes.subarray(at + LENGTH_BYTES, begin))) return;
    yield { value: v8.deserialize(payload), next };
    at = next;
  }
}

/** Whether a file without a whole record can be the begin of one. @param {Buffer} bytes */
function looksCutOff(bytes) {
  return bytes.readUInt32LE(0) + LENGTH_BYTES + DIGEST_BYTES > bytes.length;
}

/** Structured clone drops what errors carry beside their message. @param {any} entry */
function flatten({ error, ...rest }) {
  const { name, message, stack, code } = Object(error);
  return error instanceof Error ? { ...rest, thrown: { name, message, stack, code } } : { ...rest, error };
}

/** @param {any} entry @returns {Entry} */
function revive(entry) {
  const restore = (/** @type {any} */ { thrown, ...rest }) => {
    if (thrown === undefined) return rest;
    const { name, message, stack, code } = thrown;
    const error = Object.assign(new Error(message), code === undefined ? {} : { code });
    Object.defineProperties(error, {
      name: { value: name, configurable: true, writable: true },
      stack: { value: stack, configurable: true, writable: true },
    });
    return { ...rest, error };
  };
  return { ...entry, errors: entry.errors.map(restore), malformed: entry.malformed.map(restore) };
}

module.exports = { Checkpoint };
