/** The area's trials, in the order in which they are run and read. */
module.exports = ['node-cache-get', 'node-cache-set', 'keyv-get', 'keyv-set'];
