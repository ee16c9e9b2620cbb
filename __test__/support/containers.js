'use strict';

// A process that may use so much memory and no more. With the rights to make one it is a real control group, in which
// the kernel kills; elsewhere this process plays the kernel, and tells the addon about the limit by its environment
// variable.

const fs = require('node:fs');
const path = require('node:path');
const { startChild } = require('./processes');
const { settled, waitFor } = require('./wait');

/** Where groups are mounted, and how their limit file is called: version 2, then version 1. */
const HIERARCHIES = [
  { root: '/sys/fs/cgroup', limit: 'memory.max', present: 'cgroup.controllers' },
  { root: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes', present: 'memory.limit_in_bytes' },
];

let counter = 0;

/** Makes a group with a limit; undefined where that is not allowed. @param {number} bytes */
function makeGroup(bytes) {
  for (const { root, limit, present } of HIERARCHIES) {
    if (!fs.existsSync(path.join(root, present))) continue;
    counter += 1;
    const group = path.join(root, `hotpath-test-${process.pid}-${counter}`);
    try {
      fs.mkdirSync(group);
      // Swap would let the process live on beyond the limit; not every kernel accounts for it.
      fs.writeFileSync(path.join(group, limit), String(bytes));
      fs.accessSync(path.join(group, 'cgroup.procs'), fs.constants.W_OK);
      return group;
    } catch {
      removeGroup(group);
    }
  }
  return undefined;
}

function removeGroup(group) {
  try {
    fs.rmdirSync(group);
    return true;
  } catch (error) {
    // The kernel still counts the process that has just ended.
    return error.code !== 'EBUSY';
  }
}

/** Kills a process that holds more than it may. @param {import('node:child_process').ChildProcess} child */
function playKernel(child, bytes) {
  const timer = setInterval(() => {
    try {
      const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
      if (Number(kib) * 1024 > bytes) child.kill('SIGKILL');
    } catch {
      clearInterval(timer);
    }
  }, 5);
  child.once('close', () => clearInterval(timer));
}

/** Runs `body` as `runInChild` does, with so many bytes of memory. `contained` tells whether the kernel sees to it. */
async function runContained(body, { memoryBytes, timeoutMs = 120_000, ...options }) {
  const group = makeGroup(memoryBytes);
  const started = group
    ? startChild(body, undefined, {
        ...options,
        launcher: ['sh', '-c', 'echo $$ > "$0/cgroup.procs" && exec "$@"', group],
      })
    : startChild(body, undefined, { ...options, env: { ...options.env, HOTPATH_MEMORY_LIMIT: String(memoryBytes) } });
  if (!group) playKernel(started.child, memoryBytes);
  try {
    const end = await settled(started.ended, { timeoutMs, what: 'a contained process to end' });
    return { ...end, contained: group !== undefined };
  } finally {
    started.child.kill('SIGKILL');
    if (group) await waitFor(() => removeGroup(group), { what: `${group} to be removed` });
  }
}

module.exports = { runContained };
