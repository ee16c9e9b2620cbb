import { KeyvStore, NodeCache, SessionStore, createKeyv, MemoryCache, type NodeCacheStats } from 'hotpath';
import * as adapters from 'hotpath/adapters';
import { expectType } from './expect.js';

const nodeCache = new NodeCache({ stdTTL: 10, useClones: false });
expectType<boolean>()(nodeCache.set('a', { b: 1 }, 5));
expectType<{ b: number } | undefined>()(nodeCache.get<{ b: number }>('a'));
expectType<Record<string, number>>()(nodeCache.mget<number>(['a', 1]));
expectType<number>()(nodeCache.del(['a', 2]));
expectType<NodeCacheStats>()(nodeCache.getStats());
expectType<number | undefined>()(nodeCache.getTtl('a'));
// @ts-expect-error keys are strings or numbers
nodeCache.get({});

const store = new KeyvStore({ maxMemoryMB: 10 });
expectType<Promise<boolean>>()(store.set('a', 1, 1000));
new KeyvStore({ cache: new MemoryCache() });
// @ts-expect-error not a cache
new KeyvStore({ cache: 5 });
createKeyv({ namespace: 'a', ttl: 5, maxEntries: 10 });

const sessions = new adapters.SessionStore({ prefix: 's:', ttlMs: 1000, maxEntries: 10 });
expectType<void>()(sessions.get('id', (error, session) => void [error, session]));
expectType<SessionStore>()(sessions);
// @ts-expect-error milliseconds are a number
new SessionStore({ ttlMs: '1h' });
