// serve(): HTTP/3, and HTTP/2 and HTTP/1.1 beside it.

import { engine } from './engine.js';
import { checkType, GodwitError } from './errors.js';
import { Exchange, sectionOf } from './exchange.js';
import { HTTPListener } from './http.js';
import { fromNode } from './node.js';
import { development } from './native.js';
import { checkNames, checkPort, commonOptions, hostPort, ofListeners, ofServerTLS, pemOf, tlsOptions } from './options.js';
import { ABORT, GRACEFUL, ROUTE } from './port.js';
import { Site } from './site.js';
import { TCPServer } from './tcp.js';
import { checkWebTransport, Sessions } from './webtransport-server.js';

/**
 * serve answers requests with fetch(request, server) and routes, and returns the Server at
 * once. It throws if the address cannot be had. A listener of Node's kind, (req, res), may
 * come in place of the options, which then follow it.
 */
export function serve(options, more) {
  const what = 'serve';
  if (typeof options === 'function') {
    if (more?.fetch !== undefined) throw new TypeError('serve: there is a listener in the place of fetch');
    options = { ...more, fetch: fromNode(options) };
  }
  if (typeof options !== 'object' || options === null) throw new TypeError('serve: options must be an object');
  return new Server(what, options);
}

const handlers = ['fetch', 'routes', 'error', 'webtransport'];

/** Server is what serve returns, and what handlers get besides the request. */
export class Server {
  #site = new Site(this);
  #listener; #tcp = null; #ready; #stopped = null; #stopping = false; #whenGone = [];
  #routes = new Map(); // that the engine answers, to what they are
  #webtransport = null; #sessions = null; // null without
  #hostname; #development;

  constructor(what, options) {
    checkNames(what, options, [...handlers, 'http1', ...ofListeners]);
    this.#site.set(what, options);
    const secure = options.tls !== undefined && options.tls !== null;
    this.#hostname = checkType(what, options, 'hostname', 'string') ?? (secure ? '' : 'localhost');
    const http1 = checkType(what, options, 'http1', 'boolean') ?? true;
    const list = ['address', hostPort(this.#hostname, checkPort(what, options, 0))];
    const tls = { ...options.tls };
    if (tls.cert === undefined && tls.key === undefined) Object.assign(tls, development());
    this.#development = options.tls?.cert === undefined;
    tlsOptions(what, list, tls, ofServerTLS);
    commonOptions(what, list, options);
    const hooks = {
      request: (connection, id, flags, fields) => new Exchange(this.#site, connection, id, flags, fields),
      ended: () => this.#look(),
      closed: (error) => this.#closed(error),
    };
    if (options.webtransport !== undefined && options.webtransport !== null) {
      this.#webtransport = checkWebTransport(what, options.webtransport);
      this.#sessions = new Sessions(() => this.#webtransport);
      hooks.session = (...args) => this.#sessions.session(...args);
      list.push('webtransport', '1');
    }
    this.#listener = new HTTPListener(what, list, hooks);
    this.#site.authority = this.url.host;
    this.#listener.hold(true);
    this.#setRoutes();
    if (http1) this.#listenTCP(what, tls);
    else this.#ready = Promise.resolve(this);
  }

  #listenTCP(what, tls) {
    const { address, port } = this.#listener.local;
    this.#tcp = new TCPServer(this.#site, { cert: pemOf(what, tls, 'cert'), key: pemOf(what, tls, 'key') }, `h3=":${port}"; ma=86400`);
    this.#ready = this.#tcp.listen(address, port).then(() => this, (e) => {
      this.#tcp = null;
      throw new GodwitError(`no HTTP/1.1 and HTTP/2 at port ${port}: ${e.message}`, { kind: 'address', code: e.code, cause: e });
    });
    this.#ready.catch((e) => this.#site.report(e));
  }

  /** A promise of the server itself when all protocols are there; HTTP/3 is at once. */
  get ready() {
    return this.#ready;
  }

  get port() {
    return this.#listener.local.port;
  }

  get hostname() {
    return this.#hostname || this.#listener.local.address;
  }

  /** The address, {address, port, family}. */
  get address() {
    return this.#listener.local;
  }

  get url() {
    const every = this.#hostname === '' || this.#hostname === '0.0.0.0' || this.#hostname === '::';
    return new URL(`https://${hostPort(every ? 'localhost' : this.#hostname, this.port)}/`);
  }

  /** Whether the certificate was made for development, by which clients cannot know the server. */
  get development() {
    return this.#development;
  }

  /** The SHA-256 of the certificate, in hexadecimal digits, for serverCertificateHashes. */
  get certificateHash() {
    return this.#listener.certificateHash;
  }

  /** The sessions of WebTransport that are there. */
  get sessions() {
    return this.#sessions?.all ?? new Set();
  }

  /** Sends a datagram to the sessions that have subscribed to a topic, and returns how many may get it. */
  publish(topic, data) {
    return this.#sessions?.topics.publish(topic, data) ?? 0;
  }

  /** Returns a topic's figures: {subscribers, published, sent, dropped}; null if nobody has subscribed to it. */
  topic(name) {
    return this.#sessions?.topics.stats(name) ?? null;
  }

  get pendingRequests() {
    return this.#site.pending;
  }

  /** Returns the address of a request's client, {address, port, family}, or null when it is not known. */
  requestIP(request) {
    return this.#site.exchange(request)?.remote ?? null;
  }

  /** Returns the protocol of a request: "h3", "h2" or "http/1.1", null for what is no request of the server's. */
  protocol(request) {
    return this.#site.exchange(request)?.protocol ?? null;
  }

  /** Sends an interim response, as a rule 103 with links; false if it is too late or cannot be. */
  hint(request, headers, status = 103) {
    return this.#site.exchange(request)?.hint(headers, status) ?? false;
  }

  /** Returns a promise of a request's trailers as Headers, null if it has none. The content has to be read. */
  trailers(request) {
    return this.#site.exchange(request)?.trailers() ?? Promise.resolve(null);
  }

  /** Has trailers follow the response to a request: headers, or a function that returns them when the content is over. */
  sendTrailers(request, headers) {
    return this.#site.exchange(request)?.sendTrailers(headers) ?? false;
  }

  /** Takes other routes, fetch and error from now on, and callbacks of webtransport for sessions that begin. */
  reload(options) {
    if (typeof options !== 'object' || options === null) throw new TypeError('server.reload: options must be an object');
    checkNames('server.reload', options, handlers);
    const webtransport = options.webtransport ?? null;
    if (webtransport !== null && this.#sessions === null) throw new TypeError('server.reload: webtransport was not there from the beginning');
    if (webtransport !== null) this.#webtransport = checkWebTransport('server.reload', webtransport);
    this.#site.set('server.reload', options);
    this.#setRoutes();
  }

  ref() {
    this.#listener.hold(true);
    this.#tcp?.ref();
    return this;
  }

  unref() {
    this.#listener.hold(false);
    this.#tcp?.unref();
    return this;
  }

  /**
   * Takes no further requests, and returns a promise that is fulfilled when all is over:
   * gracefully, when those under way have been answered, or else at once.
   */
  stop(graceful = true) {
    if (this.#stopped === null || !graceful) {
      const over = new Promise((resolve) => this.#whenGone.push(resolve));
      this.#stopping = true;
      for (const c of this.#listener.connections) {
        if (!graceful) c.close();
        c.hold(true);
      }
      if (graceful) for (const s of this.sessions) s.drain();
      this.#listener.close(graceful ? GRACEFUL : ABORT);
      const tcp = this.#ready.catch(() => {}).then(() => this.#tcp?.stop(graceful));
      this.#stopped = Promise.all([over, tcp]).then(() => undefined);
      this.#look();
    }
    return this.#stopped;
  }

  [Symbol.dispose ?? Symbol.for('Symbol.dispose')]() {
    this.stop(false);
  }

  [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]() {
    return this.stop();
  }

  #closed(error) {
    if (error !== undefined && !this.#stopping) this.#site.report(error);
    this.#look();
  }

  // look whether nothing is left to wait for.
  #look() {
    if (!this.#stopping || !this.#listener.over || this.#listener.connections.size > 0) return;
    for (const f of this.#whenGone.splice(0)) f();
  }

  // setRoutes has the engine answer what is always the same, as soon as its content is known.
  #setRoutes() {
    const now = new Map(this.#site.statics());
    for (const path of this.#routes.keys()) {
      if (!now.has(path)) this.#route([':path', path]);
    }
    this.#routes = now;
    for (const [path, s] of now) {
      s.read.then(() => {
        if (s.bytes === null || this.#routes.get(path) !== s || this.#listener.over) return;
        if (!this.#route(sectionOf([':path', path, ':status', String(s.status)], s.headers), s.bytes)) this.#route([':path', path]); // too large
      });
    }
  }

  #route(fields, content) {
    return engine().sendSection(ROUTE, 0, this.#listener.handle, 0, fields, content);
  }
}
