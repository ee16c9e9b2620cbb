const { served, servingTrial } = require('./serving.js');

module.exports = servingTrial({
  name: 'http-not-modified',
  title: 'An answer that the client has already',
  description: 'A request with If-None-Match: 304 from the response cache as middleware, and from Express itself.',
  bytes: 10 * 1024,
  conditional: true,
  floors: [{ measure: 'rate', against: 'express', atLeast: 1 }],
  contenders: { hotpath: served('hotpath', 'middleware'), express: served('express', 'express') },
});
