// HTTP/3 by events: a listener and its connections, and connections of a client's. What
// belongs to a connection (requests, sessions of WebTransport, their streams) are targets:
// objects with event(type, flags, aux, id, bytes), told of what happens to their handle.

import { disown, engine, Hold, own } from './engine.js';
import { errorOf, GodwitError } from './errors.js';
import { parseAddress, windowOf } from './options.js';
import { ABORT, CLOSE, CONNECT, decodeError, decodeFields, EV, FIN, kindOf, LISTEN, RESPOND } from './port.js';

/**
 * HTTPListener listens. hooks are an object with
 *
 *   request(connection, id, flags, fields): a request; returns its target
 *   session(connection, id, flags, fields): one of WebTransport, likewise; it is refused
 *     with 404 when nothing is returned, or there is no such hook
 *   closed(error): the listener has ended; error is undefined if that was wanted
 *   ended(connection, error): a connection has; of all that hooks are told of
 *
 * of which all but request may be missing. fields are names and values in turn, beginning
 * with :method and so on. All of a connection's targets have their last event before ended.
 */
export class HTTPListener {
  connections = new Set();
  over = false;
  #hold = new Hold();
  #window;

  /** It binds the address at once, and throws if that cannot be. options are those of the engine, in turn. */
  constructor(what, options, hooks) {
    this.hooks = hooks;
    this.#window = windowOf(options);
    const e = engine();
    this.handle = e.handle();
    own(this.handle, this);
    const reply = e.call(LISTEN, this.handle, ['protocol', 'h3', ...options]);
    if (reply.kind !== 0) {
      disown(this.handle);
      this.over = true;
      const kind = kindOf(reply.kind);
      if (kind === 'option') throw new TypeError(`${what}: ${reply.text}`);
      throw new GodwitError(reply.text, { kind, number: reply.code });
    }
    const [address, hash] = reply.text.split(' ');
    /** {address, port, family}. */
    this.local = parseAddress(address);
    /** The SHA-256 of its certificate, in hexadecimal digits. */
    this.certificateHash = hash;
  }

  /** hold says whether it keeps the process alive. */
  hold(on) {
    this.#hold.set(on && !this.over);
  }

  accept(handle, bytes) {
    const c = new HTTPConnection(this.hooks, handle, this, this.#window);
    own(handle, c);
    this.connections.add(c);
    c.begin(bytes);
  }

  event(type, flags, aux, id, bytes) {
    if (type !== EV.CLOSED) return;
    this.hold(false);
    this.over = true;
    const e = decodeError(bytes, flags);
    this.hooks.closed?.(e.kind === 'ok' ? undefined : errorOf(e));
  }

  /** close begins to close it; mode is STOP_LISTENING, GRACEFUL or ABORT. */
  close(mode = ABORT, code = 0x100, reason = '') { // H3_NO_ERROR
    if (!this.over) engine().sendNumber(CLOSE, 0, mode, this.handle, 0, code, reason);
  }
}

/** HTTPConnection is a connection at either end. */
export class HTTPConnection {
  local = undefined;
  remote = undefined;
  serverName = '';
  connected = false;
  over = false;
  #targets = new Map(); // by handle
  #hold = new Hold();

  constructor(hooks, handle, listener, window) {
    this.hooks = hooks;
    this.handle = handle;
    this.listener = listener;
    /** That of its streams, for Pipe. */
    this.window = window;
  }

  /**
   * dial begins a client's, which can be used at once; options are those of the engine.
   * hooks: connected(connection), draining(connection), ended(connection, error), any of
   * which may be missing. ended always is the last.
   */
  static dial(options, hooks) {
    const e = engine();
    const c = new HTTPConnection(hooks, e.handle(), undefined, windowOf(options));
    e.sendFields(CONNECT, 0, 0, c.handle, 0, ['protocol', 'h3', ...options]);
    own(c.handle, c);
    return c;
  }

  hold(on) {
    this.#hold.set(on && !this.over);
  }

  /** add has the events of a handle told to a target, up to its last. */
  add(id, target) {
    this.#targets.set(id, target);
  }

  /** remove is of what the engine never came to know. */
  remove(id) {
    this.#targets.delete(id);
  }

  target(id) {
    return this.#targets.get(id);
  }

  get targets() {
    return this.#targets.values();
  }

  /** begin takes what is known of a connection that is there. */
  begin(bytes) {
    const { fields } = decodeFields(bytes);
    this.local = parseAddress(field(fields, 'local') ?? '');
    this.remote = parseAddress(field(fields, 'remote') ?? '');
    this.serverName = field(fields, 'server_name') ?? '';
    this.resumed = field(fields, 'resumed') !== undefined;
    this.connected = true;
  }

  event(type, flags, aux, id, bytes) {
    if (id !== 0) {
      this.#ofTarget(type, flags, aux, id, bytes);
    } else if (type === EV.CLOSED) {
      this.#closed(flags, bytes);
    } else if (type === EV.CONNECTED) {
      this.begin(bytes);
      this.hooks.connected?.(this);
    } else if (type === EV.PATH) {
      this.remote = parseAddress(field(decodeFields(bytes).fields, 'remote') ?? '') ?? this.remote;
    } else if (type === EV.DRAINING) {
      this.hooks.draining?.(this);
    }
  }

  #ofTarget(type, flags, aux, id, bytes) {
    if (type === EV.REQUEST) {
      const target = this.hooks.request(this, id, flags, decodeFields(bytes).fields);
      if (target) this.#targets.set(id, target);
      return;
    }
    if (type === EV.SESSION) {
      const target = this.hooks.session?.(this, id, flags, decodeFields(bytes).fields);
      if (target) this.#targets.set(id, target);
      else this.refuse(id, 404);
      return;
    }
    if (type === EV.STREAM) { // one that the peer opened, of a session
      const session = bytes.readUInt32LE(8);
      this.#targets.get(session)?.event(type, flags, aux, id, bytes);
      return;
    }
    const target = this.#targets.get(id);
    if (type === EV.ENDED || type === EV.CLOSED) this.#targets.delete(id);
    target?.event(type, flags, aux, id, bytes);
  }

  /** refuse answers a request or a session with a status and nothing else. */
  refuse(id, status) {
    engine().sendFields(RESPOND, FIN, 0, this.handle, id, [':status', String(status)]);
  }

  close(code = 0x100, reason = '') { // H3_NO_ERROR
    if (!this.over) engine().sendNumber(CLOSE, 0, 0, this.handle, 0, code, reason);
  }

  #closed(flags, bytes) {
    this.hold(false);
    this.over = true;
    this.connected = false;
    for (const [id, target] of [...this.#targets]) { // begun when the engine had no connection any more
      this.#targets.delete(id);
      target.event(EV.ENDED, flags, 0, id, bytes);
    }
    this.listener?.connections.delete(this);
    this.hooks.ended?.(this, errorOf(decodeError(bytes, flags)));
  }
}

/** field returns the first value of a name among fields, or undefined. */
export function field(fields, name) {
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] === name) return fields[i + 1];
  }
  return undefined;
}
