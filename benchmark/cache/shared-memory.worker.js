const { digestOf } = require('../harness/digest.js');
const { collect } = require('../harness/memory.js');
const { servePhases } = require('../harness/threads.js');

const PAGE_LENGTH = 2_048;

/** Pages that the warm-up reads again and again. */
const FEW = 100;

/** @param {number} number */
const page = (number) => `<h1>Page ${number}</h1>`.padEnd(PAGE_LENGTH, `${Math.imul(number, 0x9e37_79b1)} `);

servePhases(({ open, settings }) => {
  const cache = open();

  /** @param {number} number */
  function readThrough(number) {
    const key = `page:${number}`;
    const cached = cache.get(key);
    if (cached !== undefined) return cached;
    const made = page(number);
    cache.set(key, made);
    return made;
  }

  /** @param {number} distinct */
  function readAll(distinct) {
    let sum = 0;
    for (let count = 0; count < settings.pages; count += 1) sum += readThrough(count % distinct).charCodeAt(12);
    collect();
    return sum;
  }

  function warmUp() {
    for (let count = 0; count < settings.pages; count += 1) {
      const key = `page:${count % FEW}`;
      cache.set(key, page(count % FEW));
      cache.get(key);
    }
    collect();
  }

  return {
    answers: () => digestOf(Array.from({ length: FEW * 2 }, (_, index) => readThrough(index % FEW))),
    warm: warmUp,
    read: () => readAll(settings.pages),
  };
});
