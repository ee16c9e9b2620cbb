import type { EventEmitter } from 'node:events';
import type { MetricsService } from './monitor-metrics.js';

/** Statistics of some values. Percentiles are values of the sorted list, at `floor(count * share)`. */
export interface PerformanceStats {
  count: number;
  min: number;
  max: number;
  avg: number;
  p50: number;
  p95: number;
  p99: number;
}

/** Remembers the last 1,000 values of each name, at most 10,000 names. With a `name`: in all threads together. */
export class PerformanceCollector {
  constructor(options?: { name?: string });

  /** Remembers a finite number. Costs nanoseconds, makes no call once the name is known. */
  recordMetric(name: string, value: number): void;
  /** Statistics of what is remembered; null when nothing is. */
  getStats(name: string): PerformanceStats | null;
  /** The names that something was recorded under, sorted. */
  get names(): string[];
  /** Forgets all values. */
  reset(): void;
  get closed(): boolean;
  close(): void;
  [Symbol.dispose](): void;
}

/** The collector that `timingMiddleware` records into, shared by all threads. */
export declare const performanceCollector: PerformanceCollector;

/** What is written to when something is wrong. */
export interface WarningLogger {
  warn(...details: unknown[]): void;
}

/** Options of a {@link PerformanceMonitor}. */
export interface PerformanceMonitorOptions {
  /** Shares the monitor with all threads that give it this name; window and thresholds have to agree. Without: private. */
  name?: string;
  /** Hears of alerts; `console` by default. */
  logger?: WarningLogger;
  options?: {
    /** Whether it starts at once; true by default. */
    enabled?: boolean;
    /** The rolling window in milliseconds; 60,000 by default. */
    metricsWindow?: number;
    /** Limits: `cpu` 80, `memory` 85 and `errorRate` 5 in percent, `queueDepth` 100, `responseTime` 1,000 ms. */
    thresholds?: { cpu?: number; memory?: number; errorRate?: number; queueDepth?: number; responseTime?: number };
  };
}

/** A value that was recorded. */
export interface MetricPoint {
  value: number;
  /** Milliseconds since 1970. */
  timestamp: number;
  tags: Record<string, unknown>;
}

/** An incident that has not ended. */
export interface PerformanceAlert {
  id: string;
  type: string;
  /** For the monitor's own alerts: `current` and `threshold`; for `SERVICE_DOWN`: `service` and `reason`. */
  // biome-ignore lint/suspicious/noExplicitAny: alerts that applications trigger bring what they like.
  data: any;
  /** When it began, as ISO 8601. */
  timestamp: string;
  severity: string;
}

/** What `alert` and `resolved` tell. Shares are percent. */
export interface PerformanceAlertEvent {
  id: string;
  type: string;
  value: number;
  threshold: number;
  severity: string;
}

/** Advice. */
export interface Recommendation {
  type: string;
  severity: string;
  message: string;
}

/** The figures of the rolling window, for people: `'1.20%'`, `'45.23ms'`, `'20.83 req/s'`. */
export interface PerformanceMetrics {
  /** `'60s'`. */
  window: string;
  requests: { total: number; successful: number; failed: number; errorRate: string; throughput: string };
  latency: { avg: string; p95: string; p99: string; min: string; max: string };
  /** `uptime`: `'2d 5h 23m'`. */
  system: { cpu: string; memory: string; uptime: string; cpuCount: number };
  alerts: { active: number; types: string[] };
  recommendations: Recommendation[];
}

/** The figures of an endpoint in the window. */
export interface EndpointStats {
  requests: number;
  successful: number;
  failed: number;
  successRate: string;
  avg: string;
  p95: string;
  p99: string;
  min: string;
  max: string;
}

/** What `generateReport` gives. */
export interface PerformanceReport extends PerformanceMetrics {
  timestamp: string;
  endpoints: Record<string, EndpointStats>;
  /** Plain numbers: milliseconds, requests a second, percent, percent, MiB, connections. */
  performance: {
    responseTime: number;
    throughput: number;
    errorRate: number;
    cpuUsage: number;
    memoryUsage: number;
    dbConnections: number;
  };
}

/**
 * Watches the process, its services and its requests, and raises alerts. `new PerformanceMonitor()` is a handle on the one
 * default store of the process, so that each of them sees the same; with options it is a monitor of its own.
 *
 * Names of its values: `system.memory.*` (`heapUsed heapTotal heapLimit external rss limit`, bytes), `system.cpu.*` (`user` and
 * `system` in microseconds, `percent` and `host`), `system.eventLoop.*`, and `service.<name>.<key>` of every numeric figure that
 * a registered service, or an engine of this thread, tells.
 *
 * Events: `alert` and `resolved`, with a {@link PerformanceAlertEvent}.
 */
export class PerformanceMonitor extends EventEmitter {
  constructor(options?: PerformanceMonitorOptions);

  /** What `checkAlerts` compares with; may be changed in place. Shares are fractions, `responseTime` is in milliseconds. */
  get thresholds(): Record<string, number>;
  /** Whether it samples by itself. */
  get monitoring(): boolean;
  get closed(): boolean;

  /** Samples the system every 5 s and services every 10 s, and checks alerts every 30 s. Keeps no process alive. */
  startMonitoring(): void;
  start(): void;
  stopMonitoring(): void;
  stop(): void;
  /** Samples the system now. */
  collectSystemMetrics(): void;
  /** Asks all services now. A service that fails or does not answer within 5 s is down. */
  collectServiceMetrics(): Promise<void>;
  /** Records the numeric figures of a service. */
  recordServiceMetrics(serviceName: string, analytics: Record<string, unknown>): void;
  /** Adds a service to be asked. `{ status: 'down' }` or `{ healthy: false }` in its answer says that it is down. */
  registerService(name: string, getAnalytics: () => unknown): void;
  unregisterService(name: string): boolean;

  /** Records a finite number. The last 1,000 of a name are kept. */
  recordMetric(name: string, value: number, tags?: object): void;
  /** The values of a name in the last `timeRange` milliseconds, 300,000 by default. */
  getMetrics(name: string, timeRange?: number): MetricPoint[];
  /** The figures of the rolling window, for people. */
  getMetrics(): PerformanceMetrics;
  /** Statistics of the values of a name; null when there is none in the time range. */
  calculateStats(name: string, timeRange?: number): PerformanceStats | null;
  /** All values by name. */
  get metrics(): Map<string, MetricPoint[]>;

  /** Counts a request of so many milliseconds. */
  trackRequest(duration: number, success?: boolean, endpoint?: string): void;
  /** Figures of the window by endpoint. */
  getEndpointStats(): Record<string, EndpointStats>;
  generateReport(): PerformanceReport;
  /** The figures of the window as plain numbers: milliseconds, requests a second, percent. */
  get stats(): {
    windowMs: number;
    requests: { total: number; successful: number; failed: number; errorRate: number; throughput: number };
    latency: { avg: number; p50: number; p95: number; p99: number; min: number; max: number };
    system: { cpu: number; memory: number; uptime: number; cpuCount: number };
    alerts: number;
  };

  /** The incidents that have not ended, by id; one per type (and service). */
  get alerts(): Map<string, PerformanceAlert>;
  /** Compares with the thresholds now; `alert` and `resolved` are emitted before it returns. */
  checkAlerts(): void;
  /** Begins an incident by hand, unless one of this type is open. */
  triggerAlert(type: string, data?: unknown): void;
  /** Ends an incident. While its cause persists it does not come again. False when there is none with this id. */
  resolveAlert(id: string): boolean;
  /** `critical`, `warning` or `info`. */
  getAlertSeverity(type: string): string;

  close(): void;
  [Symbol.dispose](): void;
}

/** The monitor that `timingMiddleware` records into: a handle on the default store. */
export declare const performanceMonitor: PerformanceMonitor;

/** Options of {@link timingMiddleware}. */
export interface TimingOptions {
  /** From how many milliseconds on a request is logged as slow; 1,000 by default. */
  slowMs?: number;
  /** Whether the log shows query strings; false by default, they may hold what does not belong there. */
  logQuery?: boolean;
  logger?: WarningLogger;
  /**
   * The route pattern of a request. Default: Express's, below the path of its mount (of at most 200 mounts, then `/*`);
   * `unmatched` for others, so that raw URLs never become labels, and where this throws, which is logged.
   */
  // biome-ignore lint/suspicious/noExplicitAny: the request type of whichever framework is in use.
  route?: (request: any) => string;
  collector?: PerformanceCollector;
  monitor?: PerformanceMonitor;
  metrics?: MetricsService;
}

// biome-ignore lint/suspicious/noExplicitAny: works with the types of every framework.
type Handler = (request: any, response: any, next?: (error?: any) => void) => void;

/**
 * Times requests: `app.use(timingMiddleware)`, or `app.use(timingMiddleware(options))`. Records `request_duration` and
 * `request_duration_<METHOD>` (ms) into the collector, and feeds monitor and metrics by method, route pattern and status. An
 * aborted request counts as failed, with status 499.
 */
// biome-ignore lint/suspicious/noExplicitAny: see Handler.
export function timingMiddleware(request: any, response: any, next?: (error?: any) => void): void;
export function timingMiddleware(options?: TimingOptions): Handler;

/** What {@link createPerformanceLogger} makes. */
export interface PerformanceLogger {
  /** Warns if an operation took longer than the limit, and says whether it did. */
  logSlowOperation(operation: string, duration: number): boolean;
  /** Logs what memory the process uses, and returns it: `{ rss: '52 MB', ... }`. */
  profileMemory(): { rss: string; heapTotal: string; heapUsed: string };
}

/** A logger of slow operations, over any logger with `warn` and `log`. `slowMs`: 1,000 by default. */
export function createPerformanceLogger(
  logger?: { warn(...details: unknown[]): void; log(...details: unknown[]): void },
  options?: { slowMs?: number },
): PerformanceLogger;
