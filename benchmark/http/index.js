/** The area's trials, in the order in which they are run and read. */
module.exports = ['http-cached-large', 'http-cached', 'http-front', 'http-not-modified', 'http-load'];
