'use strict';

// A data provider in memory. Objects are encoded and kept in native memory, so that the collector never sees them.

const native = require('../native.js');
const { HotpathClosedError, invalidArgType } = require('../errors.js');
const { translated } = require('../native-errors.js');
const check = require('../validate.js');
const { Codec } = require('../cache/codec.js');
const { MISSING, NativeReads } = require('../cache/native-reads.js');
const { batchError } = require('./batch-error.js');
const { checkContainer } = require('./containers.js');
const { searchFor } = require('./search.js');
const { timeOrderedUuid } = require('./uuid.js');

const NO_HANDLE = 0xffff_ffff;

/** Objects that a search looks at before the event loop gets a turn. */
const PAGE = 512;

const collected = new FinalizationRegistry((/** @type {number} */ handle) => native.closeMemoryObjects(handle));

/** Shapes of records, for a store that only one thread uses. */
class LocalDictionary {
  /** @type {Uint8Array | undefined} */
  #document;
  #version = 0;

  load() {
    return this.#document;
  }

  version() {
    return this.#version;
  }

  /** @param {Uint8Array} document @param {number} expected */
  save(document, expected) {
    if (expected !== this.#version) return false;
    this.#document = Uint8Array.from(document);
    this.#version++;
    return true;
  }
}

class MemoryDataProvider {
  #handle = native.openMemoryObjects();
  #codec = new Codec(new LocalDictionary());
  #reads = new NativeReads(NO_HANDLE, this.#codec);

  constructor() {
    collected.register(this, this.#handle, this);
  }

  get closed() {
    return this.#handle === NO_HANDLE;
  }

  /** @param {unknown} container @param {unknown} object */
  async add(container, object) {
    return this.#add(this.#check(container), object);
  }

  /** @param {unknown} container @param {unknown} objects */
  async addMany(container, objects) {
    const name = this.#check(container);
    if (!Array.isArray(objects)) throw invalidArgType('an array', 'objects', objects);
    const errors = [];
    const uuids = new Array(objects.length);
    for (let index = 0; index < objects.length; index++) {
      try {
        uuids[index] = this.#add(name, objects[index]);
      } catch (error) {
        errors.push({ index, error });
      }
    }
    if (errors.length > 0) throw batchError(uuids, errors);
    return uuids;
  }

  /** @param {string} container @param {unknown} object */
  #add(container, object) {
    const uuid = timeOrderedUuid();
    const codec = this.#codec;
    const kind = codec.encode(object);
    native.memoryObjectsPut(this.#handle, container, uuid, kind, codec.payload, codec.start, codec.end);
    codec.payload = undefined;
    return uuid;
  }

  /** @param {unknown} container @param {unknown} uuid */
  async getByUuid(container, uuid) {
    return this.#get(this.#check(container), check.string(uuid, 'uuid'));
  }

  /** @param {unknown} container @param {unknown} uuids */
  async getMany(container, uuids) {
    const name = this.#check(container);
    if (!Array.isArray(uuids)) throw invalidArgType('an array of strings', 'uuids', uuids);
    return uuids.map((uuid, index) => this.#get(name, check.string(uuid, `uuids[${index}]`)));
  }

  /** @param {string} container @param {string} uuid */
  #get(container, uuid) {
    const value = this.#reads.receive(native.memoryObjectsGet(this.#handle, container, uuid));
    return value === MISSING ? undefined : value;
  }

  /** @param {unknown} container @param {unknown} term */
  async find(container, term) {
    const name = this.#check(container);
    const matches = searchFor(term);
    const found = [];
    let after = '';
    for (;;) {
      /** @type {string[]} */
      const page = translated(() => native.memoryObjectsPage(this.#handle, name, after, PAGE));
      for (const uuid of page) {
        // The function that looks for objects may have removed this one, or closed the provider.
        this.#checkOpen();
        const object = this.#reads.receive(native.memoryObjectsGet(this.#handle, name, uuid));
        if (object !== MISSING && matches(object)) found.push(object);
      }
      if (page.length < PAGE) return found;
      after = page[page.length - 1];
      await new Promise((resolve) => setImmediate(resolve));
      this.#checkOpen();
    }
  }

  /** @param {unknown} container @param {unknown} uuid */
  async remove(container, uuid) {
    return native.memoryObjectsRemove(this.#handle, this.#check(container), check.string(uuid, 'uuid')) === 1;
  }

  /** @param {unknown} container */
  async count(container) {
    return native.memoryObjectsCount(this.#handle, this.#check(container));
  }

  /** @param {unknown} [container] */
  async clear(container) {
    const name = container === undefined ? '' : this.#check(container);
    this.#checkOpen();
    return native.memoryObjectsClear(this.#handle, name);
  }

  get stats() {
    this.#checkOpen();
    return { bytes: native.memoryObjectsBytes(this.#handle) };
  }

  /** @param {unknown} container */
  #check(container) {
    this.#checkOpen();
    return checkContainer(container);
  }

  #checkOpen() {
    if (this.#handle === NO_HANDLE) throw new HotpathClosedError('The data provider is closed');
  }

  async close() {
    const handle = this.#handle;
    if (handle === NO_HANDLE) return;
    this.#handle = NO_HANDLE;
    collected.unregister(this);
    native.closeMemoryObjects(handle);
  }

  [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    return this.close();
  }
}

module.exports = { MemoryDataProvider };
