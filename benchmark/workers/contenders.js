// The pools that are compared, all with the same number of threads and the same functions. Packages are loaded when a
// contender opens, so that a process holds one of them only.

const path = require('node:path');

/** @typedef {import('../harness/types.js').Contender} Contender */
/** @typedef {import('../harness/types.js').Pool} Pool */

/** Options are published, and stand there without the folders of a machine. @param {unknown} name */
const functionFile = (name) => path.join(__dirname, String(name));

/** @type {Contender} */
const hotpath = {
  package: 'hotpath',
  options: ({ workers, work, reuseWorkers = true }) => ({
    file: `${work}.worker.mjs`,
    maxWorkers: workers,
    minWorkers: workers,
    reuseWorkers,
  }),
  open({ file, ...options }) {
    const { WorkerPool } = require('../../lib/workers/index.js');
    const pool = new WorkerPool(functionFile(file), options);
    return {
      run: (data, transferList) => pool.execute(data, transferList && { transferList }),
      close: () => pool.terminate(),
    };
  },
};

/** @type {Contender} */
const piscina = {
  package: 'piscina',
  options: ({ workers, work }) => ({ filename: `${work}.worker.mjs`, minThreads: workers, maxThreads: workers }),
  open({ filename, ...options }) {
    const { Piscina } = require('piscina');
    const pool = new Piscina({ ...options, filename: functionFile(filename) });
    return {
      run: (data, transferList) => pool.run(data, transferList && { transferList }),
      close: () => pool.destroy(),
    };
  },
};

/** An ES module only. @type {Contender} */
const tinypool = {
  package: 'tinypool',
  options: ({ workers, work }) => ({ filename: `${work}.worker.mjs`, minThreads: workers, maxThreads: workers }),
  async open({ filename, ...options }) {
    const { Tinypool } = await import('tinypool');
    const pool = new Tinypool({ ...options, filename: functionFile(filename) });
    return {
      run: (data, transferList) => pool.run(data, transferList && { transferList }),
      close: () => pool.destroy(),
    };
  },
};

module.exports = { hotpath, piscina, tinypool };
