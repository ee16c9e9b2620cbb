/** How much work a run does: `smoke` only proves that everything works. */
export type Mode = 'smoke' | 'quick' | 'full';

/** Plain data: the sizes of a trial, and what a case changes in them. Each name means the same in every trial. */
export interface Settings {
  rounds: number;
  /** What the timed loop does so many times, and after how many of them it yields to the event loop. */
  operations?: number;
  slice?: number;
  /** Users that the cache is filled with, and how many of these are read. */
  entries?: number;
  hot?: number;
  /** Keys that operations are drawn from, where not all of them fit. */
  keys?: number;
  pages?: number;
  /** Whether keys live as long as the cache, or are built at each call. */
  interned?: boolean;
  /** What caches are made with. */
  capacity?: number;
  ttlMs?: number;
  nearCache?: boolean;
  name?: string;
  /** How values are compressed. */
  compression?: boolean | Record<string, unknown>;
  /** A real trace that is read, of benchmark/traces. */
  trace?: string;
  /** How many operations are under way at any time, where a server answers. */
  inFlight?: number;
  /** The form of values in Redis. */
  format?: 'native' | 'json';
  /** Whether one of several processes loads for all, where a cache can do that. */
  lock?: boolean;
}

export type Unit = 'nanoseconds' | 'milliseconds' | 'bytes' | 'perSecond' | 'percent' | 'ratio';

export interface Measure {
  label: string;
  unit: Unit;
  better: 'lower' | 'higher';
  /** Drawn in the trial's chart; every measure is in its table. */
  chart?: boolean;
  /** Explains another measure: losing in it is no loss of its own. */
  detail?: boolean;
}

/**
 * What a measure has to reach. With `against`, the ratio to that contender in the same round: `atLeast` counts how many
 * times better the subject is, `atMost` how many times worse it may be. Without, the subject's value itself.
 */
export interface Floor {
  measure: string;
  /** One case; all of them when absent. */
  case?: string;
  against?: string;
  atLeast?: number;
  atMost?: number;
  /** What we hope for beyond the floor; never enforced. */
  moonshot?: number;
  /** What the README calls it, if it stands there. */
  headline?: string;
}

/** What all contenders' caches can do. */
export interface Cache {
  // biome-ignore lint/suspicious/noExplicitAny: each trial knows what it has stored.
  get(key: string): any;
  set(key: string, value: unknown): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: a promise where a server answers.
  getMany?(keys: string[]): any;
  close?(): unknown;
}

/** What all contenders' worker pools can do. */
export interface Pool {
  // biome-ignore lint/suspicious/noExplicitAny: each trial knows what its tasks answer.
  run(data: unknown, transferList?: ArrayBuffer[]): Promise<any>;
  close(): Promise<unknown>;
}

export interface Contender {
  /** The npm package whose version is published. */
  package: string;
  /** What the cache is made with, as data: it is published. */
  options(settings: Settings): Record<string, unknown>;
  // biome-ignore lint/suspicious/noExplicitAny: a cache, or a pool, or a promise of one; its area knows.
  open(options: Record<string, unknown>): any;
  /** Where threads are compared: how many. */
  threads?: number;
  /** Where ways to read many keys are compared: the way. */
  read?(cache: Cache, keys: string[]): { visits: number }[];
}

/** What a trial's functions get, in the process of one contender. */
export interface Context {
  job: Job;
  contender: Required<Contender>;
  /** Those of the mode and the case; a trial reads those that it has set. */
  settings: Required<Settings>;
  /** Makes what the contender is about. */
  // biome-ignore lint/suspicious/noExplicitAny: see Contender.
  open(): any;
}

export interface Outcome {
  measures: Record<string, number>;
  /** Digest of what the timed loop read: equal for all contenders, unless a trial lets caches evict. */
  checksum?: number;
  /** Values along the run, for a line chart. */
  series?: Record<string, number[]>;
}

export interface Trial {
  name: string;
  title: string;
  description: string;
  settings: Record<Mode, Settings>;
  cases: Record<string, { title: string; settings?: Partial<Settings> }>;
  measures: Record<string, Measure>;
  floors: Floor[];
  /** The first is the subject: floors and ratios are its own. */
  contenders: Record<string, Contender>;
  /** Flags for the contender's process. */
  nodeOptions?: string[];
  /** A line chart of the series instead of bars. */
  lines?: { x: string; series: Record<string, { label: string; unit: Unit }> };
  /** A digest of the answers to one sequence of operations; all contenders must give the same. */
  check(context: Context): Promise<string> | string;
  run(context: Context): Promise<Outcome>;
}

/** A trial as found on disk. */
export interface FoundTrial extends Trial {
  area: string;
  file: string;
}

/** One contender's task in a process of its own. */
export interface Job {
  file: string;
  case: string;
  contender: string;
  mode: Mode;
  action: 'check' | 'run';
}

export interface ContenderResult {
  options: Record<string, unknown>;
  /** Values by measure, one a round. */
  measures: Record<string, number[]>;
  /** By series, one list a round. */
  series?: Record<string, number[][]>;
}

export interface Machine {
  cpu: string;
  cores: number;
  memoryBytes: number;
  os: string;
  node: string;
}

/** What `benchmark/results/<trial>.json` holds. */
export interface TrialResult {
  trial: string;
  area: string;
  mode: Mode;
  date: string;
  machine: Machine;
  versions: Record<string, string>;
  cases: Record<string, { settings: Settings; contenders: Record<string, ContenderResult> }>;
}

/** Median and extremes over the rounds. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

export interface Verdict {
  floor: Floor;
  case: string;
  spread: Spread;
  met: boolean;
  moonshotMet: boolean | undefined;
}
