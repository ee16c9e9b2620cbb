export * from './http-load.js';
export * from './performance-tests.js';
export * from './http-router.js';
