// Connections of a client's to origins, kept for further requests.

import { checkType, GodwitError } from './errors.js';
import { AltSvc } from './altsvc.js';
import { fetchBy } from './fetch.js';
import { HTTPConnection } from './http.js';
import { checkNames, commonOptions, hostPort, ofClientTLS, ofConnections, tlsOptions, unverified } from './options.js';
import { ClientRequest } from './request.js';

// Limits: what an agent has without an option, and the least that it may be.
const limits = {
  /** Connections to an origin. */
  connections: [4, 1],
  /** Requests under way on a connection before another one is made, if there may be one. */
  requests: [100, 1],
  /** Connections in all; one that is idle gives way to another. */
  total: [256, 1],
  /** For how long, in milliseconds, a connection without requests is kept. */
  keepAliveTimeout: [10_000, 0],
  /** How long, in milliseconds, HTTP/3 has to answer before the runtime's own fetch is used. */
  patience: [300, 0],
};

/**
 * Agent has the connections of fetch, or of one's own: agent.fetch is fetch with other
 * options, which are those above, tls ({ca, cert, key, serverName, rejectUnauthorized}),
 * and those of connections, such as handshakeTimeout.
 */
export class Agent {
  /** What is known of other places where origins can be had. */
  altSvc = new AltSvc();
  #options = {}; #engine = []; #origins = new Map(); #count = 0; #closed = false; #whenGone = [];

  constructor(options = {}) {
    const what = 'Agent';
    checkNames(what, options, [...Object.keys(limits), 'tls', ...ofConnections]);
    for (const [name, [fallback, least]] of Object.entries(limits)) {
      const v = checkType(what, options, name, 'number') ?? fallback;
      if (!(v >= least)) throw new TypeError(`${what}: ${name} must be a number from ${least} on, not ${v}`);
      this.#options[name] = v;
    }
    tlsOptions(what, this.#engine, options.tls ?? {}, ofClientTLS);
    commonOptions(what, this.#engine, options);
    this.tls = options.tls;
    this.fetch = this.fetch.bind(this);
  }

  /** fetch is the platform's, by HTTP/3: see fetch. */
  fetch(input, init) {
    return fetchBy(this, input, init ?? {});
  }

  get closed() {
    return this.#closed;
  }

  /** How many connections there are. */
  get connections() {
    return this.#count;
  }

  /**
   * connect returns a connection to an origin, for its caller to release. It may not be
   * there yet: its promise connected is rejected if it will not be. url is of the origin.
   */
  connect(url) {
    if (this.#closed) throw new GodwitError('the agent is closed', { kind: 'cancelled' });
    let all = this.#origins.get(url.origin);
    if (all === undefined) this.#origins.set(url.origin, all = new Set());
    let best;
    for (const c of all) {
      if (!c.leaving && (best === undefined || c.requests < best.requests)) best = c;
    }
    if (best === undefined || best.requests >= this.#options.requests && all.size < this.#options.connections) {
      if (this.#count >= this.#options.total) this.#makeRoom();
      best = this.#dial(url, all);
    }
    best.hold();
    return best;
  }

  /**
   * reach returns a connection to an origin, for its caller to release, and null where
   * another protocol is to be used, unless only HTTP/3 is wanted.
   */
  async reach(url, only, signal) {
    if (!only && this.altSvc.broken(url.origin)) return null;
    const connection = this.connect(url);
    if (only || connection.isConnected) return connection;
    let timer, aborted;
    const late = new Promise((resolve) => { timer = setTimeout(resolve, this.#options.patience, null); });
    const given = new Promise((resolve, reject) => { aborted = () => reject(signal.reason); });
    signal?.addEventListener('abort', aborted);
    try {
      const there = await Promise.race([connection.connected.catch(() => null), late, given]);
      if (there === null) connection.release();
      return there;
    } catch (e) {
      connection.release();
      throw e;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
    }
  }

  #dial(url, all) {
    const other = this.altSvc.find(url.origin);
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    const list = ['address', other === undefined ? hostPort(host, url.port || 443) : hostPort(other.host, other.port), ...this.#engine];
    if (!list.includes('server_name')) list.push('server_name', host);
    if (unverified(this.tls)) list.push('insecure', '1');
    const c = new Pooled(list, this.#options.keepAliveTimeout, other);
    all.add(c);
    this.#count++;
    c.connected.then(() => this.altSvc.worked(url.origin), () => this.altSvc.failed(url.origin));
    c.over.then(() => {
      all.delete(c);
      this.#count--;
      if (all.size === 0 && this.#origins.get(url.origin) === all) this.#origins.delete(url.origin);
      if (this.#count === 0) for (const f of this.#whenGone.splice(0)) f();
    });
    return c;
  }

  // makeRoom closes the connection that has been idle for the longest time.
  #makeRoom() {
    for (const all of this.#origins.values()) {
      for (const c of all) {
        if (c.requests === 0 && !c.leaving) {
          c.leave();
          return;
        }
      }
    }
  }

  /** Takes no further requests, and returns a promise that is fulfilled when those under way are over and all connections closed. */
  close() {
    this.#closed = true;
    for (const all of this.#origins.values()) for (const c of all) c.leave();
    return this.#count === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenGone.push(resolve));
  }

  /** Closes all connections at once; requests under way fail. */
  destroy() {
    const gone = this.close();
    for (const all of this.#origins.values()) for (const c of all) c.destroy();
    return gone;
  }

  [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]() {
    return this.close();
  }
}

// Pooled is a connection of an agent's. It keeps the process alive while it has requests.
class Pooled {
  requests = 0;
  /** How many there were that are over. */
  served = 0;
  leaving = false;
  connected;
  over;
  /** Where it goes if that is not the origin itself, {host, port}. */
  alternative;
  #connection; #timer = null; #keepAlive;

  constructor(options, keepAlive, alternative) {
    this.#keepAlive = keepAlive;
    this.alternative = alternative;
    let ended;
    this.over = new Promise((resolve) => { ended = resolve; });
    this.connected = new Promise((resolve, reject) => {
      this.#connection = HTTPConnection.dial(options, {
        connected: () => resolve(this),
        draining: () => this.leave(),
        ended: (c, error) => {
          clearTimeout(this.#timer);
          this.leaving = true;
          reject(error);
          ended();
        },
      });
    });
    this.connected.catch(() => {});
    this.#idle();
  }

  get isConnected() {
    return this.#connection.connected;
  }

  get isOver() {
    return this.#connection.over;
  }

  /** hold counts one that uses the connection, or waits for it, until release. */
  hold() {
    if (this.requests++ > 0) return;
    clearTimeout(this.#timer);
    this.#connection.hold(true);
  }

  release() {
    if (--this.requests === 0) this.#idle();
  }

  // idle: nobody uses the connection now.
  #idle() {
    this.#connection.hold(false);
    if (this.leaving) {
      this.destroy();
      return;
    }
    this.#timer = setTimeout(() => this.leave(), this.#keepAlive);
    this.#timer.unref?.();
  }

  /** request begins one; see ClientRequest. */
  request(fields, whole, handler) {
    const r = new ClientRequest(this.#connection, fields, whole, handler);
    this.hold();
    r.onover = () => {
      this.served++;
      this.release();
    };
    return r;
  }

  /** leave has it close when its requests are over. */
  leave() {
    this.leaving = true;
    if (this.requests === 0) this.destroy();
  }

  destroy() {
    clearTimeout(this.#timer);
    this.leaving = true;
    this.#connection.close();
  }
}

let common = null;

/**
 * fetch is the platform's, by HTTP/3: with init.agent over its connections, otherwise over
 * those of an agent that all share. What cannot be had by HTTP/3, in a short time, is asked
 * for by the runtime's own fetch, but with init.protocol "http3".
 */
export async function fetch(input, init) {
  const agent = init?.agent ?? (common ??= new Agent());
  if (!(agent instanceof Agent)) throw new TypeError('fetch: agent must be an Agent of this package');
  return agent.fetch(input, init);
}
