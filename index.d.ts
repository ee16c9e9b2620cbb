export * from './types/adapters.js';
export * from './types/batch.js';
export * from './types/cache.js';
export * from './types/connections.js';
export * from './types/compute.js';
export * from './types/errors.js';
export * from './types/memory.js';
export * from './types/monitor.js';
