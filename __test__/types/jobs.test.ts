import { AsyncProcessingEngine, type Job, type JobStats, type JobStatus } from 'hotpath';
import { AsyncProcessingEngine as FromArea } from 'hotpath/workers';
import { expectType } from './expect.js';

const jobs = new AsyncProcessingEngine({
  name: 'shared',
  maxConcurrentJobs: Number.POSITIVE_INFINITY,
  jobTimeout: 1_000,
  retryAttempts: 3,
  retryDelay: 1_000,
  store: new URL('file:///tmp/jobs'),
  maxFinishedJobs: 10,
  maxDeadLetters: 10,
  maxStoreBytes: 1_000_000,
});
new AsyncProcessingEngine({ backend: 'bullmq', connection: { host: '127.0.0.1' } });
// @ts-expect-error an unknown backend
new AsyncProcessingEngine({ backend: 'redis' });
// @ts-expect-error an unknown option
new AsyncProcessingEngine({ concurrency: 1 });

expectType<AsyncProcessingEngine>()(
  jobs.registerProcessor('double', async (data: { value: number }, { jobId, attempt, signal, progress }) => {
    expectType<string>()(jobId);
    expectType<number>()(attempt);
    expectType<AbortSignal>()(signal);
    expectType<boolean>()(progress(0.5));
    return data.value * 2;
  }),
);
jobs.registerProcessor('file', './worker.js', { maxWorkers: 2 });
// @ts-expect-error pool options are for files
jobs.registerProcessor('function', () => {}, { maxWorkers: 2 });

const options = { priority: 1, timeout: 5, delayMs: 1, retries: 0, group: 'g', id: 'i' };
expectType<Promise<{ jobId: string; status: 'queued' }>>()(jobs.submitJob('double', { value: 1 }, options));
// @ts-expect-error it is delayMs
jobs.submitJob('double', 1, { delay: 1 });
expectType<Promise<Job<{ value: number }, number> | undefined>>()(jobs.getJob<{ value: number }, number>('i'));
expectType<Promise<boolean>>()(jobs.cancelJob('i'));
expectType<Promise<number>>()(jobs.retryDeadLetters({ limit: 5 }));
expectType<Promise<number>>()(jobs.retryDeadLetters({ jobIds: ['i'] }));
expectType<Promise<JobStats>>()(jobs.getStats());
expectType<string[]>()(jobs.types);
expectType<Promise<void>>()(jobs.drain());

jobs.on('completed', ({ jobId, durationMs, result }) => {
  expectType<string>()(jobId);
  expectType<number>()(durationMs);
  expectType<unknown>()(result);
});
jobs.on('dead', ({ attempts }) => expectType<number>()(attempts));
jobs.on('error', (error) => expectType<Error>()(error));
expectType<typeof AsyncProcessingEngine>()(FromArea);

export function isOver(status: JobStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}
