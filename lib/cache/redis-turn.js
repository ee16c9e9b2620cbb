'use strict';

// What one handle asks Redis in one turn of the event loop goes off together and comes back together: one native call
// to send, one wake-up, and one look into shared memory for many answers.

const native = require('../native.js');
const { awaitOperation, header, nextOperation, scratch } = require('../environment.js');
const { translate } = require('../native-errors.js');
const { KIND } = require('./codec.js');

/** Without the checks that `toString` makes; the typings of Node leave these out. @type {any} */
const slices = scratch;

/** Words that describe an answer: its form, and where its bytes start and end. */
const WORDS = 3;

/** Forms of answers that are no values; those of values are the codec's kinds. */
const FORM = Object.freeze({
  MISS: -1,
  LARGE: -3,
  DONE: -4,
  YES: -5,
  NO: -6,
  NUMBER: -7,
  ERROR: -8,
  LIST: -9,
});

/** Nothing there, where `undefined` would be a value. */
const MISSING = Symbol('missing');

/** What a caller makes of the answer. A `then` of its own would cost as much as the rest of a read. */
const EXPECT = Object.freeze({
  /** The answer, `undefined` for what is not there. */
  VALUE: 0,
  /** A value with the time it still has. */
  ENTRY: 1,
  /** Whether a count is above 0. */
  ANY: 2,
  /** `true`, once it is done. */
  DONE: 3,
  /** Values, with `undefined` for what is not there. */
  LIST: 4,
  /** Values, with MISSING for what is not there. */
  HITS: 5,
});

/** @typedef {{ expect: number, resolve: (value: any) => void, reject: (error: unknown) => void }} Caller */

class Turns {
  #handle;
  #decode;
  #sent;
  /** The callers of this turn, in the order of their requests. @type {Caller[] | undefined} */
  #callers;
  #pending = 0;
  /** @type {(() => void)[]} */
  #idle = [];
  #flush = () => this.flush();

  /**
   * @param {number} handle
   * @param {(kind: number, buffer: Buffer, start: number, end: number) => any} decode
   * @param {(version: number) => void} sent is told the version of the dictionary each time that something was sent
   */
  constructor(handle, decode, sent) {
    this.#handle = handle;
    this.#decode = decode;
    this.#sent = sent;
  }

  /**
   * A promise for the answer to the request that was made just now.
   * @param {number} expect
   * @returns {Promise<any>}
   */
  answer(expect) {
    let callers = this.#callers;
    if (callers === undefined) {
      callers = [];
      this.#callers = callers;
      // After the promise jobs that are due: what they ask for goes off with it.
      process.nextTick(this.#flush);
    }
    return new Promise((resolve, reject) => {
      callers.push({ expect, resolve, reject });
    });
  }

  /** Sends what this turn has asked for. */
  flush() {
    const callers = this.#callers;
    if (callers === undefined) return;
    this.#callers = undefined;
    const operation = nextOperation();
    this.#pending++;
    awaitOperation(operation, {
      succeed: () => this.#receive(operation, callers),
      refuse: (error) => this.#refuse(callers, error),
    });
    this.#sent(native.redisFlush(this.#handle, operation));
  }

  /** Resolves once everything that was sent is answered. */
  async idle() {
    this.flush();
    if (this.#pending > 0)
      await new Promise((/** @type {(value?: any) => void} */ resolve) => this.#idle.push(resolve));
  }

  #settled() {
    this.#pending--;
    if (this.#pending === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** @param {Caller[]} callers @param {unknown} error */
  #refuse(callers, error) {
    for (const { reject } of callers) reject(error);
    this.#settled();
  }

  /** @param {number} operation @param {Caller[]} callers */
  #receive(operation, callers) {
    const answers = new Answers(operation, this.#decode);
    try {
      for (const { expect, resolve, reject } of callers) {
        try {
          resolve(answers.as(expect));
        } catch (error) {
          reject(error);
        }
      }
    } finally {
      native.redisRelease(operation);
      this.#settled();
    }
  }
}

/** Reads the answers of a batch, one after the other. */
class Answers {
  #operation;
  #decode;
  /** Items before those that the header describes, items that it describes, and how many of them were read. */
  #base = 0;
  #described = 0;
  #read = 0;

  /**
   * @param {number} operation
   * @param {(kind: number, buffer: Buffer, start: number, end: number) => any} decode
   */
  constructor(operation, decode) {
    this.#operation = operation;
    this.#decode = decode;
  }

  /** The next answer in the form that its caller expects. @param {number} expect */
  as(expect) {
    const exact = expect === EXPECT.HITS || expect === EXPECT.ENTRY;
    const answer = this.next(exact ? MISSING : undefined);
    switch (expect) {
      case EXPECT.ENTRY:
        return answer === MISSING ? undefined : { value: answer, ttlMs: this.next(undefined) };
      case EXPECT.ANY:
        return answer > 0;
      case EXPECT.DONE:
        return true;
      default:
        return answer;
    }
  }

  /** The next answer; a list is one. @param {any} absent stands for what is not there @returns {any} */
  next(absent) {
    if (this.#read === this.#described) {
      this.#base += this.#described;
      this.#described = native.redisTake(this.#operation, this.#base);
      this.#read = 0;
    }
    const word = this.#read * WORDS;
    this.#read++;
    const form = header[word];
    // First the most common by far.
    if (form === KIND.RECORD) return this.#decode(form, scratch, header[word + 1], header[word + 2]);
    if (form >= 0) return this.#value(form, header[word + 1], header[word + 2]);
    switch (form) {
      case FORM.MISS:
        return absent;
      case FORM.YES:
        return true;
      case FORM.NO:
        return false;
      case FORM.NUMBER:
        return scratch.readDoubleLE(header[word + 1]);
      case FORM.LIST:
        return this.#list(header[word + 1], absent);
      case FORM.LARGE:
        return this.#large();
      case FORM.ERROR:
        throw translate(native.redisTakeError(this.#operation, this.#base + this.#read - 1));
      default:
        return undefined;
    }
  }

  /** @param {number} length @param {any} absent */
  #list(length, absent) {
    const values = new Array(length);
    /** @type {unknown} */
    let failure = MISSING;
    for (let index = 0; index < length; index++) {
      // One that cannot be read fails them all, but all have to be taken.
      try {
        values[index] = this.next(absent);
      } catch (error) {
        failure = error;
      }
    }
    if (failure !== MISSING) throw failure;
    return values;
  }

  /** @param {number} kind @param {number} start @param {number} end */
  #value(kind, start, end) {
    switch (kind) {
      case KIND.NUMBER:
        return scratch.readDoubleLE(start);
      case KIND.STRING:
        return this.#decode(kind, slices.latin1Slice(start, end), 0, 0);
      case KIND.UTF8:
        return this.#decode(kind, slices.utf8Slice(start, end), 0, 0);
      case KIND.UTF16:
        return this.#decode(kind, slices.ucs2Slice(start, end), 0, 0);
      default:
        return this.#decode(kind, scratch, start, end);
    }
  }

  /** A value that does not fit into the shared memory. */
  #large() {
    const value = native.redisTakeLarge(this.#operation, this.#base + this.#read - 1);
    // The first word belongs to this item or to one before it, so it has been read.
    const kind = header[0];
    return this.#decode(kind, value, 0, value.length);
  }
}

module.exports = { EXPECT, MISSING, Turns };
