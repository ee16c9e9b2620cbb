'use strict';

// Similarity: from entities to native form, and from scores to what was asked for.

const { setImmediate: turn } = require('node:timers/promises');
const native = require('../native.js');
const { invalidArgType, outOfRange } = require('../errors.js');
const check = require('../validate.js');
const { copyNumbers, isFloats, matrix, matrixResult } = require('./numbers.js');

const ALGORITHMS = /** @type {const} */ (['pearson', 'cosine', 'jaccard', 'euclidean']);
const FORMATS = /** @type {const} */ (['pairs', 'matrix', 'columns']);

/** Native names of what is wanted. */
const WANTED = Object.freeze({ MATRIX: 0, PAIRS: 1, NEAREST: 2 });

/** Pairs made into objects between two turns of the event loop: under a millisecond. */
const SLICE = 8192;

/** @typedef {string | number} Id */

/**
 * Entities in native form.
 * @typedef {object} Entities
 * @property {number} count
 * @property {(row: number) => Id} id
 * @property {boolean} asMatrix given as a matrix: the answer has no objects unless asked for
 * @property {readonly unknown[]} memory
 * @property {(...place: any[]) => void} start
 */

/**
 * @param {unknown} data
 * @param {boolean} transfer
 * @returns {import('./native-tasks.js').Prepared}
 */
function prepareSimilarity(data, transfer) {
  const given = check.options(data === undefined ? null : data, 'data', ['entities', 'algorithm', 'options']);
  const algorithm = check.oneOf(given.algorithm ?? 'pearson', 'data.algorithm', ALGORITHMS);
  const { minSimilarity, topK, format } = check.options(given.options, 'data.options', [
    'minSimilarity',
    'topK',
    'format',
  ]);
  if (minSimilarity !== undefined) check.finiteNumber(minSimilarity, 'data.options.minSimilarity');
  if (topK !== undefined) check.positiveInteger(topK, 'data.options.topK');
  const filtered = minSimilarity !== undefined || topK !== undefined;
  const entities = entitiesOf(given.entities, transfer);
  const form =
    format === undefined ? usualFormat(entities, filtered) : check.oneOf(format, 'data.options.format', FORMATS);
  if (form === 'matrix' && filtered) {
    throw outOfRange('"pairs" or "columns" beside minSimilarity or topK', 'data.options.format', form);
  }
  const wanted = form === 'matrix' ? WANTED.MATRIX : topK === undefined ? WANTED.PAIRS : WANTED.NEAREST;
  const best = Math.min(topK ?? 0, entities.count);
  return {
    start: (...place) => entities.start(...place, algorithm, wanted, minSimilarity ?? -Infinity, best),
    memory: entities.memory,
    decode(answer) {
      if (form === 'matrix') return matrixResult(answer, entities.count, entities.count, true);
      const columns = columnsOf(answer);
      return form === 'columns' ? columns : pairsOf(columns, entities.id);
    },
  };
}

/** @param {Entities} entities @param {boolean} filtered @returns {typeof FORMATS[number]} */
function usualFormat(entities, filtered) {
  if (!entities.asMatrix) return 'pairs';
  return filtered ? 'columns' : 'matrix';
}

/** @param {unknown} value @param {boolean} transfer @returns {Entities} */
function entitiesOf(value, transfer) {
  if (!Array.isArray(value)) {
    const { data, rows, cols } = matrix(value, 'data.entities', transfer);
    return rowsOf({ data, rows, cols }, (row) => row, true);
  }
  const first = value[0];
  return first?.ratings === undefined ? vectorsOf(value) : ratingsOf(value);
}

/**
 * @param {import('./numbers.js').TypedMatrix} matrix
 * @param {(row: number) => Id} id
 * @param {boolean} asMatrix
 * @returns {Entities}
 */
function rowsOf({ data, rows, cols }, id, asMatrix) {
  return {
    count: rows,
    id,
    asMatrix,
    memory: [data],
    start: (...place) => native.computeSimilarity(...place, data, rows, cols),
  };
}

/** @param {unknown[]} entities */
function vectorsOf(entities) {
  /** @type {Id[]} */
  const ids = [];
  let cols = 0;
  let data = new Float64Array(0);
  entities.forEach((entity, index) => {
    const path = `data.entities[${index}]`;
    const { id, vector } = fieldsOf(entity, path, 'vector');
    if (!Array.isArray(vector) && !isFloats(vector))
      throw invalidArgType('an array of numbers', `${path}.vector`, vector);
    if (index === 0) {
      cols = vector.length;
      data = new Float64Array(entities.length * cols);
    }
    if (vector.length !== cols)
      throw outOfRange(`${cols}, as in the first one,`, `${path}.vector.length`, vector.length);
    copyNumbers(vector, data, index * cols, `${path}.vector`);
    ids.push(id);
  });
  return rowsOf({ data, rows: ids.length, cols }, (row) => ids[row], false);
}

/** @param {unknown[]} entities @returns {Entities} */
function ratingsOf(entities) {
  /** @type {Id[]} */
  const ids = [];
  /** @type {Map<unknown, number>} */
  const numbers = new Map();
  const starts = new Uint32Array(entities.length + 1);
  /** @type {[item: number, value: number][]} */
  const all = [];
  entities.forEach((entity, index) => {
    const path = `data.entities[${index}]`;
    const { id, ratings } = fieldsOf(entity, path, 'ratings');
    ids.push(id);
    for (const rating of numbered(ratings, `${path}.ratings`, numbers)) all.push(rating);
    starts[index + 1] = all.length;
  });
  const items = Uint32Array.from(all, ([item]) => item);
  const values = Float64Array.from(all, ([, value]) => value);
  return {
    count: ids.length,
    id: (row) => ids[row],
    asMatrix: false,
    memory: [values],
    start: (...place) => native.computeRatings(...place, starts, items, values),
  };
}

/**
 * An entity's ratings by ascending number of the item.
 * @param {unknown} ratings
 * @param {string} path
 * @param {Map<unknown, number>} numbers
 */
function numbered(ratings, path, numbers) {
  /** @type {Map<number, number>} */
  const byItem = new Map();
  for (const [item, value] of entriesOf(ratings, path)) {
    if (typeof value !== 'number') throw invalidArgType('a number', `${path}[${String(item)}]`, value);
    const number = numbers.get(item) ?? numbers.size;
    numbers.set(item, number);
    byItem.set(number, value);
  }
  return [...byItem].sort(([left], [right]) => left - right);
}

/** @param {unknown} ratings @param {string} path @returns {Iterable<[unknown, unknown]>} */
function entriesOf(ratings, path) {
  if (ratings instanceof Map) return ratings;
  if (Array.isArray(ratings)) {
    ratings.forEach((pair, index) => {
      if (!Array.isArray(pair)) throw invalidArgType('a pair of item and value', `${path}[${index}]`, pair);
    });
    return ratings;
  }
  if (!check.isPlainObject(ratings)) throw invalidArgType('an object, a Map or an array of pairs', path, ratings);
  return Object.entries(/** @type {object} */ (ratings));
}

/** @param {unknown} entity @param {string} path @param {'vector' | 'ratings'} kind */
function fieldsOf(entity, path, kind) {
  if (typeof entity !== 'object' || entity === null)
    throw invalidArgType(`an object with id and ${kind}`, path, entity);
  const { id, [kind]: content } = /** @type {Record<string, any>} */ (entity);
  if (typeof id !== 'string' && typeof id !== 'number') throw invalidArgType('a string or a number', `${path}.id`, id);
  return { id, [kind]: content };
}

/** @param {Float64Array} answer */
function columnsOf(answer) {
  const count = answer.length / 3;
  return {
    a: answer.subarray(0, count),
    b: answer.subarray(count, 2 * count),
    similarity: answer.subarray(2 * count),
  };
}

/**
 * @param {ReturnType<typeof columnsOf>} columns
 * @param {(row: number) => Id} id
 */
async function pairsOf({ a, b, similarity }, id) {
  const pairs = new Array(a.length);
  for (let index = 0; index < a.length; index++) {
    if (index > 0 && index % SLICE === 0) await turn();
    pairs[index] = { a: id(a[index]), b: id(b[index]), similarity: similarity[index] };
  }
  return pairs;
}

module.exports = { prepareSimilarity };
