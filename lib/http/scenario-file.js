'use strict';

// Scenario files in the format of Artillery, YAML or JSON: who arrives, when, and with which data.

const fs = require('node:fs/promises');
const path = require('node:path');
const { HotpathLoadTestError, outOfRange } = require('../errors.js');
const { checkUrl } = require('./load-target.js');
const { duration, fields, flag, list, number, text } = require('./scenario-checks.js');
const { readEnsure } = require('./scenario-ensure.js');
const { compileScenarios, declareCaptures } = require('./scenario-flow.js');
const { Variables, scenarioError } = require('./scenario-template.js');

const MOST_BYTES = 4 * 2 ** 20;
const MOST_PAYLOAD_BYTES = 256 * 2 ** 20;
const MOST_USERS = 1e9;

const CONFIG = ['target', 'phases', 'payload', 'variables', 'defaults', 'http', 'tls', 'ensure'];
const PHASE = ['name', 'duration', 'arrivalRate', 'rampTo', 'arrivalCount', 'maxVusers', 'pause'];
const PAYLOAD = ['path', 'fields', 'order', 'skipHeader', 'delimiter', 'cast'];

/**
 * @param {string} file
 * @param {{ seed: number, target: URL | undefined }} options
 */
async function readScenario(file, { seed, target }) {
  const { config, scenarios } = await parse(file);
  const { defaults, ensure, http, payload, phases, tls, variables: given, ...rest } = fields(config, 'config', CONFIG);
  const variables = new Variables();
  const values = readVariables(given ?? {}, variables);
  const payloads = await readPayloads(payload ?? [], variables, path.dirname(file));
  declareCaptures(scenarios, variables);
  const url = target ?? readTarget(rest.target);
  const arrivals = list(phases, 'config.phases').map(readPhase);
  const flows = compileScenarios(scenarios, { variables, origin: url.origin, defaults });
  const durationMs = arrivals.reduce((sum, phase) => sum + phase.durationMs, 0);
  const { timeout } = fields(http ?? {}, 'config.http', ['timeout']);
  return {
    target: url,
    durationMs,
    timeoutMs: timeout === undefined ? undefined : Math.max(1, duration(timeout, 'config.http.timeout')),
    insecure: readTls(tls ?? {}),
    ensure: readEnsure(ensure ?? {}),
    names: flows.map(({ name }) => name),
    phases: arrivals.map(({ name }) => name),
    // Enough to choose a number of threads by: the rate is what costs.
    usersAtOnce: Math.ceil(Math.max(...arrivals.map(({ from, to }) => Math.max(from, to)))),
    users: {
      phases: arrivals.map(({ durationMs: length, from, to, most }) => ({ durationMs: length, from, to, most })),
      scenarios: flows.map(({ weight, steps }) => ({ weight, steps })),
      slots: variables.size,
      variables: values,
      payloads,
      seed,
    },
  };
}

/** @param {string} file */
async function parse(file) {
  const source = await read(file, MOST_BYTES, 'scenario file');
  const name = path.basename(file);
  let parsed;
  try {
    // JSON is YAML, too; its own parser knows better what is wrong with it.
    parsed =
      path.extname(file) === '.json' ? JSON.parse(source) : require('yaml').parse(source, { maxAliasCount: 100 });
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw scenarioError(`${name} cannot be read: ${message}`, { cause });
  }
  const { config, scenarios } = fields(parsed, name, ['config', 'scenarios']);
  return { config: config ?? {}, scenarios: list(scenarios, 'scenarios') };
}

/** @param {string} file @param {number} most @param {string} what */
async function read(file, most, what) {
  try {
    const { size } = await fs.stat(file);
    if (size > most) throw scenarioError(`The ${what} ${path.basename(file)} is larger than ${most} bytes`);
    return await fs.readFile(file, 'utf8');
  } catch (cause) {
    if (cause instanceof HotpathLoadTestError) throw cause;
    const { code = 'no reason given' } = /** @type {NodeJS.ErrnoException} */ (cause);
    throw scenarioError(`The ${what} ${path.basename(file)} cannot be read: ${code}`, { cause });
  }
}

/** @param {any} target */
function readTarget(target) {
  const url = checkUrl(text(target, 'config.target'), 'config.target');
  if (url.pathname !== '/' || url.search) throw outOfRange('a URL without a path', 'config.target', target);
  return url;
}

/** @param {any} given @param {Variables} variables @returns {[number, any[]][]} */
function readVariables(given, variables) {
  return Object.entries(fields(given, 'config.variables', Object.keys(given))).map(([name, value]) => [
    variables.declare(name),
    Array.isArray(value) ? list(value, `config.variables.${name}`) : [value],
  ]);
}

/** @param {any} phase @param {number} index */
function readPhase(phase, index) {
  const place = `config.phases[${index}]`;
  const given = fields(phase, place, PHASE);
  const name = given.name === undefined ? `phase ${index + 1}` : text(String(given.name), `${place}.name`);
  if (given.pause !== undefined) {
    fields(given, `${place}, a pause,`, ['pause', 'name']);
    return { name, durationMs: duration(given.pause, `${place}.pause`), from: 0, to: 0, most: undefined };
  }
  const durationMs = duration(given.duration, `${place}.duration`);
  if (durationMs === 0) throw scenarioError(`${place}.duration must be more than 0`);
  const most =
    given.maxVusers === undefined
      ? undefined
      : number(given.maxVusers, `${place}.maxVusers`, { least: 1, whole: true });
  if (given.arrivalCount !== undefined) {
    fields(given, `${place}, with arrivalCount,`, ['name', 'duration', 'arrivalCount', 'maxVusers']);
    const count = number(given.arrivalCount, `${place}.arrivalCount`, { whole: true, most: MOST_USERS });
    const rate = (count * 1000) / durationMs;
    return { name, durationMs, from: rate, to: rate, most };
  }
  const rates = { most: 1e6 };
  const from = number(given.arrivalRate, `${place}.arrivalRate`, rates);
  const to = given.rampTo === undefined ? from : number(given.rampTo, `${place}.rampTo`, rates);
  return { name, durationMs, from, to, most };
}

/** @param {any} given @param {Variables} variables @param {string} folder */
async function readPayloads(given, variables, folder) {
  const entries = Array.isArray(given) ? given : [given];
  return Promise.all(
    entries.map(async (payload, index) => {
      const place = Array.isArray(given) ? `config.payload[${index}]` : 'config.payload';
      const options = fields(payload, place, PAYLOAD);
      const order = options.order ?? 'random';
      if (!['random', 'sequence'].includes(order)) throw scenarioError(`${place}.order must be random or sequence`);
      const delimiter = options.delimiter ?? ',';
      if (typeof delimiter !== 'string' || !/^[\x20-\x7e\t]$/.test(delimiter)) {
        throw scenarioError(`${place}.delimiter must be one character of ASCII`);
      }
      const names = list(options.fields, `${place}.fields`).map((field) => text(field, `${place}.fields`));
      const slots = names.map((name) => variables.declare(name));
      const file = path.resolve(folder, text(options.path, `${place}.path`));
      return {
        text: await read(file, MOST_PAYLOAD_BYTES, 'payload'),
        delimiter,
        skipHeader: flag(options.skipHeader ?? false, `${place}.skipHeader`),
        cast: flag(options.cast ?? true, `${place}.cast`),
        random: order === 'random',
        slots,
      };
    }),
  );
}

/** @param {any} tls */
function readTls(tls) {
  const { rejectUnauthorized = true } = fields(tls, 'config.tls', ['rejectUnauthorized']);
  return !flag(rejectUnauthorized, 'config.tls.rejectUnauthorized');
}

module.exports = { readScenario };
