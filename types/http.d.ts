export * from './http-load.js';
export * from './performance-tests.js';
