'use strict';

// Worker threads of a pool that this thread has started: the scheduler says when one is to start or to end, and is
// told when one has gone.

const path = require('node:path');
const { MessageChannel, Worker, receiveMessageOnPort } = require('node:worker_threads');
const native = require('../native.js');
const { encodeThrown } = require('./pool-codec.js');
// Workers learn from this thread where the program is.
require('../main-program.js');

const ENTRY = path.join(__dirname, 'worker-entry.js');

/** @typedef {{ thread: Worker, port: import('node:worker_threads').MessagePort, gone: Promise<void>, killed: boolean }} Hosted */

/** Hosts of this thread: when it exits, nobody must sleep in native code any more. @type {Set<Hosting>} */
const hosts = new Set();

function releaseAll() {
  for (const hosting of hosts) hosting.onExit();
}

class Hosting {
  #pool;
  #codec;
  #settings;
  #callbacks;
  /** @type {Map<number, Hosted>} */
  #workers = new Map();

  /**
   * @param {number} pool the pool's number
   * @param {import('../cache/codec.js').Codec} codec
   * @param {{ file: string, concurrency: number, blocking: boolean, maxHeapMB: number | undefined, resourceLimits: object | undefined }} settings
   * @param {{ changed(): void, message(value: unknown, worker: number): void, progress(task: number, value: unknown): void, exit(): void }} callbacks
   */
  constructor(pool, codec, settings, callbacks) {
    this.#pool = pool;
    this.#codec = codec;
    this.#settings = settings;
    this.#callbacks = callbacks;
  }

  /** @param {number} worker */
  start(worker) {
    if (hosts.size === 0) process.on('exit', releaseAll);
    hosts.add(this);
    const { resourceLimits, ...settings } = this.#settings;
    const { port1, port2 } = new MessageChannel();
    let thread;
    try {
      thread = new Worker(ENTRY, {
        workerData: { pool: this.#pool, worker, port: port2, ...settings },
        transferList: [port2],
        name: `hotpath-worker-${worker}`,
        ...(resourceLimits && { resourceLimits }),
      });
    } catch (error) {
      port1.close();
      this.#report(worker, 1, error);
      return;
    }
    /** @type {unknown} */
    let death;
    const gone = /** @type {Promise<void>} */ (
      new Promise((resolve) => {
        thread.once('exit', (code) => {
          port1.close();
          this.#workers.delete(worker);
          if (this.#workers.size === 0) this.#leaveHosts();
          this.#report(worker, code, death);
          resolve();
        });
      })
    );
    thread.on('error', (error) => {
      death = error;
    });
    thread.on('message', (value) => this.#callbacks.message(value, worker));
    port1.on('message', ([task, value]) => this.#callbacks.progress(task, value));
    // Neither keeps the process alive: only tasks do. After the listeners, which would count.
    thread.unref();
    port1.unref();
    this.#workers.set(worker, { thread, port: port1, gone, killed: false });
  }

  /** @param {number} worker @param {number} code @param {unknown} error */
  #report(worker, code, error) {
    native.poolWorkerExited(
      this.#pool,
      worker,
      code,
      error === undefined ? undefined : encodeThrown(this.#codec, error),
    );
    this.#callbacks.changed();
  }

  #leaveHosts() {
    hosts.delete(this);
    if (hosts.size === 0) process.removeListener('exit', releaseAll);
  }

  /** @param {number} worker */
  kill(worker) {
    const hosted = this.#workers.get(worker);
    if (hosted === undefined || hosted.killed) return;
    hosted.killed = true;
    // It may be over before the event of its exit; either way it never rejects.
    hosted.thread.terminate();
  }

  /**
   * Sends a message to a worker.
   * @param {number} worker
   * @param {number} task
   * @param {unknown} data
   * @param {readonly any[]} transferList
   */
  send(worker, task, data, transferList) {
    const hosted = this.#workers.get(worker);
    if (hosted === undefined) throw new Error('The worker belongs to another thread');
    hosted.port.postMessage([task, data], /** @type {any} */ (transferList));
  }

  /** Passes on what tasks have told before: their answers take another way, which may be shorter. */
  flushProgress() {
    for (const { port } of this.#workers.values()) {
      for (;;) {
        const received = receiveMessageOnPort(port);
        if (received === undefined) break;
        const [task, value] = received.message;
        this.#callbacks.progress(task, value);
      }
    }
  }

  /** Resolves when all workers that are being ended have gone. */
  async ended() {
    const killed = [...this.#workers.values()].filter((hosted) => hosted.killed);
    // Awaited, so the process has to stay for it.
    for (const { thread } of killed) thread.ref();
    await Promise.all(killed.map(({ gone }) => gone));
  }

  /** The thread exits: see `hosts`. */
  onExit() {
    this.#callbacks.exit();
  }
}

module.exports = { Hosting };
