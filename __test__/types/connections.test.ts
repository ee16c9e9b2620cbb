import { ConnectionPoolManager, type PoolMetrics, type PoolsClosed } from 'hotpath/connections';
import { expectType } from './expect.js';

const pools = new ConnectionPoolManager({ healthCheckIntervalMs: 1000 });
expectType<Promise<{ ping(): unknown }>>()(pools.getRedisPool<{ ping(): unknown }>({ host: 'a', port: 1 }));
expectType<Promise<unknown>>()(pools.getSqlPool({ min: 1, max: 2, idle: 5, acquire: 6, evict: 7 }));
expectType<PoolMetrics | undefined>()(pools.getPoolMetrics('redis:1'));
expectType<Promise<PoolsClosed>>()(pools.closeAllPools());
expectType<string>()(pools.generatePoolKey('redis', {}));
// @ts-expect-error a connection string is needed
pools.getMongoPool({ maxPoolSize: 5 });
// @ts-expect-error no such option
new ConnectionPoolManager({ healthCheck: 5 });
