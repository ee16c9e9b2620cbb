'use strict';

// The cache as anyone would write it with a Map, slow and obviously right: what operation-sequence fuzzing compares with.
// It never evicts and nothing in it expires.

const GLOBS = ['*', 'a*', '*1', '?2', 'b?', '[a-c]3', '[!a]*', '[^bc]?', 'c[0-4]', '??', 'd'];

// The few forms above, by translation; the generator uses no others.
const patternOf = (glob) => new RegExp(`^${glob.replace(/\*/g, '.*').replace(/\?/g, '.').replace(/\[!/g, '[^')}$`);

class Model {
  constructor() {
    this.map = new Map();
  }

  set(key, value, options = {}) {
    this.map.set(key, { value, tags: options.tags ?? [] });
    return true;
  }

  get(key) {
    return this.map.get(key)?.value;
  }

  peek(key) {
    return this.get(key);
  }

  has(key) {
    return this.map.has(key);
  }

  delete(key) {
    return this.map.delete(key);
  }

  take(key) {
    const value = this.get(key);
    this.map.delete(key);
    return value;
  }

  touch(key) {
    return this.map.has(key);
  }

  increment(key, by) {
    const entry = this.map.get(key) ?? { value: 0, tags: [] };
    if (typeof entry.value !== 'number') return 'ERR_HOTPATH_NOT_A_NUMBER';
    entry.value += by;
    this.map.set(key, entry);
    return entry.value;
  }

  getMany(keys) {
    return keys.map((key) => this.get(key));
  }

  mget(keys) {
    return Object.fromEntries(keys.filter((key) => this.map.has(key)).map((key) => [key, this.get(key)]));
  }

  setMany(pairs, options) {
    for (const [key, value] of pairs) this.set(key, value, options);
    return pairs.length;
  }

  deleteMany(keys) {
    return keys.filter((key) => this.map.delete(key)).length;
  }

  keys(glob = '*') {
    const pattern = patternOf(glob);
    return [...this.map.keys()].filter((key) => pattern.test(key)).sort();
  }

  deletePattern(glob) {
    return this.deleteMany(this.keys(glob));
  }

  invalidateTags(tags) {
    const wanted = [tags].flat();
    const hit = [...this.map].filter(([, entry]) => entry.tags.some((tag) => wanted.includes(tag)));
    return this.deleteMany(hit.map(([key]) => key));
  }

  entries() {
    return [...this.map].map(([key, { value }]) => [key, value]).sort(([left], [right]) => (left < right ? -1 : 1));
  }

  get size() {
    return this.map.size;
  }

  clear() {
    this.map.clear();
  }
}

const KEYS = ['a', 'b', 'c', 'd']
  .flatMap((letter) => Array.from({ length: 6 }, (_, i) => `${letter}${i}`))
  .concat('', 'd', '__proto__', '\ud800', 'é');
const TAGS = ['red', 'green', 'blue', ''];

/** A value no other step writes, of a kind that rotates: what one step reads is traced to the step that wrote it. */
function valueOf({ below }, step) {
  const kinds = [
    () => step,
    () => `text ${step}`,
    () => ({ step }),
    () => [step, -0, null],
    () => Buffer.from(`bytes ${step}`),
    () => new Map([[step, new Date(step)]]),
    () => undefined,
    () => ({ step, filler: 'x'.repeat(below(3_000)) }),
    () => 'é'.repeat(1 + below(500)) + step,
  ];
  return kinds[below(kinds.length)]();
}

/** One random operation as [method, ...arguments]. */
function operationOf(random, step) {
  const { pick, some, below, chance } = random;
  const options = () => (chance(0.5) ? undefined : { tags: some(TAGS, 3) });
  const makers = [
    [12, () => ['set', pick(KEYS), valueOf(random, step), options()]],
    [12, () => ['get', pick(KEYS)]],
    [2, () => ['peek', pick(KEYS)]],
    [2, () => ['has', pick(KEYS)]],
    [4, () => ['delete', pick(KEYS)]],
    [2, () => ['take', pick(KEYS)]],
    [1, () => ['touch', pick(KEYS)]],
    [4, () => ['increment', pick(KEYS), below(100) - 50]],
    [3, () => ['getMany', some(KEYS, 8)]],
    [2, () => ['mget', some(KEYS, 8)]],
    [2, () => ['setMany', some(KEYS, 5).map((key, i) => [key, valueOf(random, step + i / 10)]), options()]],
    [1, () => ['deleteMany', some(KEYS, 4)]],
    [1, () => ['keys', pick(GLOBS)]],
    [1, () => ['entries']],
    [0.5, () => ['deletePattern', pick(GLOBS)]],
    [0.7, () => ['invalidateTags', chance(0.5) ? pick(TAGS) : some(TAGS, 2)]],
    [0.1, () => ['clear']],
  ];
  let at = random.random() * makers.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, make] of makers) {
    at -= weight;
    if (at < 0) return make();
  }
  return ['get', KEYS[0]];
}

/** Runs one operation on a model or a cache and brings the answer into one form. */
function perform(target, [method, ...details]) {
  try {
    const result = target[method](...details);
    if (method === 'keys') return result.sort();
    if (method === 'entries') return [...result].sort(([left], [right]) => (left < right ? -1 : 1));
    if (method === 'mget') return Object.entries(result).sort(([left], [right]) => (left < right ? -1 : 1));
    return result;
  } catch (error) {
    if (error.code === 'ERR_HOTPATH_NOT_A_NUMBER') return error.code;
    throw error;
  }
}

module.exports = { Model, KEYS, operationOf, perform, valueOf };
