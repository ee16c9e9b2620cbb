'use strict';

const { types } = require('node:util');
const native = require('../native.js');
const { invalidArgType, outOfRange } = require('../errors.js');
const { translated } = require('../native-errors.js');
const check = require('../validate.js');
const { matrix, matrixResult, numbers } = require('../compute/numbers.js');

/** Gives the memory of matrices back that nobody refers to any more. */
const collected = new FinalizationRegistry((/** @type {number} */ handle) => native.closeSparse(handle));

/** Tells the constructor to take a handle as it is. */
const OWN = Symbol('handle');

/** Elements that an iteration fetches at a time. */
const BATCH = 1024;

const MAX_SIDE = 2 ** 32 - 1;

class SparseMatrix {
  #handle;
  #rows;
  #cols;

  /** @param {number} rows @param {number} cols */
  constructor(rows, cols) {
    this.#handle = /** @type {unknown} */ (cols) === OWN ? rows : open(rows, cols);
    [this.#rows, this.#cols] = native.sparseFigures(this.#handle);
    collected.register(this, this.#handle);
  }

  /** @param {() => number} make gives a handle */
  static #over(make) {
    return new SparseMatrix(translated(make), /** @type {any} */ (OWN));
  }

  /** @param {unknown} dense */
  static fromDense(dense) {
    const { data, rows, cols } = matrix(dense, 'dense', false);
    const doubles = types.isFloat64Array(data) ? data : Float64Array.from(data);
    return SparseMatrix.#over(() => native.sparseFromDense(doubles, rows, cols));
  }

  /** @param {Uint8Array} bytes */
  static deserialize(bytes) {
    if (!types.isUint8Array(bytes)) throw invalidArgType('a Uint8Array', 'bytes', bytes);
    return SparseMatrix.#over(() => native.deserializeSparse(bytes));
  }

  get rows() {
    return this.#rows;
  }

  get cols() {
    return this.#cols;
  }

  get size() {
    return native.sparseFigures(this.#handle)[2];
  }

  get bytes() {
    return native.sparseFigures(this.#handle)[3];
  }

  get density() {
    const places = this.#rows * this.#cols;
    return places === 0 ? 0 : this.size / places;
  }

  /** @param {number} row @param {number} col */
  get(row, col) {
    return native.sparseGet(this.#handle, this.#row(row), this.#col(col));
  }

  /** @param {number} row @param {number} col @param {number} value */
  set(row, col, value) {
    if (typeof value !== 'number') throw invalidArgType('a number', 'value', value);
    this.#row(row);
    this.#col(col);
    translated(() => native.sparseSet(this.#handle, row, col, value));
    return this;
  }

  /** @param {unknown} row */
  #row(row) {
    return index(row, 'row', this.#rows);
  }

  /** @param {unknown} col */
  #col(col) {
    return index(col, 'col', this.#cols);
  }

  /** @param {any} other */
  multiply(other) {
    if (typeof other === 'number') return SparseMatrix.#over(() => native.sparseScale(this.#handle, other));
    if (other instanceof SparseMatrix) {
      if (this.#cols !== other.#rows)
        throw outOfRange(`${this.#cols}, the columns of the left one,`, 'other.rows', other.#rows);
      return SparseMatrix.#over(() => native.sparseMultiply(this.#handle, other.#handle));
    }
    if (!Array.isArray(other) && !types.isFloat64Array(other) && !types.isFloat32Array(other)) {
      throw invalidArgType('a SparseMatrix, a vector or a number', 'other', other);
    }
    return this.#multiplyVector(other);
  }

  /** @param {number[] | Float64Array | Float32Array} vector */
  #multiplyVector(vector) {
    const { data } = numbers(vector, 'other', false);
    if (data.length !== this.#cols) throw outOfRange(`${this.#cols}, the columns,`, 'other.length', data.length);
    const doubles = types.isFloat64Array(data) ? data : Float64Array.from(data);
    const product = translated(() => native.sparseMultiplyColumn(this.#handle, doubles));
    return Array.isArray(vector) ? Array.from(product) : product;
  }

  transpose() {
    return SparseMatrix.#over(() => native.sparseTranspose(this.#handle));
  }

  /** @param {'rows' | 'typed'} [form] */
  toDense(form = 'rows') {
    const typed = check.oneOf(form, 'form', ['rows', 'typed']) === 'typed';
    const data = translated(() => native.sparseToDense(this.#handle));
    return matrixResult(data, this.#rows, this.#cols, typed);
  }

  serialize() {
    return translated(() => native.sparseSerialize(this.#handle));
  }

  *entries() {
    let [row, col] = [0, 0];
    for (;;) {
      const batch = this.#elementsFrom(row, col);
      for (let index = 0; index < batch.length; index += 3) {
        [row, col] = [batch[index], batch[index + 1]];
        yield/** @type {[number, number, number]} */ ([row, col, batch[index + 2]]);
      }
      if (batch.length < BATCH * 3) return;
      [row, col] = col + 1 < this.#cols ? [row, col + 1] : [row + 1, 0];
    }
  }

  /** @param {number} row @param {number} col */
  #elementsFrom(row, col) {
    return translated(() => native.sparseElements(this.#handle, row, col, BATCH));
  }

  [Symbol.iterator]() {
    return this.entries();
  }
}

/** @param {unknown} rows @param {unknown} cols */
function open(rows, cols) {
  for (const [side, path] of /** @type {const} */ ([
    [rows, 'rows'],
    [cols, 'cols'],
  ])) {
    if (check.nonNegativeInteger(side, path) > MAX_SIDE) throw outOfRange(`at most ${MAX_SIDE}`, path, side);
  }
  return translated(() => native.openSparse(rows, cols));
}

/** @param {unknown} value @param {string} path @param {number} end */
function index(value, path, end) {
  check.nonNegativeInteger(value, path);
  if (/** @type {number} */ (value) >= end) throw outOfRange(`below ${end}`, path, value);
  return value;
}

module.exports = { SparseMatrix };
