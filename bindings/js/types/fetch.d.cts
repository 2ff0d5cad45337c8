/** Types of fetch over HTTP/3. */

import type { ClientTLS, ConnectionOptions, PEM } from './common.cjs';

export interface FetchInit extends RequestInit {
  /** Whose connections to use, in place of those that all share. */
  agent?: Agent;
  /** "http3": nothing else will do. Otherwise the runtime's own fetch is asked for what cannot be had by HTTP/3. */
  protocol?: 'http3' | 'auto';
}

/** The platform's fetch, by HTTP/3. It rejects with a TypeError whose cause says why. */
export function fetch(input: string | URL | Request, init?: FetchInit): Promise<Response>;

export interface AgentOptions extends ConnectionOptions {
  tls?: ClientTLS & { cert?: PEM; key?: PEM };
  /** How many connections to an origin there may be; 4 without it. */
  connections?: number;
  /** How many requests are under way on a connection before another is made; 100 without it. */
  requests?: number;
  /** How many connections there may be in all; 256 without it. One that is idle gives way. */
  total?: number;
  /** For how many milliseconds a connection without requests is kept; 10000 without it. */
  keepAliveTimeout?: number;
  /** How many milliseconds HTTP/3 has before the runtime's own fetch is asked; 300 without it. */
  patience?: number;
}

/** Connections to origins, kept for further requests. */
export class Agent {
  constructor(options?: AgentOptions);
  /** fetch over these connections; it may be called without the agent. */
  fetch(input: string | URL | Request, init?: FetchInit): Promise<Response>;
  /** How many there are. */
  readonly connections: number;
  readonly closed: boolean;
  /** Takes no further requests. The promise is fulfilled when those under way are over. */
  close(): Promise<void>;
  /** Closes all connections at once; requests under way fail. */
  destroy(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface DispatcherOptions extends AgentOptions {
  /** Whose connections to use, in place of its own. */
  agent?: Agent;
  /** Another dispatcher, for what cannot be had by HTTP/3. */
  fallback?: { dispatch(options: any, handler: any): boolean };
}

/** A dispatcher of undici's over HTTP/3: the option dispatcher of its functions, and of Node's fetch. */
export class Dispatcher {
  constructor(options?: DispatcherOptions);
  dispatch(options: any, handler: any): boolean;
  readonly closed: boolean;
  readonly destroyed: boolean;
  close(): Promise<void>;
  close(callback: () => void): void;
  destroy(error?: Error | null): Promise<void>;
  destroy(error: Error | null, callback: () => void): void;
  destroy(callback: () => void): void;
}
