// What can be done from the dashboard. Everything asks before it acts, and tells what came of it.

import { ask } from './dialogs.mjs';
import { bytes, count, milliseconds, number, percent } from './format.mjs';

export class Actions {
  #api;
  #model;
  #host;
  #toasts;

  /**
   * @param {ReturnType<typeof import('./api.mjs').createApi>} api
   * @param {import('./model.mjs').Model} model
   * @param {Element} host where questions appear
   * @param {import('./dialogs.mjs').Toasts} toasts
   */
  constructor(api, model, host, toasts) {
    this.#api = api;
    this.#model = model;
    this.#host = host;
    this.#toasts = toasts;
  }

  resolveAlert({ id, type }) {
    return this.#confirm(
      { title: 'Resolve alert', text: `${type} counts as seen until it happens again.`, verb: 'Resolve' },
      () => this.#api.post(`/monitoring/alert/${encodeURIComponent(id)}/resolve`),
      () => `${type} is resolved`,
    );
  }

  clearAlerts() {
    return this.#confirm(
      { title: 'Clear alerts', text: 'All active alerts go. Causes that last bring them back.', verb: 'Clear alerts' },
      () => this.#api.delete('/alerts'),
      () => 'Alerts are cleared',
    );
  }

  optimize() {
    return this.#confirm(
      {
        title: 'Run the optimization',
        text: 'Settings are changed where figures say so, measured before and after, and put back where it got worse.',
        verb: 'Run',
      },
      () => this.#api.post('/optimization/run'),
      (answer) => {
        const tried = answer?.actions?.length ?? answer?.optimizations?.length;
        return tried === undefined ? 'The optimization has run' : `The optimization has run: ${count(tried)} actions`;
      },
    );
  }

  optimizeCache() {
    return this.#confirm(
      {
        title: 'Tidy the cache',
        text: 'Entries that have expired are removed, and their memory given back.',
        verb: 'Tidy',
      },
      () => this.#api.post('/cache/optimize'),
      (answer) => `Removed ${count(answer?.removed)} entries, ${bytes(answer?.freedBytes)}`,
    );
  }

  clearCache() {
    return this.#confirm(
      {
        title: 'Clear the cache',
        text: 'Everything in it goes, and has to be loaded again.',
        verb: 'Clear',
        danger: true,
      },
      () => this.#api.delete('/cache'),
      () => 'The cache is empty',
    );
  }

  clearPattern() {
    return this.#confirm(
      {
        title: 'Clear a pattern',
        text: 'A word clears the key of that name and all that begin with it and a colon; * and ? match anything.',
        verb: 'Clear',
        danger: true,
        fields: [{ name: 'pattern', label: 'Pattern' }],
      },
      ({ pattern }) => this.#api.delete('/cache/pattern', { pattern }),
      (answer) => `Removed ${count(answer?.deleted ?? answer?.removed)} entries`,
    );
  }

  loadTest() {
    return this.#confirm(
      {
        title: 'Run a load test',
        text: 'Requests go to a path of this application.',
        verb: 'Run',
        fields: [
          { name: 'endpoint', label: 'Path', value: '/' },
          { name: 'requests', label: 'Requests', type: 'number', value: 1000, min: 1 },
          { name: 'concurrency', label: 'At a time', type: 'number', value: 10, min: 1 },
        ],
      },
      ({ endpoint, requests, concurrency }) =>
        this.#api.post('/test/load', { endpoint, requests: Number(requests), concurrency: Number(concurrency) }),
      ({ successRate, requestsPerSecond, averageResponseTime }) =>
        `${percent(successRate / 100)} succeeded, ${number(requestsPerSecond)} /s, ${milliseconds(averageResponseTime)} on average`,
    );
  }

  resetMetrics() {
    return this.#confirm(
      { title: 'Reset the metrics', text: 'All counts begin at 0 again.', verb: 'Reset', danger: true },
      () => this.#api.delete('/metrics'),
      () => 'Metrics begin anew',
    );
  }

  setAuto(enabled) {
    return this.#confirm(
      {
        title: enabled ? 'Optimize automatically' : 'Stop optimizing',
        text: enabled ? 'The optimization runs every 15 minutes.' : 'Nothing is changed any more by itself.',
        verb: enabled ? 'Turn on' : 'Turn off',
      },
      () => this.#api.put('/optimization/auto', { enabled }),
      () => `Automatic optimization is ${enabled ? 'on' : 'off'}`,
    );
  }

  /** @param {object} config the parts that change */
  configure(config) {
    return this.#confirm(
      { title: 'Change the configuration', text: 'It holds until the process ends.', verb: 'Change' },
      () => this.#api.put('/optimization/config', config),
      () => 'The configuration is changed',
    );
  }

  async #confirm(question, act, tell) {
    const answers = await ask(this.#host, question);
    if (answers === undefined) return;
    try {
      const result = await act(answers);
      this.#toasts.show(tell(result));
      await this.#model.load();
    } catch (error) {
      this.#toasts.show(`${question.title}: ${error instanceof Error ? error.message : error}`, 'error');
    }
  }
}
