'use strict';

// Where a load test may go. Names are resolved here and the addresses handed on, so that what was checked is what is
// connected to.

const dns = require('node:dns');
const net = require('node:net');
const { HotpathLoadTestError, invalidArgType, outOfRange } = require('../errors.js');

const loopback = new net.BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');
loopback.addSubnet('::ffff:127.0.0.0', 104, 'ipv6');

/** @param {string} address @param {number} family */
function isLoopback(address, family) {
  return loopback.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/** @param {unknown} value @param {string} path */
function checkUrl(value, path) {
  const text = value instanceof URL ? value.href : value;
  if (typeof text !== 'string') throw invalidArgType('a URL', path, value);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol)) throw outOfRange('an http or https URL', path, text);
  if (url.username || url.password) throw outOfRange('a URL without credentials', path, undefined);
  return url;
}

/**
 * The target of native code.
 * @param {URL} url
 * @param {{ allowRemote: boolean, http2: boolean, insecure: boolean, ca: string | undefined }} options
 */
async function resolveTarget(url, { allowRemote, http2, insecure, ca }) {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const found = await lookUp(host);
  const remote = found.some(({ address, family }) => !isLoopback(address, family));
  if (remote && !allowRemote) {
    const message = `${url.hostname} is not this machine: only loopback is put under load unless allowRemote is true`;
    throw new HotpathLoadTestError(message, { code: 'ERR_HOTPATH_REMOTE_HOST' });
  }
  if (remote && insecure) throw outOfRange('false, as the target is not loopback,', 'options.insecure', true);
  const tls = url.protocol === 'https:';
  const port = Number(url.port) || (tls ? 443 : 80);
  return {
    addresses: found.map(({ address, family }) => (family === 6 ? `[${address}]:${port}` : `${address}:${port}`)),
    authority: url.host,
    http2,
    tls: tls ? { serverName: host, insecure, ca } : undefined,
  };
}

/** @param {string} host */
async function lookUp(host) {
  const family = net.isIP(host);
  if (family !== 0) return [{ address: host, family }];
  try {
    return await dns.promises.lookup(host, { all: true, verbatim: true });
  } catch (cause) {
    throw new HotpathLoadTestError(`The name ${host} has no address`, { code: 'ERR_HOTPATH_UNKNOWN_HOST', cause });
  }
}

module.exports = { checkUrl, isLoopback, resolveTarget };
