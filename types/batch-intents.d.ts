/** Something a text may mean. What else it carries is yours: the matcher hands out the very object. */
export interface Intent {
  /** What the intent is known by. */
  id?: unknown;
  /**
   * A regular expression as `new RegExp(pattern, 'i')` takes it; of a `RegExp` only the source counts, not its flags.
   * An intent without a pattern (left out, `null`, empty) never matches.
   */
  pattern?: string | RegExp | null | undefined;
}

export interface IntentMatcherOptions {
  /**
   * Texts whose answer is remembered, the oldest go first; 0 for none. Texts of more than 1,024 characters are not
   * remembered. A non-negative integer.
   * @default 10000
   */
  cacheEntries?: number | undefined;
}

/** Counts of one matcher. */
export interface IntentMatcherStats {
  /** Intents given. */
  readonly intents: number;
  /** Those of them with a pattern. */
  readonly patterns: number;
  /** Patterns that are looked for natively, in one pass over the text. */
  readonly nativePatterns: number;
  /** Patterns that the JavaScript engine looks for, one by one. */
  readonly fallbackPatterns: number;
  /** Why: how many patterns for each reason. */
  readonly fallbackReasons: Readonly<Partial<Record<'lookAround' | 'backReference' | 'tooLarge' | 'unknown', number>>>;
  /** Texts that some intent matched. */
  readonly matches: number;
  /** Texts that no intent matched. */
  readonly misses: number;
  /** Answers of `match` that were remembered. */
  readonly cacheHits: number;
  /** Single tests of a pattern by the JavaScript engine. */
  readonly fallbackTests: number;
  /** Answers remembered now. */
  readonly cacheEntries: number;
}

/**
 * Finds the intents that a text means among thousands of patterns, in one pass over it and in time linear in its
 * length, whatever the text. Patterns mean what they mean in JavaScript with the flag `i`.
 *
 * A pattern with look-around or back-references, or one that would take too much memory, is left to the JavaScript
 * engine, where a hostile text may still take exponential time: `stats` tells how many there are.
 */
export class OptimizedIntentMatcher<T extends Intent = Intent> {
  /**
   * Takes about 10 us for a pattern.
   * @throws {SyntaxError} a pattern is no regular expression
   * @throws {TypeError} `ERR_INVALID_ARG_TYPE`: not an array of objects with a string or a RegExp as pattern
   */
  constructor(intents: readonly T[], options?: IntentMatcherOptions);
  /** The first intent, in the order given, that matches; `null` if none does. The search runs on the caller's thread. */
  match(input: string): Promise<T | null>;
  /** All intents that match, in the order given. */
  matchAll(input: string): Promise<T[]>;
  /** `match` for each of many texts, on native threads; nothing is remembered. Texts are copied. */
  matchMany(inputs: readonly string[]): Promise<Array<T | null>>;
  /** What was counted so far. */
  get stats(): IntentMatcherStats;
  /** Whether it was closed. */
  get closed(): boolean;
  /** Frees the patterns now, not when the matcher is collected. May be repeated; other methods reject from then on. */
  close(): void;
  /** The same as `close`. */
  [Symbol.dispose](): void;
}

/** What a text was found to mean. */
export interface ProcessedIntent<T extends Intent = Intent> {
  readonly input: string;
  /** `null` if nothing matched. */
  readonly intent: T | null;
}

/** Processes many inputs at once, and gives the results in their order. */
export class ParallelIntentProcessor<I = string, R = ProcessedIntent> {
  /** Matches on native threads. */
  constructor(matcher: OptimizedIntentMatcher<Intent>);
  /**
   * Calls a function for each input, all at once, or the `match` method of an object of yours; results of `match` come
   * as `{ input, intent }`.
   */
  constructor(processor: ((input: I) => R | PromiseLike<R>) | { match(input: I): unknown });
  /**
   * Results in the order of the inputs. If one fails, this rejects with the first error, after all have ended.
   */
  processIntents(inputs: readonly I[]): Promise<R[]>;
  /**
   * The same, so many at a time; after a batch that fails no further one begins.
   * @param batchSize a positive integer, 10 by default
   */
  processBatch(inputs: readonly I[], batchSize?: number): Promise<R[]>;
}
