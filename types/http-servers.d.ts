import type { Server as HttpServer } from 'node:http';
import type { Http2SecureServer, Http2Server, SecureServerOptions, ServerOptions } from 'node:http2';
import type { Server as HttpsServer } from 'node:https';
import type { HttpListener } from './http-common.js';

export interface ServerTimeouts {
  /**
   * How long a connection without a request stays open, in milliseconds. Longer than that of the proxy in front: whoever
   * closes first causes the other's errors.
   * @default 65000
   */
  keepAliveTimeout?: number | undefined;
  /**
   * How long the head of a request may take, in milliseconds. More than `keepAliveTimeout`; 0 for no limit.
   * @default 66000, or 1000 more than keepAliveTimeout
   */
  headersTimeout?: number | undefined;
}

/**
 * Sets the timeouts of a server that stands behind a load balancer, and returns the server.
 * @throws TypeError for what is no server, TypeError or RangeError for an option that is wrong or unknown
 */
export function tuneServer<S extends HttpServer | HttpsServer | Http2Server | Http2SecureServer>(
  server: S,
  options?: ServerTimeouts,
): S;

/**
 * An HTTP/2 server for an application that was written for HTTP/1.1: Express 4 and 5, or any listener. With `key` and
 * `cert` (or `pfx`) it speaks TLS, tells its protocols by ALPN, and serves HTTP/1.1 to whoever asks for it, with the
 * timeouts of {@link tuneServer}; without, it speaks HTTP/2 in clear text (h2c), for a proxy in front.
 *
 * `request.headers.host` holds the authority; fields that HTTP/2 forbids in an answer (`Connection`, ...) are dropped.
 * Costs some twenty microseconds a request beyond node:http2's own interface.
 *
 * @param options those of `http2.createSecureServer`
 * @throws TypeError when an argument is of a wrong type, and what node:http2 throws
 * @example
 * createHttp2Server({ key, cert }, app).listen(443);
 */
export function createHttp2Server(
  options: SecureServerOptions & ({ key: unknown } | { pfx: unknown } | { cert: unknown }),
  app?: HttpListener,
): Http2SecureServer;
export function createHttp2Server(options?: ServerOptions, app?: HttpListener): Http2Server;
export function createHttp2Server(app: HttpListener): Http2Server;
