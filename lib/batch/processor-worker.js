'use strict';

// Runs in worker threads: calls the function that a processor's file exports.

const { pathToFileURL } = require('node:url');
const { HotpathError } = require('../errors.js');

/** @type {Map<string, Promise<(items: any[], context: any) => any>>} */
const loaded = new Map();

/** @param {string} file */
async function load(file) {
  // `import` takes both kinds of modules.
  const module = await import(pathToFileURL(file).href);
  const processor = [module.default, module.default?.default, module].find(
    (candidate) => typeof candidate === 'function',
  );
  if (processor === undefined) {
    throw new HotpathError('The file of the processor exports no function', { code: 'ERR_HOTPATH_UNKNOWN_PROCESSOR' });
  }
  return processor;
}

/** @param {{ file: string, items: any[], context: any }} task */
module.exports = async function processChunk({ file, items, context }) {
  let processor = loaded.get(file);
  if (processor === undefined) {
    processor = load(file);
    loaded.set(file, processor);
  }
  return (await processor)(items, context);
};
