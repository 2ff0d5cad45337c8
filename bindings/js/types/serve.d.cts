/** Types of serve(): HTTP/3, and HTTP/2 and HTTP/1.1 beside it. */

import type { ClientTLS, HeadersInit, ListenOptions, ServerTLS, SocketAddress, BufferSource } from './common.cjs';
import type { WebTransportHandlers, WebTransportSession, WebTransportTopicStats } from './webtransport.cjs';

type Segment<Path extends string> = Path extends `:${infer Name}` ? { [K in Name]: string } : Path extends '*' ? { '*': string } : {};

/** What a route's path has for its parameters: "/users/:id/*" has id and "*". */
export type RouteParams<Path extends string> = Path extends `${infer First}/${infer Rest}` ? Segment<First> & RouteParams<Rest> : Segment<Path>;

/** A request at a route. */
export type RouteRequest<Path extends string> = Request & { readonly params: RouteParams<Path> };

type Answer = Response | Promise<Response>;

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';

export type RouteHandler<Path extends string> = (this: Server, request: RouteRequest<Path>, server: Server) => Answer;

/** What answers at a path: always the same Response, a function, or those by method. false: nothing. */
export type Route<Path extends string> = Response | false | RouteHandler<Path> | { [M in Method]?: Response | RouteHandler<Path> };

/** What answers, and can be changed by server.reload. fetch, routes or webtransport must be there. */
export interface Handlers<Path extends string = string, Data = any> {
  /** Answers what no route does. */
  fetch?(this: Server, request: Request, server: Server): Answer;
  /** By path, in which a segment :name stands for any, and * at the end for the rest. */
  routes?: { [P in Path]: Route<P> };
  /** Answers when a handler has thrown, or rejected; and is told of errors that are too late for an answer. */
  error?(this: Server, error: unknown): Answer | void;
  /** Has the server accept sessions of WebTransport. */
  webtransport?: WebTransportHandlers<Data>;
}

export interface ServeOptions<Path extends string = string, Data = any> extends Handlers<Path, Data>, ListenOptions {
  /** 0, or none, takes a free one. */
  port?: number | string;
  /** "localhost" without it and without tls, otherwise every address. */
  hostname?: string;
  tls?: ServerTLS & Pick<ClientTLS, 'serverName'>;
  /** false: HTTP/3 only, nothing listens on TCP. */
  http1?: boolean;
}

/** What serve returns, and what handlers get besides the request. */
export class Server {
  private constructor();
  /** The server itself, when all protocols are there; HTTP/3 is at once. */
  readonly ready: Promise<this>;
  readonly port: number;
  readonly hostname: string;
  readonly address: SocketAddress;
  readonly url: URL;
  /** Whether the certificate was made for development, by which clients cannot know the server. */
  readonly development: boolean;
  /** The SHA-256 of the certificate, in hexadecimal digits, for serverCertificateHashes. */
  readonly certificateHash: string;
  /** The sessions of WebTransport that are there. */
  readonly sessions: Set<WebTransportSession>;
  readonly pendingRequests: number;
  /** Sends a datagram to the sessions that have subscribed to a topic, and returns how many may get it. */
  publish(topic: string, data: string | BufferSource): number;
  /** A topic's figures; null if nobody has subscribed to it. */
  topic(name: string): WebTransportTopicStats | null;
  /** Returns the address of a request's client, null if it is not known. */
  requestIP(request: Request): SocketAddress | null;
  /** Returns the protocol of a request, null for what is no request of the server's. */
  protocol(request: Request): 'h3' | 'h2' | 'http/1.1' | null;
  /** Sends an interim response, as a rule 103 with links; false if it is too late or cannot be. */
  hint(request: Request, headers: HeadersInit, status?: number): boolean;
  /** Returns a request's trailers, null if it has none. The content has to be read. */
  trailers(request: Request): Promise<Headers | null>;
  /** Has trailers follow the response to a request: headers, or a function that returns them when the content is over. */
  sendTrailers(request: Request, headers: HeadersInit | (() => HeadersInit)): boolean;
  /** Takes other handlers from now on; those of webtransport for sessions that begin. */
  reload<Path extends string = string, Data = any>(options: Handlers<Path, Data>): void;
  /** Keeps the process alive, or not. */
  ref(): this;
  unref(): this;
  /** Takes no more requests. Gracefully, which it is without an argument, those under way are answered. The promise is fulfilled when all is over. */
  stop(graceful?: boolean): Promise<void>;
  [Symbol.dispose](): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Answers requests, and returns the server at once. It throws if options are wrong, or the address cannot be had. */
export function serve<Path extends string = string, Data = any>(options: ServeOptions<Path, Data>): Server;

/** Answers requests by a listener of Node's kind, such as express makes. */
export function serve(listener: NodeListener, options?: Omit<ServeOptions, 'fetch'>): Server;

/** The options fetch and webtransport of serve that have a server of engine.io's, to which socket.io is bound, answer at a path, "/socket.io/" without it. */
export function forEngineIO(engine: { handleRequest(req: any, res: any): unknown; onWebTransportSession(session: any): Promise<unknown> },
  options?: { path?: string; origins?: string[] | '*' }): { fetch(request: Request, server: Server): Answer; webtransport: WebTransportHandlers };

declare const PlatformResponse: typeof Response;

/** The platform's Response, which remembers a small text or bytes that it is made of: serve answers faster with it. */
declare class QuickResponse extends PlatformResponse {
  static json(data: unknown, init?: ResponseInit): QuickResponse;
}
export { QuickResponse as Response };

/** A listener of Node's kind: an http.IncomingMessage and an http.ServerResponse. */
export type NodeListener = (req: any, res: any) => unknown;

/** A handler of requests that has a listener of Node's kind answer them. */
export function fromNode(listener: NodeListener): (request: Request, server: Server) => Promise<Response>;
