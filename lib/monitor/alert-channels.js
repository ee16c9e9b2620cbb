'use strict';

// Ways to tell people of alerts: a webhook, Slack, mail. Each has a queue of its own; what cannot be delivered is tried
// again, what comes too often is dropped and counted.

const { EventEmitter } = require('node:events');
const { setTimeout: pause } = require('node:timers/promises');
const { DISPOSE, addAliases } = require('../aliases.js');
const { HotpathClosedError, HotpathError, invalidArgType, outOfRange } = require('../errors.js');
const { requirePeer } = require('../peer.js');
const check = require('../validate.js');

const DEFAULTS = Object.freeze({ maxPerMinute: 30, retries: 3, backoffMs: 500, timeoutMs: 5_000 });
const MINUTE_MS = 60_000;
const OPTIONS = Object.freeze(Object.keys(DEFAULTS));

/** Messages that wait at most while the other side is away. */
const MOST_WAITING = 100;

/**
 * @typedef {object} Message
 * @property {'alert' | 'resolved'} state
 * @property {string} timestamp
 * @property {any} alert
 */

/** @param {Record<string, any>} given */
function deliveryOptions(given) {
  const value = (/** @type {keyof typeof DEFAULTS} */ name) => given[name] ?? DEFAULTS[name];
  return {
    maxPerMinute: check.positiveInteger(value('maxPerMinute'), 'options.maxPerMinute'),
    retries: check.nonNegativeInteger(value('retries'), 'options.retries'),
    backoffMs: check.nonNegativeNumber(value('backoffMs'), 'options.backoffMs'),
    timeoutMs: check.positiveFiniteNumber(value('timeoutMs'), 'options.timeoutMs'),
  };
}

class AlertChannel extends EventEmitter {
  #deliver;
  #options;
  /** @type {number[]} */
  #times = [];
  #waiting = 0;
  #tail = Promise.resolve();
  #counts = { sent: 0, failed: 0, retried: 0, dropped: 0 };
  #closed = false;
  #end = new AbortController();
  /** @type {(() => void)[]} */
  #detach = [];

  /**
   * @param {(message: Message, signal: AbortSignal) => Promise<void>} deliver
   * @param {Record<string, any>} options
   */
  constructor(deliver, options) {
    super();
    this.#deliver = deliver;
    this.#options = deliveryOptions(options);
  }

  /** What became of the messages so far. */
  get stats() {
    return { ...this.#counts, waiting: this.#waiting };
  }

  /**
   * Tells of an alert. Resolves with whether it was delivered.
   * @param {object} alert
   * @param {'alert' | 'resolved'} [state]
   * @returns {Promise<boolean>}
   */
  async send(alert, state = 'alert') {
    if (typeof alert !== 'object' || alert === null) throw invalidArgType('an alert', 'alert', alert);
    check.oneOf(state, 'state', ['alert', 'resolved']);
    if (this.#closed) throw new HotpathClosedError('The alert channel is closed');
    if (this.#waiting >= MOST_WAITING || !this.#mayPass()) {
      this.#counts.dropped += 1;
      this.emit('dropped', alert);
      return false;
    }
    this.#waiting += 1;
    const message = { state, timestamp: new Date().toISOString(), alert };
    const delivered = this.#tail.then(() => this.#tryUntilDelivered(message));
    this.#tail = delivered.then(() => {
      this.#waiting -= 1;
    });
    return delivered;
  }

  #mayPass() {
    const now = performance.now();
    this.#times = this.#times.filter((time) => time > now - MINUTE_MS);
    if (this.#times.length >= this.#options.maxPerMinute) return false;
    this.#times.push(now);
    return true;
  }

  /** @param {Message} message */
  async #tryUntilDelivered(message) {
    const { retries, backoffMs, timeoutMs } = this.#options;
    for (let attempt = 0; ; attempt += 1) {
      try {
        this.#end.signal.throwIfAborted();
        await this.#deliver(message, AbortSignal.any([this.#end.signal, AbortSignal.timeout(timeoutMs)]));
        this.#counts.sent += 1;
        return true;
      } catch (error) {
        if (attempt >= retries || this.#closed) {
          this.#counts.failed += 1;
          this.emit('failed', error, message.alert);
          return false;
        }
        this.#counts.retried += 1;
        await pause(backoffMs * 2 ** attempt, undefined, { signal: this.#end.signal }).catch(() => {});
      }
    }
  }

  /**
   * Sends every alert of a monitor, and its end.
   * @param {import('node:events').EventEmitter} monitor
   * @returns {() => void} stops that
   */
  attach(monitor) {
    if (typeof monitor?.on !== 'function') throw invalidArgType('a monitor', 'monitor', monitor);
    const listeners = /** @type {const} */ (['alert', 'resolved']).map((state) => {
      const listener = (/** @type {object} */ alert) => {
        // What cannot be sent is counted, and told by events.
        this.send(alert, state).catch(() => {});
      };
      monitor.on(state, listener);
      return () => monitor.off(state, listener);
    });
    const detach = () => {
      for (const remove of listeners) remove();
    };
    this.#detach.push(detach);
    return detach;
  }

  /** Gives up what is still to be sent. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    for (const detach of this.#detach) detach();
    this.#end.abort();
  }
}

addAliases(AlertChannel, { [DISPOSE]: 'close' });

/** @param {unknown} value */
function checkUrl(value) {
  const text = value instanceof URL ? value.href : check.nonEmptyString(value, 'url');
  // The URL may hold credentials, so messages show its first part only.
  const protocol = URL.canParse(text) ? new URL(text).protocol : 'no URL';
  if (!/^https?:$/.test(protocol)) throw outOfRange('an http or https URL', 'url', protocol);
  return text;
}

/** @param {string} url @param {Record<string, string>} headers @param {unknown} body @param {AbortSignal} signal */
async function post(url, headers, body, signal) {
  let response;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
      redirect: 'error',
      signal,
    });
  } catch (error) {
    const { cause, name } = /** @type {any} */ (error);
    const reason = name === 'TimeoutError' ? 'no answer in time' : (cause?.code ?? 'the connection failed');
    throw new HotpathError(`The alert was not delivered: ${reason}`, { code: 'ERR_HOTPATH_ALERT_CHANNEL' });
  }
  await response.arrayBuffer();
  if (!response.ok) {
    throw new HotpathError(`The alert was not delivered: status ${response.status}`, {
      code: 'ERR_HOTPATH_ALERT_CHANNEL',
      status: response.status,
    });
  }
}

/** @param {Message} message */
function inWords({ state, alert }) {
  const { type, severity, value, threshold } = alert;
  const figures = [value, threshold].every(Number.isFinite) ? `: ${round(value)} (threshold ${round(threshold)})` : '';
  return state === 'resolved' ? `RESOLVED ${type}${figures}` : `[${severity}] ${type}${figures}`;
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 100) / 100;
}

const alertChannels = Object.freeze({
  /**
   * Posts `{ state, timestamp, alert }` as JSON.
   * @param {string | URL} url
   * @param {object} [options]
   */
  webhook(url, options) {
    const address = checkUrl(url);
    const { headers, ...rest } = check.options(options, 'options', [...OPTIONS, 'headers']);
    const given = headers === undefined ? {} : checkHeaders(headers);
    return new AlertChannel((message, signal) => post(address, given, message, signal), rest);
  },

  /**
   * Posts to a Slack webhook.
   * @param {string | URL} url
   * @param {object} [options]
   */
  slack(url, options) {
    const address = checkUrl(url);
    const given = check.options(options, 'options', OPTIONS);
    return new AlertChannel((message, signal) => post(address, {}, { text: inWords(message) }, signal), given);
  },

  /**
   * Sends mail through nodemailer.
   * @param {{ from: string, to: string | string[], transport: any } & Record<string, any>} smtp
   * @param {object} [options]
   */
  email(smtp, options) {
    const given = check.options(smtp, 'smtp', ['from', 'to', 'transport']);
    const from = check.nonEmptyString(given.from, 'smtp.from');
    const to = Array.isArray(given.to)
      ? given.to.map((address, index) => check.nonEmptyString(address, `smtp.to[${index}]`))
      : check.nonEmptyString(given.to, 'smtp.to');
    const delivery = check.options(options, 'options', OPTIONS);
    const ready = typeof given.transport?.sendMail === 'function';
    const transport = ready ? given.transport : requirePeer('nodemailer').createTransport(given.transport);
    return new AlertChannel(async (message) => {
      const subject = inWords(message);
      await transport.sendMail({ from, to, subject, text: `${subject}\n\n${JSON.stringify(message, null, 2)}\n` });
    }, delivery);
  },
});

/** @param {unknown} headers */
function checkHeaders(headers) {
  if (!check.isPlainObject(headers)) throw invalidArgType('a plain object', 'options.headers', headers);
  for (const [name, value] of Object.entries(/** @type {object} */ (headers))) {
    if (typeof value !== 'string') throw invalidArgType('a string', `options.headers.${name}`, undefined);
  }
  return /** @type {Record<string, string>} */ ({ .../** @type {object} */ (headers) });
}

module.exports = { AlertChannel, alertChannels };
