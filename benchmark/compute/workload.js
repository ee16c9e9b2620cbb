// The numbers that all contenders compute with: whole, so that sums are exact and answers equal to the last digit.

/** @param {number} rows @param {number} columns */
function draw(rows, columns) {
  return Float64Array.from({ length: rows * columns }, (_, index) => ((index * 7919) % 1013) % 97);
}

/** Each row backwards. @param {Float64Array} numbers @param {number} columns */
function mirrored(numbers, columns) {
  return numbers.map((_, index) => numbers[index - (index % columns) + columns - 1 - (index % columns)]);
}

/** The same numbers in memory that native threads read in place. @param {Float64Array} numbers */
function shared(numbers) {
  const copy = new Float64Array(new SharedArrayBuffer(numbers.byteLength));
  copy.set(numbers);
  return copy;
}

/** Every so many answers, to eight digits: enough to tell a wrong one. @param {ArrayLike<number>} answers @param {number} stride */
function sampled(answers, stride) {
  const sample = [];
  for (let index = 0; index < answers.length; index += stride) sample.push(rounded(answers[index]));
  return sample;
}

/** @param {number} value */
function rounded(value) {
  const digits = Number(value.toFixed(8));
  return digits === 0 ? 0 : digits;
}

module.exports = { draw, mirrored, rounded, sampled, shared };
