'use strict';

// The dashboard's files: read once, compressed once, and found by name only, so that no path can lead out of the folder.

const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const zlib = require('node:zlib');
const { HEADERS } = require('./router-answers.js');

const FOLDER = path.join(__dirname, 'dashboard');

/** @type {Readonly<Record<string, string>>} */
const TYPES = Object.freeze({
  '.html': 'text/html; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json; charset=utf-8',
  '.woff2': 'font/woff2',
  '.webmanifest': 'application/manifest+json',
});

/** What the page takes from a package: browsers know nothing of packages. */
const FROM_PACKAGES = { '/uplot.mjs': 'uplot/dist/uPlot.esm.js' };

/** Compressed, these do not get smaller. */
const PACKED = new Set(['.png', '.ico', '.woff2']);

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** @typedef {{ type: string, bytes: Buffer, etag: string, variants: Map<string, Buffer> }} File */

/** @param {string} folder */
function readAll(folder) {
  /** @type {Map<string, File>} */
  const files = new Map();
  if (!fs.existsSync(folder)) return files;
  for (const name of /** @type {string[]} */ (fs.readdirSync(folder, { recursive: true }))) {
    const type = TYPES[path.extname(name)];
    // Source maps, notes and whatever else lies about are nobody's business.
    if (type === undefined || !fs.statSync(path.join(folder, name)).isFile()) continue;
    files.set(`/${name.split(path.sep).join('/')}`, readOne(path.join(folder, name), type));
  }
  for (const [name, source] of Object.entries(FROM_PACKAGES)) {
    files.set(name, readOne(require.resolve(source), TYPES['.mjs']));
  }
  return files;
}

/** @param {string} file @param {string} type @returns {File} */
function readOne(file, type) {
  const bytes = fs.readFileSync(file);
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
  return { type, bytes, etag, variants: variantsOf(file, bytes) };
}

/** @param {string} name @param {Buffer} bytes */
function variantsOf(name, bytes) {
  /** @type {Map<string, Buffer>} */
  const variants = new Map();
  if (PACKED.has(path.extname(name)) || bytes.length < 512) return variants;
  // Levels that take a few milliseconds for all files together: the first visitor must not hold up the event loop.
  variants.set('br', zlib.brotliCompressSync(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 5 } }));
  variants.set('gzip', zlib.gzipSync(bytes));
  return variants;
}

/** The codings that a client takes. @param {unknown} header */
function accepted(header) {
  const codings = String(header ?? '')
    .toLowerCase()
    .split(',')
    .map((part) => part.split(';').map((piece) => piece.trim()));
  const taken = codings.filter(([, weight]) => weight === undefined || Number(weight.replace(/^q=/, '')) > 0);
  return new Set(taken.map(([coding]) => coding));
}

class DashboardFiles {
  #folder;
  /** @type {Map<string, File> | undefined} */
  #files;

  /** @param {string} [folder] */
  constructor(folder = FOLDER) {
    this.#folder = folder;
  }

  /**
   * Answers if there is such a file.
   * @param {any} request
   * @param {any} response
   * @param {string} name with its slash
   */
  serve(request, response, name) {
    this.#files ??= readAll(this.#folder);
    const file = this.#files.get(name === '/' ? '/index.html' : name);
    if (file === undefined) return false;
    const { type, etag, variants } = file;
    const coding = ['br', 'gzip'].find(
      (each) => variants.has(each) && accepted(request.headers['accept-encoding']).has(each),
    );
    const bytes = coding === undefined ? file.bytes : /** @type {Buffer} */ (variants.get(coding));
    // Each variant is another sequence of bytes.
    const tag = coding === undefined ? etag : `${etag.slice(0, -1)}-${coding}"`;
    const headers = {
      ...HEADERS,
      'Content-Security-Policy': POLICY,
      'Cache-Control': 'no-cache',
      ETag: tag,
      Vary: 'Accept-Encoding',
    };
    for (const [header, value] of Object.entries(headers)) response.setHeader(header, value);
    const known = String(request.headers['if-none-match'] ?? '')
      .split(',')
      .map((each) => each.trim().replace(/^W\//, ''));
    if (known.includes(tag) || known.includes('*')) {
      response.statusCode = 304;
      response.end();
      return true;
    }
    response.statusCode = 200;
    response.setHeader('Content-Type', type);
    response.setHeader('Content-Length', bytes.length);
    if (coding !== undefined) response.setHeader('Content-Encoding', coding);
    response.end(request.method === 'HEAD' ? undefined : bytes);
    return true;
  }
}

module.exports = { DashboardFiles, POLICY };
