const { served, servingTrial } = require('./serving.js');

module.exports = servingTrial({
  name: 'http-cached',
  title: 'A cached answer of 10 KB, by a middleware',
  description: 'An Express application that answers with JSON, behind a middleware that has the answer already.',
  bytes: 10 * 1024,
  floors: [{ measure: 'rate', against: 'apicache', atLeast: 1.4 }],
  contenders: { hotpath: served('hotpath', 'middleware'), apicache: served('apicache', 'apicache') },
});
