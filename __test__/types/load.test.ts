import {
  type HotpathLoadTestError,
  LoadTester,
  PerformanceTests,
  PerformanceTestSuite,
  runMemoryTest,
  type LoadProgress,
  type LoadResult,
  type MemoryTestResult,
  type PerformanceReport,
  type ScenarioResult,
} from 'hotpath';
import { expectType } from './expect.js';

const tester = new LoadTester({
  allowRemote: false,
  progressBar: process.stderr,
  progressIntervalMs: 100,
  logger: false,
});

expectType<Promise<LoadResult>>()(tester.runLoadTest({ url: 'http://localhost', requests: 10, concurrency: 2 }));
expectType<Promise<ScenarioResult>>()(tester.runLoadTest('test.yml', { seed: 5 }));
expectType<Promise<ScenarioResult>>()(tester.runScenario('test.yml', { target: new URL('http://localhost') }));
expectType<Promise<PerformanceReport & { loadTest: ScenarioResult }>>()(tester.runPerformanceTest());
expectType<boolean>()(tester.closed);
expectType<number>()(tester.running);
expectType<Promise<void>>()(tester.destroy());
tester.on('progress', (figures) => expectType<LoadProgress>()(figures));
tester.on('done', (result) => expectType<LoadResult>()(result));

// @ts-expect-error: a test needs an address
tester.runLoadTest({ requests: 10 });
// @ts-expect-error: methods are written in capitals
tester.runLoadTest({ url: 'http://localhost', method: 'get' });
// @ts-expect-error: unknown
tester.runLoadTest({ url: 'http://localhost', request: 10 });
// @ts-expect-error: a file says how many
tester.runScenario('test.yml', { requests: 10 });

declare const result: LoadResult;
expectType<number>()(result.latency.p99);
expectType<number | undefined>()(result.errors.timeout);
expectType<string>()(result.histogram.encoded);
declare const failure: HotpathLoadTestError;
expectType<ScenarioResult | undefined>()(failure.result);

expectType<Promise<MemoryTestResult>>()(runMemoryTest({ iterations: 10 }));
new PerformanceTests().runCachePerformanceTest().then((report) => expectType<number>()(report.opsPerSecond));
new PerformanceTestSuite({ durationScale: 0.1 }).runAllTests().then((report) => {
  expectType<number>()(report.unit.averageMs);
});
