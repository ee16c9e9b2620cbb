import type { HttpHandler, HttpRequest, HttpResponse } from './http-common.js';

/** Where counts are: a `MemoryCache`, a `RedisCache`, or an object with these methods. */
export interface RateLimitStore {
  /** Adds to a number and gives the sum; `ttlMs` counts from when the number is made. Atomic. */
  increment(key: string, by: number, options: { ttlMs: number }): number | Promise<number>;
  get(key: string): unknown;
  delete(key: string): unknown;
}

/** What a request found. Stands in `request.rateLimit`. */
export interface RateLimitInfo {
  /** Whose requests are counted. */
  key: string;
  limit: number;
  /** Requests in the window that ends now, rounded up. */
  used: number;
  remaining: number;
  /** Milliseconds until the window is over; for a refused request, until one may pass again. */
  resetMs: number;
}

export interface RateLimitOptions {
  /**
   * Most requests in a window, for all or for the one that asks. A non-negative integer.
   * @default 100
   */
  limit?: number | ((request: HttpRequest) => number | Promise<number>) | undefined;
  /**
   * Length of the window. Milliseconds, a positive integer.
   * @default 60000
   */
  windowMs?: number | undefined;
  /** Limits with the same name, in any thread of the process, count together. Not with `store`. */
  name?: string | undefined;
  /**
   * Where counts are. One in Redis makes all machines count together.
   * @default a MemoryCache of its own, of 16 MiB
   */
  store?: RateLimitStore | undefined;
  /**
   * Who asks.
   * @default `request.ip` (Express's, see its `trust proxy`), else the socket's address; of IPv6, the network
   */
  key?: ((request: HttpRequest, response: HttpResponse) => string | Promise<string>) | undefined;
  /** Requests that neither count nor are refused. */
  skip?: ((request: HttpRequest, response: HttpResponse) => boolean | Promise<boolean>) | undefined;
  /** Answers a request that is refused. `Retry-After` and the other fields are set already. */
  handler?:
    | ((
        request: HttpRequest,
        response: HttpResponse,
        next: (error?: unknown) => unknown,
        info: RateLimitInfo,
      ) => unknown)
    | undefined;
  /** @default 429 */
  statusCode?: number | undefined;
  /** The body of a refusal: text, or what becomes JSON, at once. */
  message?: unknown;
  /**
   * Fields of the answer: `RateLimit` and `RateLimit-Policy` of the IETF draft (draft-ietf-httpapi-ratelimit-headers, 8
   * and later), the three `RateLimit-...` of its version 6, or `X-RateLimit-...`.
   * @default 'draft-8'
   */
  headers?: 'draft-8' | 'draft-6' | 'legacy' | false | undefined;
  /**
   * What the policy is called there. Printable ASCII without quotes.
   * @default 'default'
   */
  policyName?: string | undefined;
  /**
   * Bits of an IPv6 address that tell clients apart, 1 to 128.
   * @default 64
   */
  ipv6Prefix?: number | undefined;
  /**
   * Lets requests pass while the store fails; otherwise they go to `next` with the error, as they always do when `key`,
   * `skip`, `limit` or `handler` fails.
   * @default true
   */
  failOpen?: boolean | undefined;
  /** Told what went wrong with the store or an option's function. */
  onError?: ((error: unknown) => void) | undefined;
  /** The clock, in milliseconds since 1970. For tests. */
  now?: (() => number) | undefined;
}

export interface RateLimitHandler extends HttpHandler {
  readonly closed: boolean;
  /** Counts of this handler. */
  readonly stats: { allowed: number; limited: number; skipped: number; errors: number };
  /** Forgets what one has used. */
  reset(key: string): Promise<void>;
  /** All requests pass from now on. Closes the store unless it was given. May be called again. */
  close(): void;
  /** `close`, for `using`. */
  [Symbol.dispose](): void;
}

/**
 * Middleware that refuses requests beyond a limit with 429 and Retry-After. The window slides: of the last whole window,
 * what is still within the time counts. In memory, shared by the threads that name it, or in Redis; about two native
 * calls a request. Refused requests do not count.
 *
 * Counts are approximate as every sliding window without a list of requests is (it takes the last window's requests for
 * evenly spread); never more than `limit` pass in one fixed window, whatever the number of threads.
 *
 * @throws TypeError or RangeError for an option that is wrong or unknown
 * @example
 * app.use('/api', rateLimit({ limit: 100, windowMs: 60_000 }));
 */
export function rateLimit(options?: RateLimitOptions): RateLimitHandler;
