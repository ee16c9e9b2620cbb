'use strict';

// What this thread shares with the native side: memory that both use in turns, the coarse clock, and the operations
// that native threads will complete.

const native = require('./native.js');
const { translate } = require('./native-errors.js');

/** Encoded values up to this size come through shared memory; larger ones in a Buffer of their own. */
const SCRATCH_BYTES = 64 * 1024;

/** Words that describe a value handed over, in the order of the native side. */
const WORD = Object.freeze({
  KIND: 0,
  START: 1,
  LENGTH: 2,
  SLOT: 3,
  VERSION: 4,
  HASH_LOW: 5,
  HASH_HIGH: 6,
  EXPIRES: 7,
  DEADLINE: 8,
  COUNT: 9,
});

/** Keys that one batch of reads describes at most. */
const BATCH = 256;

const headerBytes = Buffer.allocUnsafeSlow(BATCH * WORD.COUNT * Int32Array.BYTES_PER_ELEMENT).fill(0);
const header = new Int32Array(headerBytes.buffer);
const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES).fill(0);
const scratchDoubles = new Float64Array(scratch.buffer);
const scratchWords = new Int32Array(scratch.buffer);

const clockMemory = native.clockWord();
/** The coarse clock in milliseconds, wrapping; undefined where native memory cannot be mapped. */
const clock = clockMemory === null ? undefined : new Int32Array(clockMemory);

/**
 * An operation that a native thread, or another JavaScript thread, will complete.
 * @typedef {object} Operation
 * @property {(kind: number, value: any) => void} succeed with an encoded value, or with an answer that needs no decoding
 * @property {(error: Buffer) => void} [fail] with an encoded error
 * @property {() => void} [lead] by doing the work after all
 * @property {(error: unknown) => void} [refuse] with an error of the engine's own
 */

/** @type {Map<number, Operation>} */
const operations = new Map();
/** @type {Map<number, WeakRef<{ deliver(): void }>>} */
const subscribers = new Map();
let lastOperation = 0;
/** Reasons to stay alive beside operations. */
let holds = 0;

/** A number for an operation of this thread. */
function nextOperation() {
  do {
    lastOperation = (lastOperation + 1) >>> 0;
  } while (operations.has(lastOperation));
  return lastOperation;
}

/** Counts down from a number that no handle ever has: handles of memory caches are subscriptions, too. */
let lastSubscription = 0xffff_ffff;

/** A number for events of this thread. */
function nextSubscription() {
  lastSubscription -= 1;
  return lastSubscription;
}

/**
 * A number for what is told of events but is no handle. Held weakly.
 * @param {{ deliver(): void }} subscriber
 */
function subscribe(subscriber) {
  const number = nextSubscription();
  subscribers.set(number, new WeakRef(subscriber));
  return number;
}

/** Keeps the process alive until `release` is called as often. */
function hold() {
  holds++;
  if (holds + operations.size === 1) native.holdLoop(1);
}

function release() {
  holds--;
  if (holds + operations.size === 0) native.holdLoop(0);
}

/**
 * Waits for a completion. The process stays alive until it has come.
 * @param {number} number
 * @param {Operation} operation
 */
function awaitOperation(number, operation) {
  operations.set(number, operation);
  if (holds + operations.size === 1) native.holdLoop(1);
}

/** @param {number} number */
function takeOperation(number) {
  const operation = operations.get(number);
  if (operations.delete(number) && holds + operations.size === 0) native.holdLoop(0);
  return operation;
}

/**
 * A promise for what native code will do.
 * @template [T=any]
 * @param {(operation: number) => void} start begins it; what it throws, rejects
 * @param {(value: any, kind: number) => T} [decode] makes the result of the native answer; what it throws, rejects
 * @returns {Promise<T>}
 */
function pending(start, decode = itself) {
  return new Promise((resolve, reject) => {
    const operation = nextOperation();
    awaitOperation(operation, {
      succeed(kind, value) {
        try {
          resolve(decode(value, kind));
        } catch (error) {
          reject(error);
        }
      },
      refuse: reject,
    });
    try {
      start(operation);
    } catch (error) {
      takeOperation(operation);
      reject(translate(error));
    }
  });
}

/** @param {any} value */
function itself(value) {
  return value;
}

const EVENTS = 0;
const VALUE = 1;
const FAILURE = 2;
const LEAD = 3;
const REFUSED = 4;

/** Takes everything that native threads have completed. Called on wake-ups. */
function drain() {
  const completions = native.drain();
  for (let index = 0; index < completions.length; index += 4) {
    try {
      complete(completions[index], completions[index + 1], completions[index + 2], completions[index + 3]);
    } catch (error) {
      // Others wait for the rest of the batch.
      process.nextTick(() => {
        throw error;
      });
    }
  }
}

/**
 * @param {number} number
 * @param {number} outcome
 * @param {number} kind
 * @param {any} value
 */
function complete(number, outcome, kind, value) {
  switch (outcome) {
    case EVENTS:
      subscribers.get(number)?.deref()?.deliver();
      break;
    case VALUE:
      takeOperation(number)?.succeed(kind, value);
      break;
    case FAILURE:
      takeOperation(number)?.fail?.(value);
      break;
    case LEAD:
      takeOperation(number)?.lead?.();
      break;
    case REFUSED:
      takeOperation(number)?.refuse?.(translate(value));
      break;
  }
}

native.attach(headerBytes, scratch, drain);

module.exports = {
  BATCH,
  WORD,
  header,
  scratch,
  scratchDoubles,
  scratchWords,
  clock,
  subscribers,
  subscribe,
  hold,
  release,
  nextOperation,
  nextSubscription,
  awaitOperation,
  takeOperation,
  pending,
};
