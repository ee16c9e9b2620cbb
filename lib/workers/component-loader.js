'use strict';

const fs = require('node:fs/promises');
const path = require('node:path');
const { fileURLToPath, pathToFileURL } = require('node:url');
const { DISPOSE, addAliases } = require('../aliases.js');
const { HotpathError, invalidArgType, outOfRange } = require('../errors.js');
const check = require('../validate.js');

const DIRECTORY = './components';

/** What may stand behind a name that has no extension of its own, in this order. */
const EXTENSIONS = Object.freeze(['', '.js', '.mjs', '.cjs', '.ts', '.mts', '.cts']);
const INDEXES = Object.freeze(EXTENSIONS.slice(1).map((extension) => path.join('/', `index${extension}`)));

class ComponentLoader {
  /** Answers with a component's module, or with the file that it is in. */
  #resolve;
  /** Instances, and those that are being made. @type {Map<string, Promise<any>>} */
  #components = new Map();
  #loads = 0;
  #hits = 0;
  #failures = 0;

  /** @param {unknown} [resolverOrDirectory] */
  constructor(resolverOrDirectory = DIRECTORY) {
    this.#resolve =
      typeof resolverOrDirectory === 'function'
        ? /** @type {(name: string) => any} */ (resolverOrDirectory)
        : inDirectory(directoryOf(resolverOrDirectory));
  }

  /** @param {string} name */
  async loadComponent(name) {
    checkName(name);
    const known = this.#components.get(name);
    if (known !== undefined) {
      this.#hits++;
      return known;
    }
    this.#loads++;
    const loading = this.#load(name);
    this.#components.set(name, loading);
    try {
      return await loading;
    } catch (error) {
      this.#failures++;
      // The next one tries again, unless somebody cleared and began anew meanwhile.
      if (this.#components.get(name) === loading) this.#components.delete(name);
      throw error;
    }
  }

  /** @param {string} name */
  async #load(name) {
    const found = await this.#resolve(name);
    const module = typeof found === 'string' || found instanceof URL ? await importFile(found) : found;
    const Component = constructorOf(module);
    if (Component === undefined) {
      throw new HotpathError('The component has no default export that can be constructed', {
        code: 'ERR_HOTPATH_COMPONENT',
        component: name,
      });
    }
    return new Component();
  }

  /** @param {string} name */
  has(name) {
    return this.#components.has(name);
  }

  /** @param {string} [name] */
  clear(name) {
    if (name === undefined) this.#components.clear();
    else this.#components.delete(name);
  }

  get stats() {
    return { components: this.#components.size, loads: this.#loads, hits: this.#hits, failures: this.#failures };
  }
}

/** @param {unknown} value */
function directoryOf(value) {
  if (value instanceof URL) return fileURLToPath(value);
  if (typeof value !== 'string') throw invalidArgType('a directory or a function', 'resolver', value);
  return path.resolve(check.nonEmptyString(value, 'resolver'));
}

/** @param {unknown} name */
function checkName(name) {
  if (typeof name !== 'string') throw invalidArgType('a string', 'name', name);
  if (name === '') throw outOfRange('a non-empty string', 'name', name);
}

/**
 * Finds components in a directory, and nowhere else: neither by `..`, nor by an absolute path, nor through a link that
 * leads out of it.
 * @param {string} directory
 */
function inDirectory(directory) {
  return async (/** @type {string} */ name) => {
    const wanted = path.resolve(directory, name);
    if (name.includes('\0') || path.isAbsolute(name) || !isInside(directory, wanted)) throw escapes(name);
    const root = await realPath(directory);
    for (const ending of [...EXTENSIONS, ...INDEXES]) {
      const real = await realFile(wanted + ending);
      if (real === undefined || root === undefined) continue;
      if (!isInside(root, real)) throw escapes(name);
      return real;
    }
    throw new HotpathError('There is no such component', { code: 'ERR_HOTPATH_COMPONENT_NOT_FOUND', component: name });
  };
}

/** @param {string} directory @param {string} file */
function isInside(directory, file) {
  const way = path.relative(directory, file);
  return way !== '' && way !== '..' && !way.startsWith(`..${path.sep}`) && !path.isAbsolute(way);
}

/** @param {string} file @returns {Promise<string | undefined>} where it really is, if it is a file */
async function realFile(file) {
  const real = await realPath(file);
  return real !== undefined && (await fs.stat(real)).isFile() ? real : undefined;
}

/** @param {string} place @returns {Promise<string | undefined>} */
async function realPath(place) {
  try {
    return await fs.realpath(place);
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** @param {string} name */
function escapes(name) {
  return outOfRange('a name inside the directory', 'name', name);
}

/** @param {string | URL} file */
function importFile(file) {
  const isUrl = file instanceof URL || file.startsWith('file:');
  return import(isUrl ? String(file) : pathToFileURL(path.resolve(file)).href);
}

/** @param {any} module */
function constructorOf(module) {
  for (const candidate of [module?.default, module?.default?.default, module]) {
    if (typeof candidate === 'function') return candidate;
  }
  return undefined;
}

addAliases(ComponentLoader, { [DISPOSE]: 'clear' });

module.exports = { ComponentLoader };
