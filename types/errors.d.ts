/**
 * What every operational error of hotpath is. Wrong arguments are not among them: those are a `TypeError` with code
 * `ERR_INVALID_ARG_TYPE` or `ERR_HOTPATH_UNKNOWN_OPTION`, or a `RangeError` with code `ERR_OUT_OF_RANGE`.
 */
export class HotpathError extends Error {
  /**
   * @param message what happened
   * @param fields `cause`, and anything else that becomes a property of the error
   */
  constructor(message: string, fields?: { code?: string; cause?: unknown; [field: string]: unknown });

  /** Stable, for programs: never changes its meaning. */
  readonly code: string;
}

/** An operation on a cache that was closed. Code `ERR_HOTPATH_CLOSED`. */
export class HotpathClosedError extends HotpathError {}

/**
 * A handle on a named engine asked for something other than what it was made with. Code `ERR_HOTPATH_OPTION_CONFLICT`.
 */
export class HotpathConflictError extends HotpathError {
  /** The name of the engine, as the message shows it. */
  readonly engine: string;
  /** The option in question: `maxEntries`. A `maxMemory` is compared as `maxBytes`. */
  readonly option: string;
  /** What the engine was made with: a number, or words such as `lru`, `unlimited`, `lz4 from 1024 bytes`. */
  readonly existing: unknown;
  /** What this handle asked for, likewise. */
  readonly requested: unknown;
}

/** `increment` met a value that is not a number; the value stays as it is. Code `ERR_HOTPATH_NOT_A_NUMBER`. */
export class HotpathValueError extends HotpathError {}

/** Compressed or serialized data that are damaged, cut short, or nothing of the kind. Code `ERR_HOTPATH_BAD_DATA`. */
export class HotpathDataError extends HotpathError {}

/** Something was not done in the time that it had. Code `ERR_HOTPATH_TIMEOUT`. */
export class HotpathTimeoutError extends HotpathError {}

/** A matrix that has no inverse. Code `ERR_HOTPATH_SINGULAR_MATRIX`. */
export class HotpathMatrixError extends HotpathError {}

/**
 * Something on the disk does not work, or is not what it should be. The message never shows a path. Codes:
 * `ERR_HOTPATH_STORAGE` (reading or writing failed), `ERR_HOTPATH_STORAGE_FULL` (the disk, or the space set aside, is
 * full), `ERR_HOTPATH_STORAGE_READ_ONLY`, `ERR_HOTPATH_STORAGE_DAMAGED` (files are damaged or not ours),
 * `ERR_HOTPATH_STORAGE_VERSION` (written by another version), `ERR_HOTPATH_STORAGE_UNSUPPORTED` (a network file system,
 * a forked process).
 */
export class HotpathStorageError extends HotpathError {}

/** A queue is full. Code `ERR_HOTPATH_QUEUE_FULL`. */
export class HotpathQueueFullError extends HotpathError {
  /** How many wait already. */
  readonly waiting: number;
}

/**
 * A task's worker died (code `ERR_HOTPATH_WORKER_EXITED`), or no worker can be started (code
 * `ERR_HOTPATH_WORKER_UNSTARTABLE`). `cause` is the error that it died of, if there was one.
 */
export class HotpathWorkerError extends HotpathError {
  /** The thread's exit code; undefined when none was started. */
  readonly exitCode: number | undefined;
  /** The task. */
  readonly jobId: number;
  /** Attempts that were begun. */
  readonly attempts: number;
}

/**
 * Work was aborted: the reason of the signal that a task or job looks at, and the error of events. Calls that were given
 * a signal reject with that signal's own reason instead. Its `name` is `AbortError` and its code `ABORT_ERR`, as with
 * Node's own.
 */
export class HotpathAbortError extends HotpathError {}

/**
 * A tier behind a cache does not work. Codes: `ERR_HOTPATH_TIER_UNAVAILABLE` (it cannot be reached, or the circuit
 * breaker is open), `ERR_HOTPATH_TIER_FAILED` (it answered with an error of its own).
 */
export class HotpathTierError extends HotpathError {
  /** Which tier: `redis`. */
  readonly tier: string;
}

/**
 * A load test that was refused, or failed: `ERR_HOTPATH_LOAD_TEST` with `result` and `reasons`, `ERR_HOTPATH_SCENARIO` for a
 * file that is wrong, `ERR_HOTPATH_REMOTE_HOST` and `ERR_HOTPATH_UNKNOWN_HOST` for a target.
 */
export class HotpathLoadTestError extends HotpathError {
  /** What was measured, where something was. */
  readonly result: import('./http-load.js').ScenarioResult | undefined;
  /** Why it failed, one sentence each. */
  readonly reasons: readonly string[] | undefined;
}

/**
 * The native addon could not be loaded: thrown by `require('hotpath')`. The message carries everything below.
 * Code `ERR_HOTPATH_NATIVE_LOAD`. `cause` is the loader's own error, an `AggregateError` when there are several.
 */
export class HotpathLoadError extends HotpathError {
  /** Every place that was tried, in order, with the reason in the operating system's own words. */
  readonly attempts: ReadonlyArray<{ readonly path: string; readonly reason: string }>;
  /** `process.platform`. */
  readonly platform: string;
  /** `process.arch`. */
  readonly arch: string;
  /** `glibc 2.36` or `musl`; undefined outside Linux. */
  readonly libc: string | undefined;
  /** `process.version`. */
  readonly nodeVersion: string;
  /** What to do about it. */
  readonly remedy: string;
}
