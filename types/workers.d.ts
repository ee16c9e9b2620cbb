import { EventEmitter } from 'node:events';
import type { ResourceLimits, TransferListItem } from 'node:worker_threads';

/** How long to wait before a failed attempt is repeated. */
export interface BackoffOptions {
  /** The first wait, in milliseconds. A non-negative number. @default 1000 */
  initialMs?: number | undefined;
  /** By what each further wait is longer. At least 1. @default 2 */
  factor?: number | undefined;
  /** The longest wait, in milliseconds. A non-negative number. @default 300000 */
  maxMs?: number | undefined;
  /** The part of each wait that is left to chance, from 0 to 1. @default 0 */
  jitter?: number | undefined;
}

export interface WorkerPoolOptions {
  /**
   * Shares the pool with the handles of this name in all threads. Any string but the empty one. Options that are given
   * have to be those that the pool was made with.
   */
  name?: string | undefined;
  /** Most worker threads. A positive integer. @default 8 */
  maxWorkers?: number | undefined;
  /**
   * Workers that are started at once and kept without work. A non-negative integer, at most `maxWorkers`.
   * @default 2, or `maxWorkers` where that is less
   */
  minWorkers?: number | undefined;
  /** Whether a worker serves more than one task. @default true */
  reuseWorkers?: boolean | undefined;
  /**
   * Longest time that an attempt of a task may take, in milliseconds. A positive number, `Infinity` for no limit. What
   * takes longer is ended with its worker, even in an endless loop.
   * @default 300000
   */
  timeout?: number | undefined;
  /**
   * Most tasks that wait for an attempt; what comes on top is rejected at once with `ERR_HOTPATH_QUEUE_FULL`. 0 takes
   * tasks only while a worker is free. A non-negative integer, or `Infinity`.
   * @default Infinity
   */
  maxQueue?: number | undefined;
  /**
   * Time without work after which a worker above `minWorkers` leaves, in milliseconds. A non-negative number,
   * `Infinity` for never.
   * @default 30000
   */
  idleTimeoutMs?: number | undefined;
  /** Tasks that one worker has in hand at a time. More than 1 is of use to functions that wait. @default 1 */
  concurrentTasksPerWorker?: number | undefined;
  /** Limits of each worker's heap and stack, as `new Worker` takes them. */
  resourceLimits?: ResourceLimits | undefined;
  /** When a worker is replaced by a fresh one, between two tasks. */
  recycle?:
    | {
        /** After so many tasks. A positive integer. */
        maxTasks?: number | undefined;
        /** When its heap in use is larger, in MiB. A positive number. */
        maxHeapMB?: number | undefined;
      }
    | undefined;
  /**
   * Whether a worker without work may sleep in native code, which wakes sooner. It never does while the code in it keeps
   * timers, sockets or anything else that needs its event loop, or speaks through `parentPort`; false forbids it
   * altogether.
   * @default true
   */
  blocking?: boolean | undefined;
}

export interface WorkerTaskOptions {
  /**
   * Larger first: any safe integer, see {@link WorkerPool.PRIORITY}. Waiting makes up for it, a level each 100 ms, so
   * nothing waits for ever.
   * @default 0
   */
  priority?: number | undefined;
  /**
   * Attempts after the first, for tasks whose function throws, whose worker dies, or that take too long. A non-negative
   * integer.
   * @default 3
   */
  retries?: number | undefined;
  /** Longest time for each attempt, in milliseconds. A positive number, or `Infinity`. @default the pool's */
  timeout?: number | undefined;
  /** The waits between attempts, or the first of them in milliseconds. @default 1 s, 2 s, 4 s, ... */
  backoff?: number | BackoffOptions | undefined;
  /**
   * Ends the task, waiting or running: the promise rejects with the signal's reason. A worker that runs it is replaced,
   * unless its function heeds the signal.
   */
  signal?: AbortSignal | undefined;
  /**
   * What is moved instead of copied. Such a task is not repeated once its worker has got it. In a thread that does not
   * host the workers of a named pool, ArrayBuffers are copied and taken away, and nothing else can be transferred.
   */
  transferList?: readonly TransferListItem[] | undefined;
  /**
   * Gets what the function tells by `context.progress(value)`. Called in the thread that hosts the workers; tasks that
   * other threads order have no progress.
   */
  onProgress?: ((value: unknown) => void) | undefined;
}

/** What a worker's function gets as its second argument, if it has one. */
export interface WorkerTaskContext {
  /** The task's number: `jobId` of the events. */
  readonly jobId: number;
  /** Which attempt this is; the first is 1. */
  readonly attempt: number;
  /**
   * Aborted when nobody waits for the task any more. A function that has looked at it gets a second to end by itself,
   * and its worker stays; otherwise the worker is ended.
   */
  readonly signal: AbortSignal;
  /** Tells how far the task is: `onProgress` of {@link WorkerTaskOptions} gets the value, which is cloned. */
  readonly progress: (value: unknown) => void;
}

/** What document 003 shows. */
export interface WorkerPoolStats {
  workers: { max: number; min: number; idle: number; busy: number; total: number };
  queue: { pending: number; byPriority: { high: number; normal: number; low: number } };
  jobs: {
    total: number;
    completed: number;
    failed: number;
    retried: number;
    /** `completed / total`, as in `'96.67%'`. */
    successRate: string;
  };
  performance: {
    /** Milliseconds that a successful attempt took, on average. */
    avgExecutionTime: number;
    /** Attempts in a worker that had served before. */
    workerReuses: number;
    /** `workerReuses / completed`, as in `'95.17%'`. */
    reuseRate: string;
  };
}

/** Durations in milliseconds; percentiles to two digits. All 0 while there are none. */
export interface DurationStats {
  count: number;
  min: number;
  max: number;
  mean: number;
  p50: number;
  p90: number;
  p95: number;
  p99: number;
}

/** Plain numbers, counted since the pool was made, by the tasks of all threads. */
export interface WorkerPoolFigures {
  workers: {
    max: number;
    min: number;
    starting: number;
    idle: number;
    busy: number;
    total: number;
    created: number;
    exited: number;
    /** Those that nobody had asked to. */
    died: number;
  };
  queue: {
    pending: number;
    ready: number;
    /** Tasks between two attempts. */
    delayed: number;
    byPriority: { high: number; normal: number; low: number };
  };
  jobs: {
    total: number;
    running: number;
    completed: number;
    failed: number;
    /** Aborted, or terminated with the pool. */
    cancelled: number;
    retried: number;
    /** Rejected because the queue was full; not among `total`. */
    refused: number;
    timeouts: number;
    successRatio: number;
  };
  performance: { avgExecutionMs: number; workerReuses: number; reuseRatio: number };
  /** How long attempts took. */
  runMs: DurationStats;
  /** How long attempts waited in the queue. */
  waitMs: DurationStats;
  /** Events that this handle did not take in time. */
  eventsDropped: number;
}

/** What listeners get. The tasks are those of all threads. */
export interface WorkerPoolEvents {
  jobQueued: [{ jobId: number; priority: number; pending: number }];
  jobStarted: [{ jobId: number; workerId: number; attempt: number; waitMs: number }];
  jobCompleted: [{ jobId: number; workerId: number; attempt: number; durationMs: number }];
  /** For good; also aborted and terminated ones. */
  jobFailed: [{ jobId: number; attempts: number; error: unknown }];
  /** An attempt has failed, and another one will be made. */
  jobRetry: [{ jobId: number; attempt: number; delayMs: number; error: unknown }];
  workerCreated: [{ workerId: number; total: number }];
  workerExited: [
    {
      workerId: number;
      exitCode: number;
      reason: 'died' | 'idle' | 'recycled' | 'timeout' | 'aborted' | 'terminated' | 'unstartable';
      /** Attempts that it had begun. */
      tasks: number;
      /** Workers that are left. */
      total: number;
    },
  ];
  /** What a worker's function has posted to its `parentPort`, in the thread that hosts the worker. */
  message: [value: unknown, workerId: number];
}

/**
 * A pool of worker threads with a native scheduler: priorities, retries, hard timeouts, and one outcome for each task
 * whatever becomes of its worker.
 *
 * The worker file exports a function of the data (CommonJS, ESM, TypeScript where Node.js strips types), or is a script
 * that answers each message on `parentPort` with one message. Data and results are copied, and may be all that
 * structured clone takes.
 *
 * A pool keeps a process alive while tasks are pending, and not otherwise.
 */
export class WorkerPool<Data = unknown, Result = unknown> extends EventEmitter {
  /** Names for some priorities. */
  static readonly PRIORITY: { readonly HIGH: 10; readonly NORMAL: 0; readonly LOW: -10 };

  /**
   * Starts `minWorkers` workers.
   * @param file a path, relative to the working directory, or a `file:` URL
   * @throws TypeError or RangeError for options that are wrong or unknown
   * @throws HotpathConflictError when a pool of this name was made with other options
   */
  constructor(file: string | URL, options?: WorkerPoolOptions);

  /** The shared name. */
  get name(): string | undefined;
  /** Whether it takes no more tasks. */
  get closed(): boolean;
  /** Figures in numbers, with histograms. Copies the histograms' figures: some microseconds. */
  get stats(): WorkerPoolFigures;

  /**
   * Has a worker work on the data. One native call, and one more for up to 256 answers.
   * @returns what the function returns. Rejects with what it throws (an equal copy), after all attempts; with
   *   `HotpathTimeoutError`, `HotpathWorkerError` (the worker died: `exitCode`, `cause`), the signal's reason,
   *   `HotpathQueueFullError`, `HotpathClosedError`; with a `TypeError` for what cannot be cloned
   */
  execute(data?: Data, options?: WorkerTaskOptions): Promise<Result>;

  /** Figures as document 003 shows them. Of a pool that has ended: its last. */
  getStats(): WorkerPoolStats;

  /** Takes no more tasks, finishes those of this handle, and then terminates. May be called again. */
  drain(): Promise<void>;
  /** The same as `drain`. */
  close(): Promise<void>;
  /**
   * Rejects this handle's tasks, waiting and running, and ends its workers. Those of a named pool finish what they have
   * in hand of other threads, which start workers of their own. May be called again.
   * @returns always resolves, when the workers have gone
   */
  terminate(): Promise<void>;
  /** `drain`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
  /**
   * Changes how many workers there may be and have to be while running, for all handles; one that is not given stays,
   * but the minimum follows a smaller maximum. Workers beyond the maximum leave when they have done what they have.
   * @throws TypeError or RangeError as the constructor does; HotpathClosedError
   */
  resize(limits: { maxWorkers?: number; minWorkers?: number }): void;
  /**
   * Recounts everything that is kept twice. For tests.
   * @throws Error with code `ERR_HOTPATH_INCONSISTENT` that names what is wrong
   */
  validate(): void;

  on<E extends keyof WorkerPoolEvents>(event: E, listener: (...args: WorkerPoolEvents[E]) => void): this;
  addListener<E extends keyof WorkerPoolEvents>(event: E, listener: (...args: WorkerPoolEvents[E]) => void): this;
  once<E extends keyof WorkerPoolEvents>(event: E, listener: (...args: WorkerPoolEvents[E]) => void): this;
  prependListener<E extends keyof WorkerPoolEvents>(event: E, listener: (...args: WorkerPoolEvents[E]) => void): this;
  prependOnceListener<E extends keyof WorkerPoolEvents>(
    event: E,
    listener: (...args: WorkerPoolEvents[E]) => void,
  ): this;
  off<E extends keyof WorkerPoolEvents>(event: E, listener: (...args: WorkerPoolEvents[E]) => void): this;
  removeListener<E extends keyof WorkerPoolEvents>(event: E, listener: (...args: WorkerPoolEvents[E]) => void): this;
  emit<E extends keyof WorkerPoolEvents>(event: E, ...args: WorkerPoolEvents[E]): boolean;
}

/** Figures of an object pool. */
export interface ObjectPoolStats {
  /** Objects that the pool knows: idle and in use. */
  size: number;
  idle: number;
  inUse: number;
  maxSize: number;
  /** Calls of `createFn`. */
  created: number;
  acquired: number;
  released: number;
  /** Acquired objects that had been made before. */
  reused: number;
  /** Objects that were not kept: above `maxSize`, or `resetFn` threw. */
  discarded: number;
  /** `reused / acquired`. */
  reuseRatio: number;
}

/** Objects that are used again instead of being made anew. Of one thread; nothing is native here. */
export class ObjectPool<T extends object> {
  /**
   * Makes `initialSize` objects.
   * @param createFn makes an object
   * @param resetFn puts an object that was released into its first state
   * @param initialSize a non-negative integer. @default 10
   * @param options `maxSize`: most idle objects that are kept, a positive integer or `Infinity`. @default Infinity
   */
  constructor(
    createFn: () => T,
    resetFn: (object: T) => void,
    initialSize?: number,
    options?: { maxSize?: number | undefined },
  );

  /** The figures. */
  get stats(): ObjectPoolStats;
  /** An idle object, the one released last, or a new one. */
  acquire(): T;
  /**
   * Resets an object and keeps it for the next one.
   * @throws HotpathError with code `ERR_HOTPATH_NOT_ACQUIRED` for what is not in use: released before, or of elsewhere
   * @throws what `resetFn` throws; the object is not kept then
   */
  release(object: T): void;
  /** Lends an object to a function, until it returns or its promise settles. @returns what the function returns */
  use<R>(fn: (object: T) => R): R;
  /** Lets go of the idle objects. */
  clear(): void;
  /** `clear`, for `using`. */
  [Symbol.dispose](): void;
}

/** Figures of a component loader. */
export interface ComponentLoaderStats {
  /** Instances, and those that are being made. */
  components: number;
  loads: number;
  /** Calls that found one, or joined a load. */
  hits: number;
  failures: number;
}

/** Loads components when they are needed first: an instance of each module's default export, once. */
export class ComponentLoader<Component = unknown> {
  /**
   * @param resolver a directory, relative to the working directory, or a `file:` URL object of one, which no name can
   *   leave; or a function from a name to a module, or to the path or URL of one. @default './components'
   */
  constructor(resolver?: string | URL | ((name: string) => unknown));

  /** The figures. */
  get stats(): ComponentLoaderStats;
  /**
   * The component of this name. However many ask at once, it is loaded once; a failure is not kept.
   * @param name a path inside the directory; `.js`, `.mjs`, `.cjs`, `.ts`, `.mts`, `.cts` and `index` files may be left out
   * @returns rejects with a `RangeError` for a name that leads out of the directory, also through links; with
   *   `ERR_HOTPATH_COMPONENT_NOT_FOUND` when there is none; with what loading or constructing throws
   */
  loadComponent(name: string): Promise<Component>;
  /** Whether a component is there or on its way. */
  has(name: string): boolean;
  /** Forgets a component, or all of them. Modules stay loaded in Node.js. */
  clear(name?: string): void;
  /** `clear`, for `using`. */
  [Symbol.dispose](): void;
}

export * from './jobs.js';
