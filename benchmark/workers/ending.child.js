// A process that ends while its pool is in some state. It says when it begins to.

const { contextOf } = require('../harness/trials.js');

/** @type {import('../harness/types.js').Job} */
const job = JSON.parse(process.argv[2]);

async function main() {
  const { open, settings } = contextOf(job);
  const pool = await open();
  await pool.run('idle');
  if (settings.payload !== 'idle') {
    for (let index = 0; index < settings.workers; index += 1) pool.run(settings.payload).catch(() => {});
    // Time for the tasks to reach their threads.
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  process.send?.('ending', () => process.exit());
}

main();
