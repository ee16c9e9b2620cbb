// biome-ignore-all lint/suspicious/noExplicitAny: what people store, process and search for can be anything.

import { EventEmitter } from 'node:events';

/** What a processor is told about its chunk. */
export interface BatchContext {
  readonly batchId: string;
  /** The number of the chunk, from 0. */
  readonly chunkIndex: number;
  /** The place of its first item in the whole batch. */
  readonly startIndex: number;
  /** 1 for the first run of these items. */
  readonly attempt: number;
  /** The line of each item in its file; only in `processFile`. */
  readonly lines?: number[] | undefined;
  /** Aborted when the chunk's time is over or the batch is cancelled. In a worker file, who has looked at it gets a second to end. */
  readonly signal: AbortSignal;
}

/**
 * Turns a chunk into as many results. An `Error` among them marks its item as failed. When it throws, the items of the
 * chunk are run one by one, so that only those to blame fail.
 */
export type BatchFunction<T = any, R = any> = (
  items: T[],
  context: BatchContext,
) => ReadonlyArray<R | Error> | PromiseLike<ReadonlyArray<R | Error>>;

/** A function, the name of a registered one, or a file that exports such a function and runs in worker threads. */
export type BatchProcessor<T = any, R = any> = BatchFunction<T, R> | string | URL;

export interface BatchEngineOptions {
  /**
   * Items of a chunk. A positive integer.
   * @default 1000
   */
  batchSize?: number | undefined;
  /**
   * Chunks at work at once, of all batches of the engine together. A positive integer.
   * @default 5
   */
  maxConcurrency?: number | undefined;
  /**
   * Longest time for a chunk, in milliseconds. A positive number, `Infinity` for no limit.
   * @default 1800000 (30 minutes)
   */
  processingTimeout?: number | undefined;
  /** Processors by name: functions or worker files. */
  processors?: Record<string, BatchProcessor> | undefined;
  /**
   * Finished batches that `getBatchStatus` still knows, with their results. A non-negative integer.
   * @default 100
   */
  keepFinished?: number | undefined;
}

export interface BatchOptions {
  /** As the engine's. */
  batchSize?: number | undefined;
  /** At most the engine's. */
  maxConcurrency?: number | undefined;
  /** As the engine's. */
  processingTimeout?: number | undefined;
  /**
   * How often an item that failed is run again, alone; with `atomic`, the chunk. A non-negative integer.
   * @default 0
   */
  retries?: number | undefined;
  /**
   * Milliseconds before the first retry, twice as many before each further one.
   * @default 0
   */
  retryDelay?: number | undefined;
  /**
   * When the processor throws, the whole chunk has failed.
   * @default false
   */
  atomic?: boolean | undefined;
  /**
   * Results that are kept, the first ones. A non-negative number.
   * @default all of an array, 10000 of anything else
   */
  maxResults?: number | undefined;
  /** Cancels the batch. */
  signal?: AbortSignal | undefined;
  /** Called after each chunk. */
  onProgress?: ((status: BatchStatus) => void) | undefined;
  /**
   * A file that remembers finished chunks. A batch that is begun again with it (after a crash, say) runs only the
   * others; its results are those of both. It is removed when the batch has completed. One batch at a time may use it.
   */
  checkpoint?: string | undefined;
}

/** A value that a field of a record can equal. */
export type RecordValue = string | number | boolean | null;

/** Tests of one field, which all have to hold. The names may begin with `$`. */
export interface RecordTests {
  eq?: RecordValue;
  /** Also true of records without the field, as `notIn` is. */
  ne?: RecordValue;
  in?: RecordValue[];
  notIn?: RecordValue[];
  /** Numbers with numbers, texts with texts. */
  lt?: number | string;
  lte?: number | string;
  gt?: number | string;
  gte?: number | string;
  contains?: string;
  startsWith?: string;
  endsWith?: string;
  exists?: boolean;
}

/** Conditions on fields, which all have to hold: a value to equal, several to choose from, or tests. */
export type RecordConditions = { [field: string]: RecordValue | RecordValue[] | RecordTests };

export interface FileOptions<T = any, R = any> extends BatchOptions {
  /**
   * How the records are written.
   * @default 'csv' for names that end so, else 'ndjson'
   */
  format?: 'ndjson' | 'csv' | undefined;
  /** Fields to hand over, in this order; those that a record lacks are left out. @default all */
  fields?: readonly string[] | undefined;
  /**
   * Which records to hand over. Conditions are tested natively; of an array of them, one has to hold. A function is
   * called here for every record, which costs what it saves.
   */
  where?: RecordConditions | RecordConditions[] | ((record: any) => boolean) | undefined;
  /** What to do with the records. @default the records are the results */
  processor?: BatchProcessor<T, R> | undefined;
  /** What separates fields of CSV. One ASCII character. @default ',' */
  delimiter?: string | undefined;
  /** What encloses fields of CSV. One ASCII character. @default '"' */
  quote?: string | undefined;
  /** Names of the columns of CSV. @default those in the first record, which is then no data */
  columns?: readonly string[] | undefined;
  /**
   * Whether a malformed line ends the batch with an error. Else it is told among the errors.
   * @default false
   */
  stopOnMalformed?: boolean | undefined;
}

/** Why an item failed, or a line is malformed. */
export interface BatchItemError {
  /** The item's place in the batch; not there for malformed lines. */
  index?: number;
  /** The line in the file; only in `processFile`. */
  line?: number;
  error: any;
}

/** How a batch ends. Items that failed do not make it fail. */
export type BatchOutcome = 'completed' | 'failed' | 'cancelled';

export interface BatchResult<R = any> {
  readonly batchId: string;
  readonly status: 'completed' | 'cancelled';
  /** In the order of the items; `undefined` for those that failed or were not reached. */
  readonly results: Array<R | undefined>;
  readonly errors: BatchItemError[];
}

export interface BatchSummary<R = any> extends BatchResult<R> {
  /** Items that went through the processor. */
  readonly processed: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Malformed lines. The first 100 of every MiB are told in `errors`, the others counted. */
  readonly malformed: number;
  /** Whether there were more results than `maxResults`. */
  readonly truncated: boolean;
}

export interface BatchStatus {
  readonly batchId: string;
  readonly status: 'processing' | BatchOutcome;
  /** Percent, 0 to 100; of a file, of its bytes. `null` if nobody can know. */
  readonly progress: number | null;
  /** Items; `null` if nobody can know. */
  readonly total: number | null;
  readonly processed: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly malformed: number;
  /** `resumed`: those that a checkpoint knew as finished. */
  readonly chunks: { readonly completed: number; readonly running: number; readonly resumed: number };
  /** Items a second. */
  readonly throughput: number;
  /** Milliseconds that are probably left; `null` if nobody can know. */
  readonly eta: number | null;
  readonly errors: BatchItemError[];
  /** Milliseconds since 1970, as `finishedAt`. */
  readonly startedAt: number;
  readonly finishedAt: number | null;
  /** Milliseconds. */
  readonly duration: number;
  /** Once it has ended. */
  readonly results?: any[];
  /** Why it failed. */
  readonly error?: any;
}

/**
 * Processes large data in chunks, several at a time. Holds no more items than those at work, however large the source.
 *
 * Events, each with a {@link BatchStatus}: `progress` after each chunk, and at the end `completed`, `failed` or
 * `cancelled`.
 */
export class BatchProcessingEngine extends EventEmitter {
  constructor(options?: BatchEngineOptions);
  /** Gives a processor a name. */
  registerProcessor(name: string, processor: BatchProcessor): this;
  /** Names of the registered processors. */
  get processors(): string[];
  /** Processes all items of an array, or of anything that can be iterated. Rejects if the source throws. */
  processBatch<T = any, R = any>(
    data: readonly T[] | Iterable<T> | AsyncIterable<T>,
    processor: BatchProcessor<T, R>,
    options?: BatchOptions,
  ): Promise<BatchResult<R>>;
  /** Begins to, and resolves at once: see `getBatchStatus` and `waitForBatch`. */
  submitBatch<T = any, R = any>(
    data: readonly T[] | Iterable<T> | AsyncIterable<T>,
    processor: BatchProcessor<T, R>,
    options?: BatchOptions,
  ): Promise<{ batchId: string; status: 'queued' }>;
  /** Processes a stream or iterable, which is read only as fast as its items are processed. */
  processStream<T = any, R = any>(
    source: Iterable<T> | AsyncIterable<T>,
    processor: BatchProcessor<T, R>,
    options?: BatchOptions,
  ): Promise<BatchSummary<R>>;
  /**
   * Processes the records of a file. Native threads read, split, parse and filter it, a few MiB ahead of the processor;
   * what is not asked for never becomes a JavaScript value. Rejects as `fs.stat` does if there is no such file.
   */
  processFile<T = any, R = any>(path: string | URL, options?: FileOptions<T, R>): Promise<BatchSummary<R>>;
  /** How a batch stands; `undefined` if nobody knows it (any more). */
  getBatchStatus(batchId: string): BatchStatus | undefined;
  /** The status at its end. Never rejects. */
  waitForBatch(batchId: string): Promise<BatchStatus | undefined>;
  /**
   * Ends a batch: no further chunk begins, chunks at work are told by their signal and are not waited for. Whether it
   * was running.
   */
  cancelBatch(batchId: string): boolean;
  /** Batches by how they ended, and items of all that did. */
  get stats(): {
    readonly running: number;
    readonly completed: number;
    readonly failed: number;
    readonly cancelled: number;
    readonly items: number;
    readonly itemErrors: number;
  };
  get closed(): boolean;
  /** Waits for all batches; begins no further one. */
  close(): Promise<void>;
  /** Cancels all batches. */
  destroy(): Promise<void>;
  /** The same as `close`. */
  [Symbol.asyncDispose](): Promise<void>;
}
