import type { IncomingMessage } from 'node:http';
import type { BatchProcessor } from './batch-engine.js';
import type { ServiceSet } from './monitor-services.js';

/** What `authorize` is asked about. Figures are open and need none of these. */
export type PerformanceAction =
  | 'cache.read'
  | 'cache.write'
  | 'cache.clear'
  | 'cache.optimize'
  | 'jobs.submit'
  | 'jobs.read'
  | 'jobs.cancel'
  | 'batch.submit'
  | 'batch.read'
  | 'parallel.run'
  | 'memory.compress'
  | 'alerts.resolve'
  | 'alerts.clear'
  | 'metrics.reset'
  | 'optimization.run'
  | 'optimization.configure'
  | 'test.load'
  | 'test.memory';

/** Options of {@link performanceRouter}. */
export interface PerformanceRouterOptions {
  /**
   * Whether this client may do this now, true or false; may be a promise. Asked before a body is read. What it throws
   * means no, and is told to `onError`, and so is anything else that JavaScript takes for true.
   * @default nothing is allowed
   */
  // biome-ignore lint/suspicious/noExplicitAny: the request type of whichever framework is in use.
  authorize?: ((request: any, action: PerformanceAction) => unknown) | undefined;
  /**
   * Whether `GET /` serves the dashboard.
   * @default true
   */
  dashboard?: boolean | undefined;
  /**
   * What `POST batch/process` may run, by name, besides the processors that the batch engine knows. `default` is run where
   * a request names none.
   */
  processors?: Record<string, BatchProcessor> | undefined;
  /**
   * The application, for `POST test/load`: an http URL. Requests name a path of it and nothing else.
   * @default the address and port that the request itself came in by
   */
  loadTestTarget?: string | URL | undefined;
  /**
   * Where the router is, when no framework has mounted it (`node:http`). `'/'` behind code that takes a prefix off
   * `request.url` without leaving it in `originalUrl`: everything is the router's then, and nothing goes to `next`.
   * @default '/api/performance'
   */
  basePath?: string | undefined;
  /**
   * Most bytes of a body. A positive integer. Bodies that a parser before the router has read are its business.
   * @default 10485760
   */
  maxBodyBytes?: number | undefined;
  /**
   * Told of errors that clients only hear as `ERR_INTERNAL`.
   * @default console.error
   */
  onError?: ((error: unknown, request: IncomingMessage) => void) | undefined;
}

/** A handler for Express, connect, `node:http`, and Fastify through `@fastify/middie`. */
export interface PerformanceHandler {
  // biome-ignore lint/suspicious/noExplicitAny: the types of whichever framework is in use.
  (request: any, response: any, next?: (error?: any) => void): void;
  /** Ends all live streams, so that the server can close. */
  close(): void;
  [Symbol.dispose](): void;
}

/**
 * Everything that documents 002 and 004 serve, the live stream, the description (`openapi.json`) and the dashboard. The
 * `performance` and `optimization` services get to know the other services.
 *
 * Answers are `{ success: true, data }` or `{ success: false, error: { code, message } }`. Everything that changes or runs
 * something, or shows stored data, answers 403 until `authorize` allows it; an endpoint whose service is missing 404.
 *
 * @throws TypeError or RangeError for services or options that are wrong or unknown
 * @example
 * app.use('/api/performance', performanceRouter({ cache, metrics: metricsService, performance: performanceService }, {
 *   authorize: (request, action) => request.user?.isAdmin === true,
 * }));
 */
export function performanceRouter(services: ServiceSet, options?: PerformanceRouterOptions): PerformanceHandler;

/**
 * The endpoints that documents 003 and 000 fix, at their own paths and without an envelope: `GET /performance/metrics` (of
 * `monitor`, `advancedCache` and `pools`) and `GET /services/performance/dashboard`. Everything else goes on to `next`.
 */
export function legacyRoutes(
  services: ServiceSet,
  // biome-ignore lint/suspicious/noExplicitAny: the types of whichever framework is in use.
): (request: any, response: any, next?: (error?: any) => void) => void;
