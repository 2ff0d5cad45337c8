/**
 * GodwitError is what ends a connection, a stream or a session, or keeps it from beginning.
 * code is Node's for what Node has a code for (ECONNREFUSED, ETIMEDOUT ...), else
 * ERR_GODWIT_ and the kind.
 */
export class GodwitError extends Error {
  constructor(message, { kind = 'port', number = 0n, remote = false, code, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'GodwitError';
    this.kind = kind;
    this.code = code ?? codes[kind] ?? `ERR_GODWIT_${kind.toUpperCase()}`;
    /** The number on the wire: an application's code, one of QUIC's or HTTP/3's, or a TLS alert. */
    this.errorCode = number;
    /** Whether the peer did it. */
    this.remote = remote;
  }
}

const codes = { refused: 'ECONNREFUSED', handshake_timeout: 'ETIMEDOUT', idle: 'ETIMEDOUT', resolve: 'ENOTFOUND', address: 'EADDRINUSE' };

/** errorOf makes one of what an event told. */
export function errorOf(e) {
  return new GodwitError(e.text || `${e.kind}, code ${e.code}`, { kind: e.kind, number: e.code, remote: e.remote });
}

/** checkType throws a TypeError that names an option which is not of a type, if it is there. */
export function checkType(what, options, name, ...types) {
  const v = options[name];
  if (v !== undefined && v !== null && !types.includes(typeof v)) {
    throw new TypeError(`${what}: ${name} must be a ${types.join(' or a ')}, not ${describe(v)}`);
  }
  return v ?? undefined;
}

function describe(v) {
  return typeof v === 'string' ? JSON.stringify(v) : typeof v === 'object' ? v.constructor?.name ?? 'an object' : String(v);
}
