'use strict';

// Services watch themselves: every engine of this thread that has figures to tell stands here, and whoever monitors
// asks all of them. Nothing here keeps an engine alive, or costs anything while nobody asks.

/** @type {Map<string, { owner: WeakRef<object>, snapshot: (owner: any) => Record<string, unknown> }>} */
const services = new Map();

const gone = new FinalizationRegistry((/** @type {string} */ name) => {
  if (services.get(name)?.owner.deref() === undefined) services.delete(name);
});

/**
 * Adds an engine.
 * @param {string} kind what it is called, if it has no name or its name is taken: `cache`, `pool`
 * @param {string | undefined} name
 * @param {object} owner held weakly
 * @param {(owner: any) => Record<string, unknown>} snapshot its figures; must not hold the owner
 * @returns {() => void} takes the engine out again
 */
function watchService(kind, name, owner, snapshot) {
  const wanted = name ?? kind;
  let label = wanted;
  for (let number = 2; services.get(label)?.owner.deref() !== undefined; number += 1) label = `${wanted}-${number}`;
  services.set(label, { owner: new WeakRef(owner), snapshot });
  const token = {};
  gone.register(owner, label, token);
  return () => {
    gone.unregister(token);
    if (services.get(label)?.owner.deref() === owner) services.delete(label);
  };
}

/** The figures of all engines of this thread, by name. One that fails to tell tells nothing. */
function serviceSnapshots() {
  /** @type {Map<string, Record<string, unknown>>} */
  const snapshots = new Map();
  for (const [name, { owner, snapshot }] of services) {
    const engine = owner.deref();
    if (engine === undefined) continue;
    try {
      snapshots.set(name, snapshot(engine));
    } catch {
      // Closed in the meantime.
    }
  }
  return snapshots;
}

module.exports = { watchService, serviceSnapshots };
