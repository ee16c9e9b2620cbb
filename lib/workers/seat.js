'use strict';

// A worker's side of the pool: takes tasks, runs the function, answers.
//
// A function that answers at once is called for one task after the other, and each native call that gives an answer
// also takes the next task. With nothing in hand the thread sleeps in native code, at most 50 ms at a time so that Node
// can end it, and never while the user's code keeps timers, sockets or anything else that needs the event loop.

const { AsyncLocalStorage } = require('node:async_hooks');
const { receiveMessageOnPort } = require('node:worker_threads');
const v8 = require('node:v8');
const native = require('../native.js');
const environment = require('../environment.js');
const { HotpathAbortError } = require('../errors.js');
const { MESSAGE, decodeAt, encodeThrown, poolCodec } = require('./pool-codec.js');

const { header, scratch } = environment;

/** Words that describe a task, in the order of the native side. */
const KIND = 0;
const LENGTH = 2;
const TASK_LOW = 3;
const TASK_HIGH = 4;
const ATTEMPT = 5;

/** Answers of the native side; anything else is the value of a task. */
const LEAVE = -1;
const NOTHING = 0;
const ABORT = 2;

/** Ways to answer. */
const DONE = 0;
const THROWN = 1;
const UNSENDABLE = 2;

/** The kind of a plain buffer, in which errors travel. */
const BUFFER = 8;

/** Node notices that it shall end the thread only between native calls. */
const SLEEP_MS = 50;
/** How long the event loop may wait for the function. */
const STINT_MS = 5;
/** How often a thread that may not sleep looks whether it may. */
const LOOK_AGAIN_MS = 250;

const MIB = 1024 * 1024;

/** What a function may know of its task, as second argument. */
class TaskContext {
  #abort;
  #port;

  /**
   * @param {number} jobId
   * @param {number} attempt
   * @param {() => AbortSignal} abort
   * @param {import('node:worker_threads').MessagePort} port to the thread that hosts the workers
   */
  constructor(jobId, attempt, abort, port) {
    this.jobId = jobId;
    this.attempt = attempt;
    this.#abort = abort;
    this.#port = port;
  }

  /** A function of its own, so that it can be taken out of the context. */
  get progress() {
    const port = this.#port;
    return (/** @type {unknown} */ value) => port.postMessage([this.jobId, value]);
  }

  /** Who looks at it takes part: it gets a second to end the task by itself. */
  get signal() {
    return this.#abort();
  }
}

class Seat {
  #number;
  #codec;
  #port;
  #maySleep;
  #maxHeap;
  /** @type {import('./handlers.js').Handler | undefined} */
  #handler;
  #inHand = 0;
  #resting = false;
  /** @type {Map<number, AbortController>} */
  #controllers = new Map();
  /** Which task the running code belongs to; only needed where there are several. @type {AsyncLocalStorage<number> | undefined} */
  #current;
  /** @type {NodeJS.Timeout | undefined} */
  #lookingAgain;

  /** @param {{ pool: number, worker: number, port: import('node:worker_threads').MessagePort, concurrency: number, blocking: boolean, maxHeapMB: number | undefined }} settings */
  constructor({ pool, worker, port, concurrency, blocking, maxHeapMB }) {
    const number = native.workerSit(pool, worker, environment.subscribe(this));
    // The pool has ended meanwhile.
    if (number === null) process.exit();
    this.#number = number;
    this.#codec = poolCodec(number, true);
    this.#port = port;
    this.#maySleep = blocking;
    this.#maxHeap = maxHeapMB === undefined ? Number.POSITIVE_INFINITY : maxHeapMB * MIB;
    // A thread without anything to wait for would end.
    environment.hold();
    if (concurrency > 1) this.#followTasks();
  }

  /**
   * The worker's code is loaded.
   * @param {import('./handlers.js').Handler} handler
   */
  serve(handler) {
    this.#handler = handler;
    if (handler.isScript) this.#maySleep = false;
    if (native.workerReady(this.#number)) this.deliver();
    else process.exit();
  }

  /** The worker's code cannot be loaded. @param {unknown} error */
  refuse(error) {
    native.workerUnstartable(this.#number, encodeThrown(this.#codec, error));
    process.exit(1);
  }

  /** There is something to do. Called on wake-ups too. */
  deliver() {
    this.#work(native.workerTake(this.#number, 0));
  }

  /**
   * Works until there is nothing, or for a stint.
   * @param {any} answer of a native call that takes
   */
  #work(answer) {
    const end = performance.now() + STINT_MS;
    let next = answer;
    while (next !== NOTHING) {
      if (next === LEAVE) return this.#leave();
      if (next === ABORT) {
        this.#abort();
        next = native.workerTake(this.#number, 0);
      } else {
        const pause = performance.now() > end;
        next = this.#begin(next, !pause);
        if (pause) {
          setImmediate(() => this.deliver());
          return;
        }
      }
    }
    if (this.#inHand === 0) this.#restSoon();
  }

  /** After a turn of the event loop. Once, however many wake-ups end in nothing to do: each would sleep in its turn. */
  #restSoon() {
    if (this.#resting) return;
    this.#resting = true;
    setImmediate(() => {
      this.#resting = false;
      this.#rest();
    });
  }

  /** Nothing to do: sleeps, if nothing else needs this thread. */
  #rest() {
    if (this.#inHand > 0) return;
    if (!this.#maySleep || !this.#isQuiet()) {
      if (this.#maySleep) this.#lookAgain();
      return this.#workIfAny(native.workerTake(this.#number, 0));
    }
    const answer = native.workerTake(this.#number, SLEEP_MS);
    if (answer === NOTHING) this.#restSoon();
    else this.#work(answer);
  }

  /** @param {any} answer */
  #workIfAny(answer) {
    if (answer !== NOTHING) this.#work(answer);
  }

  #lookAgain() {
    if (this.#lookingAgain !== undefined) return;
    this.#lookingAgain = setTimeout(() => {
      this.#lookingAgain = undefined;
      this.#rest();
    }, LOOK_AGAIN_MS).unref();
  }

  /** Whether the event loop has nothing to wait for. */
  #isQuiet() {
    return process.getActiveResourcesInfo().every((name) => name === 'MessagePort');
  }

  /**
   * Runs the function for the task that the shared memory describes.
   * @param {any} answer
   * @param {boolean} more whether the next task is to be taken at once
   * @returns {any} the answer of a native call that takes
   */
  #begin(answer, more) {
    const task = (header[TASK_HIGH] >>> 0) * 2 ** 32 + (header[TASK_LOW] >>> 0);
    const attempt = header[ATTEMPT];
    const handler = /** @type {import('./handlers.js').Handler} */ (this.#handler);
    let result;
    try {
      const data = this.#dataOf(answer, task);
      const context = handler.wantsContext
        ? new TaskContext(task, attempt, () => this.#signalOf(task), this.#port)
        : undefined;
      result =
        this.#current === undefined
          ? handler.call(data, context)
          : this.#current.run(task, () => handler.call(data, context));
    } catch (error) {
      return this.#fail(task, error, more);
    }
    if (typeof result?.then !== 'function') return this.#succeed(task, result, more);
    this.#inHand++;
    result.then(
      (/** @type {any} */ value) => this.#answered(this.#succeed(task, value, true)),
      (/** @type {unknown} */ error) => this.#answered(this.#fail(task, error, true)),
    );
    return more ? native.workerTake(this.#number, 0) : NOTHING;
  }

  /** @param {any} answer @param {number} task */
  #dataOf(answer, task) {
    const kind = header[KIND];
    if (kind === MESSAGE) return this.#messageOf(task);
    if (typeof answer === 'number') return decodeAt(this.#codec, kind, scratch, 0, header[LENGTH]);
    return this.#codec.decodeAlone(kind, answer);
  }

  /** The message was sent before the task was given out. Those of aborted tasks are skipped. @param {number} task */
  #messageOf(task) {
    for (;;) {
      const received = receiveMessageOnPort(this.#port);
      if (received === undefined) throw new Error('The message of the task is missing');
      const [number, data] = received.message;
      if (number === task) return data;
    }
  }

  /** An asynchronous task has been answered. @param {any} next */
  #answered(next) {
    this.#inHand--;
    this.#work(next);
  }

  /** @param {number} task @param {any} value @param {boolean} more */
  #succeed(task, value, more) {
    const codec = this.#codec;
    let kind;
    try {
      kind = codec.encode(value);
    } catch (error) {
      const bytes = encodeThrown(codec, error);
      return this.#finish(task, UNSENDABLE, BUFFER, bytes, 0, bytes.length, more);
    }
    const next = this.#finish(task, DONE, kind, codec.payload, codec.start, codec.end, more);
    codec.payload = undefined;
    return next;
  }

  /** @param {number} task @param {unknown} error @param {boolean} more */
  #fail(task, error, more) {
    const bytes = encodeThrown(this.#codec, error);
    return this.#finish(task, THROWN, BUFFER, bytes, 0, bytes.length, more);
  }

  /**
   * @param {number} task
   * @param {number} how
   * @param {number} kind
   * @param {any} payload
   * @param {number} start
   * @param {number} end
   * @param {boolean} more
   */
  #finish(task, how, kind, payload, start, end, more) {
    if (this.#controllers.size > 0) this.#controllers.delete(task);
    if (this.#maxHeap !== Number.POSITIVE_INFINITY && v8.getHeapStatistics().used_heap_size > this.#maxHeap) {
      native.workerRecycle(this.#number);
    }
    return native.workerFinish(this.#number, task, how, kind, payload, start, end, more ? 1 : 0);
  }

  /** @param {number} task */
  #signalOf(task) {
    let controller = this.#controllers.get(task);
    if (controller === undefined) {
      controller = new AbortController();
      this.#controllers.set(task, controller);
      native.workerCooperates(this.#number, task);
    }
    return controller.signal;
  }

  /** Nobody waits any more for the task that the shared memory names. */
  #abort() {
    const task = (header[TASK_HIGH] >>> 0) * 2 ** 32 + (header[TASK_LOW] >>> 0);
    const controller = this.#controllers.get(task);
    this.#controllers.delete(task);
    controller?.abort(new HotpathAbortError('The task was aborted', { jobId: task }));
  }

  #leave() {
    process.exit();
  }

  /** With several tasks at a time, what goes wrong outside the function's own promise belongs to one of them. */
  #followTasks() {
    const current = new AsyncLocalStorage();
    this.#current = current;
    process.on('exit', () => {
      const task = current.getStore();
      if (task !== undefined) native.workerBlame(this.#number, task);
    });
    process.on('uncaughtException', (error) => {
      const task = current.getStore();
      if (task === undefined) throw error;
      // The others may finish; after that, nobody knows in what state this thread is.
      native.workerRecycle(this.#number);
      this.#fail(task, error, false);
      this.#inHand--;
      this.deliver();
    });
  }
}

module.exports = { Seat };
