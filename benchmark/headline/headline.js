// The targets of all five documents beside what is reached here: by the demo application under load where it is about an
// application, by a comparison with plain JavaScript where it is about a factor.

const fs = require('node:fs');
const path = require('node:path');
const { machine } = require('../harness/machine.js');
const { measureDashboard } = require('./dashboard.js');
const { startDemo } = require('./demo.js');
const { factors } = require('./factors.js');
const { measureDemo } = require('./load.js');

const FILE = path.join(__dirname, '..', 'results', 'headline.json');

/**
 * @typedef {object} Row
 * @property {string} document
 * @property {string} what
 * @property {string} target as the document has it
 * @property {number} value what is reached
 * @property {string} unit
 * @property {boolean} met
 * @property {string} how
 */

/** Measures everything and keeps it. @returns {Promise<Row[]>} */
async function headline() {
  console.log('Factors, against plain JavaScript ...');
  const rows = await factors();
  console.log('The demo application under load ...');
  const demo = await startDemo();
  try {
    rows.unshift(...(await measureDemo(demo)));
    rows.push(...(await measureDashboard(demo)));
  } finally {
    await demo.stop();
  }
  const result = { trial: 'headline', date: new Date().toISOString(), machine: machine(), rows, cases: {} };
  fs.mkdirSync(path.dirname(FILE), { recursive: true });
  fs.writeFileSync(FILE, `${JSON.stringify(result, undefined, 2)}\n`);
  for (const { document, what, target, value, unit, met } of rows) {
    console.log(`  ${met ? 'reached' : 'MISSED '}  ${document}  ${what}: ${rounded(value)} ${unit} (${target})`);
  }
  return rows;
}

/** @param {number} value */
const rounded = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));

module.exports = { FILE, headline, rounded };
