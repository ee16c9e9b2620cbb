'use strict';

// What kind of program file lies somewhere. Only read after a load failed: glibc answers "No such file or directory"
// for a file that is there but was built for another processor, which sends people looking in the wrong place.

const fs = require('node:fs');

/** e_machine of the ELF header (ELF-64 object file format, "Machine architecture"), in Node's names. */
const ELF_MACHINES = new Map([
  [3, 'ia32'],
  [21, 'ppc64'],
  [22, 's390x'],
  [40, 'arm'],
  [62, 'x64'],
  [183, 'arm64'],
  [243, 'riscv64'],
  [258, 'loong64'],
]);

/** @param {Buffer} head */
function system(head) {
  const magic = head.readUInt32BE(0);
  if (magic === 0x7f454c46) return 'linux';
  if (magic === 0xcffaedfe || magic === 0xcafebabe) return 'darwin';
  return magic >>> 16 === 0x4d5a ? 'win32' : undefined;
}

/**
 * Why `file` cannot be an addon of this platform, or undefined when its header gives no reason.
 * @param {string} file
 */
function mismatch(file) {
  const head = Buffer.alloc(20);
  try {
    const descriptor = fs.openSync(file, 'r');
    try {
      fs.readSync(descriptor, head, 0, head.length, 0);
    } finally {
      fs.closeSync(descriptor);
    }
  } catch {
    return undefined;
  }
  const built = system(head);
  if (built === undefined) return 'the file is not a native addon';
  if (built !== process.platform) return `the file is built for ${built}`;
  if (built !== 'linux') return undefined;
  const machine = head[5] === 2 ? head.readUInt16BE(18) : head.readUInt16LE(18);
  const arch = ELF_MACHINES.get(machine) ?? `processor type ${machine}`;
  return arch === process.arch ? undefined : `the file is built for ${arch}`;
}

module.exports = { mismatch };
