'use strict';

// Templates of scenario files: text with gaps in double braces. What stands in the braces is looked up, never evaluated.

const { HotpathLoadTestError } = require('../errors.js');
const { nearest } = require('../nearest.js');

/** @typedef {'plain' | 'json' | 'quoted' | 'encoded'} Form what a value becomes where it is put */

/**
 * A piece of a template, in the form of the native side.
 * @typedef {{ text: string } | { value: { slot: number, form: Form } } | { number: { least: number, most: number } } | { letters: number }} Part
 */

const GAP = /\{\{\s*(.*?)\s*\}\}/gs;
const FUNCTIONS = ['$randomNumber', '$randomString', '$loopCount'];
const MOST_LETTERS = 10_000;

/** @param {string} message @param {object} [fields] */
function scenarioError(message, fields = {}) {
  return new HotpathLoadTestError(message, { code: 'ERR_HOTPATH_SCENARIO', ...fields });
}

/** The variables of a file: each has a slot that native code keeps its value in. */
class Variables {
  /** @type {Map<string, number>} */
  #slots = new Map();

  get size() {
    return this.#slots.size;
  }

  /** The slot of a variable, which is made known. @param {string} name */
  declare(name) {
    const slot = this.#slots.get(name) ?? this.#slots.size;
    this.#slots.set(name, slot);
    return slot;
  }

  /** @param {string} name @param {string} place */
  slot(name, place) {
    const slot = this.#slots.get(name);
    if (slot !== undefined) return slot;
    const near = nearest(name, [...this.#slots.keys(), ...FUNCTIONS]);
    throw scenarioError(
      `${place} uses the unknown variable ${JSON.stringify(name.slice(0, 64))}; the nearest is ${near}`,
    );
  }

  /**
   * @param {string} text
   * @param {string} place where it stands, for the error
   * @param {Form} form
   * @returns {Part[]}
   */
  template(text, place, form = 'plain') {
    const shape = form === 'quoted' ? (/** @type {string} */ piece) => JSON.stringify(piece).slice(1, -1) : String;
    /** @type {Part[]} */
    const parts = [];
    let end = 0;
    for (const { 0: gap, 1: expression, index } of text.matchAll(GAP)) {
      if (index > end) parts.push({ text: shape(text.slice(end, index)) });
      parts.push(this.#part(expression, place, form));
      end = index + gap.length;
    }
    if (end < text.length) parts.push({ text: shape(text.slice(end)) });
    return parts;
  }

  /** A string that is one gap and nothing else keeps the type of its value. @param {string} text @param {string} place @returns {Part[]} */
  jsonTemplate(text, place) {
    const [match, ...others] = text.matchAll(GAP);
    if (match && others.length === 0 && match[0] === text.trim()) {
      const part = this.#part(match[1], place, 'json');
      if (!('letters' in part)) return [part];
    }
    return [{ text: '"' }, ...this.template(text, place, 'quoted'), { text: '"' }];
  }

  /** @param {string} expression @param {string} place @param {Form} form @returns {Part} */
  #part(expression, place, form) {
    const number = /^\$randomNumber\(\s*(-?\d{1,15})\s*,\s*(-?\d{1,15})\s*\)$/.exec(expression);
    if (number) {
      const [least, most] = [Number(number[1]), Number(number[2])];
      if (least > most) throw scenarioError(`${place}: $randomNumber(${least}, ${most}) has no number to choose from`);
      return { number: { least, most } };
    }
    const letters = /^\$randomString\(\s*(\d{0,5})\s*\)$/.exec(expression);
    if (letters) {
      const length = Number(letters[1] || 10);
      if (length > MOST_LETTERS) throw scenarioError(`${place}: $randomString makes at most ${MOST_LETTERS} letters`);
      return { letters: length };
    }
    return { value: { slot: this.slot(expression, place), form } };
  }
}

module.exports = { Variables, scenarioError };
