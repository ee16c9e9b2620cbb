'use strict';

// What goes on in the demo by itself, so that its charts move: visitors, who come in waves, and chores.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { LoadTester } = require('hotpath');
const places = require('./places.js');

const WAVE_SECONDS = 60;
const WAVES = 12 * 60;
const CHORES_EVERY_MS = 10_000;
const COUNTRIES = ['CN', 'IN', 'US', 'BR', 'NG', 'DE', 'FR', 'JP', 'MX', 'HU'];

/** Visitors of the app at `url`: most ask what others have asked, some something new. */
function visitors(url, paths) {
  const wave = [
    { duration: WAVE_SECONDS, arrivalRate: 5, rampTo: 25, name: 'rising' },
    { duration: WAVE_SECONDS, arrivalRate: 25, rampTo: 5, name: 'falling' },
  ];
  // By Zipf's law: path number n is in the list 1/n times as often as the first.
  const popular = paths.flatMap((one, rank) => Array(Math.ceil(60 / (rank + 1))).fill(one));
  const somewhere =
    '/nearby?lat={{ $randomNumber(-50, 60) }}.{{ $randomNumber(10, 99) }}&lon={{ $randomNumber(-179, 179) }}';
  return {
    config: {
      target: url,
      phases: Array.from({ length: WAVES }, () => wave).flat(),
      variables: { popular, country: COUNTRIES },
    },
    scenarios: [
      {
        name: 'popular',
        weight: 80,
        flow: [{ get: '{{ popular }}' }, { think: 0.2 }, { get: '{{ popular }}' }].map(absolute),
      },
      { name: 'something new', weight: 4, flow: [{ get: somewhere }] },
      {
        name: 'curious',
        weight: 10,
        flow: [{ get: '/populations?country={{ country }}' }, { get: '/intent?text=who%20lives%20near%20here' }],
      },
      { name: 'reporter', weight: 4, flow: [{ post: '/reports/{{ country }}' }] },
      { name: 'lost', weight: 2, flow: [{ get: '/nowhere' }] },
    ],
  };
}

/** A path that is all variable still begins with a slash of its own. */
function absolute(step) {
  return step.get ? { get: `/${step.get}` } : step;
}

/** Begins all of it, until `signal` aborts; resolves when it has ended. */
async function keepBusy(url, services, { paths, signal }) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hotpath-demo-'));
  const file = path.join(folder, 'visitors.json');
  fs.writeFileSync(
    file,
    JSON.stringify(
      visitors(
        url,
        paths.map((one) => one.slice(1)),
      ),
    ),
  );
  const chores = setInterval(() => doChores(services).catch(reportUnless(signal)), CHORES_EVERY_MS);
  try {
    await new LoadTester().runScenario(file, { signal });
  } catch (error) {
    reportUnless(signal)(error);
  } finally {
    clearInterval(chores);
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** A batch over some rows, and a report as a job. */
async function doChores({ batch, jobs }) {
  const from = Math.floor(Math.random() * (places.count - 2000));
  await batch.processBatch(places.rows(from, 2000), (chunk) => chunk.map(({ name }) => places.fold(name).length));
  await jobs.submitJob('report', { country: COUNTRIES[from % COUNTRIES.length] });
}

const reportUnless = (signal) => (error) => {
  if (!signal.aborted) console.error(error.message);
};

module.exports = { keepBusy };
