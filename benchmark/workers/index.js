/** The area's trials, in the order in which they are run and read. */
module.exports = [
  'tasks',
  'transfer',
  'fib',
  'cold-start',
  'worker-reuse',
  'ending',
  'jobs-memory',
  'jobs-durable',
  'jobs-million',
];
