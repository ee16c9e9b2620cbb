export * from './batch-intents.js';
