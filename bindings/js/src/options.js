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

/** tlsOptions adds what the option tls says. */
export function tlsOptions(what, list, tls = {}) {
  if (typeof tls !== 'object' || tls === null) throw new TypeError(`${what}: tls must be an object`);
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

/** commonOptions adds what concerns connections. Times are in milliseconds. */
export function commonOptions(what, list, options) {
  for (const [name, to] of settings) {
    const v = checkType(what, options, name, 'number', 'string');
    if (v !== undefined) list.push(to, String(v));
  }
}
