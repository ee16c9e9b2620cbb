import { EventEmitter } from 'node:events';
import type { PerformanceReport } from './monitor-performance.js';

/** Options of {@link LoadTester}. */
export interface LoadTesterOptions {
  /**
   * Whether hosts other than this machine may be put under load. Names are resolved first, and it is the addresses that
   * count. Ask their owners.
   * @default false
   */
  allowRemote?: boolean;
  /**
   * A line of progress: `true` shows it when the error output is a terminal, a stream gets it in any case.
   * @default false
   */
  progressBar?: boolean | { write(text: string): unknown; columns?: number };
  /**
   * How often progress is told, in milliseconds. A positive integer.
   * @default 500
   */
  progressIntervalMs?: number;
  /**
   * Where `runPerformanceTest` logs its report; `false` for nowhere.
   * @default console
   */
  logger?: { log(...values: unknown[]): void } | false;
}

/** What all load tests take. */
export interface LoadRunOptions {
  /** Overrides the tester's. */
  allowRemote?: boolean;
  /** Overrides the tester's. */
  progressBar?: LoadTesterOptions['progressBar'];
  /**
   * HTTP/2 and nothing else: by ALPN over TLS, with prior knowledge without.
   * @default false
   */
  http2?: boolean;
  /** Certificates to trust instead of the system's, as PEM. */
  ca?: string | Buffer | (string | Buffer)[];
  /**
   * Accepts any certificate. Loopback only.
   * @default false
   */
  insecure?: boolean;
  /**
   * How long a request may take, in milliseconds, with the connection that it may need. At most 2,147,483,647.
   * @default 10000
   */
  timeoutMs?: number;
  /** Threads that make the load, at most 64. By default as many as the load needs, but not more than half of the cores. */
  threads?: number;
  /** Ends the test early: the promise resolves with the results so far. Aborted before the start, it rejects. */
  signal?: AbortSignal;
}

/** One request, over and over: what {@link LoadTester.runLoadTest} takes. */
export interface LoadTestOptions extends LoadRunOptions {
  /** What is asked. Without credentials; they belong into a header. */
  url: string | URL;
  /** By default GET, or POST with a body. */
  method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';
  /** Beside `host`, and what frames the message. */
  headers?: Record<string, string | number | boolean>;
  /** The body as it is. */
  body?: string | NodeJS.ArrayBufferView;
  /** The body as JSON, instead. */
  json?: unknown;
  /**
   * How many requests at most. Without it, and without `durationMs`, 1000.
   * @default 1000
   */
  requests?: number;
  /** For how long new requests begin, in milliseconds, at most 2,147,483,647. Those under way are waited for. */
  durationMs?: number;
  /**
   * How many requests are under way at any time; in an open loop, at most.
   * @default 10
   */
  concurrency?: number;
  /**
   * Requests a second: an open loop. Each is due at its moment whatever became of the others, and its latency counts from
   * then, so a server that stalls cannot hide it. Without a rate, the loop is closed: the next request begins when one was
   * answered, and latencies count from the sending. At most a billion.
   */
  rate?: number;
  /** Over HTTP/2: connections that the requests share. By default one per thread. */
  connections?: number;
  /**
   * Whether a connection serves more than one request.
   * @default true
   */
  keepAlive?: boolean;
}

/** What scenario files may be run with. */
export interface ScenarioOptions extends LoadRunOptions {
  /** Instead of the file's `config.target`. */
  target?: string | URL;
  /**
   * What everything random comes from: the same seed, the same users with the same data.
   * @default 1
   */
  seed?: number;
}

/** Latencies in milliseconds, exact to three digits. */
export interface LoadLatency {
  p50: number;
  p75: number;
  p90: number;
  p95: number;
  p99: number;
  p999: number;
  p9999: number;
  mean: number;
  stdev: number;
  min: number;
  max: number;
}

/** Why requests were not answered. */
export interface LoadErrors {
  /** Nobody listens. */
  refused?: number;
  /** The connection went before the answer was complete. */
  reset?: number;
  /** No answer in time. These are in the histogram, with the time that they were waited for. */
  timeout?: number;
  /** No encrypted connection came about. */
  tls?: number;
  /** What came is not HTTP, or not the version that was asked for. */
  protocol?: number;
  /** This machine has no port or descriptor left. */
  exhausted?: number;
  /** No connection for another reason. */
  connect?: number;
  /** A template gave what cannot be sent. */
  template?: number;
}

/** What is known while a test runs. Times in milliseconds. */
export interface LoadFigures {
  totalRequests: number;
  /** Answers with a status below 400. */
  successfulRequests: number;
  /** Answers with any other status, and everything in `errors`. */
  failedRequests: number;
  /** In percent. */
  successRate: number;
  averageResponseTime: number;
  maxResponseTime: number;
  minResponseTime: number;
  totalTime: number;
  /** Answers of any status, by `totalTime`. */
  requestsPerSecond: number;
  latency: LoadLatency;
  /** Answers by status. */
  statusCodes: Record<string, number>;
  errors: LoadErrors;
  /** As HTTP has them, heads included; without what TLS adds. */
  bytesReceived: number;
  bytesSent: number;
  /** Connections that came about. */
  connections: number;
  /** Under way, or due, when the test was stopped. In no other count. */
  unfinished: number;
  /** Whether it was stopped early. */
  aborted: boolean;
}

/** What the event `progress` tells. */
export interface LoadProgress extends LoadFigures {
  /** The share that is done, from 0 to 1. */
  progress: number;
}

/** The results of a load test. */
export interface LoadResult extends LoadFigures {
  /** The whole distribution of latencies. */
  histogram: {
    /** Of the values in `encoded`. */
    unit: 'microseconds';
    significantDigits: number;
    count: number;
    /** Steps for a chart; values in milliseconds. */
    percentiles: { percentile: number; value: number; count: number }[];
    /** In the interchange format of HdrHistogram (V2, compressed, Base64), for its plotters and for merging. */
    encoded: string;
  };
}

/** The results of a scenario file. */
export interface ScenarioResult extends LoadResult {
  users: {
    started: number;
    completed: number;
    /** Who could not go on: no answer, or a capture that found nothing. */
    failed: number;
    /** Who did not come, as there were `maxVusers` already. */
    skipped: number;
    active: number;
  };
  /** Users by scenario. */
  scenarios: Record<string, number>;
}

/** Events of {@link LoadTester}. */
export interface LoadTesterEvents {
  progress: [LoadProgress];
  done: [LoadResult];
}

/**
 * Puts an HTTP server under load and measures its answers. Native threads do both; this thread only hears of it, so a
 * server in the same process is measured as such.
 *
 * Redirects are counted as answers, never followed. Hosts other than this machine are refused unless `allowRemote` is set.
 * @example
 * const results = await new LoadTester().runLoadTest({ url: 'http://localhost:3000/api/wines', requests: 1000, concurrency: 10 });
 * console.log(results.requestsPerSecond, results.latency.p99);
 */
export class LoadTester extends EventEmitter<LoadTesterEvents> {
  /**
   * @throws {TypeError | RangeError} an option is wrong or unknown
   */
  constructor(options?: LoadTesterOptions);

  /**
   * One request over and over, or a scenario file.
   *
   * Requests that fail are counted; the promise rejects only when there was nothing to measure: options are wrong, the name
   * has no address, the host is refused, the tester was closed.
   */
  runLoadTest(test: LoadTestOptions): Promise<LoadResult>;
  /** As {@link LoadTester.runScenario}. */
  runLoadTest(file: string, options?: ScenarioOptions): Promise<ScenarioResult>;

  /**
   * Users as a file in the format of Artillery describes them (YAML or JSON). No code of a file is run, and what is not
   * supported is refused by name.
   *
   * Rejects with {@link HotpathLoadTestError} when the file is wrong (`ERR_HOTPATH_SCENARIO`), when no request was
   * answered, or when the results break `config.ensure`; the error then has `result` and `reasons`.
   */
  runScenario(file: string, options?: ScenarioOptions): Promise<ScenarioResult>;

  /**
   * Runs a scenario file while a {@link PerformanceMonitor} watches this process, logs the report and returns it.
   * @param file default `artillery-config.yml`
   */
  runPerformanceTest(
    file?: string,
    options?: ScenarioOptions,
  ): Promise<PerformanceReport & { loadTest: ScenarioResult }>;

  /** Whether it takes no more tests. */
  get closed(): boolean;
  /** Tests under way. */
  get running(): number;

  /** Takes no more tests, and waits for those under way. */
  close(): Promise<void>;
  /** Takes no more tests, and stops those under way; their promises resolve with the results so far. */
  destroy(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
