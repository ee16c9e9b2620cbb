'use strict';

// Server-sent events: samples every two seconds, and what happens in between, to everybody who listens.
//
// Events are numbered and the last ones kept, so that a browser that reconnects hears what it missed. Nothing is sampled
// while nobody listens; a while after the last one has gone the listening to services ends, too.

const { randomBytes } = require('node:crypto');
const { told } = require('../monitor/attached-services.js');
const { Refusal } = require('./router-errors.js');
const { HEADERS } = require('./router-answers.js');

const INTERVAL_MS = 2_000;
const HEARTBEAT_MS = 15_000;

/** How long after the last listener has left events are still gathered. */
const LINGER_MS = 60_000;

/** Events that are kept, listeners that there may be, and bytes that one may leave unread. */
const KEPT = 300;
const MOST_CLIENTS = 100;
const MOST_UNREAD = 1024 * 1024;

/** What a browser waits before it reconnects. */
const RETRY_MS = 3_000;

class LiveStream {
  #services;
  #sample;
  /** @type {Set<import('node:http').ServerResponse>} */
  #clients = new Set();
  /** @type {{ number: number, event: string, text: string, data: any }[]} */
  #events = [];
  #number = 0;
  /** Tells this process's numbers from those of the one before. */
  #epoch = randomBytes(4).toString('hex');
  /** @type {NodeJS.Timeout[]} */
  #timers = [];
  /** @type {NodeJS.Timeout | undefined} */
  #lingering;
  /** @type {(() => void)[]} */
  #leave = [];

  /** @param {Record<string, any>} services @param {() => any} sample */
  constructor(services, sample) {
    this.#services = services;
    this.#sample = sample;
  }

  get clients() {
    return this.#clients.size;
  }

  /** The samples that are still known, the oldest first. */
  get recent() {
    return this.#events.flatMap(({ event, data }) => (event === 'sample' ? [data] : []));
  }

  /** @param {any} request @param {any} response */
  open(request, response) {
    if (this.#clients.size >= MOST_CLIENTS) {
      throw new Refusal(503, 'ERR_TOO_MANY_STREAMS', `There are ${MOST_CLIENTS} streams already`, {
        'Retry-After': '10',
      });
    }
    const headers = { ...HEADERS, 'Cache-Control': 'no-cache, no-transform', 'X-Accel-Buffering': 'no' };
    response.statusCode = 200;
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.setHeader('Content-Type', 'text/event-stream; charset=utf-8');
    if (request.method === 'HEAD') return response.end();
    const missed = this.#missed(request.headers['last-event-id']);
    this.#begin();
    const data = { timestamp: Date.now(), intervalMs: INTERVAL_MS, resumed: missed !== undefined };
    const hello = `retry: ${RETRY_MS}\n${this.#text('hello', this.#number, data)}`;
    // One that has missed nothing is not told again what it knows.
    const latest = this.#events.findLast(({ event }) => event === 'sample');
    const told = missed ?? (latest === undefined ? [] : [latest]);
    this.#write(response, hello + told.map(({ text }) => text).join(''));
    this.#clients.add(response);
    response.on('close', () => this.#left(response));
    // A client that hangs up is told of by `close`.
    response.on('error', () => {});
  }

  /** What came after an event, or undefined when that cannot be known. @param {unknown} id */
  #missed(id) {
    const [, epoch, number] = /^([0-9a-f]{8})-(\d{1,15})$/.exec(String(id ?? '')) ?? [];
    if (epoch !== this.#epoch) return undefined;
    const last = Number(number);
    const first = this.#events[0]?.number ?? this.#number + 1;
    return last + 1 < first || last > this.#number ? undefined : this.#events.filter((event) => event.number > last);
  }

  #begin() {
    clearTimeout(this.#lingering);
    this.#lingering = undefined;
    if (this.#timers.length > 0) return;
    this.#timers = [
      setInterval(() => this.#tick(), INTERVAL_MS),
      setInterval(() => this.#send(': still here\n\n'), HEARTBEAT_MS),
    ];
    for (const timer of this.#timers) timer.unref();
    this.#listen();
    this.#tick();
  }

  /** Engines may be closed before the router is: then there is nothing to tell any more. */
  #tick() {
    const sample = told(this.#sample);
    if (sample !== undefined) this.publish('sample', sample);
  }

  #listen() {
    const { performance, monitoring, monitor, optimization } = this.#services;
    for (const kind of ['alert', 'resolved']) {
      this.#on(performance, kind, (alert) => this.publish(kind, alert));
      this.#on(monitoring, kind, (alert) => this.publish(kind, { ...alert, source: 'monitoring' }));
      this.#on(monitor, kind, (alert) =>
        this.publish(kind, { ...alert, id: `monitor:${alert.id}`, source: 'monitor' }),
      );
    }
    this.#on(optimization, 'action', (record) => this.publish('optimization', record));
  }

  /** @param {any} emitter @param {string} event @param {(value: any) => void} listener */
  #on(emitter, event, listener) {
    if (typeof emitter?.on !== 'function' || emitter.closed) return;
    emitter.on(event, listener);
    this.#leave.push(() => emitter.off(event, listener));
  }

  /** @param {string} event @param {any} data */
  publish(event, data) {
    if (this.#timers.length === 0) return;
    this.#number += 1;
    const text = this.#text(event, this.#number, data);
    this.#events.push({ number: this.#number, event, text, data });
    if (this.#events.length > KEPT) this.#events.shift();
    this.#send(text);
  }

  /** @param {string} event @param {number} number @param {any} data */
  #text(event, number, data) {
    // JSON has no line ends of its own, so one line holds it.
    return `id: ${this.#epoch}-${number}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
  }

  /** @param {string} text */
  #send(text) {
    for (const client of this.#clients) this.#write(client, text);
  }

  /** @param {any} client @param {string} text */
  #write(client, text) {
    // Who does not read is not worth the memory; a browser comes back.
    if (client.writableLength > MOST_UNREAD) return client.destroy();
    client.write(text);
    // Compressing middleware holds back what is small.
    client.flush?.();
  }

  /** @param {any} response */
  #left(response) {
    this.#clients.delete(response);
    if (this.#clients.size > 0 || this.#timers.length === 0) return;
    this.#lingering = setTimeout(() => this.#end(), LINGER_MS);
    this.#lingering.unref();
  }

  #end() {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    for (const leave of this.#leave) leave();
    this.#leave = [];
    this.#events = [];
  }

  close() {
    clearTimeout(this.#lingering);
    this.#end();
    for (const client of this.#clients) client.end();
    this.#clients.clear();
  }
}

module.exports = { LiveStream };
