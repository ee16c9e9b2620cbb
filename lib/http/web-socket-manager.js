'use strict';

// Open WebSockets by user: how many there may be, which of them still live, and what is sent to all of them. Works on
// sockets of the package `ws`, and asks nothing of it but the sockets.

const { EventEmitter } = require('node:events');
const { HotpathClosedError, invalidArgType } = require('../errors.js');
const { metricsService } = require('../monitor/singletons.js');
const { watchService } = require('../services.js');
const { tellListeners } = require('../listening.js');
const check = require('../validate.js');

/** States of a socket (RFC 6455 and the WebSocket API). */
const OPEN = 1;

/** Close codes (RFC 6455, 7.4.1, and IANA's registry). */
const CODE = Object.freeze({ NORMAL: 1000, GOING_AWAY: 1001, TRY_AGAIN_LATER: 1013 });

const OPTIONS = Object.freeze(['maxConnections', 'heartbeatMs', 'maxBufferedBytes', 'name', 'metrics']);

const METHODS = Object.freeze(['send', 'ping', 'close', 'terminate', 'on', 'off']);

/** One socket of one user. */
class Connection {
  isAlive = true;
  /** @type {[string, (...values: any[]) => void][]} */
  listeners = [];

  /** @param {string} userId @param {any} socket */
  constructor(userId, socket) {
    this.userId = userId;
    this.socket = socket;
  }

  /** @param {string} event @param {(...values: any[]) => void} listener */
  listen(event, listener) {
    this.listeners.push([event, listener]);
    this.socket.on(event, listener);
  }
}

class WebSocketManager extends EventEmitter {
  /** @type {Map<string, Connection>} */
  #connections = new Map();
  #maxConnections;
  #maxBufferedBytes;
  #metrics;
  #unwatch;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  #heartbeatMs;
  #closed = false;
  #counts = {
    peakConnections: 0,
    opened: 0,
    closed: 0,
    replaced: 0,
    refused: 0,
    timedOut: 0,
    received: 0,
    sent: 0,
    dropped: 0,
    errors: 0,
  };

  /** @param {unknown} [options] */
  constructor(options) {
    super();
    const given = check.options(options, 'options', OPTIONS);
    const {
      maxConnections = 1_000,
      heartbeatMs = 30_000,
      maxBufferedBytes = 16 * 1024 * 1024,
      metrics = metricsService,
    } = given;
    this.#maxConnections = check.positiveInteger(maxConnections, 'options.maxConnections');
    // A timer takes no longer time; zero is for none.
    this.#heartbeatMs = check.numberWithin(heartbeatMs, 'options.heartbeatMs', 0, 2 ** 31 - 1);
    this.#maxBufferedBytes = check.positiveNumber(maxBufferedBytes, 'options.maxBufferedBytes');
    if (typeof metrics?.recordWebSocketConnection !== 'function') {
      throw invalidArgType('a MetricsService', 'options.metrics', metrics);
    }
    this.#metrics = metrics;
    if (given.name !== undefined) check.nonEmptyString(given.name, 'options.name');
    this.#unwatch = watchService('websockets', given.name, this, (manager) => manager.stats);
  }

  get maxConnections() {
    return this.#maxConnections;
  }

  get size() {
    return this.#connections.size;
  }

  get closed() {
    return this.#closed;
  }

  get stats() {
    return { connections: this.#connections.size, maxConnections: this.#maxConnections, ...this.#counts };
  }

  /** @param {string} userId @param {any} socket */
  addConnection(userId, socket) {
    this.#open();
    check.nonEmptyString(userId, 'userId');
    if (!METHODS.every((method) => typeof socket?.[method] === 'function')) {
      throw invalidArgType('a WebSocket of the package ws', 'socket', socket);
    }
    if (socket.readyState !== OPEN) return false;
    const known = this.#connections.get(userId);
    if (known?.socket === socket) return true;
    if (known !== undefined) {
      this.#counts.replaced++;
      this.#drop(known);
      closeSocket(known.socket, CODE.NORMAL, 'Replaced by a newer connection');
    } else if (this.#isStillFull()) {
      this.#counts.refused++;
      closeSocket(socket, CODE.TRY_AGAIN_LATER, 'Too many connections');
      tellListeners(this, 'refused', [userId]);
      return false;
    }
    this.#keep(new Connection(userId, socket));
    return true;
  }

  #isFull() {
    return this.#connections.size >= this.#maxConnections;
  }

  /** Whether it is full even without those that are gone. */
  #isStillFull() {
    if (!this.#isFull()) return false;
    this.cleanupInactiveConnections();
    return this.#isFull();
  }

  /** @param {Connection} connection */
  #keep(connection) {
    const { userId } = connection;
    this.#connections.set(userId, connection);
    this.#counts.opened++;
    this.#counts.peakConnections = Math.max(this.#counts.peakConnections, this.#connections.size);
    attempt(() => this.#metrics.recordWebSocketConnection(true));
    connection.listen('pong', () => {
      connection.isAlive = true;
    });
    connection.listen('message', () => {
      connection.isAlive = true;
      this.#counts.received++;
      attempt(() => this.#metrics.recordWebSocketMessage());
    });
    connection.listen('close', () => this.#drop(connection));
    // Without a listener, a client that breaks the protocol would end the process.
    connection.socket.on('error', () => {
      this.#counts.errors++;
    });
    if (this.#timer === undefined && this.#heartbeatMs > 0) {
      this.#timer = setInterval(() => this.#beat(), this.#heartbeatMs).unref();
    }
    tellListeners(this, 'connected', [userId]);
  }

  /** Takes a connection out, once. @param {Connection} connection */
  #drop(connection) {
    const { userId, socket, listeners } = connection;
    if (this.#connections.get(userId) !== connection) return false;
    this.#connections.delete(userId);
    for (const [event, listener] of listeners) socket.off(event, listener);
    this.#counts.closed++;
    attempt(() => this.#metrics.recordWebSocketConnection(false));
    if (this.#connections.size === 0) this.#stop();
    tellListeners(this, 'disconnected', [userId]);
    return true;
  }

  #stop() {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Who has not answered since the last time is gone. */
  #beat() {
    for (const connection of [...this.#connections.values()]) {
      if (!connection.isAlive) {
        this.#counts.timedOut++;
        this.#drop(connection);
        terminate(connection.socket);
      } else if (connection.socket.readyState === OPEN) {
        connection.isAlive = false;
        attempt(() => connection.socket.ping());
      }
    }
  }

  /** @param {string} userId @param {number} [code] @param {string} [reason] */
  removeConnection(userId, code = CODE.NORMAL, reason = '') {
    check.nonEmptyString(userId, 'userId');
    check.integerBetween(code, 'code', 1000, 4999);
    check.string(reason, 'reason');
    const connection = this.#connections.get(userId);
    if (connection === undefined) return false;
    this.#drop(connection);
    closeSocket(connection.socket, code, reason);
    return true;
  }

  /** @param {string} userId */
  getConnection(userId) {
    return this.#connections.get(userId)?.socket;
  }

  /** @param {string} userId @param {unknown} data */
  send(userId, data) {
    this.#open();
    const connection = this.#connections.get(userId);
    const message = messageOf(data);
    return connection !== undefined && this.#send(connection, message);
  }

  /** @param {unknown} data @param {unknown} [options] */
  broadcast(data, options) {
    this.#open();
    const given = check.options(options, 'options', ['except', 'filter']);
    const except = new Set(given.except === undefined ? [] : [given.except].flat());
    if (given.filter !== undefined) check.function_(given.filter, 'options.filter');
    const message = messageOf(data);
    let sent = 0;
    // A filter may add and remove connections.
    for (const connection of [...this.#connections.values()]) {
      const { userId, socket } = connection;
      if (except.has(userId) || (given.filter !== undefined && given.filter(userId, socket) !== true)) continue;
      if (this.#connections.get(userId) === connection && this.#send(connection, message)) sent++;
    }
    return sent;
  }

  /** @param {Connection} connection @param {{ data: string | Buffer, binary: boolean }} message */
  #send({ socket }, { data, binary }) {
    if (socket.readyState !== OPEN) return false;
    // What waits for a client that does not read is memory of ours.
    if (socket.bufferedAmount > this.#maxBufferedBytes) {
      this.#counts.dropped++;
      return false;
    }
    const sent = attempt(() =>
      socket.send(data, { binary }, (/** @type {unknown} */ error) => {
        if (error) this.#counts.errors++;
      }),
    );
    if (sent) this.#counts.sent++;
    return sent;
  }

  cleanupInactiveConnections() {
    let removed = 0;
    for (const connection of [...this.#connections.values()]) {
      if (connection.socket.readyState !== OPEN && this.#drop(connection)) removed++;
    }
    return removed;
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#stop();
    this.#unwatch();
    for (const connection of [...this.#connections.values()]) {
      this.#drop(connection);
      closeSocket(connection.socket, CODE.GOING_AWAY, 'Going away');
    }
  }

  #open() {
    if (this.#closed) throw new HotpathClosedError('The WebSocket manager is closed');
  }
}

/** @param {any} socket @param {number} code @param {string} reason */
function closeSocket(socket, code, reason) {
  // Codes that must not be sent, and reasons that are too long, make it throw.
  if (!attempt(() => socket.close(code, reason))) terminate(socket);
}

/** A socket that cannot even be cut off is nobody's any more. @param {any} socket */
function terminate(socket) {
  attempt(() => socket.terminate());
}

/** What may fail because the other side, or the metrics, were closed. @param {() => void} action */
function attempt(action) {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}

/** Text and bytes as they are, everything else as JSON; made once for all who get it. @param {any} data */
function messageOf(data) {
  if (typeof data === 'string') return { data, binary: false };
  if (ArrayBuffer.isView(data)) {
    return { data: Buffer.from(data.buffer, data.byteOffset, data.byteLength), binary: true };
  }
  if (data instanceof ArrayBuffer) return { data: Buffer.from(data), binary: true };
  const json = JSON.stringify(data);
  if (json === undefined) throw invalidArgType('text, bytes, or what JSON can say', 'data', data);
  return { data: json, binary: false };
}

Object.defineProperty(WebSocketManager.prototype, Symbol.dispose ?? Symbol.for('nodejs.dispose'), {
  value: WebSocketManager.prototype.close,
  writable: true,
  configurable: true,
});

module.exports = { WebSocketManager };
