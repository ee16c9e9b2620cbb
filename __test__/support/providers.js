'use strict';

/** What the document's own providers do: a promise for each object, into a Map. Counts its calls. */
class MapProvider {
  containers = new Map();
  calls = { add: 0, getByUuid: 0, find: 0 };
  running = 0;
  most = 0;
  #next = 0;

  async #work(kind, body) {
    this.calls[kind]++;
    this.most = Math.max(this.most, ++this.running);
    await new Promise((resolve) => setImmediate(resolve));
    this.running--;
    return body();
  }

  add(container, object) {
    return this.#work('add', () => {
      if (object?.bad) throw new Error(`bad ${object.bad}`);
      const uuid = `id-${this.#next++}`;
      this.containers.set(`${container}/${uuid}`, object);
      return uuid;
    });
  }

  getByUuid(container, uuid) {
    return this.#work('getByUuid', () => {
      if (uuid === 'broken') throw new Error('broken');
      return this.containers.get(`${container}/${uuid}`);
    });
  }

  find(container, term) {
    return this.#work('find', () => {
      if (term === 'broken') throw new Error('cannot search');
      const inside = [...this.containers].filter(([name]) => name.startsWith(`${container}/`));
      return inside.map(([, object]) => object).filter((object) => JSON.stringify(object).includes(term));
    });
  }
}

/** The same with calls for many, which `many` may replace. */
class BulkProvider extends MapProvider {
  batches = [];

  async addMany(container, objects) {
    this.batches.push(objects.length);
    if (objects.some((object) => object?.bad)) throw new Error('the statement failed');
    return Promise.all(objects.map((object) => super.add(container, object)));
  }

  async getMany(container, uuids) {
    this.batches.push(uuids.length);
    return Promise.all(uuids.map((uuid) => super.getByUuid(container, uuid).catch((error) => error)));
  }
}

module.exports = { MapProvider, BulkProvider };
