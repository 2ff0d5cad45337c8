/** What all parts of the package have in common. */

export type BufferSource = ArrayBuffer | ArrayBufferView;

/** What Headers are made of. */
export type HeadersInit = ConstructorParameters<typeof Headers>[0];

/** Received bytes: a Buffer, where there are types of Node or Bun. */
export type Bytes = typeof globalThis extends { Buffer: { from(text: string): infer B } } ? B & Uint8Array : Uint8Array;

export interface SocketAddress {
  address: string;
  port: number;
  family: 'IPv4' | 'IPv6';
}

/** PEM, of one certificate or several. */
export type PEM = string | Uint8Array | (string | Uint8Array)[];

export interface ServerTLS {
  /** The certificate, and those up to an authority's. Without it and key one is made for development. */
  cert?: PEM;
  key?: PEM;
}

export interface ClientTLS {
  /** Whom to trust instead of the system's authorities. */
  ca?: PEM;
  /** The name in the server's certificate, if it is not that of the address. */
  serverName?: string;
  /** false: the certificate is not checked. Without it, NODE_TLS_REJECT_UNAUTHORIZED in the environment says so. */
  rejectUnauthorized?: boolean;
}

/** What connections may do. Times are in milliseconds. */
export interface ConnectionOptions {
  /** Silence after which a connection is dead; 30000 without it. */
  idleTimeout?: number;
  /** How long a handshake may take; 10000 without it. */
  handshakeTimeout?: number;
  /** After how much silence the peer is asked whether it is there; never without it. */
  keepAlive?: number;
  /** How many streams in both directions the peer may have open; 100 without it. */
  maxStreams?: number;
  /** How many streams in one direction, likewise. */
  maxUniStreams?: number;
  /** How many bytes of each stream may be on their way between JavaScript and the engine; 262144 without it. */
  window?: number;
  /** What paces the sender; "cubic" without it. */
  congestion?: 'cubic' | 'newreno';
  /** A directory, for a log of each connection. */
  qlog?: string;
}

export interface ListenOptions extends ConnectionOptions {
  /** How many connections there may be; 16384 without it. */
  maxConnections?: number;
}

/** Where an error comes from: an application, QUIC, TLS, a clock, a wrong option ... */
export type ErrorKind = 'application' | 'transport' | 'tls' | 'certificate' | 'idle' | 'handshake_timeout' | 'refused' | 'resolve' |
  'stateless_reset' | 'version' | 'cancelled' | 'option' | 'address' | 'stream' | 'session' | 'http' | 'unsupported' | 'limit' | 'goaway' |
  'size' | 'command' | 'port' | (string & {});

/** What ends a connection, a stream or a session, or keeps it from beginning. */
export class GodwitError extends Error {
  constructor(message: string, options?: { kind?: ErrorKind; number?: bigint; remote?: boolean; code?: string; cause?: unknown });
  readonly kind: ErrorKind;
  /** Node's, where Node has one (ECONNREFUSED, ETIMEDOUT, ENOTFOUND, EADDRINUSE), else ERR_GODWIT_ and the kind. */
  readonly code: string;
  /** The number on the wire: an application's code, one of QUIC's or HTTP/3's, or a TLS alert. */
  readonly errorCode: bigint;
  /** Whether the peer did it. */
  readonly remote: boolean;
}
