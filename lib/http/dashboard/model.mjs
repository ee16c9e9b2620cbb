// What the dashboard knows of the server, from one answer and a stream of news.

import { flatten } from './figures.mjs';
import { Series } from './series.mjs';

const MAX_RECORDS = 50;

export class Model {
  #api;
  #listeners = new Set();
  series = new Series();
  /** The answer of `GET /dashboard`, kept up to date. @type {any} */
  data;
  /** The newest sample. @type {any} */
  sample;

  /** @param {ReturnType<typeof import('./api.mjs').createApi>} api */
  constructor(api) {
    this.#api = api;
  }

  /** Calls the listener after each change. @param {() => void} listener */
  onChange(listener) {
    this.#listeners.add(listener);
  }

  /** Asks for everything. What is known already of the past stays. */
  async load() {
    const data = await this.#api.get('/dashboard');
    const { history, recent = [], live } = data;
    const points = (history?.timestamps ?? []).map((timestamp, index) => {
      const values = Object.entries(history.series).map(([key, column]) => [key, column[index]]);
      return [timestamp, Object.fromEntries(values)];
    });
    // Where samples begin, they tell more.
    const begin = recent[0]?.timestamp ?? Number.POSITIVE_INFINITY;
    const past = points.filter(([timestamp]) => timestamp < begin);
    this.series.fill([...past, ...recent.map((sample) => [sample.timestamp, flatten(sample)])]);
    this.data = data;
    if (live?.timestamp !== undefined) this.#addSample(live);
    this.#changed();
  }

  /** @param {string} name @param {any} event */
  async apply(name, event) {
    switch (name) {
      case 'hello':
        // After a gap, or before the first answer, news alone are not the whole story.
        if (!event.resumed && this.data !== undefined) await this.load();
        return;
      case 'sample':
        this.#addSample(event);
        break;
      case 'alert':
        this.#without('alerts', event.id).unshift(event);
        break;
      case 'resolved':
        this.#without('alerts', event.id);
        break;
      case 'optimization':
        this.#record(event);
        break;
    }
    this.#changed();
  }

  /** @param {string} action */
  allows(action) {
    return this.data?.allowed?.[action] === true;
  }

  #addSample(sample) {
    this.sample = sample;
    this.series.add(sample.timestamp, flatten(sample));
    const { summary } = this.data ?? {};
    if (!summary) return;
    const { score, latency, throughput, errorRate, cache, memory, cpu, connections, queueLength } = sample;
    summary.score = score ?? summary.score;
    const fresh = {
      responseTime: latency?.avg ?? 0,
      throughput,
      errorRate,
      cacheHitRate: cache?.hitRate,
      memoryUsage: memory?.usage,
      cpuUsage: cpu,
      activeConnections: connections,
      queueLength,
    };
    for (const [key, value] of Object.entries(fresh)) if (typeof value === 'number') summary.metrics[key] = value;
  }

  /** A list without the entry of this id. */
  #without(list, id) {
    if (this.data === undefined) return [];
    this.data[list] = (this.data[list] ?? []).filter((entry) => entry.id !== id);
    return this.data[list];
  }

  /** A record of the optimization comes when it begins, and again when it is decided. */
  #record(record) {
    const optimization = this.data?.optimization;
    if (!optimization) return;
    const others = optimization.history.filter(({ id }) => id !== record.id);
    optimization.history = [record, ...others].slice(0, MAX_RECORDS);
  }

  #changed() {
    for (const listener of this.#listeners) listener();
  }
}
