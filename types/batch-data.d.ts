// biome-ignore-all lint/suspicious/noExplicitAny: what people store, process and search for can be anything.

import { HotpathError } from './errors.js';

/**
 * Some of many have failed; the others have not. Code `ERR_HOTPATH_BATCH`. Its `cause` is the first error.
 */
export class BatchError extends HotpathError {
  /** What became of each, in order; `undefined` for those that failed. */
  readonly results: any[];
  /** Who failed, and why. `findBatch` adds the `term`. */
  readonly errors: Array<{ index: number; error: any; term?: unknown }>;
}

/** What a data service stands on: any object with these methods. */
export interface DataProvider {
  /** Stores an object and gives it a name. */
  add(container: string, object: any): any;
  /** The object of this name; nothing (`undefined` or `null`) if there is none. */
  getByUuid(container: string, uuid: any): any;
  /** The objects that a term means, as an array. */
  find(container: string, term: any): any;
  /**
   * Stores many, and gives their names in order, with an `Error` in place of each that it could not store. It may also
   * reject with an error that has `results` and `errors`, as {@link BatchError} has. Any other rejection must mean that
   * it has stored none of them: they are then added one by one.
   */
  addMany?(container: string, objects: any[]): any;
  /** Reads many, in order, with an `Error` in place of each that it could not read. */
  getMany?(container: string, uuids: any[]): any;
}

export interface DataServiceOptions {
  /**
   * Objects that go to the provider at once, and from which `smartBatch` and `load` no longer wait. A positive integer.
   * @default 100
   */
  batchSize?: number | undefined;
  /**
   * Longest time that the first item of a `smartBatch` waits for others, in milliseconds. A non-negative number.
   * @default 50
   */
  batchTimeout?: number | undefined;
  /**
   * Batches of one call that are under way at once. A positive integer.
   * @default 10
   */
  maxConcurrency?: number | undefined;
  /**
   * How long a `load` waits for others, in milliseconds. 0 gathers the loads of one tick, with the promise jobs that
   * belong to it.
   * @default 0
   */
  loadWindowMs?: number | undefined;
  /**
   * How long `load` remembers what it has read, in milliseconds. 0 remembers nothing, `Infinity` for ever. Failures and
   * missing objects are not remembered.
   * @default 60000
   */
  loadTtlMs?: number | undefined;
  /**
   * Objects that `load` remembers of one container; the oldest go first. A positive integer.
   * @default 10000
   */
  loadMaxEntries?: number | undefined;
}

/** What `getBatch` tells of one object. */
export type BatchRead<T = any> =
  | { uuid: string; result: T | undefined; status: 'fulfilled' }
  | { uuid: string; error: any; status: 'rejected' };

/** Counts since the service was made. */
export interface DataServiceStats {
  /** Objects that the provider was given to store, also those that failed. */
  readonly added: number;
  /** Objects that the provider was asked for. */
  readonly read: number;
  /** Objects that could not be added or read. */
  readonly failed: number;
  /** Calls of `load`. */
  readonly loads: number;
  /** Objects that were read for them; the other loads were of what was known or under way. */
  readonly loadReads: number;
  /** Batches of additions and reads. */
  readonly batches: number;
  /** Milliseconds that a batch took, on average. */
  readonly avgResponseTime: number;
}

/** Batches over a data provider: order is kept, and errors concern only the objects that they belong to. */
export class OptimizedDataService {
  /** @throws {TypeError} `ERR_INVALID_ARG_TYPE`: the provider lacks one of `add`, `getByUuid` and `find` */
  constructor(provider: DataProvider, options?: DataServiceOptions);
  /** The provider. */
  get provider(): DataProvider;
  /** Objects that go to the provider at once. */
  get batchSize(): number;
  /** What it has done so far. */
  get stats(): DataServiceStats;
  /**
   * Adds objects and gives their names in order. All are tried.
   * @throws {BatchError} some could not be added; `results` has the names of the others
   */
  addBatch(container: string, objects: readonly any[]): Promise<any[]>;
  /** Reads objects. Never rejects for a single one. */
  getBatch<T = any>(container: string, uuids: readonly string[]): Promise<Array<BatchRead<T>>>;
  /**
   * Searches for several terms; an object that several of them find comes once. Two objects are the same if their JSON
   * is.
   * @throws {BatchError} some searches failed, after all were tried
   */
  findBatch<T = any, Q = any>(
    container: string,
    searchTerms: readonly Q[],
  ): Promise<Array<{ item: T; matchedTerms: Q[] }>>;
  /**
   * Adds items (or reads names) together with those of other callers, as soon as there are `batchSize` of them, or
   * `batchTimeout` after the first. One item resolves to its result, several to an array; only callers whose own items
   * failed reject, with the item's error, or a {@link BatchError} for several.
   */
  smartBatch(operation: 'add' | 'get', container: string, items: readonly any[]): Promise<any>;
  /**
   * Reads one object, together with other loads, each object once. What comes back is shared: do not mutate it.
   */
  load<T = any>(container: string, uuid: string): Promise<T | undefined>;
  /** Makes `load` read an object again, or all of a container. */
  forget(container: string, uuid?: string): void;
  /** Runs what waits in `smartBatch` and resolves when it has ended. Other methods reject from then on. */
  close(): Promise<void>;
  /** The same as `close`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * What `find` looks for: a text or number that occurs in any value of the object (letters of either case), an object
 * whose properties it must have, or a function that decides.
 */
export type SearchTerm = string | number | object | ((object: any) => unknown);

/**
 * Objects in native memory, which the garbage collector never walks. Everything that structured clone takes can be
 * stored. Bounded by nothing but the memory of the process; belongs to the thread that made it.
 */
export class MemoryDataProvider {
  constructor();
  get closed(): boolean;
  /** Stores one object. Names are UUIDs that sort by the time of their making. */
  add(container: string, object: any): Promise<string>;
  /** Stores many. @throws {BatchError} some cannot be encoded; the others are stored */
  addMany(container: string, objects: readonly any[]): Promise<string[]>;
  /** One object, a copy; `undefined` if there is none. */
  getByUuid(container: string, uuid: string): Promise<any>;
  /** Many, in order, `undefined` for those that are not there. */
  getMany(container: string, uuids: readonly string[]): Promise<any[]>;
  /** Objects in the order of their addition. Looks at every object of the container. */
  find(container: string, term: SearchTerm): Promise<any[]>;
  /** Whether there was something to remove. */
  remove(container: string, uuid: string): Promise<boolean>;
  /** Objects in a container. */
  count(container: string): Promise<number>;
  /** Removes everything, or everything in one container; how many it were. */
  clear(container?: string): Promise<number>;
  /** About how many bytes the objects take. */
  get stats(): { readonly bytes: number };
  /** Ends the use of the provider; other methods reject from then on. */
  close(): Promise<void>;
  /** The same as `close`. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface DiskDataProviderOptions {
  /** Where the objects live; made if need be. Network file systems are refused. */
  directory: string;
  /**
   * About how many bytes of objects there is room for. The file grows as it is needed. A positive integer.
   * @default 17179869184 (16 GiB)
   */
  maxBytes?: number | undefined;
}

/**
 * Objects on the disk (LMDB): they survive restarts and `kill -9`, and threads and processes that open the same
 * directory share them. What was added is on the disk before its promise resolves; a call of `addMany` is stored whole
 * or not at all. No method but the constructor waits for the disk on the caller's thread.
 */
export class DiskDataProvider {
  /** Takes the directory alone, too. @throws {HotpathStorageError} the directory cannot be used */
  constructor(options: DiskDataProviderOptions | string);
  /** The absolute path. */
  get directory(): string;
  get closed(): boolean;
  /** Stores one object. Names are UUIDs that sort by the time of their making. */
  add(container: string, object: any): Promise<string>;
  /** Stores many. @throws {BatchError} some cannot be encoded; the others are stored */
  addMany(container: string, objects: readonly any[]): Promise<string[]>;
  /** One object, a copy; `undefined` if there is none. */
  getByUuid(container: string, uuid: string): Promise<any>;
  /** Many, in order, `undefined` for those that are not there. */
  getMany(container: string, uuids: readonly string[]): Promise<any[]>;
  /** Objects in the order of their addition. Looks at every object of the container. */
  find(container: string, term: SearchTerm): Promise<any[]>;
  /** Whether there was something to remove. */
  remove(container: string, uuid: string): Promise<boolean>;
  /** Objects in a container. */
  count(container: string): Promise<number>;
  /** Removes everything, or everything in one container; how many it were. */
  clear(container?: string): Promise<number>;
  /** Ends the use of the provider; other methods reject from then on. */
  close(): Promise<void>;
  /** The same as `close`. */
  [Symbol.asyncDispose](): Promise<void>;
}
