export * from './batch-data.js';
export * from './batch-engine.js';
export * from './batch-intents.js';
