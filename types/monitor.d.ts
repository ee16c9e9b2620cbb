export * from './monitor-metrics.js';
export * from './monitor-more.js';
export * from './monitor-performance.js';
export * from './monitor-services.js';
