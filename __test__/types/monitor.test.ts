import {
  MemoryMonitor,
  type MetricsService,
  type PerformanceCollector,
  PerformanceMonitor,
  PerformanceMonitoringEngine,
  alertChannels,
  createPerformanceLogger,
  metricsService,
  performanceCollector,
  performanceMonitor,
  profile,
  timingMiddleware,
  type EngineSummary,
  type HistogramValue,
  type MetricPoint,
  type PerformanceMetrics,
  type PerformanceStats,
} from 'hotpath';
import { expectType } from './expect.js';

expectType<MetricsService>()(metricsService);
expectType<PerformanceCollector>()(performanceCollector);
expectType<PerformanceMonitor>()(performanceMonitor);
const histogram = metricsService.histogram('a_seconds', { labelNames: ['route'], buckets: [1, 2] });
histogram.labels({ route: '/a' }).record(1);
expectType<HistogramValue>()(histogram.labels({ route: 5 }).value);
expectType<number>()(metricsService.counter('a_total').value);
expectType<number>()(histogram.startTimer()());
expectType<Promise<string>>()(metricsService.getPrometheusMetrics());
expectType<number>()(metricsService.getSystemMetrics().cpu.usage);
expectType<Record<string, number>>()(metricsService.getApplicationMetrics().errors.byType);
// @ts-expect-error counters have no buckets
metricsService.counter('b_total', { buckets: [1] });
// @ts-expect-error no such format
metricsService.stream('xml');
expectType<PerformanceStats | null>()(performanceCollector.getStats('a'));
expectType<MetricPoint[]>()(performanceMonitor.getMetrics('a'));
expectType<PerformanceMetrics>()(performanceMonitor.getMetrics());
expectType<PerformanceStats | null>()(performanceMonitor.calculateStats('a', 5));
// @ts-expect-error thresholds stand in options.options
new PerformanceMonitor({ thresholds: {} });
const engine = new PerformanceMonitoringEngine({ alertThresholds: { cpu: 5 } });
expectType<EngineSummary>()(engine.getSummary());
expectType<Promise<string>>()(engine.exportMetrics('csv'));
// @ts-expect-error no such format
engine.exportMetrics('xml');
expectType<'normal' | 'warning' | 'critical'>()(new MemoryMonitor().state);
expectType<Promise<boolean>>()(alertChannels.webhook('http://127.0.0.1').send({}));
expectType<boolean>()(createPerformanceLogger().logSlowOperation('a', 5));
timingMiddleware({ slowMs: 5, route: (request: { url: string }) => request.url });
// @ts-expect-error no such profile
profile({ type: 'gpu' });
