export { PerformanceDashboard } from './performance-dashboard.mjs';
export { usePerformance } from './use-performance.mjs';
