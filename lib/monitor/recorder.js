'use strict';

// Recording: a slot of this thread's ring in native memory is written, and published. No call is made; a native
// thread counts what it finds. See src/engine/monitor/ring.rs for the other side.

const native = require('../native.js');

/** Slots of a ring, as the native side has them. */
const SLOTS = 1 << 14;
const MASK = SLOTS - 1;

/** How far the writer goes before it looks how much room is left. */
const STRIDE = SLOTS / 4;

/** The slot that sets the time of the samples that follow it in the ring. */
const TIME_SLOT = 0;

let values = new Float64Array(0);
let slots = new Uint32Array(0);
let headWord = new Int32Array(1);
let tailWord = new Int32Array(1);

/** How many slots were ever written, wrapping; and where the writer looks for room next. */
let head = 0;
let limit = 0;
let shared = false;
let opened = false;

/** Gets this thread its ring. To be called before anything is recorded; costs nothing once it has happened. */
function openRecorder() {
  if (opened) return;
  const memory = native.monitorRing();
  opened = true;
  limit = (head + 1) | 0;
  if (memory === null) return;
  values = new Float64Array(memory, 0, SLOTS);
  slots = new Uint32Array(memory, SLOTS * 8, SLOTS);
  headWord = new Int32Array(memory, SLOTS * 12, 1);
  tailWord = new Int32Array(memory, SLOTS * 12 + 64, 1);
  shared = true;
  limit = STRIDE;
}

/**
 * Records a number.
 * @param {number} slot of a target: see `slotOf`
 * @param {number} value
 */
function record(slot, value) {
  const place = head & MASK;
  values[place] = value;
  slots[place] = slot;
  head = (head + 1) | 0;
  // Published with a barrier: on some processors plain stores may be seen in another order.
  Atomics.store(headWord, 0, head);
  if (head === limit) makeRoom(slot, value);
}

/** @param {number} slot @param {number} value */
function makeRoom(slot, value) {
  if (!shared) {
    // Native memory cannot be seen from here (Electron): every record is a call.
    limit = (head + 1) | 0;
    native.monitorWrite(slot, value);
    return;
  }
  const waiting = (head - Atomics.load(tailWord, 0)) | 0;
  if (waiting > SLOTS - STRIDE) native.monitorDrain();
  else if (waiting >= SLOTS / 2) native.monitorWake();
  limit = (head + STRIDE) | 0;
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
