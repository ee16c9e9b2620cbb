'use strict';

// A PostgreSQL of a test's own.

const { execFile, execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');
const { HOST, freePort, need, start, stop, temporaryFolder } = require('./servers.js');
const { waitFor } = require('./wait.js');

/** Runs a program to its end. */
const run = (program, args, options) => promisify(execFile)(need(program), args, options);

const PASSWORD = 'a-secret-of-the-test';

/** PostgreSQL refuses to run as root, so root lends it the user that its package made. */
function identity() {
  if (process.getuid?.() !== 0) return {};
  const id = (flag) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** A folder of the user that the server runs as. @param {{ uid?: number, gid?: number }} user */
function ownFolder(t, user) {
  const folder = temporaryFolder(t, 'hotpath-postgres-');
  if (user.uid !== undefined) fs.chownSync(folder, user.uid, user.gid);
  return folder;
}

/** @param {number} port */
function answers(port) {
  return run('pg_isready', ['-q', '-h', HOST, '-p', `${port}`]).then(
    () => true,
    () => false,
  );
}

/** Runs a server on data that are there; it ends with the test, and `restart` and `kill` act on it before that. */
async function serve(t, folder, user) {
  const port = await freePort();
  const args = ['-D', path.join(folder, 'data'), '-p', `${port}`, '-h', HOST, '-k', folder, '-F'];
  const begin = async () => {
    const child = await start(need('postgres'), args, { port, cwd: folder, ...user });
    // It takes connections before it answers them.
    await waitFor(() => answers(port), { what: 'PostgreSQL to answer' });
    return child;
  };
  let child = await begin();
  // Immediate shutdown: the data are thrown away, and clients may still be connected.
  t.after(() => stop(child, 'SIGQUIT'));
  return {
    config: { host: HOST, port, user: 'hotpath', password: PASSWORD, database: 'postgres' },
    kill: () => stop(child, 'SIGQUIT'),
    async restart() {
      child = await begin();
    },
  };
}

/** Starts a server. `replica` gives one that follows it. */
async function postgres(t) {
  const user = identity();
  const folder = ownFolder(t, user);
  const secret = path.join(folder, 'password');
  fs.writeFileSync(secret, PASSWORD, { mode: 0o644 });
  const data = path.join(folder, 'data');
  const setup = ['-D', data, '-U', 'hotpath', '--auth=scram-sha-256', `--pwfile=${secret}`, '--no-sync'];
  execFileSync(need('initdb'), setup, { stdio: 'ignore', cwd: folder, ...user });
  const server = await serve(t, folder, user);
  return {
    ...server,
    async replica() {
      const place = ownFolder(t, user);
      const { port } = server.config;
      const from = ['-h', HOST, '-p', `${port}`, '-U', 'hotpath', '--no-password'];
      const copying = [
        '-D',
        path.join(place, 'data'),
        '--write-recovery-conf',
        '--checkpoint=fast',
        '--no-sync',
        ...from,
      ];
      const env = { ...process.env, PGPASSWORD: PASSWORD };
      await run('pg_basebackup', copying, { cwd: place, env, ...user });
      return serve(t, place, user);
    },
  };
}

module.exports = { postgres };
