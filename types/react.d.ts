import type { ReactElement } from 'react';

/** One of the eight figures that a summary is made of; shares are between 0 and 1. */
export interface PerformanceFigures {
  /** Mean response time in milliseconds. */
  responseTime: number;
  /** Requests per second. */
  throughput: number;
  errorRate: number;
  cacheHitRate: number;
  /** Share of the memory that the process may use. */
  memoryUsage: number;
  cpuUsage: number;
  /** Open WebSockets. */
  activeConnections: number;
  /** Jobs that wait. */
  queueLength: number;
}

/** What `GET /summary` answers. */
export interface PerformanceSummary {
  /** Milliseconds since 1970. */
  timestamp: number;
  /** 0 to 100. */
  score: number;
  status: string;
  metrics: PerformanceFigures;
  alerts: {
    id: string;
    type: string;
    severity: string;
    message?: string;
    value?: number;
    threshold?: number;
    timestamp: number;
  }[];
  recommendations: { type: string; severity: string; message: string }[];
}

/** What `GET /cache/stats` answers. */
export interface PerformanceCacheStats {
  hits: number;
  misses: number;
  /** 0 to 1. */
  hitRate: number;
  size: number;
  maxSize: number;
  /** 0 to 1. */
  utilization: number;
  /** Bytes. */
  memoryUsage: number;
}

export interface UsePerformanceOptions {
  /** Where the router is mounted. Default `'/api/performance'`. */
  url?: string;
  /** How often figures are asked for while monitoring, in milliseconds. Default 30,000. */
  intervalMs?: number;
  /** Makes the requests, for example with credentials. Default the global `fetch`. */
  fetch?: typeof globalThis.fetch;
}

export interface UsePerformance {
  /** Undefined until the first answer. After a failure the last figures stay. */
  performanceSummary: PerformanceSummary | undefined;
  cacheStats: PerformanceCacheStats | undefined;
  performanceStatus: string | undefined;
  /** 0 to 100. */
  performanceScore: number | undefined;
  /** Why the last request for the summary failed; undefined when it did not. */
  error: Error | undefined;
  isMonitoring: boolean;
  /** Asks now, and then at the interval, until `stopMonitoring` or the component goes. */
  startMonitoring(): void;
  stopMonitoring(): void;
  /** Asks once, now. */
  refresh(): Promise<void>;
  /** Rejects when the server refuses, as it does without `authorize`. */
  runOptimization(): Promise<unknown>;
  /**
   * Clears the cache of the server; with a pattern, what it matches. Given anything but a string, such as the event of a
   * click, it clears all. Rejects when the server refuses.
   */
  clearCache(pattern?: unknown): Promise<unknown>;
}

/**
 * The figures of a server with `performanceRouter`, as state of a component. Nothing is asked for until
 * `startMonitoring()`; the functions are the same at each rendering, so effects may depend on them.
 */
export function usePerformance(options?: UsePerformanceOptions): UsePerformance;

export interface PerformanceDashboardProps {
  /** Where the router is mounted. Default `'/api/performance'`. */
  url?: string;
  /** Makes the requests, for example with credentials. Figures are then asked for every five seconds, not streamed. */
  fetch?: typeof globalThis.fetch;
  /** Default `'auto'`: as the system has it. */
  theme?: 'light' | 'dark' | 'auto';
  /** The tab to begin with. Default `'overview'`. */
  tab?: 'overview' | 'metrics' | 'optimization';
  className?: string;
}

/**
 * The dashboard: Overview, Metrics and Optimization, live. Needs the styles of `hotpath/react/dashboard.css`, and as much
 * room as its place gives it.
 */
export function PerformanceDashboard(props: PerformanceDashboardProps): ReactElement;
