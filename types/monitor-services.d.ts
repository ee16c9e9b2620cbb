import type { EventEmitter } from 'node:events';
import type { Recommendation, WarningLogger } from './monitor-performance.js';

/** What tells the time and waits. Tests bring their own. */
export interface ServiceClock {
  /** Milliseconds since 1970. */
  now(): number;
  setTimeout(run: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  setInterval(run: () => void, ms: number): unknown;
  clearInterval(timer: unknown): void;
}

/**
 * The engines of an application, by what they are to it; each is optional. Any class of this package that has the methods
 * will do: `cache` may be a CacheService, an AdvancedCacheManager, a MultiLevelCache or a MemoryCache.
 */
export interface ServiceSet {
  cache?: object | undefined;
  /** An AsyncProcessingEngine. */
  jobs?: object | undefined;
  /** A BatchProcessingEngine. */
  batch?: object | undefined;
  /** A ParallelProcessingEngine. */
  parallel?: object | undefined;
  /** A MemoryOptimizationEngine. */
  memory?: object | undefined;
  /** A PerformanceMonitoringEngine. */
  monitoring?: object | undefined;
  /** A MetricsService. */
  metrics?: object | undefined;
  /** A PerformanceService. */
  performance?: object | undefined;
  /** An OptimizationService. */
  optimization?: object | undefined;
  /** A PerformanceMonitor. */
  monitor?: object | undefined;
  /** An AdvancedCache. */
  advancedCache?: object | undefined;
  /** Worker pools and pool managers: one, a list, or by name. */
  pools?: object | undefined;
  /** A WebSocketManager. */
  webSockets?: object | undefined;
}

export type AlertSeverity = 'low' | 'medium' | 'high' | 'critical';

/** When a metric is an alert. */
export interface AlertRule {
  threshold: number;
  severity: AlertSeverity;
  /** Whether it is the small values that are bad. */
  reverse?: boolean | undefined;
}

/** The metrics that alerts and the score look at. */
export interface AlertConfig {
  /** Milliseconds; above 1,000 by default, `high`. */
  responseTime: AlertRule;
  /** 0 to 1; above 0.05, `critical`. */
  errorRate: AlertRule;
  /** 0 to 1; above 0.8, `medium`. */
  memoryUsage: AlertRule;
  /** 0 to 1; above 0.8, `medium`. */
  cpuUsage: AlertRule;
  /** 0 to 1; below 0.7, `low`. */
  cacheHitRate: AlertRule;
}

/** Options of {@link PerformanceService}. */
export interface PerformanceServiceOptions {
  services?: ServiceSet | undefined;
  alertConfig?: { [Metric in keyof AlertConfig]?: Partial<AlertRule> } | undefined;
  /** @default 30000 */
  metricsIntervalMs?: number | undefined;
  /** @default 300000 */
  reportIntervalMs?: number | undefined;
  /** @default 900000 */
  optimizationIntervalMs?: number | undefined;
  /**
   * Points that are kept. A positive integer. Each takes some 2 KB with what charts show of it.
   * @default 1000
   */
  historySize?: number | undefined;
  /**
   * Whether it collects by itself. With options it begins at once, without any at its first use.
   * @default true
   */
  enabled?: boolean | undefined;
  /** @default the system's */
  clock?: ServiceClock | undefined;
  /** Hears of alerts. @default console */
  logger?: WarningLogger | undefined;
}

/** The eight metrics of document 004. */
export interface ServiceMetrics {
  /** Mean of the last minute, in milliseconds. */
  responseTime: number;
  /** Requests a second, over the last minute. */
  throughput: number;
  /** 0 to 1, over the last minute. */
  errorRate: number;
  /** 0 to 1, since the collection before; ever, where nothing was asked since. */
  cacheHitRate: number;
  /** 0 to 1, of what the process may use. */
  memoryUsage: number;
  /** 0 to 1: of all cores, or of the one that the busiest thread has, whichever is more. */
  cpuUsage: number;
  /** Open WebSockets. */
  activeConnections: number;
  /** Jobs and tasks that wait. */
  queueLength: number;
}

export type PerformanceStatus = 'excellent' | 'good' | 'fair' | 'poor';

/** An alert that is open. */
export interface ServiceAlert {
  /** `performance:alert_1`. */
  id: string;
  source: 'performance';
  type: string;
  metric: keyof AlertConfig;
  severity: AlertSeverity;
  message: string;
  value: number;
  threshold: number;
  /** When it began, in milliseconds since 1970. */
  timestamp: number;
}

export interface ServiceSummary {
  timestamp: number;
  /** 0 to 100, see {@link PerformanceService}. */
  score: number;
  status: PerformanceStatus;
  metrics: ServiceMetrics;
  alerts: ServiceAlert[];
  /** The most urgent first. */
  recommendations: Recommendation[];
}

/** A point of history. */
export interface ServicePoint {
  timestamp: number;
  score: number;
  status: PerformanceStatus;
  metrics: ServiceMetrics;
}

/** Where a metric is heading: the least-squares line through its history. */
export interface Trend {
  /** Not `steady` when chance is out of the question (p < 0.01) and the metric moved by 5 % or more. */
  direction: 'rising' | 'falling' | 'steady';
  /** The slope, an hour. */
  perHour: number;
  /** What the line moves over the whole history, as a share of the mean. */
  change: number;
  /** The share of the variance that the line explains, 0 to 1. */
  r2: number;
  pValue: number;
  points: number;
  /** Whether that is the right direction; null when steady, and for metrics without one. */
  good: boolean | null;
}

export interface ServiceReport {
  timestamp: number;
  period: { from: number; to: number; points: number };
  score: number;
  status: PerformanceStatus;
  metrics: ServiceMetrics;
  /** Over the points of the period. */
  averages: Partial<Record<keyof ServiceMetrics, { avg: number; min: number; max: number }>>;
  /** Milliseconds, of the last minute; null without requests. */
  latency: { avg: number; p50: number; p95: number; p99: number; max: number } | null;
  trends: Record<keyof ServiceMetrics, Trend>;
  /** Of the attached `monitor`. */
  endpoints: Record<string, object>;
  alerts: ServiceAlert[];
  recommendations: Recommendation[];
  /** Those of the period. */
  optimizations: OptimizationRecord[];
}

export interface HealthReport {
  /** `degraded` still works; `unhealthy` should get no requests. */
  status: 'healthy' | 'degraded' | 'unhealthy';
  /** Why it is not healthy. */
  reasons: string[];
  checks: { name: string; status: 'healthy' | 'degraded' | 'unhealthy'; reason?: string }[];
  timestamp: number;
  /** Seconds. */
  uptime: number;
}

/** All figures at one moment; null where nothing is known. The page on the HTTP face explains each. */
export interface ServiceSample {
  timestamp: number;
  score: number | null;
  latency: { avg: number; p50: number; p95: number; p99: number; max: number } | null;
  throughput: number | null;
  requests: number | null;
  errorRate: number | null;
  errors: number | null;
  cpu: number;
  memory: {
    rss: number;
    heapUsed: number;
    heapTotal: number;
    heapLimit: number;
    external: number;
    limit: number;
    usage: number;
  };
  eventLoop: { p50: number; p99: number; max: number; utilization: number };
  cache: {
    hitRate: number | null;
    asked: number;
    levels: {
      name: string;
      hitRate: number | null;
      hits: number;
      misses: number;
      entries: number | null;
      bytes: number | null;
      maxBytes: number | null;
    }[];
  };
  pools: {
    name: string;
    kind: 'workers' | 'connections';
    busy: number;
    total: number;
    max: number | null;
    queue: number;
    waitP95: number | null;
  }[];
  queues: { name: string; pending: number; running: number; waitP95: number | null }[];
  queueLength: number;
  connections: number;
  alerts: number;
}

/** The history as columns, as charting libraries take them. */
export interface ServiceSeries {
  intervalMs: number;
  timestamps: number[];
  /** Each as long as `timestamps`. */
  series: Record<string, (number | null)[]>;
}

/**
 * Collects the metrics of a server every 30 s, reports every 5 min, has it optimized every 15 min, and raises alerts.
 *
 * Score: each of errorRate (weight 30), responseTime (25), memoryUsage, cpuUsage and cacheHitRate (15 each) has a grade: 1
 * up to half its threshold, 0.5 at the threshold, 0 at twice the threshold (a share that cannot get there: at 1), straight
 * lines between; a metric that should be high has 1 from halfway between its threshold and 1 on, 0.5 at the threshold, 0 at
 * 0. The score is 100 times the weighted mean of what is known, and at most 49 while a critical alert is open. From 90 on
 * it is `excellent`, from 75 `good`, from 50 `fair`, below `poor`.
 *
 * Events: `metrics` ({@link ServicePoint}), `alert` and `resolved` ({@link ServiceAlert}), `report`
 * ({@link ServiceReport}). Keeps no process alive.
 */
export class PerformanceService extends EventEmitter {
  /** @throws TypeError or RangeError for options that are wrong or unknown */
  constructor(options?: PerformanceServiceOptions);
  get closed(): boolean;
  /** Whether it collects by itself now. */
  get monitoring(): boolean;
  /** What alerts compare with; may be changed in place. */
  get alertConfig(): AlertConfig;
  /** Adds services that it does not know yet. `performanceRouter` does this. */
  attach(services: ServiceSet): this;
  startMonitoring(): void;
  start(): void;
  stopMonitoring(): void;
  stop(): void;
  /** Adds a point to the history now, and checks the alerts. */
  collectMetrics(): ServicePoint;
  /** How things stand now. */
  getSummary(): ServiceSummary;
  /** The last five minutes. */
  getReport(): ServiceReport;
  /** The latest points, the oldest first. @param limit a positive integer; 100 by default */
  getHistory(limit?: number): ServicePoint[];
  /** The history with everything that charts show. */
  getSeries(limit?: number): ServiceSeries;
  getTrends(): Record<keyof ServiceMetrics, Trend>;
  /** Summary, health, series, trends, alerts, and what the optimization service shows. */
  getDashboard(): {
    timestamp: number;
    summary: ServiceSummary;
    health: HealthReport;
    history: ServiceSeries;
    trends: Record<keyof ServiceMetrics, Trend>;
    alerts: ServiceAlert[];
    optimization: OptimizationDashboard | null;
  };
  /** A function that takes samples, with hit rates of the time between its calls. */
  sampler(): () => ServiceSample;
  getAlerts(): ServiceAlert[];
  /** Ends an alert. It comes again when its cause has gone and come back. */
  resolveAlert(id: string): boolean;
  /** Ends all. */
  clearAlerts(): { cleared: number };
  /** Whether the server can do its work: alerts, memory, event loop, closed and silent services. */
  health(): HealthReport;
  /** What the timer does: an optimization run, if the attached service is automatic. */
  checkOptimization(): Promise<OptimizationRun | undefined>;
  get stats(): { points: number; alerts: number; score: number | null; failedOptimizations: number };
  close(): void;
  [Symbol.dispose](): void;
}

/** The service that everybody shares. Begins at its first use. */
export declare const performanceService: PerformanceService;

export type OptimizationArea = 'cache' | 'connections' | 'memory' | 'queries' | 'queues';

/** What an {@link OptimizationService} may do, and when. */
export interface OptimizationConfig {
  /** Whether scheduled runs are made. @default true */
  auto: boolean;
  /** How long is measured before a change, and after it, in milliseconds. @default 10000 */
  trialMs: number;
  /** Into how many numbers each measurement is cut, 3 to 100. @default 8 */
  slices: number;
  /** Reads, tasks, calls that each measurement has to have counted. @default 50 */
  minSamples: number;
  cacheOptimization: {
    /** Below this, a full cache gets more memory. @default 0.7 */
    hitRateThreshold: number;
    /** Above this usage of memory, caches do not grow but shrink. @default 0.8 */
    memoryThreshold: number;
    /** To how many times its first size a cache may grow. @default 4 */
    maxGrowth: number;
    /** Whether keys that are loaded again as soon as they have expired may live longer. @default false */
    extendTtl: boolean;
    /** At most so many times as long. @default 4 */
    maxTtlFactor: number;
  };
  connectionOptimization: {
    /** Above so many WebSockets, inactive ones are closed. @default 500 */
    maxConnections: number;
    /** To how many connections a PostgreSQL pool may grow. @default 50 */
    maxPoolSize: number;
    /** A pool grows when fewer of its callers than this have a connection at once. @default 0.9 */
    efficiencyThreshold: number;
  };
  memoryOptimization: {
    /** Above this usage, caches give up some of theirs, and garbage is collected where that is exposed. @default 0.8 */
    gcThreshold: number;
    /** The share that caches give up then. @default 0.2 */
    evictShare: number;
  };
  queueOptimization: {
    /** A pool or job engine grows when what it runs waits longer, in milliseconds. @default 50 */
    waitMs: number;
    /** @default twice the cores */
    maxWorkers: number;
    /** @default 64 */
    maxConcurrentJobs: number;
  };
  queryOptimization: {
    /** Slower queries are slow. @default 1000 */
    slowMs: number;
    /** Whether `query` caches results. @default false */
    resultCaching: boolean;
    /** For how long. @default 60000 */
    resultTtlMs: number;
  };
}

/** Some of the configuration. */
export type OptimizationChanges = {
  [Key in keyof OptimizationConfig]?: OptimizationConfig[Key] extends object
    ? Partial<OptimizationConfig[Key]>
    : OptimizationConfig[Key];
};

export interface OptimizationServiceOptions extends OptimizationChanges {
  services?: ServiceSet | undefined;
  /** @default the system's */
  clock?: ServiceClock | undefined;
}

/** Something that was done, and what it did. */
export interface OptimizationRecord {
  id: string;
  runId: string;
  timestamp: number;
  trigger: 'manual' | 'scheduled' | 'forced';
  area: OptimizationArea;
  /** `grow-cache`, `grow-pool`, ... */
  action: string;
  /** What it was done to. */
  target: string;
  reason: string;
  /** Settings: from, to. */
  change: Record<string, [unknown, unknown]>;
  /** What was measured, `hit rate`. */
  measured: string;
  unit: 'ratio' | 'ms' | 'bytes' | 'count';
  before: { value: number; samples: number } | null;
  after: { value: number; samples: number } | null;
  /** How likely a difference like this is by chance. */
  pValue: number | null;
  /** `done`: nothing that could be kept or undone. */
  status: 'measuring' | 'kept' | 'undone' | 'done' | 'failed';
  verdict: 'improved' | 'worse' | 'no difference' | 'too little to tell' | null;
  error: string | null;
}

export interface OptimizationRun {
  runId: string;
  timestamp: number;
  trigger: 'manual' | 'scheduled' | 'forced';
  actions: OptimizationRecord[];
  /** Milliseconds; when it has ended. */
  duration?: number;
}

export interface OptimizationRecommendation {
  id: string;
  area: OptimizationArea;
  severity: 'low' | 'medium' | 'high';
  message: string;
  /** What a run would do; null for what only people can. */
  action: string | null;
  evidence: Record<string, number>;
  /** Whether the next scheduled run does it. */
  automatic: boolean;
}

export interface OptimizationDashboard {
  auto: boolean;
  running: boolean;
  config: OptimizationConfig;
  recommendations: OptimizationRecommendation[];
  history: OptimizationRecord[];
}

/** Queries that differ in their literals only. */
export interface SlowQuery {
  /** Without literals. */
  query: string;
  count: number;
  slow: number;
  /** Answers that came from the cache. */
  cached: number;
  totalMs: number;
  avgMs: number;
  maxMs: number;
}

/** What is compared: a function, timed; one that returns a number has measured itself. */
export type ComparisonVariant =
  | (() => unknown)
  | {
      name?: string | undefined;
      /** Before each run, not timed. */
      setup?: (() => unknown) | undefined;
      run: () => unknown;
      /** After each run, also of one that failed. */
      teardown?: (() => unknown) | undefined;
    };

export interface ComparisonOptions {
  /** 6 to 1000. @default 20 */
  rounds?: number | undefined;
  /** Rounds before that do not count. @default 2 */
  warmup?: number | undefined;
  /** @default 'lower' */
  better?: 'lower' | 'higher' | undefined;
  /** From which p-value on a difference is real. @default 0.05 */
  significance?: number | undefined;
  signal?: AbortSignal | undefined;
}

export interface ComparisonSide {
  name: string;
  mean: number;
  median: number;
  min: number;
  max: number;
}

export interface Comparison {
  a: ComparisonSide;
  b: ComparisonSide;
  rounds: number;
  better: 'lower' | 'higher';
  /** Of Wilcoxon's signed-rank test over the pairs. */
  pValue: number;
  significant: boolean;
  /** The name of the better one; null when chance explains the difference. */
  winner: string | null;
  /** In words. */
  conclusion: string;
  /** B less A: the estimate of Hodges and Lehmann, and what holds it at 95 %; `relative` to the median of A. */
  difference: { estimate: number; low: number; high: number; relative: number | null };
  values: { a: number[]; b: number[] };
}

/**
 * Looks for what can be made better, tries it, measures before and after, keeps what helped and puts back what did not.
 * Nothing is kept that was not measured to help, but what frees memory without doing harm.
 *
 * Events: `action` ({@link OptimizationRecord}, when it begins and when it is decided), `run` ({@link OptimizationRun}),
 * `config`.
 */
export class OptimizationService extends EventEmitter {
  /** @throws TypeError or RangeError for options that are wrong or unknown */
  constructor(options?: OptimizationServiceOptions);
  get closed(): boolean;
  /** Whether a run is under way. */
  get running(): boolean;
  /** Adds services that it does not know yet. `performanceRouter` does this. */
  attach(services: ServiceSet): this;
  /**
   * Tries what is due. One run at a time: a call during a run joins it.
   * @returns when everything was measured; with `wait: false` when it has begun
   */
  runOptimization(options?: {
    wait?: boolean;
    areas?: readonly OptimizationArea[];
    trigger?: 'manual' | 'scheduled' | 'forced';
  }): Promise<OptimizationRun>;
  /** Tries all there is to try, whether due or not. */
  forceOptimization(options?: { wait?: boolean; areas?: readonly OptimizationArea[] }): Promise<OptimizationRun>;
  getRecommendations(): OptimizationRecommendation[];
  /** The newest first. @param limit a positive integer; 50 by default. 500 are kept */
  getHistory(limit?: number): OptimizationRecord[];
  getConfig(): OptimizationConfig;
  /** Changes some settings, or none when one of them is wrong. */
  updateConfig(changes: OptimizationChanges): OptimizationConfig;
  /** Whether scheduled runs are made. */
  setAuto(enabled: boolean): OptimizationConfig;
  getDashboard(): OptimizationDashboard;
  /** Counts a query, also in the metrics. Literals are not kept. */
  recordQuery(query: string, durationMs: number): void;
  /** Runs a query and times it; with `resultCaching` its result is kept in the attached cache, by query and parameters. */
  query<T>(query: string, parameters: readonly unknown[], run: () => T | Promise<T>): Promise<T>;
  /** Groups with slow queries, those first that take the most time. @param limit 20 by default */
  getSlowQueries(limit?: number): SlowQuery[];
  /** Runs two variants in turn, and says whether they differ by more than chance. */
  compare(variantA: ComparisonVariant, variantB: ComparisonVariant, options?: ComparisonOptions): Promise<Comparison>;
  get stats(): {
    runs: number;
    running: boolean;
    actions: number;
    kept: number;
    undone: number;
    done: number;
    failed: number;
  };
  /** Ends a run that is under way: what was not decided is undone. What was kept stays. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The service that everybody shares. */
export declare const optimizationService: OptimizationService;
