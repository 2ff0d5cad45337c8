// Options of JavaScript as those of the engine: names and values in turn.

import { checkType } from './errors.js';
import { WINDOW } from './stream.js';

/** hostPort puts a host and a port together. */
export function hostPort(host, port) {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** parseAddress takes "host:port" apart. */
export function parseAddress(text) {
  const colon = text.lastIndexOf(':');
  if (colon < 0) return undefined;
  const address = text.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return { address, port: Number(text.slice(colon + 1)), family: address.includes(':') ? 'IPv6' : 'IPv4' };
}

/** checkPort returns the option port, a number or its digits. */
export function checkPort(what, options, fallback) {
  const v = checkType(what, options, 'port', 'number', 'string');
  if (v === undefined) return fallback;
  const n = Number(v);
  if (!Number.isInteger(n) || n < 0 || n > 65535) throw new TypeError(`${what}: port must be from 0 to 65535, not ${v}`);
  return n;
}

/** pemOf returns PEM of the option tls as a string. */
export function pemOf(what, tls, name) {
  const v = tls[name];
  if (v === undefined || v === null) return undefined;
  const parts = Array.isArray(v) ? v : [v];
  return parts.map((p) => {
    if (typeof p === 'string') return p;
    if (ArrayBuffer.isView(p)) return new TextDecoder().decode(p);
    throw new TypeError(`${what}: tls.${name} must be PEM, as a string or bytes`);
  }).join('\n');
}

/** tlsOptions adds what the option tls says, of which there may be what is known. */
export function tlsOptions(what, list, tls, known) {
  if (typeof tls !== 'object' || tls === null) throw new TypeError(`${what}: tls must be an object`);
  checkNames(`${what}: tls`, tls, known);
  for (const name of ['cert', 'key', 'ca']) {
    const v = pemOf(what, tls, name);
    if (v !== undefined) list.push(name, v);
  }
  const serverName = checkType(what, tls, 'serverName', 'string') ?? checkType(what, tls, 'servername', 'string');
  if (serverName !== undefined) list.push('server_name', serverName);
}

/** unverified reports whether the client is not to verify certificates, as the environment says now. */
export function unverified(tls) {
  return tls?.rejectUnauthorized === false || tls?.rejectUnauthorized === undefined && process.env.NODE_TLS_REJECT_UNAUTHORIZED === '0';
}

/** isLoopback reports whether a host is this machine. */
export function isLoopback(host) {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127\./.test(host);
}

const settings = [['idleTimeout', 'idle_timeout'], ['handshakeTimeout', 'handshake_timeout'], ['keepAlive', 'keep_alive'],
  ['maxStreams', 'max_streams'], ['maxUniStreams', 'max_uni_streams'], ['window', 'window'], ['congestion', 'congestion'], ['qlog', 'qlog'],
  ['maxConnections', 'max_connections']];

/** windowOf returns the window of streams that options of the engine's say. */
export function windowOf(list) {
  for (let i = 0; i < list.length; i += 2) if (list[i] === 'window') return Number(list[i + 1]);
  return WINDOW;
}

/** Names of options: of connections, of what listens, and of tls at either end. */
export const ofConnections = settings.map(([name]) => name).filter((name) => name !== 'maxConnections');
export const ofListeners = [...ofConnections, 'maxConnections', 'hostname', 'port', 'tls'];
export const ofServerTLS = ['cert', 'key', 'serverName', 'servername'];
export const ofClientTLS = ['ca', 'cert', 'key', 'serverName', 'servername', 'rejectUnauthorized'];

/**
 * checkNames throws a TypeError that names an option which is none of those that are
 * known, and the one that may have been meant. What is undefined is not there.
 */
export function checkNames(what, options, known) {
  for (const name in options) {
    if (options[name] === undefined || known.includes(name)) continue;
    const near = nearest(name, known);
    throw new TypeError(`${what}: there is no option ${name}${near === undefined ? '' : `; is ${near} meant?`}`);
  }
}

// nearest returns the one of names that differs from a name the least, undefined if they all differ much.
function nearest(name, names) {
  let best, least = name.length < 5 ? 2 : 3;
  for (const other of names) {
    const d = distance(name.toLowerCase(), other.toLowerCase());
    if (d < least) [best, least] = [other, d];
  }
  return best;
}

const LONGEST = 40; // characters of a name that are compared

// distance returns how many characters must be put in, left out, replaced, or put before the
// one in front of them, to make one name of another.
function distance(a, b) {
  if (a.length > LONGEST) return LONGEST;
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i], last = rows[i - 1];
    for (let j = 1; j <= b.length; j++) {
      row[j] = Math.min(row[j - 1] + 1, last[j] + 1, last[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j], rows[i - 2][j - 2] + 1);
    }
    rows.push(row);
  }
  return rows[a.length][b.length];
}

/** commonOptions adds what concerns connections. Times are in milliseconds. */
export function commonOptions(what, list, options) {
  for (const [name, to] of settings) {
    const v = checkType(what, options, name, 'number', 'string');
    if (v !== undefined) list.push(to, String(v));
  }
}
