'use strict';

// Recording: a slot of this thread's ring in native memory is written, and published. No call is made; a native
// thread counts what it finds. See src/engine/monitor/ring.rs for the other side.

const native = require('../native.js');

/** Slots of a ring, as the native side has them. */
const SLOTS = 1 << 12;
const MASK = SLOTS - 1;

/** How far the writer goes before it looks how much room is left; what the native side makes room for. */
const STRIDE = 1 << 11;

/** The slot that sets the time of the samples that follow it in the ring. */
const TIME_SLOT = 0;

/**
 * Whether other threads see plain stores in the order in which they were made. They do on these processors, and V8
 * keeps the order of stores into typed arrays; the call of `Atomics.store` would take longer than all the rest.
 */
const STORES_IN_ORDER = process.arch === 'x64' || process.arch === 'ia32';

let opened = false;

/** Records one slot. @type {(slot: number, value: number) => void} */
let write = openAndWrite;

/** Gets this thread its ring. To be called before anything is recorded; costs nothing once it has happened. */
function openRecorder() {
  if (opened) return;
  const memory = native.monitorRing();
  opened = true;
  // Native memory cannot be seen from here (Electron): every record is a call.
  write = memory === null ? (slot, value) => native.monitorWrite(slot, value) : ringWriter(memory);
}

/** @param {number} slot @param {number} value */
function openAndWrite(slot, value) {
  openRecorder();
  write(slot, value);
}

/**
 * A function of its own for this ring: what it closes over never changes, so the compiler knows the addresses.
 * @param {ArrayBuffer} memory
 */
function ringWriter(memory) {
  const values = new Float64Array(memory, 0, SLOTS);
  const slots = new Uint32Array(memory, SLOTS * 8, SLOTS);
  /** How many slots were ever written, wrapping. */
  const headWord = new Int32Array(memory, SLOTS * 12, 1);
  const tailWord = new Int32Array(memory, SLOTS * 12 + 64, 1);
  /** Where the writer looks for room next. */
  let limit = STRIDE;

  /** @param {number} head */
  function makeRoom(head) {
    const waiting = (head - Atomics.load(tailWord, 0)) | 0;
    // Not left to the native thread: what was written just now lies in this processor's cache, and fetching it from
    // another would take longer than counting it here.
    if (waiting > SLOTS - STRIDE) native.monitorMakeRoom();
    limit = (head + STRIDE) | 0;
  }

  return (/** @type {number} */ slot, /** @type {number} */ value) => {
    const head = headWord[0];
    const place = head & MASK;
    values[place] = value;
    slots[place] = slot;
    const next = (head + 1) | 0;
    if (STORES_IN_ORDER) headWord[0] = next;
    else Atomics.store(headWord, 0, next);
    if (next === limit) makeRoom(next);
  };
}

/**
 * Records a number.
 * @param {number} slot of a target: see `slotOf`
 * @param {number} value
 */
function record(slot, value) {
  write(slot, value);
}

/**
 * The word that names a target in the ring.
 * @param {number} target
 * @param {boolean} [mark] sets a gauge instead of adding to it, or counts a failure in a window
 */
function slotOf(target, mark = false) {
  return target * 2 + (mark ? 1 : 0);
}

module.exports = { TIME_SLOT, openRecorder, record, slotOf };
