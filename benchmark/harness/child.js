// The process of one contender: does the job of its argument, sends what came out, and ends.

const { contextOf, loadTrial } = require('./trials.js');

/** @type {import('./types.js').Job} */
const job = JSON.parse(process.argv[2]);

async function main() {
  const outcome = await loadTrial(job.file)[job.action](contextOf(job));
  process.send?.(outcome, () => process.exit());
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
