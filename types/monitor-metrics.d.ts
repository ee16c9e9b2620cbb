import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';

/** Values of labels. Numbers and booleans count as their text. */
export type MetricLabels = Readonly<Record<string, string | number | boolean>>;

/** What a metric is defined with. The first definition of a name in the process holds; others must agree with it. */
export interface MetricOptions {
  /** One line for readers of the export. Default: the name. */
  help?: string;
  /** Names of the labels. None by default: then the metric is its own only series. */
  labelNames?: readonly string[];
  /**
   * Most series, 10,000 by default. Label sets beyond it share one series, whose labels all say `__overflow__`; how many were
   * refused is exported as `hotpath_metrics_refused_series_total`.
   */
  maxSeries?: number;
}

/** What a histogram is defined with. */
export interface HistogramOptions extends MetricOptions {
  /**
   * Upper ends of the classic buckets, ascending; counted exactly. Default: 0.005 to 10, for seconds. Percentiles and native
   * histograms do not depend on them.
   */
  buckets?: readonly number[];
  /**
   * For a histogram without labels: the smallest difference that it tells apart. Values of a thousand times as much and more
   * keep three significant digits. Default by the end of the name: a nanosecond for `_seconds` and `_ms`, 1 for `_bytes`, else
   * a millionth.
   */
  resolution?: number;
}

/** A series of a counter. Recording costs nanoseconds and makes no call. */
export interface CounterSeries {
  /** Adds a finite number, not negative; 1 by default. */
  inc(by?: number): void;
  /** The total of all threads. */
  readonly value: number;
}

/** A series of a gauge. */
export interface GaugeSeries {
  /** The last of several threads' `set`s holds. */
  set(value: number): void;
  /** Adds; 1 by default. */
  inc(by?: number): void;
  /** Subtracts; 1 by default. */
  dec(by?: number): void;
  readonly value: number;
}

/** What a histogram knows of its values. All 0 while there is none. */
export interface HistogramValue {
  count: number;
  sum: number;
  min: number;
  max: number;
  avg: number;
  p50: number;
  p95: number;
  p99: number;
}

/** A series of a histogram. */
export interface HistogramSeries {
  /** Counts a finite number, not negative. */
  record(value: number): void;
  /** Starts a stopwatch. What it returns records the seconds since then, and returns them. */
  startTimer(): () => number;
  /**
   * All values of all threads since the start. Percentiles: three significant digits without labels, within 1.1 % with labels.
   */
  readonly value: HistogramValue;
}

/** A family of series. */
export interface Metric<Series, Value> {
  readonly name: string;
  readonly labelNames: string[];
  /**
   * The series with these labels; all of them must be given, and no others. Finding it costs some tens of nanoseconds: keep it
   * where the labels are known beforehand.
   */
  labels(labels: MetricLabels): Series;
  /** Drops a series. What threads still record through handles on it is lost. False when there is none. */
  remove(labels: MetricLabels): boolean;
  /** All series with their values. */
  readonly values: { labels: Record<string, string>; value: Value }[];
}

/** A counter; its own methods are those of its only series, and throw when it has labels. */
export interface Counter extends Metric<CounterSeries, number>, CounterSeries {}
/** A gauge, likewise. */
export interface Gauge extends Metric<GaugeSeries, number>, GaugeSeries {}
/** A histogram, likewise. */
export interface Histogram extends Metric<HistogramSeries, HistogramValue>, HistogramSeries {}

/** How metrics can be exported. */
export type MetricsFormat = 'prometheus' | 'openmetrics' | 'protobuf' | 'json' | 'csv';

/** Durations in milliseconds: the figures of the last minute. All 0 when nothing happened in it. */
export interface DurationFigures {
  avg: number;
  min: number;
  max: number;
  p50: number;
  p95: number;
  p99: number;
}

/** What `getApplicationMetrics` tells. Totals count since the start of the process; rates and durations are the last minute's. */
export interface ApplicationMetrics {
  timestamp: number;
  requests: { total: number; perSecond: number; perMinute: number };
  responseTime: DurationFigures;
  /** `rate`: errors to requests, 0 to 1. */
  errors: { total: number; rate: number; byType: Record<string, number> };
  database: { queries: number; queryTime: DurationFigures };
  websocket: { connections: number; totalConnections: number; messages: number };
  /** `hitRate`: 0 to 1. */
  cache: { hits: number; misses: number; hitRate: number };
}

/** What `getSystemMetrics` tells. Sizes are bytes; `usage` is a share, 0 to 1. */
export interface SystemMetrics {
  /** When the sample was taken, at most a second ago. */
  timestamp: number;
  /** Seconds that the process has been running. */
  uptime: number;
  cpu: {
    /** The process's share of the cores that it may use. */
    usage: number;
    /** The share of one core that its busiest JavaScript thread uses (Linux; elsewhere that of the process, at most 1). */
    thread: number;
    /** The machine's share of all its cores. */
    host: number;
    /** Processor seconds of the process since its start. */
    seconds: number;
    cores: number;
    /** Over one, five and fifteen minutes. */
    loadAverage: number[];
  };
  memory: {
    total: number;
    used: number;
    free: number;
    /** The process's share of its limit. */
    usage: number;
    /** What the process may use: its container's memory, or the machine's. */
    limit: number;
    rss: number;
    heapUsed: number;
    heapTotal: number;
    heapLimit: number;
    external: number;
    arrayBuffers: number;
  };
  /** The file system of the working directory, and what the process read and wrote. */
  disk: { total: number; used: number; free: number; usage: number; readBytes: number; writtenBytes: number };
  /** All interfaces of the machine but the loopback, since it started. */
  network: { receivedBytes: number; sentBytes: number };
  eventLoop: {
    /** Busy share of the last sampling interval. */
    utilization: number;
    /** How late the loop answers, in milliseconds. `pending`: how long it has not answered now. */
    delay: { count: number; mean: number; p50: number; p99: number; max: number; pending: number };
  };
  /** Garbage collections by kind: `minor`, `major`, `incremental`, `weakcb`. */
  gc: Record<string, { count: number; seconds: number }>;
  handles: { active: number; openFiles: number };
}

/**
 * The metrics of the process: shared by all its threads, whichever instance records them. Nothing is opened before the first
 * use. Then a native thread samples the system every five seconds, and asks the event loop five times a second how late it is.
 */
export class MetricsService {
  constructor(options?: Record<string, never>);

  /** A counter: defined, or found if it is there. @throws HotpathConflictError when it is there and is another one */
  counter(name: string, options?: MetricOptions): Counter;
  /** A gauge, likewise. */
  gauge(name: string, options?: MetricOptions): Gauge;
  /** A histogram, likewise. */
  histogram(name: string, options?: HistogramOptions): Histogram;

  /** Counts a request that took so many milliseconds. */
  recordRequest(responseTime: number): void;
  /** Counts an error by its type: `'500'`, `'timeout'`. */
  recordError(type: string | number): void;
  /** Counts a WebSocket connection that was opened (`true`) or closed. */
  recordWebSocketConnection(connected: boolean): void;
  recordWebSocketMessage(): void;
  /** Counts a query that took so many milliseconds. */
  recordDatabaseQuery(queryTime: number): void;
  recordCacheOperation(isHit: boolean): void;
  /** Counts a request, also by its route pattern. `timingMiddleware` calls it. */
  recordRoute(method: string, route: string, status: number | string, duration: number): void;

  getSystemMetrics(): SystemMetrics;
  getApplicationMetrics(): ApplicationMetrics;
  /** The Prometheus text, rendered off the event loop. */
  getPrometheusMetrics(): Promise<string>;
  /** All metrics as a text; JSON by default. */
  export(format?: Exclude<MetricsFormat, 'protobuf'>): Promise<string>;
  /** All metrics as a stream, made as fast as it is read. `protobuf` carries native histograms. */
  stream(format?: MetricsFormat): Readable;
  /** The media type of a format. */
  contentType(format?: MetricsFormat): string;
  /** Answers a scrape in the format that it accepts: `app.get('/metrics', metricsService.scrape)`. */
  scrape(request: IncomingMessage, response: ServerResponse): void;
  /** Sets all metrics of the process to 0. */
  reset(): void;

  get closed(): boolean;
  /** Ends this instance. The metrics stay. */
  close(): void;
  [Symbol.dispose](): void;
}

/** The instance that `timingMiddleware` records into. */
export declare const metricsService: MetricsService;
