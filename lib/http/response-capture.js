'use strict';

// Stands between an application and its response, sees what is said, and decides what of it reaches the client:
//
//   waiting --head--> passing      everything goes on as it comes
//                 \-> storing ----> holding      the whole body came at once, and the answer is made of it
//                 |         \-----> collecting   pieces go on, and are kept
//                 \-> replaced     the client gets another answer; what comes is dropped

const { adoptHead, bytesOf, isChunk, isHttp2, lengthOf, stateLength, writeArguments } = require('./response-head.js');
const { SealedHead } = require('./sealed-head.js');

/** @typedef {'pass' | 'store' | 'replace'} Decision */

/**
 * @typedef {object} Hooks
 * @property {(capture: ResponseCapture) => Decision} decide once the head is known
 * @property {(capture: ResponseCapture) => void} replace answers instead of the application
 * @property {(capture: ResponseCapture, body: Buffer) => void} whole answers with what came, all at once
 * @property {(body: Buffer) => void} collected the answer is sent, and this was its body
 * @property {(isAborted: boolean) => void} lost nothing will be stored
 * @property {number} maxBytes
 */

class ResponseCapture {
  /** @type {'waiting' | 'storing' | 'passing' | 'holding' | 'collecting' | 'replaced' | 'answered' | 'done'} */
  #state = 'waiting';
  /** @type {Buffer[]} */
  #pieces = [];
  #bytes = 0;
  /** Bytes of the body, if it came with the head. @type {number | undefined} */
  #length;
  /** What passes is the answer itself. */
  #isSending = false;
  #hooks;
  /** While the head is known, and not sent. @type {SealedHead | undefined} */
  #seal;

  /** @param {any} response @param {Hooks} hooks */
  constructor(response, hooks) {
    this.response = response;
    this.#hooks = hooks;
    const { writeHead, write, end, flushHeaders } = response;
    this.#originals = { writeHead, write, end, flushHeaders };
    response.writeHead = (/** @type {any[]} */ ...given) => this.#writeHead(given);
    response.write = (/** @type {any[]} */ ...given) => this.#write(given);
    response.end = (/** @type {any[]} */ ...given) => this.#end(given);
    response.flushHeaders = () => this.#flushHeaders();
    response.on('close', () => this.#closed());
  }
  #originals;

  /** For hooks: as if the application had called it, but to the client. @param {any[]} given */
  writeHead(...given) {
    this.lift();
    return this.#originals.writeHead.apply(this.response, given);
  }

  /** For hooks. @param {Buffer} [body] */
  end(body) {
    this.#state = 'answered';
    // Over HTTP/2, `end` with a body calls `write`.
    this.#isSending = true;
    if (body === undefined || body.length === 0) this.#originals.end.call(this.response);
    else this.#originals.end.call(this.response, body);
    this.#isSending = false;
  }

  /** For hooks. @param {string} name */
  getHeader(name) {
    return this.response.getHeader(name);
  }

  /** For hooks. @param {string} name @param {string | string[]} value */
  setHeader(name, value) {
    this.response.setHeader(name, value);
  }

  get destroyed() {
    return this.response.destroyed;
  }

  /** @param {any[]} given */
  #writeHead(given) {
    const { response } = this;
    switch (this.#state) {
      case 'waiting':
        adoptHead(response, given);
        this.#decide();
        if (!this.#is('passing')) return response;
        stateLength(response, this.#length);
        this.#originals.writeHead.call(response, response.statusCode);
        return response;
      case 'holding':
      case 'replaced':
      case 'answered':
        return response;
      default:
        return this.writeHead(...given);
    }
  }

  /** What it has become meanwhile. @param {string} state */
  #is(state) {
    return this.#state === state;
  }

  #decide() {
    switch (this.#hooks.decide(this)) {
      case 'store':
        this.#state = 'storing';
        this.#seal = new SealedHead(this.response, !isHttp2(this.response));
        break;
      case 'replace':
        this.#state = 'replaced';
        this.#hooks.replace(this);
        break;
      default:
        this.#state = 'passing';
        this.#hooks.lost(false);
    }
  }

  /** For hooks: the head may be changed again, and sent. */
  lift() {
    this.#seal?.lift();
    this.#seal = undefined;
  }

  /** Sees to it that the head is known, through whoever stands between the application and this. */
  #needHead() {
    if (this.#state === 'waiting') this.response.writeHead(this.response.statusCode);
  }

  /** @param {any[]} given */
  #write(given) {
    const { response } = this;
    if (this.#isSending) return this.#originals.write.apply(response, given);
    const { chunk, encoding, callback } = writeArguments(given);
    this.#needHead();
    if (this.#state === 'storing') this.#collect();
    switch (this.#state) {
      case 'collecting':
        if (isChunk(chunk)) this.#keep(bytesOf(chunk, encoding));
        return this.#originals.write.apply(response, given);
      case 'holding':
      case 'replaced':
      case 'answered':
        if (typeof callback === 'function') process.nextTick(callback);
        return true;
      default:
        return this.#originals.write.apply(response, given);
    }
  }

  #collect() {
    this.#state = 'collecting';
    this.lift();
    this.#originals.writeHead.call(this.response, this.response.statusCode);
  }

  /** @param {Buffer} piece */
  #keep(piece) {
    this.#bytes += piece.length;
    if (this.#bytes > this.#hooks.maxBytes) {
      this.#state = 'passing';
      this.#pieces = [];
      this.#hooks.lost(false);
      return;
    }
    // Its owner may use the memory again.
    this.#pieces.push(Buffer.from(piece));
  }

  /** @param {any[]} given */
  #end(given) {
    const { response } = this;
    const { chunk, encoding, callback } = writeArguments(given);
    if (this.#is('waiting') && (chunk === undefined || isChunk(chunk))) this.#length = lengthOf(chunk, encoding);
    this.#needHead();
    switch (this.#state) {
      case 'storing': {
        if (chunk !== undefined && !isChunk(chunk)) return this.#originals.end.apply(response, given);
        const body = chunk === undefined ? EMPTY : bytesOf(chunk, encoding);
        if (body.length > this.#hooks.maxBytes) return this.#endTooLarge(given);
        this.#state = 'holding';
        this.#seal?.end();
        if (typeof callback === 'function') response.once('finish', callback);
        this.#hooks.whole(this, body);
        return response;
      }
      case 'collecting': {
        if (isChunk(chunk)) {
          // Apart, because over HTTP/2 `end` with a chunk would come by here again.
          this.#write([chunk, encoding]);
          given = [callback];
        }
        const collected = this.#is('collecting');
        this.#state = 'done';
        const ended = this.#originals.end.apply(response, given);
        if (collected) this.#hooks.collected(Buffer.concat(this.#pieces));
        return ended;
      }
      case 'holding':
      case 'replaced':
      case 'answered':
        if (typeof callback === 'function') process.nextTick(callback);
        return response;
      default:
        return this.#originals.end.apply(response, given);
    }
  }

  /** @param {any[]} given */
  #endTooLarge(given) {
    this.#state = 'passing';
    this.lift();
    this.#hooks.lost(false);
    stateLength(this.response, this.#length);
    this.#originals.writeHead.call(this.response, this.response.statusCode);
    return this.#originals.end.apply(this.response, given);
  }

  #flushHeaders() {
    this.#needHead();
    if (this.#state === 'storing') this.#collect();
    if (this.#is('holding') || this.#is('replaced') || this.#is('answered')) return;
    this.#originals.flushHeaders?.call(this.response);
  }

  #closed() {
    if (this.#state !== 'waiting' && this.#state !== 'storing' && this.#state !== 'collecting') return;
    const isAborted = true;
    this.#pieces = [];
    this.#state = 'passing';
    this.lift();
    this.#hooks.lost(isAborted);
  }
}

const EMPTY = Buffer.alloc(0);

module.exports = { ResponseCapture };
