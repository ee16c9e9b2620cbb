'use strict';

// Has schemathesis (https://schemathesis.io) send thousands of requests that the description allows, and does not allow, to
// a router with every service: no answer may be a 5xx, and none may differ from the description.
//   node scripts/check-api.js [examples for each endpoint, 50 by default]
// Uses `schemathesis` where it is installed, else installs it from PyPI into a folder of its own.

const { spawnSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const hotpath = require('..');

const VERSION = '4.32.5';

/** What the answers are held to. Names of processors and tasks are texts to the description, and known ones to the server. */
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
  'unsupported_method',
];

/** @param {string} command @param {string[]} args */
function works(command, args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

function program() {
  if (works('schemathesis', ['--version'])) return 'schemathesis';
  const folder = path.join(os.tmpdir(), `hotpath-schemathesis-${VERSION}`);
  const installed = path.join(folder, 'bin', 'schemathesis');
  if (!fs.existsSync(installed)) {
    if (!works('python3', ['-m', 'venv', folder]))
      throw new Error('python3 with venv is needed to install schemathesis');
    const pip = spawnSync(path.join(folder, 'bin', 'pip'), ['install', '-q', `schemathesis==${VERSION}`], {
      stdio: 'inherit',
    });
    if (pip.status !== 0) throw new Error('schemathesis could not be installed');
  }
  return installed;
}

function services() {
  const quiet = { warn() {} };
  return {
    cache: new hotpath.AdvancedCacheManager(),
    jobs: new hotpath.AsyncProcessingEngine(),
    batch: new hotpath.BatchProcessingEngine(),
    parallel: new hotpath.ParallelProcessingEngine({ taskTimeout: 2_000 }),
    memory: new hotpath.MemoryOptimizationEngine(),
    monitoring: new hotpath.PerformanceMonitoringEngine(),
    monitor: new hotpath.PerformanceMonitor({ logger: quiet, options: {} }),
    metrics: hotpath.metricsService,
    performance: new hotpath.PerformanceService({ logger: quiet }),
    optimization: new hotpath.OptimizationService({ trialMs: 50 }),
  };
}

function main() {
  const examples = process.argv[2] ?? '50';
  const schemathesis = program();
  const router = hotpath.performanceRouter(services(), {
    authorize: () => true,
    processors: { default: (items) => items },
  });
  const server = http.createServer(router).listen(0, '127.0.0.1', () => {
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    const url = `http://127.0.0.1:${port}/api/performance`;
    // The stream has no end; load and memory tests have one only after a while.
    const apart = ['/stream', '/test/load', '/test/memory'].flatMap((each) => ['--exclude-path', each]);
    const args = [
      'run',
      `${url}/openapi.json`,
      '--url',
      url,
      ...apart,
      '--checks',
      CHECKS.join(),
      '--max-examples',
      examples,
    ];
    // It leaves its findings where it runs.
    const child = spawn(schemathesis, args, { stdio: 'inherit', cwd: os.tmpdir() });
    child.on('error', (error) => {
      throw error;
    });
    child.on('exit', (code) => process.exit(code ?? 1));
  });
}

main();
