'use strict';

// Content codings: which of them a client takes, which contents are worth it, and how much effort each gets.

const { Memo } = require('./memo.js');

/** Names as HTTP has them, in the order of preference where a client has none, and what native code calls them. */
const FORMATS = /** @type {const} */ ({ br: 'brotli', zstd: 'zstd', gzip: 'gzip', deflate: 'deflate' });

/** @typedef {keyof typeof FORMATS} Encoding */

const ENCODINGS = /** @type {Encoding[]} */ (Object.keys(FORMATS));

/** Types beside `text/*` and `+json`, `+xml`, `+text` that get smaller. */
const COMPRESSIBLE = new Set([
  'application/javascript',
  'application/json',
  'application/x-javascript',
  'application/ecmascript',
  'application/xml',
  'application/xml-dtd',
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  // Which may be anything; npm's `compression` tries it, too.
  'application/octet-stream',
  'application/rtf',
  'application/sql',
  'application/toml',
  'application/wasm',
  'application/x-sh',
  'application/x-httpd-php',
  'application/x-www-form-urlencoded',
  'application/x-yaml',
  'application/yaml',
  'application/graphql',
  'application/manifest',
  'application/vnd.ms-fontobject',
  'application/vnd.ms-opentype',
  'application/x-font-ttf',
  'application/x-font-opentype',
  'font/ttf',
  'font/otf',
  'font/opentype',
  'font/eot',
  'image/bmp',
  'image/vnd.microsoft.icon',
  'image/x-icon',
  'image/x-ms-bmp',
  'image/vnd.adobe.photoshop',
  'message/http',
  'message/rfc822',
  'model/gltf-binary',
]);

/** @type {Memo<boolean>} */
const compressibleTypes = new Memo((type) => {
  const end = type.indexOf(';');
  const name = (end === -1 ? type : type.slice(0, end)).trim().toLowerCase();
  return name.startsWith('text/') || /\+(?:json|xml|text)$/.test(name) || COMPRESSIBLE.has(name);
});

/** Whether contents of this type get smaller. @param {unknown} type the value of a Content-Type */
function isCompressible(type) {
  return typeof type === 'string' && compressibleTypes.get(type);
}

/** The codings that clients take; one for each different list that a cache or a middleware offers. */
class Negotiator {
  #offered;
  /** @type {Memo<readonly Encoding[]>} */
  #memo = new Memo((header) => acceptable(header, this.#offered));

  /** @param {readonly Encoding[]} offered the preferred one first */
  constructor(offered) {
    this.#offered = offered;
  }

  /**
   * Offered codings that the client takes and likes at least as much as none, the preferred one first (RFC 9110,
   * 12.5.3). A client that says nothing takes anything, and yet gets none: it may not know what it says.
   * @param {string | undefined} header an Accept-Encoding
   */
  accepted(header) {
    return header === undefined ? NONE : this.#memo.get(header);
  }
}

/** @type {readonly Encoding[]} */
const NONE = Object.freeze([]);

/** @param {string} header @param {readonly Encoding[]} offered @returns {readonly Encoding[]} */
function acceptable(header, offered) {
  const weights = weightsOf(header);
  const others = weights.get('*') ?? 0;
  const weightOf = (/** @type {string} */ coding) => weights.get(coding) ?? others;
  const plain = weights.get('identity') ?? 0;
  const accepted = offered.filter((coding) => weightOf(coding) > 0 && weightOf(coding) >= plain);
  // Stable: among equals the order of what is offered decides.
  return Object.freeze(accepted.sort((one, other) => weightOf(other) - weightOf(one)));
}

/** @param {string} header */
function weightsOf(header) {
  /** @type {Map<string, number>} */
  const weights = new Map();
  for (const part of header.split(',')) {
    const [name, ...parameters] = part.split(';');
    const coding = name.trim().toLowerCase();
    if (coding === '') continue;
    let weight = 1;
    for (const parameter of parameters) {
      const [key, value = ''] = parameter.split('=');
      if (key.trim().toLowerCase() !== 'q') continue;
      const parsed = /^\s*(?:0(?:\.\d*)?|1(?:\.0*)?)\s*$/.test(value) ? Number(value) : 0;
      weight = parsed;
    }
    weights.set(coding === 'x-gzip' ? 'gzip' : coding, weight);
  }
  return weights;
}

/**
 * Adds a name to a Vary.
 * @param {any} response
 * @param {string} name
 */
function addVary(response, name) {
  const current = response.getHeader('Vary');
  const text = Array.isArray(current) ? current.join(', ') : current === undefined ? '' : String(current);
  const names = text.split(',').map((each) => each.trim().toLowerCase());
  if (names.includes('*') || names.includes(name.toLowerCase())) return;
  response.setHeader('Vary', text === '' ? name : `${text}, ${name}`);
}

module.exports = { ENCODINGS, FORMATS, Negotiator, addVary, isCompressible };
