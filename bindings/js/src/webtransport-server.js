// WebTransport at a server: the sessions that clients ask for, and the hooks that have them.

import { checkType, GodwitError } from './errors.js';
import { sectionOf } from './exchange.js';
import { field, HTTPListener } from './http.js';
import { engine } from './engine.js';
import { checkNames, checkPort, commonOptions, hostPort, ofListeners, ofServerTLS, tlsOptions } from './options.js';
import { ABORT, ACCEPT, FIN, GRACEFUL, RESPOND, SECURE } from './port.js';
import { headersOf, WebTransportSession } from './webtransport.js';
import { Topics } from './webtransport-topics.js';
import { SessionCore } from './webtransport-core.js';
import { sessionError } from './webtransport-error.js';

const callbacks = ['open', 'stream', 'data', 'drain', 'abort', 'datagram', 'draining', 'close', 'error'];

/**
 * checkWebTransport checks the option webtransport, an object with any of
 *
 *   open(session, request): a client asks for a session; a Response that is returned, or
 *     promised, refuses it, and all else accepts it. So does using the session before
 *   stream(session, stream): the client has opened a stream; stream.readable, and
 *     stream.writable if it goes both ways. Without it they are in session.incoming...
 *   data(session, stream, bytes, last): what has come on a stream whose stream.readable
 *     nobody has asked for; last says that nothing follows. Answers are sent with
 *     stream.write and stream.end: this way is the fast one
 *   drain(session, stream): there is room again, after a stream.write that took less
 *   abort(session, stream, error): the client has given up what it sends, or does not want
 *     what it is sent, or the session has ended with the stream open; of such streams
 *   datagram(session, data): likewise, otherwise they are in session.datagrams
 *   draining(session): the client asks for an end soon
 *   close(session, code, reason, error): it has ended; error is undefined if it was closed
 *   error(session, error): one of these has thrown, or rejected; otherwise it is printed
 *   protocols: those that the server speaks, of which the client's first choice is taken
 *   origins: of the pages of other hosts that are let in; "*" for all. Those of the
 *     server's own host, and clients that are no pages, always are
 */
export function checkWebTransport(what, options) {
  if (typeof options !== 'object' || options === null) throw new TypeError(`${what}: webtransport must be an object`);
  checkNames(`${what}: webtransport`, options, [...callbacks, 'protocols', 'origins']);
  for (const name of callbacks) checkType(`${what}: webtransport`, options, name, 'function');
  for (const name of ['protocols', 'origins']) {
    const list = options[name] ?? [];
    if (!Array.isArray(list) && !(name === 'origins' && list === '*') || Array.isArray(list) && list.some((x) => typeof x !== 'string')) {
      throw new TypeError(`${what}: webtransport.${name} must be an array of strings`);
    }
  }
  return options;
}

/**
 * Sessions are those of a listener: session is the hook of HTTPListener. current() returns
 * the option webtransport as it is now.
 */
export class Sessions {
  all = new Set();
  topics = new Topics();
  #current;

  constructor(current) {
    this.#current = current;
  }

  session(connection, id, flags, fields) {
    const options = this.#current(), none = { event() {} };
    let request;
    try {
      request = requestOf(connection, fields, (flags & SECURE) !== 0);
    } catch { // an authority or a header that the platform does not have
      connection.refuse(id, 400);
      return none;
    }
    if (!request.sameOrigin && options.origins !== '*' && !options.origins?.includes(request.origin)) {
      connection.refuse(id, 403);
      return none;
    }
    const core = new SessionCore(connection, id);
    const session = new WebTransportSession(core, request, this);
    const decision = new Decision(core, request, options);
    const call = (name, ...args) => this.#call(options, name, session, ...args);
    Object.assign(core.hooks, {
      decide: () => decision.accept(),
      accept: (protocol, headers) => decision.accept(protocol, headers),
      reject: (status, headers) => decision.refuse(new Response(null, { status, headers })),
      abandon: () => {
        if (!decision.made) decision.refuse(new Response(null, { status: 403 }));
        return !decision.accepted; // one that is accepted is closed by what follows
      },
      opened: () => this.all.add(session),
      unsaid: (e) => {
        connection.refuse(id, 500);
        decision.accepted = false;
        this.#failed(options, session, e);
        core.cleanup(sessionError('the session could not be answered', e));
      },
      draining: () => call('draining'),
      closed: (info, err) => {
        this.all.delete(session);
        this.topics.unsubscribe(session);
        if (decision.accepted) call('close', info.closeCode, info.reason, err);
      },
    });
    if (options.stream || options.data) core.hooks.stream = (s) => call('stream', s.served);
    if (options.data) {
      core.hooks.data = (s, bytes, last) => call('data', s.served, bytes, last);
      core.hooks.drain = (s) => call('drain', s.served);
      core.hooks.abort = (s, err) => call('abort', s.served, err);
    }
    if (options.datagram) core.hooks.datagram = (bytes) => call('datagram', bytes);
    this.#open(options, session, request, decision);
    return core;
  }

  async #open(options, session, request, decision) {
    try {
      const answer = await options.open?.(session, request);
      if (answer instanceof Response) await decision.refuse(answer);
      else decision.accept();
    } catch (e) {
      this.#failed(options, session, e);
      if (!decision.made) decision.refuse(new Response(null, { status: 500 }));
    }
  }

  // call calls a hook, of which no exception gets further than to the hook error.
  #call(options, name, session, ...args) {
    try {
      const r = options[name]?.(session, ...args);
      if (typeof r?.then === 'function') r.then(undefined, (e) => this.#failed(options, session, e));
    } catch (e) {
      this.#failed(options, session, e);
    }
  }

  #failed(options, session, e) {
    try {
      if (options.error) options.error(session, e);
      else console.error(e);
    } catch (again) {
      console.error(again);
    }
  }
}

// Decision is whether a session is accepted. It is made once.
class Decision {
  made = false;
  accepted = false;
  #core; #request; #options;

  constructor(core, request, options) {
    this.#core = core;
    this.#request = request;
    this.#options = options;
  }

  accept(protocol, headers) {
    if (this.made || this.#core.over) return;
    const offered = this.#request.protocols;
    const chosen = protocol ?? offered.find((p) => this.#options.protocols?.includes(p)) ?? '';
    if (protocol !== undefined && !offered.includes(protocol)) throw new TypeError(`the client does not offer the protocol ${protocol}`);
    const fields = sectionOf(chosen === '' ? [] : [':subprotocol', chosen], new Headers(headers ?? {}));
    if (!engine().sendSection(ACCEPT, 0, this.#core.connection.handle, this.#core.id, fields)) {
      throw new GodwitError('the header that accepts a session is too large', { kind: 'size' });
    }
    this.made = this.accepted = true;
    this.#core.protocol = chosen;
  }

  async refuse(response) {
    if (this.made) throw new DOMException('whether the session is accepted has been decided', 'InvalidStateError');
    this.made = true;
    const { connection, id } = this.#core;
    const content = response.body === null ? undefined : new Uint8Array(await response.arrayBuffer());
    const fields = sectionOf([':status', String(response.status)], response.headers);
    const fits = this.#core.over || engine().sendSection(RESPOND, FIN, connection.handle, id, fields, content);
    if (!fits) connection.refuse(id, response.status);
    this.#core.cleanup(sessionError(`the session was refused with status ${response.status}`));
    if (!fits) throw new GodwitError('the response that refuses a session is too large', { kind: 'size' });
  }
}

function requestOf(connection, fields, sameOrigin) {
  const protocols = [];
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === ':subprotocol') protocols.push(fields[i + 1]);
  const url = new URL(`https://${field(fields, ':authority')}${field(fields, ':path')}`);
  const headers = headersOf(fields);
  return {
    url: url.href,
    path: url.pathname,
    query: url.searchParams,
    headers,
    cookies: cookiesOf(headers.get('cookie') ?? ''),
    origin: headers.get('origin'),
    sameOrigin,
    protocols,
    remote: connection.remote,
  };
}

function cookiesOf(text) {
  const cookies = {};
  for (const part of text.split(';')) {
    const equals = part.indexOf('=');
    if (equals > 0) Object.defineProperty(cookies, part.slice(0, equals).trim(), { value: part.slice(equals + 1).trim(), enumerable: true, configurable: true });
  }
  return cookies;
}

/** serveWebTransport listens for sessions, and for nothing else of HTTP/3. */
export function serveWebTransport(options) {
  return new WebTransportServer(options);
}

/** WebTransportServer is a server of sessions. */
export class WebTransportServer {
  #listener; #sessions; #stopped;

  constructor(options = {}) {
    const what = 'serveWebTransport';
    checkNames(what, options, ['webtransport', ...ofListeners]);
    const webtransport = checkWebTransport(what, options.webtransport);
    const hostname = checkType(what, options, 'hostname', 'string') ?? 'localhost';
    const list = ['address', hostPort(hostname, checkPort(what, options, 0)), 'webtransport', '1'];
    tlsOptions(what, list, options.tls ?? {}, ofServerTLS);
    commonOptions(what, list, options);
    this.#sessions = new Sessions(() => webtransport);
    this.#stopped = new Promise((resolve) => {
      this.#listener = new HTTPListener(what, list, {
        request: (connection, id) => { connection.refuse(id, 404); },
        session: (...args) => this.#sessions.session(...args),
        closed: () => resolve(),
      });
    });
    this.hostname = hostname;
    this.#listener.hold(true);
  }

  get port() {
    return this.#listener.local.port;
  }

  get url() {
    return new URL(`https://${hostPort(this.hostname, this.port)}/`);
  }

  /** The SHA-256 of the certificate, in hexadecimal digits, for serverCertificateHashes. */
  get certificateHash() {
    return this.#listener.certificateHash;
  }

  /** The sessions that are there. */
  get sessions() {
    return this.#sessions.all;
  }

  /** Sends a datagram to the sessions that have subscribed to a topic, and returns how many may get it. */
  publish(topic, data) {
    return this.#sessions.topics.publish(topic, data);
  }

  /** Returns a topic's figures: {subscribers, published, sent, dropped}; null if nobody has subscribed to it. */
  topic(name) {
    return this.#sessions.topics.stats(name);
  }

  /** Stops: at once, or, if graceful, when the sessions have ended, which are asked to. */
  stop(graceful = false) {
    if (graceful) for (const s of this.#sessions.all) s.drain();
    this.#listener.close(graceful ? GRACEFUL : ABORT);
    return this.#stopped;
  }

  ref() {
    this.#listener.hold(true);
    return this;
  }

  unref() {
    this.#listener.hold(false);
    return this;
  }
}
