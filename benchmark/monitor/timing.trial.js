const { EventEmitter } = require('node:events');
const { digestOf } = require('../harness/digest.js');
const { timedWarm, timeMeasures } = require('../harness/timing.js');

const options = () => ({});

const hotpath = {
  package: 'hotpath',
  options,
  open() {
    const { metricsService, timingMiddleware } = require('../..');
    const routes = metricsService.histogram('http_route_duration_seconds', {
      labelNames: ['method', 'route', 'status'],
    });
    return {
      middleware: timingMiddleware,
      async count() {
        return routes.values.reduce((sum, { value }) => sum + /** @type {any} */ (value).count, 0);
      },
    };
  },
};

/** As its documentation and most applications have it: a timer, and labels when the answer was sent. */
const promClient = {
  package: 'prom-client',
  options,
  open() {
    const { Histogram } = require('prom-client');
    const histogram = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'x',
      labelNames: ['method', 'route', 'status'],
    });
    return {
      middleware(/** @type {any} */ request, /** @type {any} */ response, /** @type {() => void} */ next) {
        const end = histogram.startTimer();
        response.on('finish', () => {
          const route = request.baseUrl + request.route.path;
          end({ method: request.method, route, status: response.statusCode });
        });
        next();
      },
      async count() {
        const { values } = await histogram.get();
        const counts = values.filter(({ metricName }) => metricName === 'http_request_duration_seconds_count');
        return counts.reduce((sum, { value }) => sum + value, 0);
      },
    };
  },
};

/** What a middleware sees of a request and its answer, without the cost of a socket. */
class Answer extends EventEmitter {
  statusCode = 200;
  writableFinished = true;
}

const REQUEST = { method: 'GET', url: '/users/5', originalUrl: '/users/5', baseUrl: '', route: { path: '/users/:id' } };

/** @param {any} middleware */
function serve(middleware) {
  return (/** @type {number} */ from, /** @type {number} */ to) => {
    let served = 0;
    for (let index = from; index < to; index += 1) {
      const answer = new Answer();
      middleware(REQUEST, answer, () => {
        served += 1;
      });
      answer.emit('finish');
      answer.emit('close');
    }
    return served;
  };
}

/** @type {import('../harness/types.js').Trial} */
module.exports = {
  name: 'timing',
  title: 'Timing a request',
  description:
    'What the middleware itself costs, from its call to the end of the answer, with an emitter in place of a socket. hotpath ' +
    'feeds collector, monitor and metrics, and counts aborted requests; prom-client observes one histogram.',
  settings: {
    smoke: { rounds: 1, operations: 2_000 },
    quick: { rounds: 5, operations: 300_000 },
    full: { rounds: 11, operations: 2_000_000 },
  },
  cases: { request: { title: 'one route' } },
  measures: timeMeasures('request'),
  floors: [
    { measure: 'time', against: 'prom-client', atLeast: 1 },
    { measure: 'time', atMost: 2_000 },
  ],
  contenders: /** @type {any} */ ({ hotpath, 'prom-client': promClient }),

  async check({ open, settings }) {
    const { middleware, count } = /** @type {any} */ (open());
    serve(middleware)(0, settings.operations);
    return digestOf([await count()]);
  },

  async run({ open, settings }) {
    return timedWarm(settings, serve(/** @type {any} */ (open()).middleware));
  },
};
