const { served, servingTrial } = require('./serving.js');

module.exports = servingTrial({
  name: 'http-cached-large',
  title: 'A cached answer of 50 KB, compressed',
  description:
    'An Express application that answers with JSON, asked for gzip: from the response cache as middleware, and made and ' +
    'compressed anew by the npm package compression.',
  bytes: 50 * 1024,
  headers: { 'Accept-Encoding': 'gzip' },
  floors: [{ measure: 'rate', against: 'compression', atLeast: 8, headline: 'a cached answer of 50 KB, compressed' }],
  contenders: { hotpath: served('hotpath', 'middleware'), compression: served('compression', 'compression') },
});
