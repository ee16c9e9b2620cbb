import {
  ComponentLoader,
  HotpathAbortError,
  HotpathQueueFullError,
  HotpathWorkerError,
  ObjectPool,
  WorkerPool,
  type WorkerPoolFigures,
  type WorkerPoolStats,
} from 'hotpath';
import { WorkerPool as FromArea } from 'hotpath/workers';
import { expectType } from './expect.js';

const pool = new WorkerPool<{ input: string }, number>('./worker.js', {
  maxWorkers: 4,
  minWorkers: 0,
  reuseWorkers: true,
  timeout: Number.POSITIVE_INFINITY,
  maxQueue: 100,
  idleTimeoutMs: 1_000,
  concurrentTasksPerWorker: 2,
  resourceLimits: { maxOldGenerationSizeMb: 64 },
  recycle: { maxTasks: 100, maxHeapMB: 200 },
  blocking: false,
  name: 'shared',
});

expectType<Promise<number>>()(pool.execute({ input: 'a' }));
expectType<Promise<number>>()(
  pool.execute(
    { input: 'a' },
    {
      priority: WorkerPool.PRIORITY.HIGH,
      retries: 0,
      timeout: 10,
      backoff: { initialMs: 1, factor: 2, maxMs: 3, jitter: 0.5 },
      signal: AbortSignal.timeout(5),
      transferList: [new ArrayBuffer(1)],
    },
  ),
);
expectType<Promise<number>>()(pool.execute({ input: 'a' }, { backoff: 5 }));
// @ts-expect-error not what the pool works on
pool.execute({ output: 'a' });
// @ts-expect-error no such option
pool.execute({ input: 'a' }, { retry: 1 });
// @ts-expect-error no such option
new WorkerPool('./worker.js', { workers: 1 });
expectType<WorkerPoolStats>()(pool.getStats());
expectType<string>()(pool.getStats().jobs.successRate);
expectType<WorkerPoolFigures>()(pool.stats);
expectType<number>()(pool.stats.waitMs.p99);
expectType<10>()(WorkerPool.PRIORITY.HIGH);
expectType<Promise<void>>()(pool.terminate());
expectType<Promise<void>>()(pool.drain());
expectType<string | undefined>()(pool.name);
pool.on('jobFailed', ({ jobId, error, attempts }) => {
  expectType<number>()(jobId);
  expectType<number>()(attempts);
  expectType<unknown>()(error);
});
pool.once('workerExited', ({ reason }) => {
  if (reason === 'recycled') return;
  // @ts-expect-error no such reason
  if (reason === 'bored') return;
});
// @ts-expect-error no such event
pool.on('jobDone', () => {});
expectType<typeof WorkerPool>()(FromArea);

export function explain(error: unknown): string {
  if (error instanceof HotpathWorkerError) return `${error.exitCode}`;
  if (error instanceof HotpathQueueFullError) return `${error.waiting}`;
  return error instanceof HotpathAbortError ? 'aborted' : 'failed';
}

const objects = new ObjectPool(
  () => ({ user: null as string | null }),
  (context) => {
    context.user = null;
  },
  5,
  { maxSize: 10 },
);
expectType<{ user: string | null }>()(objects.acquire());
expectType<Promise<number>>()(objects.use(async () => 1));
expectType<number>()(objects.stats.inUse);

const loader = new ComponentLoader<{ render(): string }>('./components');
expectType<Promise<{ render(): string }>>()(loader.loadComponent('header'));
new ComponentLoader((name) => import(`./${name}.js`));
