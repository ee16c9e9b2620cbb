'use strict';

// Services watch themselves: every engine of this thread that has figures to tell stands here, and whoever monitors
// asks all of them. Nothing here keeps an engine alive, or costs anything while nobody asks.

/** @typedef {{ wanted: string, number: number, owner: WeakRef<object>, snapshot: (owner: any) => object }} Service */

/** @type {Map<string, Service>} */
const services = new Map();

/** Numbers behind names that are free again, and the next one, by name. @type {Map<string, { next: number, free: number[] }>} */
const numbers = new Map();

/** By then another engine may have its label, or had it and gave it up. */
const gone = new FinalizationRegistry((/** @type {{ label: string, service: Service }} */ { label, service }) => {
  if (services.get(label) === service) forget(label, service);
});

/** How deep figures may be nested; they are told as `queue.pending`. */
const DEPTH = 3;

/**
 * Adds an engine.
 * @param {string} kind what it is called, if it has no name or its name is taken: `cache`, `pool`
 * @param {string | undefined} name
 * @param {object} owner held weakly
 * @param {(owner: any) => object} snapshot its figures, which may be nested; must not hold the owner
 * @returns {() => void} takes the engine out again
 */
function watchService(kind, name, owner, snapshot) {
  const wanted = name ?? kind;
  let number = 1;
  let label = wanted;
  // A name may look like a number of another.
  while (services.get(label)?.owner.deref() !== undefined) {
    number = numberOf(wanted);
    label = `${wanted}-${number}`;
  }
  const service = { wanted, number, owner: new WeakRef(owner), snapshot };
  services.set(label, service);
  const token = {};
  gone.register(owner, { label, service }, token);
  return () => {
    gone.unregister(token);
    if (services.get(label) === service) forget(label, service);
  };
}

/** A number for one more of this name: thousands of engines must not be looked through for the next. @param {string} wanted */
function numberOf(wanted) {
  const known = numbers.get(wanted) ?? { next: 2, free: [] };
  numbers.set(wanted, known);
  const free = known.free.pop();
  if (free !== undefined) return free;
  known.next += 1;
  return known.next - 1;
}

/** @param {string} label @param {Service} service the one that has it */
function forget(label, { wanted, number }) {
  services.delete(label);
  if (number > 1) numbers.get(wanted)?.free.push(number);
}

/** The figures of all engines of this thread, by name. One that fails to tell tells nothing. */
function serviceSnapshots() {
  /** @type {Map<string, Record<string, number>>} */
  const snapshots = new Map();
  for (const [name, { owner, snapshot }] of services) {
    const engine = owner.deref();
    if (engine === undefined) continue;
    try {
      /** @type {Record<string, number>} */
      const figures = {};
      flatten(snapshot(engine), '', DEPTH, figures);
      snapshots.set(name, figures);
    } catch {
      // Closed in the meantime.
    }
  }
  return snapshots;
}

/**
 * Brings the numbers of nested figures onto one level.
 * @param {object} figures
 * @param {string} prefix
 * @param {number} depth
 * @param {Record<string, number>} flat
 */
function flatten(figures, prefix, depth, flat) {
  for (const [key, value] of Object.entries(figures)) {
    if (typeof value === 'number') flat[prefix + key] = value;
    else if (depth > 1 && typeof value === 'object' && value !== null)
      flatten(value, `${prefix}${key}.`, depth - 1, flat);
  }
}

module.exports = { watchService, serviceSnapshots };
