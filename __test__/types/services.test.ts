import {
  AdvancedCacheManager,
  type Comparison,
  type HealthReport,
  type OptimizationConfig,
  type OptimizationRun,
  OptimizationService,
  type PerformanceAction,
  PerformanceService,
  type ServicePoint,
  type ServiceSummary,
  type Trend,
  legacyRoutes,
  metricsService,
  optimizationService,
  performanceRouter,
  performanceService,
} from 'hotpath';
import { expectType } from './expect.js';

expectType<PerformanceService>()(performanceService);
expectType<OptimizationService>()(optimizationService);

const cache = new AdvancedCacheManager();
const performance = new PerformanceService({
  services: { cache, metrics: metricsService, optimization: optimizationService },
  alertConfig: {
    responseTime: { threshold: 500 },
    cacheHitRate: { threshold: 0.8, severity: 'medium', reverse: true },
  },
  metricsIntervalMs: 10_000,
});
expectType<ServiceSummary>()(performance.getSummary());
expectType<number>()(performance.getSummary().metrics.cacheHitRate);
expectType<ServicePoint[]>()(performance.getHistory(10));
expectType<Trend>()(performance.getTrends().responseTime);
expectType<HealthReport>()(performance.health());
expectType<PerformanceService>()(performance.attach({ cache }));
// @ts-expect-error: unknown
new PerformanceService({ metricInterval: 1 });
// @ts-expect-error: there is no such severity
new PerformanceService({ alertConfig: { errorRate: { severity: 'dire' } } });

const optimization = new OptimizationService({ cacheOptimization: { hitRateThreshold: 0.8 }, auto: false });
expectType<Promise<OptimizationRun>>()(optimization.runOptimization({ areas: ['cache'], wait: false }));
expectType<OptimizationConfig>()(optimization.updateConfig({ queryOptimization: { resultCaching: true } }));
expectType<Promise<number[]>>()(optimization.query('SELECT $1', [1], async () => [1]));
expectType<Promise<Comparison>>()(
  optimization.compare(() => 1, { name: 'b', run: async () => 2 }, { rounds: 10, better: 'higher' }),
);
// @ts-expect-error: there is no such area
optimization.runOptimization({ areas: ['everything'] });
// @ts-expect-error: whole groups are not needed, but what is in them has a type
optimization.updateConfig({ cacheOptimization: { hitRateThreshold: 'high' } });

const router = performanceRouter(
  { cache, performance, optimization },
  {
    authorize: async (_request, action) => {
      expectType<PerformanceAction>()(action);
      return action === 'cache.clear';
    },
    processors: { default: (items) => items },
    loadTestTarget: new URL('http://127.0.0.1:3000'),
  },
);
router({}, {}, () => {});
expectType<void>()(router.close());
// @ts-expect-error: unknown
performanceRouter({ chache: cache });
// @ts-expect-error: unknown
performanceRouter({}, { authorise: () => true });
legacyRoutes({ monitor: undefined })({}, {});
