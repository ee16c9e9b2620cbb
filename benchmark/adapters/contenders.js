// Drop-ins beside what they stand for, made as their users make them.

const { nodeCache } = require('../cache/contenders.js');

/** @typedef {import('../harness/types.js').Contender} Contender */

/** @type {Contender} */
const hotpathNodeCache = {
  ...nodeCache,
  package: 'hotpath',
  open(options) {
    const { NodeCache } = require('../..');
    return new NodeCache(options);
  },
};

/** Keyv over its own store, a Map. @type {Contender} */
const keyv = {
  package: 'keyv',
  options: () => ({}),
  open() {
    const { Keyv } = require('keyv');
    return new Keyv();
  },
};

/** A Keyv like any other, but for its store. @type {Contender} */
const keyvStore = {
  package: 'hotpath',
  options: ({ capacity }) => ({ maxEntries: capacity }),
  open(options) {
    const { Keyv } = require('keyv');
    const { KeyvStore } = require('../..');
    return new Keyv({ store: new KeyvStore(options) });
  },
};

/** Keyv without the JSON. @type {Contender} */
const createKeyv = {
  ...keyvStore,
  open(options) {
    const hotpath = require('../..');
    return hotpath.createKeyv(options);
  },
};

module.exports = { createKeyv, hotpathNodeCache, keyv, keyvStore, nodeCache };
