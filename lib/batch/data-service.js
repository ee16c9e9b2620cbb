'use strict';

// Batches over a data provider: many objects in few calls, errors apart for each object, order kept.

const { HotpathClosedError, HotpathError, invalidArgType } = require('../errors.js');
const { watchService } = require('../services.js');
const check = require('../validate.js');
const { batchError } = require('./batch-error.js');
const { ContainerLoads, Failure } = require('./coalesced-loads.js');
const { SmartBatches } = require('./smart-batches.js');

const OPTIONS = Object.freeze([
  'batchSize',
  'batchTimeout',
  'maxConcurrency',
  'loadWindowMs',
  'loadTtlMs',
  'loadMaxEntries',
]);

/**
 * @typedef {object} Provider
 * @property {(container: string, object: any) => any} add
 * @property {(container: string, uuid: any) => any} getByUuid
 * @property {(container: string, term: any) => any} find
 * @property {(container: string, objects: any[]) => any} [addMany]
 * @property {(container: string, uuids: any[]) => any} [getMany]
 */

/** @param {OptimizedDataService} service */
const statsOf = (service) => service.stats;

class OptimizedDataService {
  /** @type {Provider} */
  #provider;
  #batchSize;
  #maxConcurrency;
  #batches;
  #loadOptions;
  /** @type {Map<string, ContainerLoads>} */
  #loads = new Map();
  #closed = false;
  #unwatch;
  #counts = { added: 0, read: 0, failed: 0, loads: 0, loadReads: 0, batches: 0 };
  /** Milliseconds that batches took. */
  #elapsed = 0;

  /** @param {unknown} provider @param {unknown} [options] */
  constructor(provider, options) {
    this.#provider = checkProvider(provider);
    const given = check.options(options, 'options', OPTIONS);
    this.#batchSize = check.positiveInteger(given.batchSize ?? 100, 'options.batchSize');
    this.#maxConcurrency = check.positiveInteger(given.maxConcurrency ?? 10, 'options.maxConcurrency');
    const batchTimeout = check.nonNegativeNumber(given.batchTimeout ?? 50, 'options.batchTimeout');
    this.#batches = new SmartBatches({ batchSize: this.#batchSize, batchTimeout });
    this.#loadOptions = {
      batchSize: this.#batchSize,
      windowMs: check.nonNegativeNumber(given.loadWindowMs ?? 0, 'options.loadWindowMs'),
      ttlMs: check.nonNegativeNumber(given.loadTtlMs ?? 60_000, 'options.loadTtlMs'),
      maxEntries: check.positiveInteger(given.loadMaxEntries ?? 10_000, 'options.loadMaxEntries'),
    };
    this.#unwatch = watchService('dataservice', undefined, this, statsOf);
  }

  get provider() {
    return this.#provider;
  }

  get batchSize() {
    return this.#batchSize;
  }

  get stats() {
    const { batches } = this.#counts;
    return { ...this.#counts, avgResponseTime: batches === 0 ? 0 : this.#elapsed / batches };
  }

  /** @param {unknown} container @param {unknown} objects */
  async addBatch(container, objects) {
    const name = this.#check(container);
    if (!Array.isArray(objects)) throw invalidArgType('an array', 'objects', objects);
    const outcomes = await this.#inBatches(objects, (batch) => this.#addMany(name, batch));
    const errors = failuresOf(outcomes);
    if (errors.length > 0) throw batchError(outcomes, errors);
    return outcomes;
  }

  /** @param {unknown} container @param {unknown} uuids */
  async getBatch(container, uuids) {
    const name = this.#check(container);
    if (!Array.isArray(uuids)) throw invalidArgType('an array', 'uuids', uuids);
    const outcomes = await this.#inBatches(uuids, (batch) => this.#getMany(name, batch));
    return outcomes.map((outcome, index) => settled(uuids[index], outcome));
  }

  /** @param {unknown} container @param {unknown} searchTerms */
  async findBatch(container, searchTerms) {
    const name = this.#check(container);
    if (!Array.isArray(searchTerms)) throw invalidArgType('an array', 'searchTerms', searchTerms);
    const terms = [...new Set(searchTerms)];
    const outcomes = await this.#inLanes(terms, async (term) => {
      const found = await this.#provider.find(name, term);
      if (!Array.isArray(found)) throw badAnswer('find', 'an array');
      return found;
    });
    const errors = failuresOf(outcomes).map(({ index, error }) => ({ index, term: terms[index], error }));
    if (errors.length > 0) throw batchError(outcomes, errors);
    return combine(terms, outcomes);
  }

  /** @param {unknown} operation @param {unknown} container @param {unknown} items */
  async smartBatch(operation, container, items) {
    const kind = check.oneOf(operation, 'operation', /** @type {const} */ (['add', 'get']));
    const name = this.#check(container);
    if (!Array.isArray(items)) throw invalidArgType('an array', 'items', items);
    return this.#batches.add(`${kind}:${name}`, items, async (gathered) => {
      if (kind === 'get') return { results: await this.getBatch(name, gathered), errors: new Map() };
      const results = await this.#inBatches(gathered, (batch) => this.#addMany(name, batch));
      return { results, errors: new Map(failuresOf(results).map(({ index, error }) => [index, error])) };
    });
  }

  /** @param {string} container @param {string} uuid */
  load(container, uuid) {
    // No async function: what it would allocate is what this method is there to avoid.
    try {
      const name = this.#check(container);
      let loads = this.#loads.get(name);
      if (loads === undefined) {
        loads = new ContainerLoads((uuids) => this.#loadMany(name, uuids), this.#loadOptions);
        this.#loads.set(name, loads);
      }
      if (typeof uuid !== 'string') throw invalidArgType('a string', 'uuid', uuid);
      this.#counts.loads++;
      return loads.load(uuid);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** @param {string} container @param {string} [uuid] */
  forget(container, uuid) {
    this.#loads.get(this.#check(container))?.forget(uuid);
  }

  /** @param {string} container @param {string[]} uuids */
  #loadMany(container, uuids) {
    this.#counts.loadReads += uuids.length;
    return this.#getMany(container, uuids);
  }

  /** @param {string} container @param {any[]} objects */
  #addMany(container, objects) {
    this.#counts.added += objects.length;
    return this.#timed(this.#addAll(container, objects));
  }

  /** @param {string} container @param {any[]} uuids */
  #getMany(container, uuids) {
    this.#counts.read += uuids.length;
    return this.#timed(this.#getAll(container, uuids));
  }

  /** Counts what becomes of a batch, and how long it takes. @param {Promise<any[]>} batch */
  async #timed(batch) {
    const begun = performance.now();
    const outcomes = await batch;
    this.#elapsed += performance.now() - begun;
    this.#counts.batches++;
    for (const outcome of outcomes) if (outcome instanceof Failure) this.#counts.failed++;
    return outcomes;
  }

  /**
   * Adds objects, a Failure in place of each that could not be.
   * @param {string} container @param {any[]} objects @returns {Promise<any[]>}
   */
  async #addAll(container, objects) {
    const provider = this.#provider;
    if (typeof provider.addMany === 'function') {
      try {
        return checkAnswer('addMany', await provider.addMany(container, objects), objects.length);
      } catch (error) {
        const outcomes = outcomesOf(error, objects.length);
        if (outcomes !== undefined) return outcomes;
        // It took none of them: one by one, the bad ones do no harm to the others.
      }
    }
    return this.#inLanes(objects, (object) => provider.add(container, object), objects.length);
  }

  /**
   * Reads objects, a Failure in place of each that could not be.
   * @param {string} container @param {any[]} uuids @returns {Promise<any[]>}
   */
  async #getAll(container, uuids) {
    const provider = this.#provider;
    if (typeof provider.getMany === 'function') {
      try {
        return checkAnswer('getMany', await provider.getMany(container, uuids), uuids.length);
      } catch (error) {
        const outcomes = outcomesOf(error, uuids.length);
        if (outcomes !== undefined) return outcomes;
      }
    }
    return this.#inLanes(uuids, (uuid) => provider.getByUuid(container, uuid), uuids.length);
  }

  /** @param {any[]} items @param {(batch: any[]) => Promise<any[]>} process @returns {Promise<any[]>} */
  async #inBatches(items, process) {
    const size = this.#batchSize;
    const starts = Array.from({ length: Math.ceil(items.length / size) }, (_, index) => index * size);
    const outcomes = new Array(items.length);
    await this.#inLanes(starts, async (start) => {
      const batch = await process(items.slice(start, start + size));
      for (let index = 0; index < batch.length; index++) outcomes[start + index] = batch[index];
    });
    return outcomes;
  }

  /**
   * Runs a function over all items, so many at a time. What it throws becomes a Failure.
   * @param {any[]} items @param {(item: any) => any} process @param {number} [lanes] @returns {Promise<any[]>}
   */
  async #inLanes(items, process, lanes = this.#maxConcurrency) {
    const outcomes = new Array(items.length);
    let next = 0;
    const lane = async () => {
      while (next < items.length) {
        const index = next++;
        try {
          outcomes[index] = await process(items[index]);
        } catch (error) {
          outcomes[index] = new Failure(error);
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(lanes, items.length) }, lane));
    return outcomes;
  }

  /** @param {unknown} container @returns {string} */
  #check(container) {
    if (this.#closed) throw new HotpathClosedError('The data service is closed');
    return check.nonEmptyString(container, 'container');
  }

  async close() {
    const drained = this.#batches.drain();
    this.#closed = true;
    this.#unwatch();
    await drained;
    this.#loads.clear();
  }

  [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    return this.close();
  }
}

/** @param {any} provider @returns {Provider} */
function checkProvider(provider) {
  for (const method of ['add', 'getByUuid', 'find']) {
    if (typeof Object(provider)[method] !== 'function') {
      throw invalidArgType('an object with the methods add, getByUuid and find', 'provider', provider);
    }
  }
  return provider;
}

/** The failures among outcomes, which are emptied of them. @param {any[]} outcomes */
function failuresOf(outcomes) {
  /** @type {{ index: number, error: any }[]} */
  const errors = [];
  for (let index = 0; index < outcomes.length; index++) {
    if (!(outcomes[index] instanceof Failure)) continue;
    errors.push({ index, error: outcomes[index].error });
    outcomes[index] = undefined;
  }
  return errors;
}

/** @param {any} uuid @param {any} outcome @returns {any} */
function settled(uuid, outcome) {
  return outcome instanceof Failure
    ? { uuid, error: outcome.error, status: 'rejected' }
    : { uuid, result: outcome, status: 'fulfilled' };
}

/** The answer of a provider for many, an Error in it being a failure. @param {string} method @param {any} answer @param {number} length */
function checkAnswer(method, answer, length) {
  if (!Array.isArray(answer) || answer.length !== length) {
    const failure = new Failure(badAnswer(method, `an array of length ${length}`));
    return new Array(length).fill(failure);
  }
  return answer.some((item) => item instanceof Error)
    ? answer.map((item) => (item instanceof Error ? new Failure(item) : item))
    : answer;
}

/** @param {string} method @param {string} what */
function badAnswer(method, what) {
  return new HotpathError(`The provider's ${method} did not answer with ${what}`, { code: 'ERR_HOTPATH_PROVIDER' });
}

/**
 * What a provider says that became of each, in an error like ours; undefined for any other error.
 * @param {any} error @param {number} length
 */
function outcomesOf(error, length) {
  const { results, errors } = Object(error);
  if (!Array.isArray(results) || !Array.isArray(errors) || results.length !== length) return undefined;
  const outcomes = [...results];
  for (const { index, error: reason } of errors) outcomes[index] = new Failure(reason);
  return outcomes;
}

/** Each item once, with the terms that found it. @param {any[]} terms @param {any[][]} found */
function combine(terms, found) {
  /** @type {Map<any, { item: any, matchedTerms: any[] }>} */
  const combined = new Map();
  found.forEach((items, index) => {
    for (const item of items) {
      const key = identityOf(item);
      const known = combined.get(key);
      if (known === undefined) combined.set(key, { item, matchedTerms: [terms[index]] });
      else if (known.matchedTerms.at(-1) !== terms[index]) known.matchedTerms.push(terms[index]);
    }
  });
  return [...combined.values()];
}

/** What makes two items the same: what they hold, or, where that cannot be written down, being one object. @param {any} item */
function identityOf(item) {
  try {
    return JSON.stringify(item) ?? item;
  } catch {
    return item;
  }
}

module.exports = { OptimizedDataService };
