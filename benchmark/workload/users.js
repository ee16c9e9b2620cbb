const FIRST = ['Ada', 'Alan', 'Grace', 'Edsger', 'Barbara', 'Donald', 'Tony', 'Leslie'];
const LAST = ['Turing', 'Hopper', 'Dijkstra', 'Liskov', 'Knuth', 'Hoare', 'Lamport', 'Lovelace'];
const TAGS = ['admin', 'beta', 'staff', 'trial', 'eu', 'us'];

/**
 * @typedef {object} User an object of about 130 bytes of JSON, as a row of a database makes one
 * @property {number} id
 * @property {string} name
 * @property {string} email
 * @property {boolean} active
 * @property {number} visits
 * @property {number} lastSeen
 * @property {string[]} tags
 */

/**
 * The user with this id: always equal, and different from every other.
 *
 * @param {number} id
 * @returns {User}
 */
function user(id) {
  const mixed = Math.imul(id, 0x9e37_79b1) >>> 0;
  return {
    id,
    name: flat(`${FIRST[mixed & 7]} ${LAST[(mixed >>> 3) & 7]}`),
    email: flat(`user${id}@mail.io`),
    active: (mixed & 64) !== 0,
    visits: mixed % 1000,
    lastSeen: 1_700_000_000_000 + id,
    tags: [TAGS[mixed % 6], TAGS[(mixed >>> 8) % 6]],
  };
}

/**
 * Strings from a parser or a driver are flat; a concatenated one keeps its pieces until it is first read into.
 * Without this the caches that hold live objects would seem heavier than they are.
 *
 * @param {string} text
 */
function flat(text) {
  text.charCodeAt(0);
  return text;
}

/** @param {number} id */
const userKey = (id) => `user:${id}`;

/** @param {number} count */
const userKeys = (count) => Array.from({ length: count }, (_, id) => userKey(id));

module.exports = { user, userKey, userKeys };
