'use strict';

// A data provider on the disk: an LMDB environment, which survives restarts and which processes may share.

const path = require('node:path');
const native = require('../native.js');
const { pending } = require('../environment.js');
const { HotpathClosedError, invalidArgType } = require('../errors.js');
const { translated } = require('../native-errors.js');
const check = require('../validate.js');
const { Codec } = require('../cache/codec.js');
const { checkContainer } = require('./containers.js');
const { PackedObjects, addAll } = require('./packed-objects.js');
const { searchFor } = require('./search.js');

const NO_HANDLE = 0xffff_ffff;
const DEFAULT_MAX_BYTES = 16 * 1024 ** 3;

/** Objects that a search reads at once. */
const PAGE = 512;

const collected = new FinalizationRegistry((/** @type {number} */ handle) => native.collectDiskObjects(handle));

class DiskDataProvider {
  #handle;
  #codec;
  #directory;
  /** @type {Promise<void> | undefined} */
  #closing;
  /** Settles with each read under way. @type {Set<Promise<unknown>>} */
  #reading = new Set();

  /** @param {unknown} options */
  constructor(options) {
    const given = check.options(typeof options === 'string' ? { directory: options } : options, 'options', [
      'directory',
      'maxBytes',
    ]);
    this.#directory = path.resolve(check.nonEmptyString(given.directory, 'options.directory'));
    const maxBytes = check.positiveInteger(given.maxBytes ?? DEFAULT_MAX_BYTES, 'options.maxBytes');
    /** @type {number} */
    const handle = translated(() => native.openDiskObjects(this.#directory, maxBytes));
    this.#handle = handle;
    this.#codec = new Codec({
      load: () => translated(() => native.diskObjectsStructures(handle)),
      version: () => translated(() => native.diskObjectsStructuresVersion(handle)),
      save: (document, expected) => translated(() => native.diskObjectsSaveStructures(handle, document, expected)),
    });
    collected.register(this, handle, this);
  }

  get directory() {
    return this.#directory;
  }

  get closed() {
    return this.#handle === NO_HANDLE;
  }

  /** @param {unknown} container @param {unknown} object @returns {Promise<string>} */
  async add(container, object) {
    const name = this.#check(container);
    const packed = new PackedObjects(this.#codec);
    packed.add(object);
    return this.#store(name, packed);
  }

  /** @param {unknown} container @param {unknown} objects */
  async addMany(container, objects) {
    const name = this.#check(container);
    if (!Array.isArray(objects)) throw invalidArgType('an array', 'objects', objects);
    return addAll(objects, new PackedObjects(this.#codec), (packed) => this.#store(name, packed));
  }

  /** @param {string} container @param {PackedObjects} packed @returns {Promise<string>} the UUIDs */
  async #store(container, { shapes, bytes }) {
    let uuids = '';
    await pending((operation) => {
      uuids = native.diskObjectsAdd(this.#handle, container, shapes, bytes, operation);
    });
    return uuids;
  }

  /** @param {unknown} container @param {unknown} uuid */
  async getByUuid(container, uuid) {
    const [object] = await this.getMany(container, [check.string(uuid, 'uuid')]);
    return object;
  }

  /** @param {unknown} container @param {unknown} uuids @returns {Promise<any[]>} */
  async getMany(container, uuids) {
    const name = this.#check(container);
    if (!Array.isArray(uuids)) throw invalidArgType('an array of strings', 'uuids', uuids);
    const names = uuids.map((uuid, index) => check.string(uuid, `uuids[${index}]`));
    return this.#read((operation) => native.diskObjectsGet(this.#handle, name, names, operation));
  }

  /**
   * What is read may need shapes that only the open store has: it closes when all reads have been decoded.
   * @param {(operation: number) => void} begin
   * @returns {Promise<any[]>}
   */
  #read(begin) {
    const read = pending(begin, (stored) => this.#decode(stored));
    const settled = read.then(
      () => this.#reading.delete(settled),
      () => this.#reading.delete(settled),
    );
    this.#reading.add(settled);
    return read;
  }

  /** Makes objects of pairs of kind and payload. @param {any[]} stored @returns {any[]} */
  #decode(stored) {
    const values = [];
    for (let index = 0; index < stored.length; index += 2) {
      const kind = stored[index];
      values.push(kind === -1 ? undefined : this.#codec.decodeAlone(kind, stored[index + 1]));
    }
    return values;
  }

  /** @param {unknown} container @param {unknown} term */
  async find(container, term) {
    const name = this.#check(container);
    const matches = searchFor(term);
    const found = [];
    let after = '';
    for (;;) {
      this.#checkOpen();
      const from = after;
      const page = await this.#read((operation) => native.diskObjectsPage(this.#handle, name, from, PAGE, operation));
      for (let index = 1; index < page.length; index += 2) if (matches(page[index])) found.push(page[index]);
      if (page.length < 2 * PAGE) return found;
      after = page[page.length - 2];
    }
  }

  /** @param {unknown} container @param {unknown} uuid @returns {Promise<boolean>} */
  async remove(container, uuid) {
    const name = this.#check(container);
    const id = check.string(uuid, 'uuid');
    return pending((operation) => native.diskObjectsRemove(this.#handle, name, id, operation));
  }

  /** @param {unknown} container @returns {Promise<number>} */
  async count(container) {
    const name = this.#check(container);
    return pending((operation) => native.diskObjectsCount(this.#handle, name, operation));
  }

  /** @param {unknown} [container] @returns {Promise<number>} */
  async clear(container) {
    const name = container === undefined ? undefined : this.#check(container);
    this.#checkOpen();
    return pending((operation) => native.diskObjectsClear(this.#handle, name, operation));
  }

  /** @param {unknown} container */
  #check(container) {
    this.#checkOpen();
    return checkContainer(container);
  }

  #checkOpen() {
    if (this.#closing !== undefined) throw new HotpathClosedError('The data provider is closed');
  }

  close() {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close() {
    collected.unregister(this);
    await Promise.all(this.#reading);
    const handle = this.#handle;
    this.#handle = NO_HANDLE;
    await pending((operation) => native.closeDiskObjects(handle, operation));
  }

  [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    return this.close();
  }
}

module.exports = { DiskDataProvider };
