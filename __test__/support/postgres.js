'use strict';

// A PostgreSQL of a test's own.

const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { freePort, need, start, stop, temporaryFolder } = require('./servers.js');
const { waitFor } = require('./wait.js');

const PASSWORD = 'a-secret-of-the-test';

/** Debian keeps each version in a folder, away from PATH. */
function versions() {
  const base = '/usr/lib/postgresql';
  return fs.existsSync(base) ? fs.readdirSync(base).map((version) => path.join(base, version, 'bin')) : [];
}

/** PostgreSQL refuses to run as root, so root lends it the user that its package made. */
function identity() {
  if (process.getuid?.() !== 0) return {};
  const id = (flag) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** Starts a server; it ends with the test, and `restart` and `kill` act on it before that. */
async function postgres(t) {
  const initdb = need('initdb', { debian: 'postgresql', folders: versions });
  const server = need('postgres', { debian: 'postgresql', folders: versions });
  const folder = temporaryFolder(t, 'hotpath-postgres-');
  const user = identity();
  if (user.uid !== undefined) fs.chownSync(folder, user.uid, user.gid);
  const secret = path.join(folder, 'password');
  fs.writeFileSync(secret, PASSWORD, { mode: 0o644 });
  const data = path.join(folder, 'data');
  const setup = ['-D', data, '-U', 'hotpath', '--auth=scram-sha-256', `--pwfile=${secret}`, '--no-sync'];
  execFileSync(initdb, setup, { stdio: 'ignore', cwd: folder, ...user });
  const port = await freePort();
  const args = ['-D', data, '-p', `${port}`, '-h', '127.0.0.1', '-k', folder, '-F'];
  const ask = need('pg_isready', { debian: 'postgresql', folders: versions });
  async function begin() {
    const child = await start(server, args, { port, cwd: folder, ...user });
    // It listens before it is ready, and refuses whoever comes then.
    const ready = () => spawnSync(ask, ['-h', '127.0.0.1', '-p', `${port}`], { stdio: 'ignore' }).status === 0;
    await waitFor(ready, { what: 'PostgreSQL' });
    return child;
  }
  let child = await begin();
  // Immediate shutdown: the data are thrown away, and clients may still be connected.
  t.after(() => stop(child, 'SIGQUIT'));
  return {
    config: { host: '127.0.0.1', port, user: 'hotpath', password: PASSWORD, database: 'postgres' },
    kill: () => stop(child, 'SIGQUIT'),
    async restart() {
      child = await begin();
    },
  };
}

module.exports = { postgres };
