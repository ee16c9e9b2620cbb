import { EventEmitter } from 'node:events';
import type { WorkerPoolOptions } from './workers.js';

export interface AsyncProcessingEngineOptions {
  /**
   * Shares the queue with the handles of this name in all threads of the process; with BullMQ, the name of the queue in
   * Redis. Any string but the empty one. Options that are given have to be those that the queue was made with.
   */
  name?: string | undefined;
  /** Most jobs that this process works on at once. A positive integer, or `Infinity`. @default 10 */
  maxConcurrentJobs?: number | undefined;
  /**
   * Longest time that an attempt may take, in milliseconds. A positive number, `Infinity` for no limit. When it is over
   * the attempt has failed and the processor's signal aborts; a worker file is ended, even in an endless loop.
   * @default 1800000
   */
  jobTimeout?: number | undefined;
  /** Attempts after the first. A non-negative integer. @default 3 */
  retryAttempts?: number | undefined;
  /**
   * The wait before the second attempt, in milliseconds; each further one is twice as long, up to five minutes. A
   * non-negative number.
   * @default 1000
   */
  retryDelay?: number | undefined;
  /**
   * A directory that keeps the queue: jobs survive the end of the process, `kill -9` and power failures, and all
   * processes of the machine that open it work on them together. Not on a network file system. Without it the queue is
   * in memory.
   */
  store?: string | URL | undefined;
  /** `bullmq` keeps the queue in Redis, by the package `bullmq`, for several machines. @default 'native' */
  backend?: 'native' | 'bullmq' | undefined;
  /** Where Redis is, as BullMQ takes it: options of ioredis, or a connection. Only with `bullmq`. */
  connection?: object | undefined;
  /**
   * Completed and cancelled jobs that can still be asked for; the oldest are forgotten first. A non-negative integer, or
   * `Infinity`.
   * @default 1000
   */
  maxFinishedJobs?: number | undefined;
  /** Dead letters that are kept; the oldest are forgotten first. A non-negative integer, or `Infinity`. @default 10000 */
  maxDeadLetters?: number | undefined;
  /**
   * Bytes that the store is made for. Submissions beyond are rejected with `ERR_HOTPATH_STORAGE_FULL`. A positive
   * integer. Only the process that opens a store first decides. Only with `store`.
   * @default 4294967296
   */
  maxStoreBytes?: number | undefined;
}

export interface SubmitJobOptions {
  /**
   * Larger first: unknown safe integer. Waiting makes up for it, a level each 100 ms, so nothing waits for ever.
   * @default 0
   */
  priority?: number | undefined;
  /** Longest time of an attempt, in milliseconds: see `jobTimeout`. */
  timeout?: number | undefined;
  /** Time until the job may begin, in milliseconds. A non-negative number. @default 0 */
  delayMs?: number | undefined;
  /** Attempts after the first: see `retryAttempts`. */
  retries?: number | undefined;
  /** Groups take turns, however many jobs each has: a customer, a tenant. Any string but the empty one. */
  group?: string | undefined;
  /**
   * A name for the job. Submitting it again while the queue remembers it adds nothing, and is answered with the same
   * name: retrying a submission is safe. Any string but the empty one.
   */
  id?: string | undefined;
}

/** What a processor may know of its job. */
export interface JobContext {
  /** The job's name. */
  readonly jobId: string;
  /** Its type. */
  readonly type: string;
  /** 1 for the first. */
  readonly attempt: number;
  /** As it was submitted. */
  readonly priority: number;
  /** Aborts when the job is cancelled, takes too long, or the queue is destroyed. Made when it is looked at. */
  readonly signal: AbortSignal;
  /**
   * Tells how far the job is: anything that structured clone takes. Event `progress`; kept, and seen by `getJob`. Costs
   * about a microsecond; in a store it is written at most five times a second.
   * @returns false when nobody waits for the job any more
   */
  readonly progress: (value: unknown) => boolean;
}

/** Works on a job. What it returns is the result; what it throws fails the attempt. */
export type JobProcessor<Data = unknown, Result = unknown> = (
  data: Data,
  context: JobContext,
) => Result | Promise<Result>;

export type JobStatus = 'queued' | 'delayed' | 'active' | 'completed' | 'failed' | 'cancelled';

/** A job as it is now. All times are milliseconds since 1970. */
export interface Job<Data = unknown, Result = unknown> {
  jobId: string;
  type: string;
  /** `delayed` is also what waits for its next attempt; `failed` is a dead letter. */
  status: JobStatus;
  priority: number;
  group: string | undefined;
  /** Attempts that were begun. */
  attempts: number;
  /** Attempts after the first that it may have. */
  retries: number;
  /** Longest time of an attempt in milliseconds. */
  timeout: number;
  /** As it was submitted; dropped when the job is completed or cancelled. */
  data: Data | undefined;
  /** What its processor told last. */
  progress: unknown;
  /** What its processor returned. */
  result: Result | undefined;
  /** What the last attempt failed with. */
  error: unknown;
  createdAt: number;
  /** Since when it is ready, or when it will be. */
  runAt: number;
  /** When the last attempt began. */
  startedAt: number | undefined;
  finishedAt: number | undefined;
}

/** Durations in milliseconds. */
export interface JobDurations {
  count: number;
  min: number;
  max: number;
  mean: number;
  p50: number;
  p90: number;
  p95: number;
  p99: number;
}

export interface JobStats {
  /** Where the queue is. */
  backend: 'memory' | 'store' | 'bullmq';
  /** Whether this process takes no jobs. */
  paused: boolean;
  /** Jobs that this process works on. */
  concurrency: { max: number; running: number };
  /** Jobs that have not ended, in all processes, and dead letters. */
  queue: { pending: number; queued: number; delayed: number; active: number; deadLetters: number };
  /** Since the queue was made. With BullMQ: of this process. */
  jobs: {
    total: number;
    completed: number;
    /** Dead letters that there have been. */
    failed: number;
    cancelled: number;
    /** Attempts that were repeated because they had failed. */
    retried: number;
    /** Attempts that took too long. */
    timeouts: number;
    /** Attempts whose process or thread has ended. */
    interrupted: number;
    /** Dead letters that were given another chance. */
    revived: number;
    /** `completed / total`, as in `'96.67%'`; of a process that works for others, of what it has ended. */
    successRate: string;
  };
  /** Means in milliseconds, of this process. */
  performance: { avgProcessingTime: number; avgWaitTime: number };
  /** How long attempts took in this process. */
  runMs: JobDurations;
  /** How long jobs were ready before they were begun in this process. */
  waitMs: JobDurations;
  /** Events that were lost because this thread did not take them: more than 65,536 at once. */
  eventsDropped: number;
}

/** Figures of a queue in plain numbers. What ended is counted since the queue was made. */
export interface JobFigures {
  backend: 'memory' | 'store' | 'bullmq';
  paused: boolean;
  /** Jobs that this process works on at a time at most, and now. */
  maxConcurrentJobs: number;
  running: number;
  /** Jobs that wait: those that are ready, and those whose time has not come. */
  pending: number;
  queued: number;
  delayed: number;
  /** Jobs that are worked on, in all processes. */
  active: number;
  deadLetters: number;
  submitted: number;
  completed: number;
  failed: number;
  cancelled: number;
  retried: number;
  timeouts: number;
  interrupted: number;
  revived: number;
  runMs: JobDurations;
  waitMs: JobDurations;
  eventsDropped: number;
}

/** What listeners get. */
export interface JobEvents {
  /** A job was accepted, or a dead letter was given another chance. */
  queued: [{ jobId: string; type: string; priority: number; delayMs: number }];
  /** An attempt begins. */
  active: [{ jobId: string; type: string; attempt: number; waitMs: number }];
  /** The processor told how far it is. */
  progress: [{ jobId: string; type: string; attempt: number; progress: unknown }];
  /** The job has succeeded. */
  completed: [{ jobId: string; type: string; attempt: number; durationMs: number; result: unknown }];
  /** An attempt has failed. `retrying` or `dead` follows. */
  failed: [{ jobId: string; type: string; attempt: number; durationMs: number; error: unknown }];
  /** Another attempt will be made. */
  retrying: [{ jobId: string; type: string; attempt: number; delayMs: number; error: unknown }];
  /** Somebody ended the job. */
  cancelled: [{ jobId: string; type: string; active: boolean }];
  /** No attempts are left: the job is a dead letter. */
  dead: [{ jobId: string; type: string; attempts: number; error: unknown }];
  /** The store, or Redis, does not work. Without a listener it is a warning of the process. */
  error: [Error];
}

/**
 * Background jobs: with priorities, groups, delays, retries, timeouts, progress and cancellation; in memory, in a
 * directory, or in Redis.
 *
 * A job is worked on at least once: one whose process died in the middle goes back to its place. The tasks of
 * {@link ParallelProcessingEngine} need no processor. The process stays alive while there is something to do here, and
 * with a queue in memory also for what is delayed.
 *
 * Events are those of the jobs that this process submits or works on.
 */
export class AsyncProcessingEngine extends EventEmitter<JobEvents> {
  /**
   * Opening a store reads the disk.
   * @throws TypeError or RangeError for options that are not known or not right
   * @throws HotpathConflictError if the queue exists with other options
   * @throws HotpathStorageError if the store cannot be opened
   * @throws HotpathError `ERR_HOTPATH_MISSING_PEER` without the package `bullmq`
   */
  constructor(options?: AsyncProcessingEngineOptions);

  /** As it was given. */
  get name(): string | undefined;
  /** Whether `close`, `drain` or `destroy` was called. */
  get closed(): boolean;
  /** Types that this handle can work on, the native tasks included. */
  get types(): string[];

  /**
   * From now on this handle works on jobs of a type. A function runs in this thread; a worker file, which exports a
   * function `(data) => result` as those of {@link WorkerPool} do, in threads of its own. An error with a property
   * `retryable: false` fails the job without further attempts. Replaces what was registered for the type before.
   * @param options of the pool, for worker files; `maxWorkers` is `maxConcurrentJobs`, at most 8
   */
  registerProcessor<Data = unknown, Result = unknown>(type: string, processor: JobProcessor<Data, Result>): this;
  registerProcessor(type: string, file: string | URL, options?: WorkerPoolOptions): this;

  /**
   * Adds a job. In memory it takes a few microseconds; in a store it is resolved when the job is on the disk. A type that
   * nobody works on yet waits.
   * @param data anything that structured clone takes
   * @throws TypeError or RangeError for what is not right; HotpathClosedError; HotpathStorageError
   */
  submitJob(type: string, data?: unknown, options?: SubmitJobOptions): Promise<{ jobId: string; status: 'queued' }>;

  /** The job as it is now, or undefined if the queue does not know it (any more). */
  getJob<Data = unknown, Result = unknown>(jobId: string): Promise<Job<Data, Result> | undefined>;

  /**
   * Ends a job that waits, or is being worked on: its processor's signal aborts, and what it answers is dropped. A
   * function that does not heed its signal keeps its place for a second; a worker file is ended.
   * @returns false when the job has ended before, or is unknown
   */
  cancelJob(jobId: string): Promise<boolean>;

  /** The queue in figures. */
  getStats(): Promise<JobStats>;

  /** The same as plain numbers, at once: with BullMQ as far as this process knows them. */
  get stats(): JobFigures;

  /**
   * Changes how many jobs this process works on at a time, while running and for all its threads. What is begun goes on.
   * @param limits a positive integer, or `Infinity`
   * @throws TypeError or RangeError for what is not right; HotpathClosedError
   */
  resize(limits: { maxConcurrentJobs: number }): void;

  /** This process begins no more jobs; what it has begun goes on. With a name, of all its threads. */
  pause(): Promise<void>;

  /** Ends a pause. */
  resume(): Promise<void>;

  /**
   * Gives dead letters all their attempts again: those named, or the oldest up to a limit, or all.
   * @returns how many there were
   */
  retryDeadLetters(options?: { jobIds?: string[] | undefined; limit?: number | undefined }): Promise<number>;

  /**
   * Recounts everything that is kept twice. Slow; for tests.
   * @throws HotpathError `ERR_HOTPATH_INCONSISTENT`
   */
  validate(): void;

  /**
   * Takes no more jobs from this handle, waits until there is nothing to do, and closes. In memory that includes what is
   * delayed, but not what nobody works on; in a store, what is delayed stays there.
   */
  drain(): Promise<void>;

  /**
   * Begins no more jobs, waits for those that this handle works on, and closes. What waits stays in the store; in memory
   * it is cancelled, unless other handles are open. Not to be awaited by a processor, which would wait for itself.
   */
  close(): Promise<void>;

  /** Ends at once: signals abort, and what this handle works on goes back to its place. */
  destroy(): Promise<void>;

  [Symbol.asyncDispose](): Promise<void>;
}
