'use strict';

// Prometheus's own programs: what we export is right when they take it.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { freePort, launch, need, stop } = require('./servers');
const { waitFor } = require('./wait');

/** Fails with promtool's words unless it takes this text. Its style advice is not ours to follow in users' names. */
function assertMetrics(text) {
  const { status, stderr } = spawnSync(need('promtool'), ['check', 'metrics'], { input: text, encoding: 'utf8' });
  // 3 says that there is advice on names; errors are 1.
  assert.ok(status === 0 || status === 3, `promtool: ${stderr}`);
}

/** A Prometheus server that scrapes `target` (host:port), and goes with the test. */
async function startPrometheus(t, target, { features = [] } = {}) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'hotpath-prometheus-'));
  const port = await freePort();
  const config = path.join(directory, 'prometheus.yml');
  fs.writeFileSync(
    config,
    `global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs:
  - { job_name: hotpath, static_configs: [{ targets: ['${target}'] }] }
`,
  );
  const child = launch(
    need('prometheus'),
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${path.join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      ...features.map((feature) => `--enable-feature=${feature}`),
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (log += text));
  t.after(async () => {
    await stop(child, 'SIGKILL');
    fs.rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
  });
  const query = async (expression) => {
    const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`;
    const response = await fetch(url).catch(() => undefined);
    const { data } = response?.ok ? await response.json() : {};
    return data?.result ?? [];
  };
  return {
    query,
    /** Waits for an answer that is not empty. */
    answer: (expression) =>
      waitFor(async () => (await query(expression))[0], {
        timeoutMs: 60_000,
        what: `Prometheus to answer ${expression} (its log: ${log.slice(-2_000)})`,
      }),
  };
}

module.exports = { assertMetrics, startPrometheus };
