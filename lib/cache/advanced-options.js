'use strict';

// Options of the advanced cache, and where it keeps its files when it is not told.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { programFolder } = require('../main-program.js');
const check = require('../validate.js');

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const DAY_MS = 86_400_000;

const DEFAULTS = {
  memoryLimit: 100 * MIB,
  diskLimit: 5 * GIB,
  maxAge: 7 * DAY_MS,
  promotionThreshold: 5,
  predictiveLoading: false,
};
const OPTIONS = [...Object.keys(DEFAULTS), 'name', 'directory', 'streamLimit'];

/** The folder of the system for what can be made anew. */
function systemCacheFolder() {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (process.platform === 'win32') return LOCALAPPDATA ?? path.join(os.homedir(), 'AppData', 'Local');
  if (process.platform === 'darwin') return path.join(os.homedir(), 'Library', 'Caches');
  return XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache');
}

/** The name of the package that this process runs, or of the folder that its program is in. */
function packageName() {
  const start = programFolder();
  for (let folder = start; ; folder = path.dirname(folder)) {
    const { name } = readPackage(path.join(folder, 'package.json'));
    if (typeof name === 'string') return name.replace(/[^\w.-]+/g, '-');
    if (folder === path.dirname(folder)) return path.basename(start) || 'default';
  }
}

/** @param {string} file @returns {{ name?: unknown }} */
function readPackage(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')) ?? {};
  } catch {
    return {};
  }
}

function defaultDirectory() {
  return path.join(systemCacheFolder(), 'hotpath', packageName());
}

/** @param {unknown} options */
function advancedCacheOptions(options) {
  const given = check.options(options, 'options', OPTIONS);
  const { name, directory, streamLimit, ...others } = given;
  const { memoryLimit, diskLimit, maxAge, promotionThreshold, predictiveLoading } = { ...DEFAULTS, ...others };
  return {
    /** What was given: other handles have to agree with these. */
    explicit: { memoryLimit: given.memoryLimit, diskLimit: given.diskLimit, maxAge: given.maxAge },
    name: name === undefined ? undefined : check.nonEmptyString(name, 'options.name'),
    directory: directory === undefined ? undefined : check.nonEmptyString(directory, 'options.directory'),
    streamLimit: streamLimit === undefined ? undefined : check.positiveInteger(streamLimit, 'options.streamLimit'),
    memoryLimit: check.positiveInteger(memoryLimit, 'options.memoryLimit'),
    diskLimit: check.positiveInteger(diskLimit, 'options.diskLimit'),
    maxAge: check.positiveNumber(maxAge, 'options.maxAge'),
    promotionThreshold: check.nonNegativeInteger(promotionThreshold, 'options.promotionThreshold'),
    predictiveLoading: check.boolean(predictiveLoading, 'options.predictiveLoading'),
  };
}

module.exports = { advancedCacheOptions, defaultDirectory };
