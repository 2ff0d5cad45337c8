/** Types of WebTransport: the client's class, as the W3C has it, and sessions at a server. */

import type { BufferSource, ClientTLS, ConnectionOptions, HeadersInit, ListenOptions, PEM, ServerTLS, SocketAddress } from './common.cjs';

export interface WebTransportHash {
  algorithm: string;
  value: BufferSource;
}

export interface WebTransportOptions extends Omit<ConnectionOptions, 'congestion'> {
  allowPooling?: boolean;
  requireUnreliable?: boolean;
  headers?: HeadersInit;
  /** SHA-256 of the certificates that are accepted, in place of a check against authorities. */
  serverCertificateHashes?: WebTransportHash[];
  congestionControl?: 'default' | 'throughput' | 'low-latency';
  /** Subprotocols, the best first. */
  protocols?: string[];
  /** Has datagrams.readable be a stream of bytes, for readers with a buffer of their own. Empty datagrams are lost. */
  datagramsReadableType?: 'bytes';
  /** How many streams the server is expected to have open at a time; more than 100 are allowed if it is more. */
  anticipatedConcurrentIncomingUnidirectionalStreams?: number | null;
  anticipatedConcurrentIncomingBidirectionalStreams?: number | null;
  /** PEM: whom to trust instead of the system's authorities. Not of the W3C. */
  ca?: PEM;
  tls?: ClientTLS;
}

export interface WebTransportCloseInfo {
  closeCode?: number;
  reason?: string;
}

export interface WebTransportSendOptions {
  sendGroup?: WebTransportSendGroup | null;
  sendOrder?: number;
}

export interface WebTransportSendStreamOptions extends WebTransportSendOptions {
  /** Waits for the peer to allow the stream; without, it is rejected with a QuotaExceededError if the peer does not now. */
  waitUntilAvailable?: boolean;
}

/** Of connections that may have other sessions (allowPooling) there is none of these. */
export interface WebTransportDatagramStats {
  droppedIncoming?: number;
  expiredIncoming?: number;
  expiredOutgoing?: number;
  /** Not of the W3C: those that were not sent, as they are too large or there were too many. */
  droppedOutgoing?: number;
}

/** Times are in milliseconds. */
export interface WebTransportConnectionStats {
  bytesSent?: number;
  bytesReceived?: number;
  bytesLost?: number;
  packetsSent?: number;
  packetsReceived?: number;
  packetsLost?: number;
  smoothedRtt?: number;
  rttVariation?: number;
  minRtt?: number;
  estimatedSendRate?: number | null;
  atSendCapacity?: boolean;
  datagrams: WebTransportDatagramStats;
}

export class WebTransportError extends DOMException {
  constructor(message?: string, options?: { source?: 'stream' | 'session'; streamErrorCode?: number | null; cause?: unknown });
  readonly source: 'stream' | 'session';
  readonly streamErrorCode: number | null;
  readonly cause?: unknown;
}

export class WebTransportSendGroup {
  private constructor();
  getStats(): Promise<{ bytesWritten: number; bytesSent: number }>;
}

export class WebTransportWriter extends WritableStreamDefaultWriter<BufferSource> {
  /** Writes what there is room for at once; otherwise nothing is sent, and it is rejected with an AbortError. */
  atomicWrite(chunk: BufferSource): Promise<void>;
  /** Has what was written so far arrive even if the stream is aborted, with a peer that has reliable resets. */
  commit(): void;
}

export class WebTransportSendStream extends WritableStream<BufferSource> {
  private constructor();
  getWriter(): WebTransportWriter;
  sendGroup: WebTransportSendGroup | null;
  sendOrder: number;
  getStats(): Promise<{ bytesWritten: number; bytesSent: number }>;
}

export class WebTransportReceiveStream extends ReadableStream<Uint8Array> {
  private constructor();
  getStats(): Promise<{ bytesReceived: number; bytesRead: number }>;
}

export class WebTransportBidirectionalStream {
  private constructor();
  readonly readable: WebTransportReceiveStream;
  readonly writable: WebTransportSendStream;
}

export class WebTransportDatagramsWritable extends WritableStream<BufferSource> {
  private constructor();
  sendGroup: WebTransportSendGroup | null;
  sendOrder: number;
}

export class WebTransportDatagramDuplexStream {
  private constructor();
  createWritable(options?: WebTransportSendOptions): WebTransportDatagramsWritable;
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WebTransportDatagramsWritable;
  readonly maxDatagramSize: number;
  incomingMaxAge: number | null;
  outgoingMaxAge: number | null;
  incomingMaxBufferedDatagrams: number;
  outgoingMaxBufferedDatagrams: number;
  incomingHighWaterMark: number;
  outgoingHighWaterMark: number;
}

export class WebTransport {
  constructor(url: string | URL, options?: WebTransportOptions);
  static readonly supportsReliableOnly: boolean;
  readonly ready: Promise<undefined>;
  readonly closed: Promise<Required<WebTransportCloseInfo>>;
  readonly draining: Promise<undefined>;
  readonly protocol: string;
  readonly reliability: 'pending' | 'reliable-only' | 'supports-unreliable';
  readonly congestionControl: 'default' | 'throughput' | 'low-latency';
  readonly responseHeaders: Headers | null;
  readonly datagrams: WebTransportDatagramDuplexStream;
  readonly incomingBidirectionalStreams: ReadableStream<WebTransportBidirectionalStream>;
  readonly incomingUnidirectionalStreams: ReadableStream<WebTransportReceiveStream>;
  createBidirectionalStream(options?: WebTransportSendStreamOptions): Promise<WebTransportBidirectionalStream>;
  createUnidirectionalStream(options?: WebTransportSendStreamOptions): Promise<WebTransportSendStream>;
  anticipatedConcurrentIncomingUnidirectionalStreams: number | null;
  anticipatedConcurrentIncomingBidirectionalStreams: number | null;
  createSendGroup(): WebTransportSendGroup;
  getStats(): Promise<WebTransportConnectionStats>;
  /** Bytes that both ends of the session get for the same label and context, up to 255 bytes each. outputLength: 1 to 8160. */
  exportKeyingMaterial(label: BufferSource, context: BufferSource, outputLength: number): Promise<Uint8Array>;
  close(closeInfo?: WebTransportCloseInfo): void;
  /** Sends a datagram without a stream of them; false if it is too large, the session over, or there are too many. Not of the W3C. */
  sendDatagram(data: string | BufferSource): boolean;
}

/** WebTransport for the client of engine.io and socket.io, as globalThis.WebTransport. */
export class WebTransportForEngineIO extends WebTransport {}

/** Since there is a subscriber: how often something was published, and to how many sessions it was sent, or was not. */
export interface WebTransportTopicStats {
  subscribers: number;
  published: number;
  sent: number;
  dropped: number;
}

/** What a client asks for. */
export interface WebTransportRequest {
  readonly url: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  readonly cookies: Record<string, string>;
  readonly origin: string | null;
  /** Whether it comes from a page of the server's own host, or from no page. */
  readonly sameOrigin: boolean;
  /** Subprotocols that it offers. */
  readonly protocols: string[];
  readonly remote?: SocketAddress;
}

/** A session at a server. */
export class WebTransportSession<Data = any> extends WebTransport {
  private constructor();
  readonly request: WebTransportRequest;
  data: Data;
  /** Refuses the session, in open. */
  reject(status?: number, headers?: HeadersInit): Promise<void>;
  /** Accepts the session, in open. */
  accept(options?: { protocol?: string; headers?: HeadersInit }): void;
  /** Asks the client to end the session soon. */
  drain(): void;
  /** whenFull: what becomes of a datagram that cannot be taken at once, "drop" without it; "close" closes the session. */
  subscribe(topic: string, options?: { whenFull?: 'drop' | 'close' }): void;
  /** Ends a subscription, or all. */
  unsubscribe(topic?: string): void;
  isSubscribed(topic: string): boolean;
  /** Sends a datagram to all others that have subscribed to a topic, and returns how many may get it. */
  publish(topic: string, data: string | BufferSource): number;
}

/** A stream that the client has opened: web streams, or, without, the callback data, write and end. */
export class WebTransportServerStream<Data = any> {
  private constructor();
  readonly readable: WebTransportReceiveStream;
  /** Undefined if the stream goes one way. */
  readonly writable?: WebTransportSendStream;
  data: Data;
  /** Returns how many bytes were taken: less than all means to go on at drain. */
  write(x: string | BufferSource): number;
  end(x?: string | BufferSource): void;
  reset(code?: number): void;
  stop(code?: number): void;
}

export interface WebTransportHandlers<Data = any> {
  /** A Response refuses the session; all else, and using the session before, accepts it. */
  open?(session: WebTransportSession<Data>, request: WebTransportRequest): unknown;
  /** Without it streams are in session.incomingBidirectionalStreams and its like. */
  stream?(session: WebTransportSession<Data>, stream: WebTransportServerStream): unknown;
  /** What has come on a stream whose readable nobody has asked for; last: nothing follows. */
  data?(session: WebTransportSession<Data>, stream: WebTransportServerStream, bytes: Uint8Array, last: boolean): unknown;
  /** There is room again, after a stream.write that took less. */
  drain?(session: WebTransportSession<Data>, stream: WebTransportServerStream): unknown;
  /** The client has given up a direction of a stream, or the session has ended with it open. */
  abort?(session: WebTransportSession<Data>, stream: WebTransportServerStream, error: WebTransportError): unknown;
  /** Without it datagrams are in session.datagrams.readable. */
  datagram?(session: WebTransportSession<Data>, data: Uint8Array): unknown;
  draining?(session: WebTransportSession<Data>): unknown;
  /** error is undefined if the session was closed and has not failed. */
  close?(session: WebTransportSession<Data>, code: number, reason: string, error?: WebTransportError): unknown;
  /** One of these has thrown, or rejected. Without it the error is printed. */
  error?(session: WebTransportSession<Data>, error: unknown): unknown;
  /** Subprotocols that the server speaks. */
  protocols?: string[];
  /** Of the pages of other hosts that are let in; "*" for all. */
  origins?: string[] | '*';
}

export interface WebTransportServerOptions<Data = any> extends ListenOptions {
  hostname?: string;
  port?: number | string;
  tls?: ServerTLS;
  webtransport: WebTransportHandlers<Data>;
}

export class WebTransportServer {
  constructor(options: WebTransportServerOptions);
  readonly hostname: string;
  readonly port: number;
  readonly url: URL;
  /** The SHA-256 of the certificate, in hexadecimal digits, for serverCertificateHashes. */
  readonly certificateHash: string;
  readonly sessions: Set<WebTransportSession>;
  /** Sends a datagram to the sessions that have subscribed to a topic, and returns how many may get it. */
  publish(topic: string, data: string | BufferSource): number;
  /** A topic's figures; null if nobody has subscribed to it. */
  topic(name: string): WebTransportTopicStats | null;
  /** Stops at once, or, if graceful, when the sessions have ended. */
  stop(graceful?: boolean): Promise<void>;
  ref(): this;
  unref(): this;
}

/** Listens for sessions, and for nothing else of HTTP/3. */
export function serveWebTransport<Data = any>(options: WebTransportServerOptions<Data>): WebTransportServer;
