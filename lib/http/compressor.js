'use strict';

// One answer on its way through an encoder on another thread. Pieces go in one at a time; what comes while one is under
// way goes in together, so that many small writes cost few crossings.

const native = require('../native.js');
const { pending } = require('../environment.js');
const { HotpathClosedError } = require('../errors.js');
const { translated } = require('../native-errors.js');

const CONTINUE = 0;
const FLUSH = 1;
const FINISH = 2;

/** Bytes that may wait before `write` says that it is enough. */
const HIGH_WATER_BYTES = 64 * 1024;

const EMPTY = Buffer.alloc(0);

class Compressor {
  #handle;
  #sink;
  /** @type {Buffer[]} */
  #waiting = [];
  #waitingBytes = 0;
  #then = CONTINUE;
  #isBusy = false;
  #isFull = false;
  #isHeld = false;
  #closed = false;
  /** @type {((error?: Error) => void)[]} */
  #callbacks = [];

  /**
   * @param {string} format
   * @param {number} level
   * @param {{ write(bytes: Buffer): boolean, end(): void, drained(): void, failed(error: unknown): void }} sink
   *   `write` answers false when it wants no more until `resume`
   */
  constructor(format, level, sink) {
    this.#handle = translated(() => native.openEncoder(format, level));
    this.#sink = sink;
  }

  /**
   * @param {Buffer} bytes which the encoder reads later: nobody may change them
   * @param {((error?: Error) => void) | undefined} callback once they went in
   * @returns {boolean} false when the caller should wait
   */
  write(bytes, callback) {
    if (this.#closed) {
      if (typeof callback === 'function') process.nextTick(callback, gone());
      return false;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (callback !== undefined) this.#callbacks.push(callback);
    this.#next();
    if (this.#waitingBytes >= HIGH_WATER_BYTES || this.#isHeld) this.#isFull = true;
    return !this.#isFull;
  }

  /** Gives out everything so far. */
  flush() {
    if (this.#then === CONTINUE) this.#then = FLUSH;
    this.#next();
  }

  end() {
    this.#then = FINISH;
    this.#next();
  }

  /** The sink takes more. */
  resume() {
    this.#isHeld = false;
    this.#next();
    this.#drain();
  }

  #next() {
    if (this.#isBusy || this.#isHeld || this.#closed) return;
    if (this.#waiting.length === 0 && this.#then === CONTINUE) return;
    const [then, callbacks] = [this.#then, this.#callbacks];
    const piece = this.#waiting.length === 1 ? this.#waiting[0] : Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#callbacks = [];
    this.#then = CONTINUE;
    this.#isBusy = true;
    pending((operation) => native.encode(operation, this.#handle, then, piece.length === 0 ? EMPTY : piece)).then(
      (bytes) => this.#encoded(bytes, then, callbacks),
      (error) => {
        this.#isBusy = false;
        if (!this.#closed) this.#sink.failed(error);
      },
    );
  }

  /** @param {Buffer} bytes @param {number} then @param {((error?: Error) => void)[]} callbacks */
  #encoded(bytes, then, callbacks) {
    this.#isBusy = false;
    if (this.#closed) return;
    if (bytes.length > 0 && !this.#sink.write(bytes)) this.#isHeld = true;
    for (const callback of callbacks) callback();
    if (then === FINISH) {
      this.close();
      this.#sink.end();
      return;
    }
    this.#next();
    this.#drain();
  }

  /** Tells a caller who waits that there is room again. */
  #drain() {
    if (!this.#isFull || this.#isHeld || this.#waitingBytes >= HIGH_WATER_BYTES || this.#closed) return;
    this.#isFull = false;
    this.#sink.drained();
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    native.closeEncoder(this.#handle);
    this.#waiting = [];
    const callbacks = this.#callbacks;
    this.#callbacks = [];
    for (const callback of callbacks) callback(gone());
  }
}

function gone() {
  return new HotpathClosedError('The connection is closed');
}

module.exports = { Compressor };
