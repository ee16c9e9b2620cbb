'use strict';

// Stale answers made anew while clients still get the old ones: by a request in the background that passes through the
// application like any other.

const { backgroundRequest } = require('./background-request.js');
const { NO_DIRECTIVES } = require('./cache-control.js');
const { Miss } = require('./miss.js');
const { markOf } = require('./request-mark.js');
const { urlOf } = require('./request-key.js');

/** @typedef {import('./question.js').Question} Question */
/** @typedef {import('./question.js').Listener} Listener */

/**
 * Who can be asked in the background: what stands behind a front, what the options say, or the Express application.
 * @param {Question} question
 * @param {import('./response-cache-options.js').Settings} settings
 * @returns {Listener | undefined}
 */
function applicationFor({ app, request }, settings) {
  return app ?? settings.app ?? rootOf(request.app);
}

/** The application that a mounted one belongs to. @param {any} app */
function rootOf(app) {
  let root = app;
  while (root?.parent !== undefined) root = root.parent;
  return typeof root === 'function' ? root : undefined;
}

/**
 * Asks the application for what a client has just got the old answer to.
 * @param {import('./response-cache.js').ResponseCache} cache
 * @param {import('./miss.js').Host} host
 * @param {Question} question
 * @param {string} flightKey
 * @param {Listener} app
 */
function renew(cache, host, question, flightKey, app) {
  host.count('renewals');
  const renewal = backgroundRequest(question.request);
  const flight = host.flights.begin(flightKey, urlOf(question.request), true);
  let isSeen = false;
  const giveUp = () => {
    flight.end('again');
    // Nothing will be stored by a request that has not come back to this cache.
    if (!isSeen) host.flights.forget(flight);
  };
  const run = (/** @type {() => unknown} */ next) => {
    isSeen = true;
    const { key, identified } = question;
    const asked = { ...renewal, next, key, identified, directives: NO_DIRECTIVES, waits: Infinity, app };
    markOf(renewal.request).handled.add(cache);
    return new Miss(host, asked, flight, undefined).run(next);
  };
  renewal.response.on('close', () => setImmediate(giveUp));
  try {
    if (question.app === undefined) {
      Object.assign(markOf(renewal.request), { cache, renewal: run });
      app(renewal.request, renewal.response);
    } else {
      run(() => app(renewal.request, renewal.response));
    }
  } catch (error) {
    giveUp();
    host.report(error);
  }
}

module.exports = { applicationFor, renew };
