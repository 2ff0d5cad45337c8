/** Types of quic(): connections and their streams by events. */

import type { Bytes, ClientTLS, ConnectionOptions, GodwitError, ListenOptions, ServerTLS, SocketAddress } from './common.cjs';

/** What can be written. */
export type Writable = string | ArrayBuffer | SharedArrayBuffer | ArrayBufferView;

export interface QuicReconnect {
  /** How often it is tried, in turn; 10 without it. */
  retries?: number;
  /** How long to wait before the first time, in milliseconds; 100 without it. It doubles from time to time. */
  minDelay?: number;
  /** The longest that it waits; 10000 without it. */
  maxDelay?: number;
}

/** What a socket is, whichever way its events are handled. */
export interface QuicBaseOptions extends ListenOptions {
  /** true listens. Otherwise it dials. */
  server?: boolean;
  /** "localhost" without it. */
  hostname?: string;
  /** 0 has a server take a free one. Without hostname and port nothing is done until listen or connect. */
  port?: number | string;
  tls?: ServerTLS & ClientTLS & { ALPNProtocols?: string };
  /** The application's protocol; "godwit" without it. Both ends need the same. */
  alpn?: string;
  /** Has a client that has lost its connection, or did not get one, dial again. */
  reconnect?: boolean | QuicReconnect;
  /** A server has a connection. */
  connection?(socket: QuicSocket): unknown;
  datagram?(socket: QuicSocket, data: Bytes): unknown;
  /** A client has no connection, and dials again after a while. */
  reconnecting?(socket: QuicSocket, error: GodwitError, milliseconds: number): unknown;
}

/** Events by socket: its streams are of no concern. */
export interface QuicSocketOptions<Data = unknown> extends QuicBaseOptions {
  /** socket.data, at the beginning. */
  data?: Data;
  /** A server listens, a client is connected. */
  open?(socket: QuicSocket<Data>): unknown;
  /** Bytes on any stream of the connection. */
  message?(socket: QuicSocket<Data>, data: Bytes): unknown;
  /** There is room after a write that took less than all. */
  drain?(socket: QuicSocket<Data>): unknown;
  close?(socket: QuicSocket<Data>): unknown;
  error?(socket: QuicSocket<Data>, error: GodwitError): unknown;
  socketOpen?: undefined;
}

/** Events by stream. data is what tells these options from the others, or else socketOpen. */
export interface QuicStreamOptions extends QuicBaseOptions {
  /** A server listens, a client is connected. */
  socketOpen?(socket: QuicSocket): unknown;
  /** A stream was opened, by either end. */
  open?(stream: QuicStream): unknown;
  data?(stream: QuicStream, data: Bytes): unknown;
  /** The peer sends no more. */
  end?(stream: QuicStream): unknown;
  /** There is room after a write that took less than all. */
  drain?(stream: QuicStream): unknown;
  close?(stream: QuicStream): unknown;
  /** A stream has failed, or the socket, if it is no stream's fault. */
  error?(subject: QuicStream | QuicSocket, error: GodwitError): unknown;
  message?: undefined;
}

/** Figures of a connection's path. Times are in milliseconds. */
export interface QuicPathStats {
  minRTT: number;
  smoothedRTT: number;
  latestRTT: number;
  rttVariation: number;
  congestionWindow: number;
  bytesInFlight: number;
  bytesSent: number;
  bytesReceived: number;
  packetsSent: number;
  packetsReceived: number;
  packetsLost: number;
  bytesLost: number;
  datagramsDroppedSending: number;
  datagramsDroppedReceiving: number;
  maxDatagramSize: number;
  version: number;
}

/** Figures of a connection's streams. */
export interface QuicStats {
  streamCount: number;
  bytesSent: number;
  bytesReceived: number;
  isConnected: boolean;
  has0RTT: boolean;
}

/** A listener, or a connection at either end. */
export class QuicSocket<Data = any> {
  private constructor();
  /** The user's. */
  data: Data;
  /** The name that a client asks for. */
  serverName: string;
  /** Opens a stream, which can be written to at once. */
  stream<StreamData = undefined>(data?: StreamData, options?: { unidirectional?: boolean }): QuicStream<StreamData>;
  /** The same, without data. */
  createStream(): QuicStream<undefined>;
  /** Writes to the first stream, which it opens if there is none, and returns how many bytes were taken. A server's writes to all connections. */
  write(data: Writable): number;
  /** Returns 0: bytes come by events. */
  read(): number;
  /** Sends a datagram, unreliably. */
  sendDatagram(data: Writable): void;
  /** Closes the socket, and if it listens its connections. */
  close(code?: number, reason?: string): void;
  [Symbol.dispose](): void;
  /** Dials, a socket that was made without a port. */
  connect(hostname: string, port: number): this;
  /** Listens, likewise. */
  listen(hostname: string, port: number): this;
  /** Keeps the process alive, or not. */
  ref(): this;
  unref(): this;
  getStream(id: number | bigint): QuicStream | undefined;
  closeStream(stream: QuicStream | number): void;
  /** Figures of the path, undefined if there is no connection. */
  getStats(): Promise<QuicPathStats | undefined>;
  /** Those of the streams that this end has opened. */
  readonly streamIds: number[];
  readonly streamCount: number;
  readonly isServer: boolean;
  readonly isConnected: boolean;
  readonly readyState: 'open' | 'closed';
  readonly port: number | undefined;
  readonly address: SocketAddress | undefined;
  readonly localAddress: string | undefined;
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly alpn: string | undefined;
  readonly has0RTT: boolean;
  readonly connectionId: string;
  readonly stats: QuicStats;
}

/** A stream of a connection. */
export class QuicStream<Data = any> {
  private constructor();
  readonly id: number;
  /** The user's. */
  data: Data;
  readonly socket: QuicSocket;
  readonly readyState: 'open' | 'closing' | 'closed';
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** What is received, as a web stream; data is not told of then. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What is sent, as a web stream. */
  readonly writable: WritableStream<Writable>;
  /** Returns how many bytes were taken; less than all means: go on at drain. It throws if the stream is closed. */
  write(data: Writable): number;
  /** Ends what is sent, after data if there is any. */
  end(data?: Writable): void;
  /** Gives both directions up. */
  close(code?: number): void;
  [Symbol.dispose](): void;
  valueOf(): number;
  ref(): this;
  unref(): this;
}

/** Listens, with server: true, or dials, and returns the socket at once. It throws if options are wrong, or the address cannot be had. */
export function quic(options: QuicStreamOptions & Required<Pick<QuicStreamOptions, 'data'>>): QuicSocket;
export function quic(options: QuicStreamOptions & Required<Pick<QuicStreamOptions, 'socketOpen'>>): QuicSocket;
export function quic<Data = unknown>(options: QuicSocketOptions<Data>): QuicSocket<Data>;
