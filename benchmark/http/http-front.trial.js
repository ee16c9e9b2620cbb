const { served, servingTrial } = require('./serving.js');

module.exports = servingTrial({
  name: 'http-front',
  title: 'A cached answer of 10 KB, before the application',
  description:
    'The same answered before Express sees the request, beside a bare server of node:http that writes the same bytes.',
  bytes: 10 * 1024,
  floors: [
    { measure: 'rate', against: 'apicache', atLeast: 4, headline: 'a cached answer, before the application' },
    { measure: 'rate', against: 'node:http', atLeast: 0.7 },
  ],
  contenders: {
    hotpath: served('hotpath', 'front'),
    apicache: served('apicache', 'apicache'),
    'node:http': served('node:http', 'http'),
  },
});
