import { createServer } from 'node:http';
import type { Http2SecureServer, Http2Server } from 'node:http2';
import { MemoryCache, RedisCache } from 'hotpath/cache';
import {
  compression,
  createHttp2Server,
  type ManagedWebSocket,
  type RateLimitInfo,
  type ResponseCacheStats,
  rateLimit,
  responseCache,
  tuneServer,
  WebSocketManager,
} from 'hotpath/http';
import { WebSocket } from 'ws';
import { expectType } from './expect.js';

const responses = responseCache({
  cache: new MemoryCache(),
  ttlMs: 1000,
  tags: (request) => [request.url],
  identity: (request) => request.user?.id,
  compression: { encodings: ['br', 'gzip'], brotliLevel: 5 },
});
responseCache({ cache: new RedisCache({ url: 'redis://localhost' }) });
expectType<ResponseCacheStats>()(responses.stats);
expectType<Promise<number>>()(responses.invalidateTags('a'));
expectType<Promise<boolean>>()(responses.deleteKey('a'));
createServer(responses.front(createServer));
createServer(responseCache.front(() => {}, { ttlMs: 1000 }));
expectType<ResponseCacheStats>()(responseCache.front(() => {}).responses.stats);
// @ts-expect-error seconds are not said here
responseCache({ ttl: 60 });
// @ts-expect-error no such coding
responseCache({ compression: { encodings: ['lz4'] } });

compression({ memLevel: 8, flush: 2, brotli: { params: { 1: 5 } } });
compression(null);
compression({ level: 6, threshold: 1024, filter: (request, response) => compression.filter(request, response) });
// @ts-expect-error misspelt
compression({ memLevels: 8 });

const limiter = rateLimit({
  limit: async () => 5,
  store: new RedisCache({ url: 'redis://localhost' }),
  handler: (_request, _response, _next, info) => expectType<RateLimitInfo>()(info),
});
rateLimit({ store: new MemoryCache(), headers: false });
expectType<Promise<void>>()(limiter.reset('a'));
// @ts-expect-error no such form
rateLimit({ headers: 'draft-1' });

expectType<import('node:http').Server>()(tuneServer(createServer(), { keepAliveTimeout: 1 }));
expectType<Http2SecureServer>()(createHttp2Server({ key: 'a', cert: 'b' }, () => {}));
expectType<Http2Server>()(createHttp2Server(() => {}));

const manager = new WebSocketManager({ maxConnections: 5, heartbeatMs: 0 });
expectType<boolean>()(manager.addConnection('ann', new WebSocket('ws://localhost')));
expectType<number>()(manager.broadcast({ a: 1 }, { except: 'ann', filter: (userId) => userId !== 'bob' }));
expectType<ManagedWebSocket | undefined>()(manager.getConnection('ann'));
expectType<number>()(manager.stats.timedOut);
// @ts-expect-error users have names
manager.addConnection(5, new WebSocket('ws://localhost'));
