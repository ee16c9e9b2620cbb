'use strict';

// A worker file for functions of any file, or given as source text: what a FunctionPool's threads run.

const { createRequire } = require('node:module');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const vm = require('node:vm');
const { HotpathError } = require('../errors.js');
const { functionOf } = require('./handlers.js');

/** @typedef {(data: any, context: any) => any} Work */

/** By file or source text. @type {Map<string, Promise<Work>>} */
const loaded = new Map();

/** @param {string} file @returns {Promise<Work>} */
async function load(file) {
  // `import` takes both kinds of modules.
  const work = functionOf(await import(pathToFileURL(file).href));
  if (work === undefined) {
    throw new HotpathError('The worker file exports no function', { code: 'ERR_HOTPATH_WORKER_FILE' });
  }
  return work;
}

/** @param {string} source an expression whose value is the function @returns {Promise<Work>} */
async function compile(source) {
  const importModuleDynamically = /** @type {any} */ (vm.constants)?.USE_MAIN_CONTEXT_DEFAULT_LOADER;
  const script = new vm.Script(`(require) => ${source}`, { filename: 'hotpath:task', importModuleDynamically });
  return script.runInThisContext()(createRequire(path.join(process.cwd(), 'task.js')));
}

/**
 * @param {{ file?: string, source?: string, data: any, context: Record<string, unknown> }} task
 * @param {{ signal: AbortSignal }} pool
 */
module.exports = async function work({ file, source, data, context }, pool) {
  const name = file ?? `(${source}`;
  let ready = loaded.get(name);
  if (ready === undefined) {
    ready = file === undefined ? compile(/** @type {string} */ (source)) : load(file);
    loaded.set(name, ready);
    // A file that is mended meanwhile may be loaded again.
    ready.catch(() => loaded.delete(name));
  }
  const call = await ready;
  // Only who looks at the signal gets the time to heed it.
  const own = Object.defineProperty({ ...context }, 'signal', { get: () => pool.signal, enumerable: true });
  return call(data, own);
};
