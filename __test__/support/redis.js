'use strict';

// Real Redis servers for tests, each on a free port of its own with a folder of its own.

const { execFile } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before } = require('node:test');
const { promisify } = require('node:util');
const { HOST, freePort, launch, need, stop } = require('./servers');
const { waitFor } = require('./wait');

const run = promisify(execFile);

/** A certificate authority and a server certificate that it signed. @param {string} folder */
async function makeCertificates(folder) {
  const file = (name) => path.join(folder, name);
  const openssl = (...args) => run(need('openssl'), args, { cwd: folder });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-days',
    '2',
    '-subj',
    '/CN=test authority',
  );
  await openssl('req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost');
  fs.writeFileSync(file('names'), `subjectAltName=DNS:localhost,IP:${HOST}\n`);
  const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names'];
  await openssl('x509', '-req', '-in', 'server.csr', '-out', 'server.crt', ...signed);
  return {
    ca: fs.readFileSync(file('ca.crt')),
    caFile: file('ca.crt'),
    certFile: file('server.crt'),
    keyFile: file('server.key'),
  };
}

class RedisServer {
  #folder;
  #args;
  #child;
  #tls;
  #sentinel;
  password;
  port = 0;

  constructor({ folder, password, tls, sentinel, args }) {
    this.#folder = folder;
    this.#sentinel = sentinel;
    this.#tls = tls;
    this.password = password;
    const store = ['--save', '', '--appendonly', 'no', '--enable-debug-command', 'local'];
    this.#args = [
      ...['--bind', HOST, '--dir', folder],
      ...(sentinel === undefined ? store : []),
      ...(password === undefined ? [] : ['--requirepass', password]),
      ...args,
    ];
  }

  /** The certificate of the authority to trust. */
  get ca() {
    return this.#tls?.ca;
  }

  get pid() {
    return this.#child?.pid;
  }

  /** Without login: tests say themselves how they log in. */
  get url() {
    return `${this.#tls ? 'rediss' : 'redis'}://${HOST}:${this.port}`;
  }

  /** Starts the server, on the port that it had before if there was one. */
  async start() {
    for (let attempt = 0; ; attempt++) {
      const port = this.port || (await freePort());
      if (await this.#startOn(port)) return this;
      // Somebody else may have taken the port in between.
      if (attempt === 5) throw new Error(`redis-server does not start: ${this.#log()}`);
    }
  }

  async #startOn(port) {
    const { certFile, keyFile, caFile } = this.#tls ?? {};
    const listening = this.#tls
      ? [
          '--port',
          '0',
          '--tls-port',
          `${port}`,
          '--tls-cert-file',
          certFile,
          '--tls-key-file',
          keyFile,
          '--tls-ca-cert-file',
          caFile,
          '--tls-auth-clients',
          'no',
        ]
      : ['--port', `${port}`];
    const first = this.#sentinel === undefined ? [] : [this.#sentinel, '--sentinel'];
    const log = fs.openSync(path.join(this.#folder, 'log'), 'w');
    const child = launch(need('redis-server'), [...first, ...listening, ...this.#args], {
      stdio: ['ignore', log, log],
    });
    fs.closeSync(log);
    this.#child = child;
    this.port = port;
    const answered = await waitFor(
      async () => (child.exitCode === null ? ((await this.#answers()) ? 'yes' : undefined) : 'ended'),
      { what: 'redis-server to answer' },
    );
    if (answered === 'yes') return true;
    this.port = 0;
    return false;
  }

  #log() {
    return fs.readFileSync(path.join(this.#folder, 'log'), 'utf8').slice(-2_000);
  }

  async #answers() {
    try {
      return (await this.command('PING')) === 'PONG';
    } catch {
      return false;
    }
  }

  /** What `redis-cli` says to a command. */
  async command(...words) {
    const login = this.password === undefined ? [] : ['--no-auth-warning', '-a', this.password];
    const tls = this.#tls ? ['--tls', '--cacert', this.#tls.caFile] : [];
    const { stdout } = await run(need('redis-cli'), ['-h', HOST, '-p', `${this.port}`, ...tls, ...login, ...words], {
      timeout: 10_000,
    });
    return stdout.trim();
  }

  /** As a crash would: nothing is said goodbye to. */
  async kill() {
    if (this.#child !== undefined) await stop(this.#child, 'SIGKILL');
  }

  /** Holds the server still: connections stand, and nobody answers. */
  pause() {
    this.#child.kill('SIGSTOP');
  }

  resume() {
    this.#child.kill('SIGCONT');
  }

  async stop() {
    await this.kill();
    fs.rmSync(this.#folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

/**
 * A server that runs until the test ends.
 * @param {{ after(fn: () => unknown): void }} t the test, or anything else with `after`
 * @param {{ password?: string, tls?: boolean, sentinel?: string, args?: string[] }} [options] `sentinel` is the file that a
 *   sentinel is configured with
 */
async function startRedis(t, { password, tls = false, sentinel, args = [] } = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hotpath-redis-'));
  const certificates = tls ? await makeCertificates(folder) : undefined;
  const server = new RedisServer({ folder, password, tls: certificates, sentinel, args });
  t.after(() => server.stop());
  return server.start();
}

/**
 * One server for all tests of a file.
 * @param {Parameters<typeof startRedis>[1]} [options]
 * @param {(server: RedisServer, end: (fn: () => unknown) => void) => unknown} [prepare] what else the tests need
 * @returns {() => RedisServer} gives the server, once tests run
 */
function sharedRedis(options, prepare = () => {}) {
  const ends = [];
  const end = (fn) => ends.unshift(fn);
  let server;
  before(async () => {
    server = await startRedis({ after: end }, options);
    await prepare(server, end);
  });
  after(async () => {
    for (const fn of ends) await fn();
  });
  return () => server;
}

const SLOTS = 16_384;

/**
 * A cluster of three primaries, the first with a replica.
 * @param {{ after(fn: () => unknown): void }} t
 */
async function startCluster(t) {
  const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000', '--cluster-replica-validity-factor', '0'];
  const start = (number) => startRedis(t, { args: [...args, '--cluster-config-file', `nodes-${number}.conf`] });
  const [replica, ...primaries] = await Promise.all([0, 1, 2, 3].map(start));
  const share = Math.ceil(SLOTS / primaries.length);
  for (const [index, node] of primaries.entries()) {
    const range = [index * share, Math.min((index + 1) * share, SLOTS) - 1].map(String);
    await node.command('CLUSTER', 'ADDSLOTSRANGE', ...range);
    // Nodes that all think of themselves as the first would have to settle that among themselves.
    await node.command('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
  }
  for (const node of [replica, ...primaries.slice(1)]) {
    await primaries[0].command('CLUSTER', 'MEET', HOST, String(node.port));
  }
  const says = (node, word) => async () => (await node.command('CLUSTER', 'INFO')).includes(word);
  await Promise.all(
    [replica, ...primaries].map((node) => waitFor(says(node, 'cluster_known_nodes:4'), { what: 'nodes to meet' })),
  );
  await replica.command('CLUSTER', 'REPLICATE', await primaries[0].command('CLUSTER', 'MYID'));
  await Promise.all(
    [replica, ...primaries].map((node) => waitFor(says(node, 'cluster_state:ok'), { what: 'a cluster' })),
  );
  await waitFor(async () => (await replica.command('INFO', 'replication')).includes('master_link_status:up'), {
    what: 'a replica that follows',
  });
  return { primaries, replica, nodes: primaries.map(({ port }) => ({ host: HOST, port })) };
}

/** A cache on a server, closed when the test ends. */
function openRedisCache(t, server, options = {}) {
  const { RedisCache } = require('../..');
  const { password, ca } = server;
  const cache = new RedisCache({
    url: server.url,
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { tls: { ca } }),
    ...options,
  });
  t.after(() => cache.close());
  return cache;
}

module.exports = { sharedRedis, startRedis, startCluster, openRedisCache };
