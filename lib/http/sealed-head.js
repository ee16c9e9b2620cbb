'use strict';

// A head that the application has given, and that waits. For the application it is sent: nothing that is done to it from
// now on reaches the client. While the body is still to come, whoever tries hears what Node.js says then; after the end it
// hears nothing, because an error would make frameworks cut the connection, and the answer is not out yet.

const METHODS = ['setHeader', 'setHeaders', 'appendHeader', 'removeHeader', 'writeHead'];

/** Handlers call this themselves as long as they see no head in the response's internals: that must do no harm. */
const IMPLICIT = '_implicitHeader';

class SealedHead {
  #response;
  #status;
  #message;
  /** Methods that others have put on this very response. @type {Map<string, Function>} */
  #own = new Map();
  /** How it says by itself whether it is sent, if that stands on this very response. */
  #ownSent;
  #isEnded = false;

  /** @param {any} response @param {boolean} hasMessage HTTP/2 has none, and warns of whoever asks */
  constructor(response, hasMessage) {
    this.#response = response;
    this.#status = response.statusCode;
    this.#message = hasMessage ? { text: response.statusMessage } : undefined;
    this.#ownSent = Object.getOwnPropertyDescriptor(response, 'headersSent');
    Object.defineProperty(response, 'headersSent', { value: true, configurable: true });
    const refuse = () => {
      if (this.#isEnded) return response;
      throw Object.assign(new Error('The head of this answer is sent already'), { code: 'ERR_HTTP_HEADERS_SENT' });
    };
    for (const name of [...METHODS, IMPLICIT]) {
      if (response[name] === undefined) continue;
      if (Object.hasOwn(response, name)) this.#own.set(name, response[name]);
      put(response, name, name === IMPLICIT ? () => {} : refuse);
    }
  }

  /** The body is complete. */
  end() {
    this.#isEnded = true;
    this.#restoreStatus();
  }

  /** Puts back what can be set without a method. */
  #restoreStatus() {
    this.#response.statusCode = this.#status;
    if (this.#message !== undefined) this.#response.statusMessage = this.#message.text;
  }

  /** The head may be sent now. */
  lift() {
    const response = this.#response;
    for (const name of [...METHODS, IMPLICIT]) {
      const own = this.#own.get(name);
      if (own !== undefined) put(response, name, own);
      else if (Object.hasOwn(response, name)) delete response[name];
    }
    if (this.#ownSent === undefined) delete response.headersSent;
    else Object.defineProperty(response, 'headersSent', this.#ownSent);
    this.#restoreStatus();
  }
}

/** Members of a bridged HTTP/2 response are there by definition, and cannot be assigned. @param {any} response @param {string} name @param {Function} value */
function put(response, name, value) {
  Object.defineProperty(response, name, { value, configurable: true, writable: true });
}

module.exports = { SealedHead };
