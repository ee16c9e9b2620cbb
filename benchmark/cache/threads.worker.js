const { digestOf } = require('../harness/digest.js');
const { passGate, servePhases } = require('../harness/threads.js');
const { evenly } = require('../workload/sequences.js');
const { userKey } = require('../workload/users.js');
const { readBuilt } = require('./reading.js');

servePhases(({ open, settings }) => {
  const cache = open();
  const ids = evenly(settings);
  const read = readBuilt(cache, ids);
  return {
    answers: () => digestOf(Array.from(ids.subarray(0, settings.entries), (id) => cache.get(userKey(id)))),
    warm: () => read(0, settings.operations / 5),
    read() {
      passGate();
      const from = Number(process.hrtime.bigint());
      const sum = read(0, settings.operations);
      return { from, to: Number(process.hrtime.bigint()), sum };
    },
  };
});
