'use strict';

// What a request asks, checked: a usable value comes back, or a RequestError is thrown, which the app answers as JSON.

class RequestError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

function refuse(expected, name, received = []) {
  const [text, ...others] = [received].flat();
  const shown = text === undefined ? 'nothing' : others.length > 0 ? 'several' : JSON.stringify(text.slice(0, 32));
  throw new RequestError(400, 'ERR_BAD_QUERY', `Expected ${expected} for ${name} but received ${shown}`);
}

/** A number within [from, to], rounded to `decimals`, so that questions which differ by less share an answer. */
function numberIn(query, name, { from, to, decimals, otherwise }) {
  const text = query[name];
  if (text === undefined && otherwise !== undefined) return otherwise;
  const number = typeof text === 'string' && text.trim() !== '' ? Number(text) : NaN;
  if (!(number >= from && number <= to)) refuse(`a number from ${from} to ${to}`, name, text);
  return Number(number.toFixed(decimals)) + 0; // -0 becomes 0: one place, one key
}

function wholeIn(query, name, { from, to, otherwise }) {
  const number = numberIn(query, name, { from, to, decimals: 3, otherwise });
  return Number.isInteger(number) ? number : refuse(`a whole number from ${from} to ${to}`, name, query[name]);
}

function textIn(query, name, { longest }) {
  const text = query[name];
  if (typeof text !== 'string' || text.trim() === '' || text.length > longest)
    refuse(`1 to ${longest} characters`, name, text);
  return text;
}

module.exports = { RequestError, numberIn, wholeIn, textIn };
