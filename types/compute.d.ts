/** Settings of a {@link ParallelProcessingEngine}. */
export interface ParallelProcessingEngineOptions {
  /**
   * Most threads that its tasks use at a time. A positive integer. Never more than the machine's cores but one, which
   * the event loop keeps; on one core it is one.
   * @default 4
   */
  maxWorkers?: number | undefined;
  /**
   * How long a task may take that does not say so itself, in milliseconds, from `executeTask` on: waiting counts. A
   * positive number, `Infinity` for no limit.
   * @default 300000
   */
  taskTimeout?: number | undefined;
  /**
   * After how many idle milliseconds a worker thread of custom tasks ends. A positive number, `Infinity` for never.
   * Threads of native tasks sleep, and stay.
   * @default 600000
   */
  workerTimeout?: number | undefined;
}

/** How a task is done. */
export interface TaskOptions {
  /**
   * Tasks that wait are begun in this order, the largest first, equals in the order in which they came. An integer.
   * Registered tasks gain a level each 100 ms that they wait.
   * @default 0
   */
  priority?: number | undefined;
  /**
   * In milliseconds, from the call on. A positive number, `Infinity` for no limit.
   * @default the engine's `taskTimeout`
   */
  timeout?: number | undefined;
  /** Stops the task, waiting or running; the promise rejects with the signal's reason once it has stopped. */
  signal?: AbortSignal | undefined;
  /**
   * Gives the ArrayBuffers of typed arrays in the data up, whole: they are detached at once, and nothing is copied. What
   * cannot be moved is copied.
   * @default false
   */
  transfer?: boolean | undefined;
}

/**
 * Numbers by rows in one typed array. The array is copied before the task begins (`O(n)`, at memory speed), because
 * JavaScript could free its memory under the task; to go without the copy, put it over a `SharedArrayBuffer`, which is
 * read in place (writing to it meanwhile makes the result meaningless, nothing worse), or say `transfer: true`.
 */
export interface TypedMatrix<T extends Float64Array | Float32Array = Float64Array | Float32Array> {
  data: T;
  /** A non-negative integer. */
  rows: number;
  /** A non-negative integer; `rows * cols` is the length of `data`. */
  cols: number;
}

/** Rows of equal length: read, and built as an answer, on the calling thread at a few nanoseconds a number. */
export type MatrixRows = readonly (readonly number[] | Float64Array | Float32Array)[];

/** A matrix, in either form. */
export type MatrixLike = MatrixRows | TypedMatrix;

/** What a task that was given matrices answers with: rows for rows, a typed matrix (native memory, not copied) for one. */
export type MatrixResult<M> =
  M extends TypedMatrix<Float32Array>
    ? TypedMatrix<Float32Array>
    : M extends TypedMatrix
      ? TypedMatrix<Float64Array>
      : number[][];

/** What a product answers with: rows only if both factors are. */
export type ProductResult<A, B> =
  A extends TypedMatrix<Float32Array>
    ? B extends TypedMatrix<Float32Array>
      ? TypedMatrix<Float32Array>
      : TypedMatrix<Float64Array>
    : A extends TypedMatrix
      ? TypedMatrix<Float64Array>
      : B extends TypedMatrix
        ? TypedMatrix<Float64Array>
        : number[][];

/** Numbers in a row. */
export type NumbersLike = readonly number[] | Float64Array | Float32Array;

/** What a task that was given numbers answers with: an array for an array, a typed array of the same kind for one. */
export type NumbersResult<N> = N extends Float64Array ? Float64Array : N extends Float32Array ? Float32Array : number[];

/** An entity described by numbers; all entities of a task have as many. */
export interface VectorEntity {
  id: string | number;
  vector: NumbersLike;
}

/** An entity described by what it has rated: a plain object, a Map, or pairs. */
export interface RatedEntity {
  id: string | number;
  ratings: Readonly<Record<string, number>> | ReadonlyMap<unknown, number> | readonly (readonly [unknown, number])[];
}

/**
 * How alike two entities are. Where a measure has no value, the score is 0.
 *
 * - `pearson`: correlation of the vectors; of ratings, over what both have rated, with the means of just these.
 * - `cosine`: of the angle between the vectors; what is not rated counts 0.
 * - `jaccard`: shared over all, of the places that are not 0, or of the items rated.
 * - `euclidean`: `1 / (1 + distance)`; of ratings, over what both have rated.
 */
export type SimilarityAlgorithm = 'pearson' | 'cosine' | 'jaccard' | 'euclidean';

export interface SimilarityOptions {
  /** Scores below are left out. A finite number. */
  minSimilarity?: number | undefined;
  /** For each entity, only so many of the others: the most similar ones. A positive integer. */
  topK?: number | undefined;
  /**
   * - `pairs`: objects with the ids. Made on the calling thread, in slices between which the event loop turns.
   * - `matrix`: all scores as a square {@link TypedMatrix}, ones on the diagonal; not with `minSimilarity` or `topK`.
   * - `columns`: {@link SimilarityColumns}, no objects.
   *
   * @default `pairs` for an array of entities; for a matrix `matrix`, or `columns` if scores are left out
   */
  format?: 'pairs' | 'matrix' | 'columns' | undefined;
}

export interface SimilarityTask {
  /** Entities, or a matrix with a row for each: their ids are the numbers of the rows. */
  entities: readonly VectorEntity[] | readonly RatedEntity[] | MatrixLike;
  /** @default 'pearson' */
  algorithm?: SimilarityAlgorithm | undefined;
  options?: SimilarityOptions | undefined;
}

/**
 * Two entities. Without `topK` each pair comes once, `a` being the earlier entity, the most similar first. With it, each
 * entity in turn is `a` with its best `b`s.
 */
export interface SimilarityPair {
  a: string | number;
  b: string | number;
  similarity: number;
}

/** Pairs as columns: the numbers of the entities, and their scores. */
export interface SimilarityColumns {
  a: Float64Array;
  b: Float64Array;
  similarity: Float64Array;
}

/** Figures without a value are `NaN`: of no numbers, or with a `NaN` among them. */
export interface Description {
  count: number;
  sum: number;
  mean: number;
  /** Of a whole population: divided by `count`. */
  variance: number;
  standardDeviation: number;
  /** Of a sample: divided by `count - 1`. */
  sampleVariance: number;
  sampleStandardDeviation: number;
  min: number;
  max: number;
  median: number;
  /** By the percentages that were asked for; between two numbers interpolated linearly. */
  percentiles: Record<string, number>;
}

/** What each native task takes, and what it answers with. */
export interface NativeTasks {
  /** The product. O(n^3). Two Float32Arrays give a Float32Array, anything else doubles. */
  matrix_multiplication(data: { matrixA: MatrixLike; matrixB: MatrixLike }): number[][] | TypedMatrix;
  /** Rows for columns. O(n^2). */
  matrix_transpose(data: { matrix: MatrixLike }): number[][] | TypedMatrix;
  /** By LU with partial pivoting, O(n^3). Rejects with `HotpathMatrixError` when a pivot is exactly 0. */
  matrix_inverse(data: { matrix: MatrixLike }): number[][] | TypedMatrix;
  /**
   * x in `matrix` x = `vector`, or the columns X in `matrix` X = `vectors`. As `matrix_inverse`, at a third of the cost
   * and more exact than multiplying by an inverse.
   */
  matrix_solve(
    data: { matrix: MatrixLike; vector: NumbersLike } | { matrix: MatrixLike; vectors: MatrixLike },
  ): number[] | Float64Array | Float32Array | number[][] | TypedMatrix;
  /** How alike entities are, all pairs of them. O(n^2) in entities; at most 67,108,864 pairs are answered with. */
  similarity_calculation(data: SimilarityTask): SimilarityPair[] | SimilarityColumns | TypedMatrix<Float64Array>;
  /** Figures that describe numbers; percentages from 0 to 100. O(n log n). */
  statistics(data: { values: NumbersLike; percentiles?: NumbersLike | undefined } | NumbersLike): Description;
  /** The numbers in order, -0 before 0 and `NaN` last. The data stay as they are. O(n log n). */
  sort(
    data: { values: NumbersLike; order?: 'ascending' | 'descending' | undefined } | NumbersLike,
  ): number[] | Float64Array | Float32Array;
}

/** What a registered task learns beside its data. */
export interface CustomTaskContext {
  /** The name that it was registered under. */
  readonly type: string;
  /**
   * Aborted when the task is cancelled or out of time. A function that has looked at it gets a second to end by itself;
   * otherwise its thread is ended.
   */
  readonly signal: AbortSignal;
}

/** Counts since the engine was made: of native and of registered tasks. */
export interface ParallelProcessingStats<Rate = number> {
  /** Threads: `max` is the option, `total` how many of them there are. */
  workers: { max: number; idle: number; busy: number; total: number };
  /** Tasks that wait: above 0, 0, and below 0. */
  queue: { pending: number; byPriority: { high: number; normal: number; low: number } };
  tasks: {
    total: number;
    running: number;
    completed: number;
    failed: number;
    cancelled: number;
    timedOut: number;
    /** Completed over total. */
    successRate: Rate;
  };
  /** In milliseconds, of the tasks that ended, and of those that began. */
  performance: { avgExecutionTime: number; avgWaitTime: number };
}

/**
 * Long computations off this thread: native tasks on native threads (one less than cores in the whole process, so the
 * event loop keeps its own), tasks of your own in worker threads. Tasks that wait are begun by priority. A task that is
 * cancelled or out of time stops within a few milliseconds, and its promise settles when it has stopped.
 *
 * An idle engine holds neither thread time nor process; a task under way keeps the process alive.
 *
 * @example
 * const engine = new ParallelProcessingEngine();
 * await engine.executeTask('matrix_multiplication', { matrixA: [[1, 2], [3, 4]], matrixB: [[5, 6], [7, 8]] });
 * // [[19, 22], [43, 50]]
 */
export class ParallelProcessingEngine {
  /** @throws `TypeError`, `RangeError`: wrong options */
  constructor(options?: ParallelProcessingEngineOptions);

  /** Whether it was closed or destroyed. */
  get closed(): boolean;

  /** The types that `executeTask` knows: those of native tasks, and those that were registered. */
  get tasks(): readonly string[];

  /**
   * Gives a task of your own a name; one that was registered under it before is replaced. It runs in a worker thread (at
   * most `maxWorkers` of them, started when they are needed), so that it may take as long as it likes.
   *
   * @param task the path or URL of a file whose default export is the function (CommonJS or ESM), or a function, which is
   *   sent as its source text: it sees its arguments, globals and `require` (from the working directory), and no variable
   *   around it. Data and results are copied as by structured clone.
   * @throws `TypeError`: a function without source text of its own (native, bound, a class), or no such file;
   *   `RangeError`: the name of a native task; `HotpathClosedError`
   * @example
   * engine.registerTask('primes', ({ below }) => {
   *   const composite = new Uint8Array(below);
   *   const primes = [];
   *   for (let n = 2; n < below; n++) {
   *     if (composite[n]) continue;
   *     primes.push(n);
   *     for (let multiple = n * n; multiple < below; multiple += n) composite[multiple] = 1;
   *   }
   *   return primes;
   * });
   * await engine.executeTask('primes', { below: 10 }); // [2, 3, 5, 7]
   */
  registerTask(
    type: string,
    // biome-ignore lint/suspicious/noExplicitAny: what it takes is between it and its callers.
    task: string | URL | ((data: any, context: CustomTaskContext) => unknown),
  ): this;

  /**
   * Does a task. Rejects with a `TypeError` or `RangeError` for wrong data, with the signal's reason, with
   * `HotpathTimeoutError`, with `HotpathClosedError` when the engine is closed, and with what the task fails with (a
   * registered task whose thread dies: `HotpathWorkerError`).
   */
  executeTask<A extends MatrixLike, B extends MatrixLike>(
    type: 'matrix_multiplication',
    data: { matrixA: A; matrixB: B },
    options?: TaskOptions,
  ): Promise<ProductResult<A, B>>;
  executeTask<M extends MatrixLike>(
    type: 'matrix_transpose' | 'matrix_inverse',
    data: { matrix: M },
    options?: TaskOptions,
  ): Promise<MatrixResult<M>>;
  executeTask<N extends NumbersLike>(
    type: 'matrix_solve',
    data: { matrix: MatrixLike; vector: N },
    options?: TaskOptions,
  ): Promise<N extends readonly number[] ? number[] : Float64Array | Float32Array>;
  executeTask<M extends MatrixLike>(
    type: 'matrix_solve',
    data: { matrix: MatrixLike; vectors: M },
    options?: TaskOptions,
  ): Promise<M extends TypedMatrix ? TypedMatrix : number[][]>;
  executeTask(
    type: 'similarity_calculation',
    data: SimilarityTask & {
      entities: readonly VectorEntity[] | readonly RatedEntity[];
      options?: { format?: 'pairs' };
    },
    options?: TaskOptions,
  ): Promise<SimilarityPair[]>;
  executeTask(
    type: 'similarity_calculation',
    data: SimilarityTask,
    options?: TaskOptions,
  ): Promise<SimilarityPair[] | SimilarityColumns | TypedMatrix<Float64Array>>;
  executeTask(
    type: 'statistics',
    data: Parameters<NativeTasks['statistics']>[0],
    options?: TaskOptions,
  ): Promise<Description>;
  executeTask<N extends NumbersLike>(
    type: 'sort',
    data: { values: N; order?: 'ascending' | 'descending' | undefined } | N,
    options?: TaskOptions,
  ): Promise<NumbersResult<N>>;
  // biome-ignore lint/suspicious/noExplicitAny: the type is not known before run time.
  executeTask(type: string, data: any, options?: TaskOptions): Promise<any>;

  /** The counts as a report: `successRate` is a string such as `'96.67%'`. */
  getStats(): ParallelProcessingStats<string>;

  /** The counts as plain numbers: `successRate` is a fraction. */
  get stats(): ParallelProcessingStats;

  /** Takes no further tasks, and resolves when those that it has are done. May be repeated. */
  close(): Promise<void>;

  /** Takes no further tasks and stops those that it has: they reject with `HotpathClosedError`. */
  destroy(): Promise<void>;

  /** As `close`. */
  [Symbol.asyncDispose](): Promise<void>;
}
