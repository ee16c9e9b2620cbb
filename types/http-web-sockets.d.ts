import { EventEmitter } from 'node:events';

/** What the manager needs of a socket; one of the package `ws` has it. */
export interface ManagedWebSocket {
  readonly readyState: number;
  readonly bufferedAmount: number;
  // biome-ignore lint/suspicious/noExplicitAny: the overloads of the package ws.
  send(data: any, ...rest: any[]): void;
  // biome-ignore lint/suspicious/noExplicitAny: the overloads of the package ws.
  ping(...rest: any[]): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
  // biome-ignore lint/suspicious/noExplicitAny: the overloads of the package ws.
  on(event: any, listener: (...values: any[]) => void): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: the overloads of the package ws.
  off(event: any, listener: (...values: any[]) => void): unknown;
}

export interface WebSocketManagerOptions {
  /**
   * Most connections at a time. A positive integer.
   * @default 1000
   */
  maxConnections?: number | undefined;
  /**
   * How often each connection is pinged; who has not answered by the next time is cut off. Milliseconds, 0 for never.
   * @default 30000
   */
  heartbeatMs?: number | undefined;
  /**
   * A client that leaves more bytes unread than this gets no further messages until it has read.
   * @default 16777216
   */
  maxBufferedBytes?: number | undefined;
  /** What monitors call it. */
  name?: string | undefined;
  /**
   * Where connections and messages are counted.
   * @default metricsService
   */
  metrics?: { recordWebSocketConnection(connected: boolean): void; recordWebSocketMessage(): void } | undefined;
}

export interface WebSocketManagerStats {
  connections: number;
  maxConnections: number;
  /** Most connections at a time so far. */
  peakConnections: number;
  /** Connections that were added, and those that have left since. */
  opened: number;
  closed: number;
  /** Connections that gave way to a newer one of their user. */
  replaced: number;
  /** Connections that were turned away because there were too many. */
  refused: number;
  /** Connections that did not answer a ping. */
  timedOut: number;
  /** Messages from clients. */
  received: number;
  /** Messages handed to sockets. */
  sent: number;
  /** Messages not sent because a client did not read. */
  dropped: number;
  /** Errors of sockets. */
  errors: number;
}

/**
 * The open WebSockets of an application, one for each user: a limit on their number, a heartbeat that finds those that
 * are gone, and messages to all. For sockets of the package `ws`.
 *
 * Events: `connected` and `disconnected` with the user's id, `refused` with the id of one who was turned away.
 * One timer for all connections, which keeps no process alive.
 *
 * @example
 * const manager = new WebSocketManager({ maxConnections: 1000 });
 * server.on('connection', (socket, request) => manager.addConnection(userOf(request), socket));
 * manager.broadcast({ type: 'price', value: 42 });
 */
export class WebSocketManager extends EventEmitter {
  /** @throws TypeError or RangeError for an option that is wrong or unknown */
  constructor(options?: WebSocketManagerOptions);

  get maxConnections(): number;
  /** Connections now. */
  get size(): number;
  get closed(): boolean;
  /** A snapshot. */
  get stats(): WebSocketManagerStats;

  /**
   * Takes a socket up. An older one of the same user is closed with 1000. Where there are too many, those that are gone
   * are taken out first; if that does not help, the socket is closed with 1013 (try again later).
   * @returns whether the socket was taken up; false also for one that is not open
   * @throws TypeError for a wrong argument
   * @throws HotpathClosedError after `close`
   */
  addConnection(userId: string, socket: ManagedWebSocket): boolean;
  /** Closes a user's connection. @returns whether there was one */
  removeConnection(userId: string, code?: number, reason?: string): boolean;
  /** A user's socket. */
  getConnection(userId: string): ManagedWebSocket | undefined;
  /**
   * Sends to one user: text and bytes as they are, everything else as JSON.
   * @returns whether it was handed to the socket
   * @throws HotpathClosedError after `close`
   */
  send(userId: string, data: unknown): boolean;
  /**
   * Sends to all users, or to those that the options leave.
   * @returns to how many
   * @throws HotpathClosedError after `close`
   */
  broadcast(
    data: unknown,
    options?: {
      except?: string | readonly string[] | undefined;
      filter?: ((userId: string, socket: ManagedWebSocket) => boolean) | undefined;
    },
  ): number;
  /** Takes out connections that are not open any more. @returns how many */
  cleanupInactiveConnections(): number;
  /** Closes all connections with 1001. May be called again. */
  close(): void;
  /** `close`, for `using`. */
  [Symbol.dispose](): void;
}
