'use strict';

// A data provider in memory. Objects are encoded and kept in native memory, so that the collector never sees them.

const native = require('../native.js');
const { scratchWords } = require('../environment.js');
const { HotpathClosedError, invalidArgType } = require('../errors.js');
const { translated } = require('../native-errors.js');
const check = require('../validate.js');
const { Codec } = require('../cache/codec.js');
const { MISSING, NativeReads } = require('../cache/native-reads.js');
const { checkContainer } = require('./containers.js');
const { PackedObjects, addAll, eachUuid } = require('./packed-objects.js');
const { searchFor } = require('./search.js');

const NO_HANDLE = 0xffff_ffff;

/** Objects of one native call at most: the kind and the end of each stand in the shared memory. */
const MOST_OBJECTS = 4096;

/** Bytes of one native call, when there are so many. */
const MOST_BYTES = 1 << 20;

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
  #one = new PackedObjects(this.#codec);

  constructor() {
    collected.register(this, this.#handle, this);
  }

  get closed() {
    return this.#handle === NO_HANDLE;
  }

  /** @param {unknown} container @param {unknown} object @returns {Promise<string>} */
  async add(container, object) {
    const name = this.#check(container);
    this.#one.add(object);
    return this.#store(name, this.#one);
  }

  /** @param {unknown} container @param {unknown} objects */
  async addMany(container, objects) {
    const name = this.#check(container);
    if (!Array.isArray(objects)) throw invalidArgType('an array', 'objects', objects);
    // Not the one for single objects: encoding may run getters, and these may add objects.
    const packed = new PackedObjects(this.#codec);
    return addAll(objects, packed, (full) => this.#store(name, full), isFull);
  }

  /** @param {string} container @param {PackedObjects} packed is empty afterwards @returns {string} the UUIDs */
  #store(container, packed) {
    // A getter may have closed the provider.
    this.#checkOpen();
    const { bytes, count, shapes } = packed;
    for (let index = 0; index < shapes.length; index++) scratchWords[index] = shapes[index];
    packed.clear();
    return native.memoryObjectsAdd(this.#handle, container, bytes, count);
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
      const page = translated(() => native.memoryObjectsPage(this.#handle, name, after, PAGE));
      let count = 0;
      eachUuid(page, (uuid) => {
        // The function that looks for objects may have removed this one, or closed the provider.
        this.#checkOpen();
        const object = this.#reads.receive(native.memoryObjectsGet(this.#handle, name, uuid));
        if (object !== MISSING && matches(object)) found.push(object);
        count++;
        after = uuid;
      });
      if (count < PAGE) return found;
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

/** @param {PackedObjects} packed */
function isFull({ count, size }) {
  return count === MOST_OBJECTS || size >= MOST_BYTES;
}

module.exports = { MemoryDataProvider };
