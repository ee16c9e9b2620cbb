export * from './types/cache.js';
export * from './types/errors.js';
