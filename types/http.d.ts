export * from './http-common.js';
export * from './http-compression.js';
export * from './http-rate-limit.js';
export * from './http-response-cache.js';
export * from './http-servers.js';
export * from './http-web-sockets.js';
