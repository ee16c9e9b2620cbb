'use strict';

// The scenarios of a file: what users do, step by step, turned into what native code works off.

const { isPlainObject } = require('../validate.js');
const { headerName } = require('./load-options.js');
const { duration, fields, list, number, text } = require('./scenario-checks.js');
const { scenarioError } = require('./scenario-template.js');

/** @typedef {import('./scenario-template.js').Part} Part */
/** @typedef {import('./scenario-template.js').Variables} Variables */
/** @typedef {{ variables: Variables, origin: string, headers: Map<string, [string, string]> }} Setting */

const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options'];
const STEPS = [...METHODS, 'think', 'loop', 'count'];
const REQUEST = ['url', 'name', 'headers', 'qs', 'json', 'body', 'form', 'capture', 'followRedirect'];
const LOOP = '$loopCount';
const MOST_ROUNDS = 1e9;
const DEEPEST = 8;

/** Makes the variables known that answers will fill. @param {any[]} scenarios @param {Variables} variables */
function declareCaptures(scenarios, variables) {
  /** @param {any} step @param {number} depth */
  const visit = (step, depth) => {
    if (!isPlainObject(step) || depth > DEEPEST) return;
    if (Array.isArray(step.loop)) {
      variables.declare(LOOP);
      for (const inner of step.loop) visit(inner, depth + 1);
    }
    for (const method of METHODS) {
      for (const capture of [step[method]?.capture ?? []].flat()) {
        if (typeof capture?.as === 'string') variables.declare(capture.as);
      }
    }
  };
  for (const scenario of scenarios) if (Array.isArray(scenario?.flow)) for (const step of scenario.flow) visit(step, 0);
}

/**
 * @param {any[]} scenarios
 * @param {{ variables: Variables, origin: string, defaults: any }} setting
 */
function compileScenarios(scenarios, { variables, origin, defaults }) {
  const { headers = {} } = fields(defaults ?? {}, 'config.defaults', ['headers']);
  const setting = { variables, origin, headers: readHeaders(headers, 'config.defaults.headers') };
  return scenarios.map((scenario, index) => {
    const place = `scenarios[${index}]`;
    const { name = `scenario ${index + 1}`, weight = 1, flow } = fields(scenario, place, ['name', 'weight', 'flow']);
    return {
      name: text(String(name), `${place}.name`),
      weight: number(weight, `${place}.weight`, { least: 0.001, most: 1e6 }),
      steps: compileSteps(flow, `${place}.flow`, setting, 0),
    };
  });
}

/** @param {any} steps @param {string} place @param {Setting} setting @param {number} depth @returns {object[]} */
function compileSteps(steps, place, setting, depth) {
  if (depth > DEEPEST) throw scenarioError(`${place}: loops are nested more than ${DEEPEST} deep`);
  return list(steps, place).map((step, index) => compileStep(step, `${place}[${index}]`, setting, depth));
}

/** @param {any} step @param {string} place @param {Setting} setting @param {number} depth */
function compileStep(step, place, setting, depth) {
  const given = fields(step, place, STEPS);
  const actions = Object.keys(given).filter((name) => name !== 'count');
  if (actions.length !== 1) throw scenarioError(`${place} must do exactly one thing`);
  const [action] = actions;
  if (action === 'think') return { think: duration(given.think, `${place}.think`) };
  if (action === 'loop') {
    const count = number(given.count, `${place}.count`, { least: 1, most: MOST_ROUNDS, whole: true });
    const steps = compileSteps(given.loop, `${place}.loop`, setting, depth + 1);
    return { repeat: { count, slot: setting.variables.slot(LOOP, place), steps } };
  }
  if (given.count !== undefined) throw scenarioError(`${place} has a count, which only a loop can have`);
  return { request: compileRequest(action, given[action], `${place}.${action}`, setting) };
}

/** @param {string} method @param {any} request @param {string} place @param {Setting} setting */
function compileRequest(method, request, place, setting) {
  const given = fields(typeof request === 'string' ? { url: request } : request, place, REQUEST);
  if (given.followRedirect === true) throw scenarioError(`${place}: redirects are counted as answers, never followed`);
  const headers = new Map([...setting.headers, ...readHeaders(given.headers ?? {}, `${place}.headers`)]);
  const { body, type } = compileBody(given, place, setting.variables);
  if (type && !headers.has('content-type')) headers.set('content-type', ['content-type', type]);
  return {
    method: method.toUpperCase(),
    path: compilePath(given, place, setting),
    headers: [...headers.values()].map(([name, value]) => [
      name,
      setting.variables.template(value, `${place}.headers.${name}`),
    ]),
    body,
    captures: [given.capture ?? []].flat().map((capture, index) => {
      return compileCapture(capture, `${place}.capture[${index}]`, setting.variables);
    }),
  };
}

/** Users stay with the server that was checked. @param {any} given @param {string} place @param {Setting} setting @returns {Part[]} */
function compilePath({ url, qs }, place, { variables, origin }) {
  const given = text(url, `${place}.url`);
  const own = given === origin || given.startsWith(`${origin}/`);
  const path = own ? given.slice(origin.length) || '/' : given;
  if (!path.startsWith('/')) throw scenarioError(`${place}.url must begin with a slash, or with config.target`);
  const parts = variables.template(path, `${place}.url`);
  for (const [index, [name, value]] of Object.entries(
    fields(qs ?? {}, `${place}.qs`, Object.keys(qs ?? {})),
  ).entries()) {
    const separator = index === 0 && !path.includes('?') ? '?' : '&';
    parts.push({ text: `${separator}${encodeURIComponent(name)}=` });
    parts.push(...encodedTemplate(String(value), `${place}.qs.${name}`, variables));
  }
  return parts;
}

/** @param {string} value @param {string} place @param {Variables} variables @returns {Part[]} */
function encodedTemplate(value, place, variables) {
  const parts = variables.template(value, place, 'encoded');
  return parts.map((part) => ('text' in part ? { text: encodeURIComponent(part.text) } : part));
}

/** @param {any} given @param {string} place @param {Variables} variables @returns {{ body?: Part[], type?: string }} */
function compileBody({ json, body, form }, place, variables) {
  if ([json, body, form].filter((one) => one !== undefined).length > 1) {
    throw scenarioError(`${place} has more than one of json, body and form`);
  }
  if (json !== undefined) {
    return { body: joined(jsonParts(json, `${place}.json`, variables, 0)), type: 'application/json' };
  }
  if (body !== undefined) return { body: variables.template(text(body, `${place}.body`), `${place}.body`) };
  if (form === undefined) return {};
  const pairs = Object.entries(fields(form, `${place}.form`, Object.keys(form))).map(([name, value]) => [
    { text: `${encodeURIComponent(name)}=` },
    ...encodedTemplate(String(value), `${place}.form.${name}`, variables),
  ]);
  const parts = pairs.flatMap((pair, index) => (index === 0 ? pair : [{ text: '&' }, ...pair]));
  return { body: parts, type: 'application/x-www-form-urlencoded' };
}

/** @param {any} value @param {string} place @param {Variables} variables @param {number} depth @returns {Part[]} */
function jsonParts(value, place, variables, depth) {
  if (depth > 64) throw scenarioError(`${place} is nested more than 64 deep`);
  if (typeof value === 'string') return variables.jsonTemplate(value, place);
  if (Array.isArray(value)) {
    const items = value.map((item, index) => jsonParts(item, `${place}[${index}]`, variables, depth + 1));
    return [{ text: '[' }, ...separated(items), { text: ']' }];
  }
  if (isPlainObject(value)) {
    const items = Object.entries(value).map(([name, item]) => [
      { text: `${JSON.stringify(name)}:` },
      ...jsonParts(item, `${place}.${name}`, variables, depth + 1),
    ]);
    return [{ text: '{' }, ...separated(items), { text: '}' }];
  }
  return [{ text: JSON.stringify(value) ?? 'null' }];
}

/** @param {Part[][]} items @returns {Part[]} */
function separated(items) {
  return items.flatMap((item, index) => (index === 0 ? item : [{ text: ',' }, ...item]));
}

/** Neighbouring texts become one. @param {Part[]} parts @returns {Part[]} */
function joined(parts) {
  /** @type {Part[]} */
  const result = [];
  for (const part of parts) {
    const last = result.at(-1);
    if (last && 'text' in last && 'text' in part) last.text += part.text;
    else result.push({ ...part });
  }
  return result;
}

/** @param {any} headers @param {string} place @returns {Map<string, [string, string]>} by name in lower case */
function readHeaders(headers, place) {
  return new Map(
    Object.entries(fields(headers, place, Object.keys(headers))).map(([name, value]) => {
      headerName(name, place);
      if (!['string', 'number', 'boolean'].includes(typeof value))
        throw scenarioError(`${place}.${name} must be a text`);
      return [name.toLowerCase(), [name, String(value)]];
    }),
  );
}

/** @param {any} capture @param {string} place @param {Variables} variables */
function compileCapture(capture, place, variables) {
  const { as, json, header } = fields(capture, place, ['as', 'json', 'header']);
  const slot = variables.declare(text(as, `${place}.as`));
  if ((json === undefined) === (header === undefined)) throw scenarioError(`${place} must have one of json and header`);
  const from =
    json === undefined ? { header: text(header, `${place}.header`).toLowerCase() } : { json: way(json, place) };
  return { slot, from };
}

/** The keys of a JSONPath that names one place. @param {any} expression @param {string} place @returns {(string | number)[]} */
function way(expression, place) {
  const path = text(expression, `${place}.json`);
  const KEY = /\.([\p{L}_$][\p{L}\p{N}_$-]*)|\[(\d+)\]|\['([^'\\]+)'\]|\["([^"\\]+)"\]/uy;
  const keys = [];
  KEY.lastIndex = 1;
  let end = 1;
  for (let match = KEY.exec(path); path.startsWith('$') && match; match = KEY.exec(path)) {
    keys.push(match[2] === undefined ? (match[1] ?? match[3] ?? match[4]) : Number(match[2]));
    end = KEY.lastIndex;
  }
  if (!path.startsWith('$') || end !== path.length) {
    throw scenarioError(`${place}.json must name one place, such as $.items[0].id`);
  }
  return keys;
}

module.exports = { compileScenarios, declareCaptures };
