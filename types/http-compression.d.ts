import type { HttpHandler, HttpRequest, HttpResponse } from './http-common.js';

/** Content codings (RFC 9110, 8.4.1) that answers can be sent in. */
export type ContentEncoding = 'br' | 'zstd' | 'gzip' | 'deflate';

/** How much effort each coding gets. */
export interface CompressionLevels {
  /**
   * Of gzip and deflate, 0 to 9.
   * @default 6
   */
  level?: number | undefined;
  /**
   * Of brotli, 0 to 11. Beyond 6 it is for what is compressed once and served often.
   * @default 4
   */
  brotliLevel?: number | undefined;
  /**
   * Of zstd, 1 to 19.
   * @default 3
   */
  zstdLevel?: number | undefined;
}

export interface CompressionMiddlewareOptions extends CompressionLevels {
  /**
   * Answers that are known to have fewer bytes stay as they are. Bytes, or a text such as `'1kb'`.
   * @default 1024
   */
  threshold?: number | string | undefined;
  /**
   * Whether an answer may be compressed. Called when its head is complete.
   * @default compression.filter: by Content-Type
   */
  filter?: ((request: HttpRequest, response: HttpResponse) => boolean) | undefined;
  /**
   * Codings that are offered, the preferred one first. What the client prefers comes before.
   * @default ['br', 'zstd', 'gzip', 'deflate']
   */
  encodings?: readonly ContentEncoding[] | undefined;
  /**
   * The coding for clients that send no Accept-Encoding, or an empty one. One that is not offered is an error.
   * @default 'identity'
   */
  enforceEncoding?: ContentEncoding | 'identity' | undefined;
  /**
   * Options of the npm package's brotli streams. Of its `params`, `[zlib.constants.BROTLI_PARAM_QUALITY]` is taken as
   * `brotliLevel`, unless that is given; the rest has no effect.
   */
  brotli?: { params?: Record<number, number | boolean> | undefined; [name: string]: unknown } | undefined;
  /**
   * A flush value of zlib. Any but `Z_NO_FLUSH` sends every write to the client at once, in all codings.
   * @default zlib.constants.Z_NO_FLUSH
   */
  flush?: number | undefined;
  /** Of zlib's streams. Checked, and without effect: what comes out is valid with any value. So are those below. */
  finishFlush?: number | undefined;
  chunkSize?: number | undefined;
  windowBits?: number | undefined;
  memLevel?: number | undefined;
  strategy?: number | undefined;
}

/**
 * Middleware that compresses answers on another thread, whole or while they are written; the options and the behaviour
 * of the npm package `compression`, with brotli, zstd, gzip and deflate. For Express 4 and 5, `node:http`, `http2`, and
 * whatever calls `(request, response, next)`.
 *
 * An answer stays as it is if the filter says so, if it is known to be below the threshold, has a Content-Encoding or a
 * Content-Range, says `Cache-Control: no-transform`, answers HEAD, or if the client takes none of the codings. `Vary`
 * gets `Accept-Encoding` wherever the coding could matter; a strong ETag becomes a weak one when the bytes change.
 *
 * After `response.end()`, `write` and `end` answer false. `drain` comes when the compressor has room, whenever its
 * listener was added.
 *
 * `response.flush()` sends what was written so far; event streams (`text/event-stream`) are flushed after each write.
 * A body that comes with `end` alone is compressed in one piece; up to 4 KiB of it at once. Compressed answers have no
 * Content-Length.
 *
 * @throws TypeError or RangeError for an option that is wrong or unknown
 * @example
 * app.use(compression({ level: 6, threshold: 1024 }));
 */
export function compression(options?: CompressionMiddlewareOptions | null): HttpHandler;
export namespace compression {
  /** The default filter: whether the answer's Content-Type is one that gets smaller. */
  function filter(request: HttpRequest, response: HttpResponse): boolean;
}
