export * from './http-router.js';
