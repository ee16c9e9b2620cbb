export * from './http-common.js';
export * from './http-compression.js';
export * from './http-response-cache.js';
