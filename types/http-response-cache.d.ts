import type { HttpHandler, HttpListener, HttpRequest, HttpResponse } from './http-common.js';
import type { CompressionLevels, ContentEncoding } from './http-compression.js';

/** A cache that answers can be stored in: any of this package, or an object with these methods. */
export interface ResponseCacheStore {
  get(key: string): unknown;
  set(key: string, value: unknown, options?: unknown): unknown;
  has(key: string): unknown;
  delete(key: string): unknown;
  clear(): unknown;
  /** Without it, `invalidateTags` of the response cache rejects. */
  invalidateTags?(tags: string[]): unknown;
  /** Without it, `deletePattern` of the response cache rejects. */
  deletePattern?(pattern: string): unknown;
}

/** Compression of stored answers: each coding is made once, when the first client asks for it, and stored. */
export interface ResponseCompressionOptions extends CompressionLevels {
  /**
   * Bodies of fewer bytes are stored and sent as they are.
   * @default 1024
   */
  threshold?: number | undefined;
  /**
   * Codings that are offered, the preferred one first. What the client prefers comes before.
   * @default ['br', 'zstd', 'gzip', 'deflate']
   */
  encodings?: readonly ContentEncoding[] | undefined;
}

export interface ResponseCacheOptions {
  /**
   * Where answers are stored. One in memory (`MemoryCache`) answers at once and lends its bytes; any other is awaited.
   * @default a MemoryCache of its own
   */
  cache?: ResponseCacheStore | undefined;
  /** The name of its own MemoryCache: response caches with the same name, in any thread, share their answers. */
  name?: string | undefined;
  /**
   * The size of its own MemoryCache in MiB.
   * @default 100
   */
  maxMemoryMB?: number | undefined;
  /**
   * How long an answer is fresh that does not say so itself, in milliseconds. Without it, only answers with `max-age`,
   * `s-maxage` or `Expires` are stored.
   */
  ttlMs?: number | undefined;
  /**
   * How long after that an answer may still be served while it is made anew, in milliseconds, unless it says so itself.
   * In Express, and behind a front, it is made anew by a request in the background. Where the cache does not know the
   * application, the next client waits for the new answer while all others still get the old one; see `app`.
   * @default 0
   */
  staleWhileRevalidateMs?: number | undefined;
  /**
   * How long a stale answer may stand in for one with a status of 500 and above, in milliseconds, unless it says so
   * itself.
   * @default 0
   */
  staleIfErrorMs?: number | undefined;
  /**
   * Statuses to which `ttlMs` applies.
   * @default [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501]
   */
  statuses?: readonly number[] | undefined;
  /**
   * Longer bodies are not stored. Bytes.
   * @default 4194304
   */
  maxBodyBytes?: number | undefined;
  /**
   * Compresses what is stored. Do not use other compression behind the cache.
   * @default true
   */
  compression?: boolean | ResponseCompressionOptions | undefined;
  /**
   * What a request is stored under, beside its Vary; undefined lets it pass.
   * @default URL (`originalUrl`, else `url`), scheme and Host, and what a proxy says about them
   */
  key?: ((request: HttpRequest) => string | undefined) | undefined;
  /**
   * Tells users apart: answers are stored for each of them, and may be private. Undefined for a request of nobody in
   * particular.
   * @default nobody is told apart
   */
  identity?: ((request: HttpRequest) => string | number | null | undefined) | undefined;
  /** Tags of answers, beside those that a header `Cache-Tag` names (which clients do not see). */
  tags?:
    | readonly string[]
    | ((request: HttpRequest, response: HttpResponse) => Iterable<string> | undefined)
    | undefined;
  /** Which requests the cache looks at: all others pass. */
  filter?: ((request: HttpRequest) => boolean) | undefined;
  /** Which answers may be stored, among those that HTTP allows. Called when the head is complete. */
  storable?: ((request: HttpRequest, response: HttpResponse) => boolean) | undefined;
  /**
   * Says that no answer depends on cookies. Without it, requests with a Cookie get only answers that are `public`, have
   * an `s-maxage`, or vary by it.
   * @default false
   */
  ignoreCookies?: boolean | undefined;
  /**
   * Says that no answer depends on Authorization. Without it, requests with one get only answers that are `public`,
   * `must-revalidate` or have an `s-maxage` (RFC 9111, 3.5).
   * @default false
   */
  ignoreAuthorization?: boolean | undefined;
  /**
   * Stores answers with their Set-Cookie, for all who ask.
   * @default false
   */
  storeSetCookie?: boolean | undefined;
  /**
   * Stores answers that are `private`, for all who ask. See `identity` for storing them for each user.
   * @default false
   */
  storePrivate?: boolean | undefined;
  /**
   * Follows the Cache-Control of requests. With it, a client can have an answer made anew.
   * @default true
   */
  requestDirectives?: boolean | undefined;
  /**
   * Lets requests for what is being made wait for it.
   * @default true
   */
  coalesce?: boolean | undefined;
  /**
   * How long they wait before they go to the application themselves. Milliseconds.
   * @default 10000
   */
  coalesceTimeoutMs?: number | undefined;
  /**
   * Adds a header `Cache-Status` (RFC 9211) to answers from the cache.
   * @default false
   */
  cacheStatus?: boolean | undefined;
  /**
   * The application that this handler belongs to, for making answers anew in the background.
   * @default what Express says
   */
  app?: HttpListener | undefined;
  /** Told what went wrong with the store or an option's function; the application answers then. */
  onError?: ((error: unknown) => void) | undefined;
}

/** Counts since the handler was made, of this handler alone. */
export interface ResponseCacheStats {
  /** Fresh answers from the store. */
  hits: number;
  /** Requests that the store had no answer for. */
  misses: number;
  /** Stale answers that were served while a new one was made. */
  stale: number;
  /** Answers by 304; part of `hits`, `stale` and `misses`. */
  notModified: number;
  /** Misses that were answered by what another request had the application make. */
  coalesced: number;
  /** Answers stored. */
  stored: number;
  /** Answers of the application that were not stored. */
  passed: number;
  /** Requests that the cache did not look at. */
  bypassed: number;
  /** Stale answers that stood in for an error. */
  rescued: number;
  /** Requests made in the background. */
  renewals: number;
  /** Invalidations, also by requests that change something. */
  invalidations: number;
  /** Failures of the store and of options' functions. */
  errors: number;
}

/** A response cache: a handler with methods. */
export interface ResponseCacheHandler extends HttpHandler {
  /** Where the answers are. */
  readonly cache: ResponseCacheStore;
  readonly closed: boolean;
  /** A snapshot. */
  readonly stats: ResponseCacheStats;
  /** A listener that answers hits before the application sees the request; same store, same rules. */
  front(app: HttpListener): HttpListener;
  /**
   * Lets go of all answers of a URL, as clients send it: path and query. Rejects if the store does, or knows neither
   * tags nor patterns.
   */
  delete(url: string): Promise<void>;
  /** Lets go of the answers under a key, as the option `key` makes them. True if there was one. */
  deleteKey(key: string): Promise<boolean>;
  /** Lets go of the answers whose URL matches a glob; answers how many. Looks at all keys. */
  deletePattern(pattern: string): Promise<number>;
  /** Lets go of the answers with any of these tags; answers how many. */
  invalidateTags(tags: string | readonly string[]): Promise<number>;
  /** Lets go of all answers. In a cache that holds other things, these stay. */
  clear(): Promise<void>;
  /** All requests pass from now on. Closes the cache unless it was given. May be called again. */
  close(): void;
  /** `close`, for `using`. */
  [Symbol.dispose](): void;
}

/**
 * A shared cache of answers (RFC 9111), as middleware for Express 4 and 5, `node:http`, Fastify with @fastify/middie and
 * whatever calls `(request, response, next)`.
 *
 * Stores answers to GET with status, headers and body; answers GET and HEAD, and conditional requests with 304, after
 * `Vary`, `Cache-Control`, `Expires`, `ETag`. Answers without an ETag get one. Requests with a Range or a body pass. A request that
 * changes something (POST, PUT, PATCH, DELETE) and succeeds lets go of the answers under its URL.
 *
 * Never stored, unless an option says so: answers that are `private` or have a Set-Cookie; answers to requests with an
 * Authorization or a Cookie that do not say that they are for all. Never stored at all: `no-store`, `no-cache`,
 * `Vary: *`, parts, event streams.
 *
 * A hit is a look-up and a write: head and body are ready. Bodies from 16 KiB on lie in native memory and are written
 * from there. Answers from memory take no promise.
 *
 * @throws TypeError or RangeError for an option that is wrong or unknown
 * @example
 * const responses = responseCache({ ttlMs: 60_000, staleWhileRevalidateMs: 30_000 });
 * app.get('/products', responses, listProducts);
 * await responses.delete('/products');
 */
export function responseCache(options?: ResponseCacheOptions): ResponseCacheHandler;
export namespace responseCache {
  /**
   * A listener that answers hits before the application sees the request: an Express application costs several times
   * as much as the hit.
   * @example
   * http.createServer(responseCache.front(app, { ttlMs: 60_000 })).listen(3000);
   */
  function front(
    app: HttpListener,
    options?: ResponseCacheOptions,
  ): HttpListener & { readonly responses: ResponseCacheHandler };
}
