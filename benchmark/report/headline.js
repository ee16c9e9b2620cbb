const fs = require('node:fs');
const { FILE, rounded } = require('../headline/headline.js');
const { table } = require('./table.js');

/** The documents' targets beside what is reached; nothing before they were measured. */
function headlineSection() {
  if (!fs.existsSync(FILE)) return [];
  /** @type {{ date: string, rows: import('../headline/headline.js').Row[] }} */
  const { date, rows } = JSON.parse(fs.readFileSync(FILE, 'utf8'));
  const missed = rows.filter(({ met }) => !met).length;
  const lines = rows.map(({ document, what, target, value, unit, met, how }) => {
    return [document, what, target, `${rounded(value)} ${unit}`, met ? 'reached' : '**missed**', how];
  });
  return [
    '## Targets of the documents\n',
    `What the five documents promise, beside what the demo application (\`npm start\`) and a comparison with plain JavaScript reach on this machine, where server and load share the cores. Measured ${date.slice(0, 10)} by \`npm run bench -- --headline\`; ${missed} of ${rows.length} missed.\n`,
    table(['document', 'what', 'target', 'reached', 'verdict', 'how'], lines),
    '',
  ];
}

module.exports = { headlineSection };
