import type { EventEmitter } from 'node:events';
import type { Readable } from 'node:stream';
import type { WarningLogger } from './monitor-performance.js';

/** Limits of a {@link PerformanceMonitoringEngine}: percent, and milliseconds for `responseTime` and `databaseQuery`. */
export interface AlertThresholds {
  /** 80. */
  cpu: number;
  /** 85. */
  memory: number;
  /** 5,000: the mean of the last minute. */
  responseTime: number;
  /** 5. */
  errorRate: number;
  /** 70: below it is bad. Of at least five operations in the last minute. */
  cacheHitRate: number;
  /** 1,000: the mean of the last minute. */
  databaseQuery: number;
}

/** Options of a {@link PerformanceMonitoringEngine}. */
export interface PerformanceMonitoringEngineOptions {
  /** How often a point of history is recorded and alerts are checked, in milliseconds; 5,000 by default. */
  monitoringInterval?: number;
  /** How long history is kept, in milliseconds; 24 hours by default. At most a million points of each metric. */
  metricsRetention?: number;
  alertThresholds?: Partial<AlertThresholds>;
}

/** The six kinds of alerts. */
export type EngineAlertType =
  | 'HIGH_CPU'
  | 'HIGH_MEMORY'
  | 'HIGH_RESPONSE_TIME'
  | 'HIGH_ERROR_RATE'
  | 'CACHE_LOW_HIT_RATE'
  | 'DATABASE_SLOW_QUERIES';

/** An incident: what `getAlerts` lists, and what the events carry. */
export interface EngineAlert {
  id: string;
  type: EngineAlertType;
  severity: string;
  message: string;
  value: number;
  threshold: number;
  /** When it began, in milliseconds since 1970. */
  timestamp: number;
  resolved: boolean;
}

/** What `getSummary` gives: percent, milliseconds, bytes; counts and means since the start, throughput of the last minute. */
export interface EngineSummary {
  timestamp: number;
  system: { cpu: number; memory: number; uptime: number };
  application: {
    requests: number;
    responses: number;
    errors: number;
    errorRate: number;
    responseTime: number;
    throughput: number;
  };
  database: { queries: number; queryTime: number };
  cache: { hits: number; misses: number; hitRate: number };
  ml: { predictions: number; accuracy: number };
  /** How many incidents are open. */
  alerts: number;
}

/** Operations of the last minute, and since the start (`total...`). */
export interface WindowFigures {
  count: number;
  failures: number;
  sum: number;
  avg: number;
  min: number;
  max: number;
  p50: number;
  p95: number;
  p99: number;
  total: number;
  totalFailures: number;
  totalSum: number;
}

/**
 * Watches requests, queries, caches and models, keeps their history, and raises the six alerts. Begins at once; its timer keeps
 * no process alive. Events: `alert` and `resolved`, with an {@link EngineAlert}.
 */
export class PerformanceMonitoringEngine extends EventEmitter {
  constructor(options?: PerformanceMonitoringEngineOptions);

  get monitoring(): boolean;
  get closed(): boolean;
  /** What alerts compare with; may be changed in place. */
  get alertThresholds(): AlertThresholds;
  start(): void;
  stop(): void;

  /** Counts a request of so many milliseconds. */
  recordRequest(responseTime: number, success?: boolean): void;
  recordCacheOperation(hit: boolean): void;
  /** Counts a query of so many milliseconds. */
  recordDatabaseQuery(queryTime: number): void;
  /** Counts a prediction. The summary shows the mean of what is given, in the caller's own scale. */
  recordPrediction(accuracy: number): void;
  /** Counts a training of so many milliseconds. */
  recordTraining(trainingTime: number): void;

  /** Records a point of history now, and checks the alerts. */
  collectMetrics(): void;
  /** Compares with the thresholds now; events are emitted before it returns. */
  checkAlerts(): void;
  getSummary(): EngineSummary;
  get stats(): { requests: WindowFigures; queries: WindowFigures; trainings: WindowFigures };
  /** The incidents that have not ended. */
  getAlerts(): EngineAlert[];
  /** Ends an incident. While its cause persists it does not come again. False when there is none with this id. */
  resolveAlert(id: string): boolean;
  /**
   * The history, rendered off the event loop. JSON: `{ timestamp, summary, alerts, metrics: { name: [{ timestamp, value }] } }`;
   * CSV: rows `timestamp,metric,value`.
   */
  exportMetrics(format?: 'json' | 'csv'): Promise<string>;
  /** The history alone, as a stream. JSON: the object of `metrics`. */
  exportStream(format?: 'json' | 'csv'): Readable;

  close(): void;
  [Symbol.dispose](): void;
}

/** Options of a {@link MemoryMonitor}. */
export interface MemoryMonitorOptions {
  /** The share of what the process may use from which on it warns; 0.8 by default. */
  threshold?: number;
  /** The share from which on it is critical; 0.95 by default, at least `threshold`. */
  criticalThreshold?: number;
  /** How often it looks; 30,000 by default. */
  intervalMs?: number;
  /** Hears of high usage; `console` by default. */
  logger?: WarningLogger & { log(...details: unknown[]): void };
}

/** What the events of a {@link MemoryMonitor} carry: MiB, and percent of what the process may use. */
export interface MemoryUsage {
  heapUsed: number;
  heapTotal: number;
  external: number;
  usagePercent: number;
}

/**
 * Watches the memory of the process against what it may really use: V8's heap limit for the heap, the container's limit (or the
 * machine's memory) for the resident set; the worse of the two counts. Above the threshold it logs, and collects garbage where
 * `--expose-gc` allows it. Events: `warning`, `critical`, `recovered`.
 */
export class MemoryMonitor extends EventEmitter {
  constructor(options?: MemoryMonitorOptions);
  get monitoring(): boolean;
  get state(): 'normal' | 'warning' | 'critical';
  startMonitoring(): void;
  stopMonitoring(): void;
  /** Looks now; events are emitted before it returns. */
  checkMemoryUsage(): MemoryUsage;
  /** Bytes, and `usage`: the worse of the two shares, 0 to 1. */
  get stats(): {
    heapUsed: number;
    heapTotal: number;
    heapLimit: number;
    external: number;
    rss: number;
    memoryLimit: number;
    usage: number;
    state: string;
  };
  close(): void;
  [Symbol.dispose](): void;
}

/** How an alert channel delivers. */
export interface AlertChannelOptions {
  /** What comes more often is dropped and counted; 30 by default. */
  maxPerMinute?: number;
  /** Further attempts after a failed one; 3 by default. */
  retries?: number;
  /** The pause before the first of them; each further pause is twice as long. 500 by default. */
  backoffMs?: number;
  /** How long an attempt may take; 5,000 by default. */
  timeoutMs?: number;
}

/** A way to tell people of alerts. Events: `failed` (error, alert), `dropped` (alert). */
export interface AlertChannel extends EventEmitter {
  /** Resolves with whether the alert was delivered. Alerts are delivered one after the other. */
  send(alert: object, state?: 'alert' | 'resolved'): Promise<boolean>;
  /** Sends every alert of a monitor, and its end. Returns what stops that. */
  attach(monitor: EventEmitter): () => void;
  readonly stats: { sent: number; failed: number; retried: number; dropped: number; waiting: number };
  /** Gives up what is still to be sent. */
  close(): void;
  [Symbol.dispose](): void;
}

/** Makers of alert channels. URLs and passwords never appear in errors. */
export declare const alertChannels: {
  /** Posts `{ state, timestamp, alert }` as JSON. */
  webhook(url: string | URL, options?: AlertChannelOptions & { headers?: Record<string, string> }): AlertChannel;
  /** Posts a line of text to a Slack webhook. */
  slack(url: string | URL, options?: AlertChannelOptions): AlertChannel;
  /** Sends mail. `transport`: options of nodemailer's `createTransport` (an optional peer), or one of its transports. */
  email(smtp: { from: string; to: string | string[]; transport: object }, options?: AlertChannelOptions): AlertChannel;
};

/**
 * Records a V8 profile of this thread: what Chrome's developer tools open as `.cpuprofile` or `.heapprofile`. The thread runs
 * on meanwhile, a little slower.
 */
export function profile(options?: {
  /** `cpu` by default. */
  type?: 'cpu' | 'heap';
  /** 5,000 by default, at most 600,000. */
  durationMs?: number;
  /** Ends it early; it still resolves. */
  signal?: AbortSignal;
  // biome-ignore lint/suspicious/noExplicitAny: V8's own format.
}): Promise<any>;

/**
 * A `MetricProducer` for OpenTelemetry's SDK: `new PeriodicExportingMetricReader({ exporter, metricProducers: [producer] })`
 * exports all metrics of the process, too. Needs `@opentelemetry/api` (an optional peer).
 */
export class OpenTelemetryProducer {
  constructor();
  // biome-ignore lint/suspicious/noExplicitAny: the SDK's CollectionResult; its package is not needed here.
  collect(): Promise<any>;
}

/** The services of an application, by name. Monitors ask those with a method `getAnalytics` for their figures. */
export interface ServiceRegistry {
  /** Adds a service, or replaces the one of that name. Returns it. */
  register<T extends object>(name: string, service: T): T;
  unregister(name: string): boolean;
  // biome-ignore lint/suspicious/noExplicitAny: services are whatever the application registers.
  getServiceInstance(name: string): any;
  /**
   * The cache of this kind that everybody in this thread shares, made at the first call and made anew after it was
   * closed: a `MemoryCache`, or a `RedisCache` on the server that `HOTPATH_REDIS_URL`, else `REDIS_URL`, in the
   * environment names, else on this machine's.
   * @param options of the cache; whoever gives some later must give the same
   * @throws {HotpathConflictError} it was made with other options
   */
  // biome-ignore lint/suspicious/noExplicitAny: the area of caches declares them.
  cache(kind: 'memory' | 'redis', options?: object): any;
  /**
   * The data provider of this kind that everybody in this thread shares, made at the first call and made anew after it
   * was closed: a `MemoryDataProvider`, or a `DiskDataProvider` (in the folder `data` of the working directory by
   * default).
   * @param options of the `DiskDataProvider`; whoever gives some later must give the same
   * @throws {HotpathConflictError} it was made with other options
   */
  // biome-ignore lint/suspicious/noExplicitAny: the area of batching declares them.
  dataService(kind: 'memory' | 'disk', options?: object): any;
  /** Names and services, in the order in which they came. */
  entries(): [string, object][];
}

/** The registry that monitors look into. */
export declare const serviceRegistry: ServiceRegistry;
