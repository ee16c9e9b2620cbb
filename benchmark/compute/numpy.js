// numpy as a contender, where python3 has it. It times itself: its process starts once a round, outside the figure.

const { spawnSync } = require('node:child_process');
const os = require('node:os');

/** As many threads as hotpath takes. */
const THREADS = Math.max(1, os.availableParallelism() - 1);

const SCRIPT = `
import json, sys, time
import numpy as np
job = json.loads(sys.argv[1])
def draw(rows, columns):
    index = np.arange(rows * columns, dtype=np.float64)
    return ((index * 7919) % 1013 % 97).reshape(rows, columns)
rows, columns = job["rows"], job["columns"]
a = draw(rows, columns)
b = a[:, ::-1].copy()
work = (lambda: a @ b) if job["task"] == "multiply" else (lambda: np.corrcoef(a))
answer = work()
best = []
for _ in range(job["operations"]):
    started = time.perf_counter()
    answer = work()
    best.append((time.perf_counter() - started) * 1000)
sample = [float(value) for value in answer.ravel()[::job["stride"]]]
print(json.dumps({"milliseconds": sum(best) / len(best), "sample": sample}))
`;

const environment = { ...process.env, OPENBLAS_NUM_THREADS: String(THREADS), OMP_NUM_THREADS: String(THREADS) };

/** @param {Record<string, unknown>} job */
function runNumpy(job) {
  const { status, stdout, stderr } = spawnSync('python3', ['-c', SCRIPT, JSON.stringify(job)], {
    env: environment,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`numpy failed: ${stderr}`);
  return JSON.parse(stdout);
}

function hasNumpy() {
  return spawnSync('python3', ['-c', 'import numpy']).status === 0;
}

module.exports = { THREADS, hasNumpy, runNumpy };
