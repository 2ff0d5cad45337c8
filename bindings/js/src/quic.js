// quic(): QUIC connections and their streams by events.

import { Buffer } from 'node:buffer';
import { disown, engine, Hold, own } from './engine.js';
import { checkType, errorOf, GodwitError } from './errors.js';
import { checkNames, checkPort, commonOptions, hostPort, isLoopback, ofClientTLS, ofListeners, parseAddress, tlsOptions, unverified, windowOf } from './options.js';
import { ABORT, CLOSE, CONNECT, DATAGRAM, decodeError, decodeFields, EV, FIN, kindOf, LISTEN, OPEN, readNumber, STATS, UNI } from './port.js';
import { Pipe, toBytes } from './stream.js';

const ALPN = 'godwit'; // where nobody names a protocol

// How many bytes a web stream has before credit is kept back.
const READ_AHEAD = 64 << 10;

const callbacks = ['open', 'socketOpen', 'connection', 'message', 'drain', 'end', 'close', 'error', 'datagram', 'reconnecting'];

const known = ['server', 'alpn', 'reconnect', 'data', ...callbacks, ...ofListeners];

/**
 * quic listens, with server: true, or dials, and returns the socket at once. There are two
 * ways of handling events: by socket (open, message, close, error), if there is a callback
 * message, or no callback data; and by stream (socketOpen, open, data, drain, close, error).
 */
export function quic(options) {
  if (typeof options !== 'object' || options === null) throw new TypeError('quic: options must be an object');
  const conf = check(options);
  const socket = conf.server ? new Server(conf) : new Client(conf);
  return socket.facade;
}

function check(options) {
  const what = 'quic';
  checkNames(what, options, known);
  for (const name of callbacks) checkType(what, options, name, 'function');
  const byStream = typeof options.data === 'function' || options.socketOpen !== undefined && options.message === undefined;
  const conf = {
    byStream, on: options,
    server: checkType(what, options, 'server', 'boolean') ?? false,
    hostname: checkType(what, options, 'hostname', 'string') ?? 'localhost',
    port: checkPort(what, options, undefined),
    userData: typeof options.data === 'function' ? undefined : options.data,
    reconnect: checkReconnect(options),
    engine: [],
  };
  conf.engine.push('alpn', String(options.alpn ?? options.tls?.ALPNProtocols ?? ALPN));
  tlsOptions(what, conf.engine, options.tls ?? {}, [...ofClientTLS, 'ALPNProtocols']);
  commonOptions(what, conf.engine, options);
  if (!conf.server && (unverified(options.tls) || options.tls === undefined && isLoopback(conf.hostname))) conf.engine.push('insecure', '1');
  conf.window = windowOf(conf.engine);
  return conf;
}

function checkReconnect(options) {
  const r = checkType('quic', options, 'reconnect', 'object', 'boolean');
  if (!r) return null;
  if (r !== true) checkNames('quic: reconnect', r, ['retries', 'minDelay', 'maxDelay']);
  const { retries = 10, minDelay = 100, maxDelay = 10_000 } = r === true ? {} : r;
  for (const [name, v] of Object.entries({ retries, minDelay, maxDelay })) {
    if (typeof v !== 'number' || !(v >= 0)) throw new TypeError(`quic: reconnect.${name} must be a number from 0 on, not ${v}`);
  }
  return { retries, minDelay, maxDelay };
}

// hidden has the object behind a QuicSocket or QuicStream.
const hidden = new WeakMap();

/** QuicSocket is a listener, or a connection at either end. */
export class QuicSocket {
  constructor(inner) {
    hidden.set(this, inner);
    /** The user's. */
    this.data = inner.conf.userData;
    this.serverName = inner.conf.server ? '' : inner.conf.hostname;
  }

  /** Opens a stream, which can be written to at once. data is the stream's data. */
  stream(data, options = {}) {
    checkNames('socket.stream', options, ['unidirectional']);
    const { unidirectional = false } = options;
    return hidden.get(this).openStream(data, unidirectional);
  }

  createStream() {
    return this.stream();
  }

  /** Writes to the first stream, which it opens if there is none. It returns how many bytes were taken. */
  write(x) {
    return hidden.get(this).write(x);
  }

  /** Bytes come by events only. */
  read() {
    return 0;
  }

  /** Sends a datagram, unreliably. */
  sendDatagram(x) {
    hidden.get(this).sendDatagram(toBytes(x));
  }

  /** Closes the socket with an application's code and a reason. A listener ends its connections. */
  close(code = 0, reason = '') {
    hidden.get(this).close(code, reason);
  }

  [Symbol.dispose ?? Symbol.for('Symbol.dispose')]() {
    this.close();
  }

  /** Dials, a socket that was made without a port. */
  connect(hostname, port) {
    hidden.get(this).connect?.(hostname, port);
    return this;
  }

  /** Listens, likewise. */
  listen(hostname, port) {
    hidden.get(this).listen?.(hostname, port);
    return this;
  }

  ref() {
    hidden.get(this).hold(true);
    return this;
  }

  unref() {
    hidden.get(this).hold(false);
    return this;
  }

  getStream(id) {
    return hidden.get(this).streamBy(Number(id));
  }

  closeStream(stream) {
    (typeof stream === 'object' ? stream : this.getStream(stream))?.close();
  }

  /** Figures of the connection's path, as the engine has them now. */
  getStats() {
    return hidden.get(this).getStats();
  }

  get streamIds() {
    return hidden.get(this).openStreams().map((s) => s.id);
  }

  get isServer() {
    return hidden.get(this).isServer;
  }

  get isConnected() {
    return hidden.get(this).connected;
  }

  get readyState() {
    return hidden.get(this).over ? 'closed' : 'open';
  }

  get streamCount() {
    return hidden.get(this).openStreams().length;
  }

  get port() {
    return hidden.get(this).port;
  }

  get address() {
    return hidden.get(this).local;
  }

  get localAddress() {
    return hidden.get(this).local?.address;
  }

  get remoteAddress() {
    return hidden.get(this).remote?.address;
  }

  get remotePort() {
    return hidden.get(this).remote?.port;
  }

  get alpn() {
    return hidden.get(this).alpn;
  }

  get has0RTT() {
    return false;
  }

  get connectionId() {
    return String(hidden.get(this).handle);
  }

  get stats() {
    return hidden.get(this).stats();
  }
}

/** QuicStream is a stream of a connection. */
export class QuicStream {
  constructor(inner, id, data) {
    hidden.set(this, inner);
    this.id = id;
    this.data = data;
  }

  /** Writes, and returns how many bytes were taken; less than all means: go on at drain. */
  write(x) {
    return hidden.get(this).write(toBytes(x));
  }

  /** Ends what is sent, after x if there is any. What has to wait for room is kept. */
  end(x) {
    hidden.get(this).end(x === undefined ? undefined : toBytes(x));
  }

  /** Gives both directions up. */
  close(code = 0) {
    hidden.get(this).close(code);
  }

  [Symbol.dispose ?? Symbol.for('Symbol.dispose')]() {
    this.close();
  }

  valueOf() {
    return this.id;
  }

  ref() {
    return this;
  }

  unref() {
    return this;
  }

  get socket() {
    return hidden.get(this).connection.facade;
  }

  get readyState() {
    const s = hidden.get(this);
    return s.over ? 'closed' : s.pipe.sendOver ? 'closing' : 'open';
  }

  get bytesSent() {
    return hidden.get(this).pipe.sent;
  }

  get bytesReceived() {
    return hidden.get(this).pipe.received;
  }

  /** What is received, as a web stream; data is not told of then. */
  get readable() {
    return hidden.get(this).readable();
  }

  /** What is sent, as a web stream. */
  get writable() {
    return hidden.get(this).writable();
  }
}

// tell calls a callback. What it throws is an uncaught exception, and keeps nothing from happening.
function tell(on, name, ...args) {
  try {
    on[name]?.(...args);
  } catch (e) {
    queueMicrotask(() => { throw e; });
  }
}

// Base is what listeners and connections have in common.
class Base {
  facade;
  handle = 0;
  over = false;
  connected = false;
  local = undefined;
  remote = undefined;
  alpn = undefined;
  #hold = new Hold();

  constructor(conf) {
    this.conf = conf;
    this.facade = new QuicSocket(this);
  }

  get port() {
    return this.local?.port;
  }

  // hold keeps the process alive, or not.
  hold(on) {
    this.#hold.set(on && !this.over);
  }

  // fail tells of an error: to the callback, and otherwise nobody.
  fail(err, stream) {
    const subject = this.conf.byStream ? stream ?? this.facade : this.facade;
    tell(this.conf.on, 'error', subject, err);
  }

  openStreams() {
    return [];
  }

  streamBy() {
    return undefined;
  }

  stats() {
    return { streamCount: this.openStreams().length, bytesSent: 0, bytesReceived: 0, isConnected: this.connected, has0RTT: false };
  }

  getStats() {
    return Promise.resolve(undefined);
  }
}

class Server extends Base {
  isServer = true;
  connections = new Set();

  constructor(conf) {
    super(conf);
    if (conf.port !== undefined || conf.on.hostname !== undefined) this.listen(conf.hostname, conf.port ?? 0);
  }

  listen(hostname, port) {
    if (this.handle !== 0 || this.over) throw new GodwitError('the socket listens already', { kind: 'command' });
    const e = engine();
    this.handle = e.handle();
    own(this.handle, this);
    const reply = e.call(LISTEN, this.handle, ['address', hostPort(hostname, port), ...this.conf.engine]);
    if (reply.kind !== 0) {
      disown(this.handle);
      this.over = true;
      const kind = kindOf(reply.kind);
      if (kind === 'option') throw new TypeError(`quic: ${reply.text}`);
      throw new GodwitError(reply.text, { kind, number: reply.code });
    }
    const [address, hash] = reply.text.split(' ');
    this.local = parseAddress(address);
    this.certificateHash = hash;
    this.hold(true);
  }

  accept(handle, bytes) {
    const c = new Connection(this.conf, handle, this);
    own(handle, c);
    this.connections.add(c);
    c.begin(bytes);
    tell(this.conf.on, 'connection', c.facade);
  }

  event(type, flags, aux, id, bytes) {
    if (type === EV.LISTENING && !this.over) {
      const on = this.conf.on;
      tell(on, this.conf.byStream ? 'socketOpen' : 'open', this.facade);
    } else if (type === EV.CLOSED) {
      const told = !this.over;
      this.end();
      const e = decodeError(bytes, flags);
      if (!told) return;
      if (e.kind !== 'ok') this.fail(errorOf(e));
      if (!this.conf.byStream) tell(this.conf.on, 'close', this.facade);
    }
  }

  end() {
    this.hold(false);
    this.over = true;
  }

  close(code, reason) {
    if (this.over) return;
    if (this.handle !== 0) engine().sendNumber(CLOSE, 0, ABORT, this.handle, 0, code, reason);
    this.end();
    for (const c of this.connections) c.closing = true;
    if (!this.conf.byStream) queueMicrotask(() => tell(this.conf.on, 'close', this.facade));
  }

  openStream() {
    throw new GodwitError('a listener has no streams: its connections have', { kind: 'command' });
  }

  // write goes to all connections.
  write(x) {
    let n = 0;
    for (const c of this.connections) n += c.write(x);
    return n;
  }

  sendDatagram(bytes) {
    for (const c of this.connections) c.sendDatagram(bytes);
  }
}

// Connection is one at either end.
class Connection extends Base {
  streams = new Map(); // by handle
  closing = false;
  #next = 0; // own streams in both directions so far
  #nextUni = 0;
  #asked = new Map(); // for figures
  #sent = 0; // of streams that have ended
  #received = 0;

  constructor(conf, handle, server) {
    super(conf);
    this.handle = handle;
    this.server = server;
    this.isServer = server !== undefined;
    if (server !== undefined) this.facade.serverName = '';
  }

  // begin takes what is known of a connection that is there.
  begin(bytes) {
    const { fields } = decodeFields(bytes);
    const told = Object.fromEntries(Array.from({ length: fields.length / 2 }, (_, i) => [fields[2 * i], fields[2 * i + 1]]));
    this.local = parseAddress(told.local ?? '');
    this.remote = parseAddress(told.remote ?? '');
    this.alpn = told.alpn;
    this.resumed = told.resumed !== undefined;
    if (this.server !== undefined) this.facade.serverName = told.server_name ?? '';
    this.connected = true;
  }

  event(type, flags, aux, id, bytes) {
    if (this.closing && type !== EV.CLOSED && type !== EV.ENDED && type !== EV.STATS) {
      // who has closed it wants to know of nothing more than the end
    } else if (type === EV.STREAM) {
      this.incoming(flags, id, bytes);
    } else if (type === EV.DATAGRAM) {
      tell(this.conf.on, 'datagram', this.facade, Buffer.from(bytes));
    } else if (type === EV.CLOSED && id === 0) {
      this.closed(decodeError(bytes, flags));
    } else if (type === EV.STATS) {
      this.#asked.get(id)?.(readStats(bytes));
      this.#asked.delete(id);
    } else if (type === EV.PATH) {
      const { fields } = decodeFields(bytes);
      this.remote = parseAddress(fields[1]) ?? this.remote;
    } else if (type === EV.ERROR) {
      this.fail(errorOf(decodeError(bytes, flags)), this.streams.get(id)?.facade);
    } else if (id !== 0) {
      this.streams.get(id)?.event(type, flags, bytes);
    }
  }

  incoming(flags, id, bytes) {
    const s = new Stream(this, id, readNumber(bytes), undefined,
      { sends: (flags & UNI) === 0 });
    this.streams.set(id, s);
    if (this.conf.byStream) tell(this.conf.on, 'open', s.facade);
  }

  openStream(data, uni = false) {
    if (this.over) throw new GodwitError('the connection is closed', { kind: 'cancelled' });
    const e = engine();
    const n = uni ? this.#nextUni++ : this.#next++;
    const number = 4 * n + (uni ? 2 : 0) + (this.server !== undefined ? 1 : 0); // RFC 9000, Section 2.1
    const handle = e.handle();
    const s = new Stream(this, handle, number, data, { receives: !uni });
    s.own = true;
    this.streams.set(handle, s);
    if (this.handle !== 0) s.begin();
    return s.facade;
  }

  forget(s) {
    this.#sent += s.pipe.sent;
    this.#received += s.pipe.received;
    this.streams.delete(s.handle);
  }

  openStreams() {
    return [...this.streams.values()].filter((s) => s.own && !s.over).map((s) => s.facade);
  }

  streamBy(id) {
    return [...this.streams.values()].find((s) => s.facade.id === id)?.facade;
  }

  // write goes to the first stream that can be written to.
  write(x) {
    if (this.over) return 0;
    for (const s of this.streams.values()) {
      if (!s.over && !s.pipe.sendOver && !s.ending) return s.write(toBytes(x));
    }
    return this.openStream().write(x);
  }

  sendDatagram(bytes) {
    if (this.over || engine().sendBytes(DATAGRAM, 0, 0, this.handle, 0, bytes)) return;
    queueMicrotask(() => this.fail(new GodwitError(`a datagram of ${bytes.byteLength} bytes is too large`, { kind: 'size' })));
  }

  stats() {
    let bytesSent = this.#sent, bytesReceived = this.#received;
    for (const s of this.streams.values()) {
      bytesSent += s.pipe.sent;
      bytesReceived += s.pipe.received;
    }
    return { streamCount: this.openStreams().length, bytesSent, bytesReceived, isConnected: this.connected, has0RTT: false };
  }

  getStats() {
    if (this.over || this.handle === 0) return Promise.resolve(undefined);
    const e = engine(), id = e.handle();
    return new Promise((resolve) => {
      this.#asked.set(id, resolve);
      e.send(STATS, 0, 0, this.handle, id, 0);
    });
  }

  close(code, reason) {
    if (this.over) return;
    if (this.handle !== 0) engine().sendNumber(CLOSE, 0, 0, this.handle, 0, code, reason);
    this.closing = true;
    this.end();
    if (this.handle === 0) queueMicrotask(() => this.tellClose());
  }

  // end: nothing more can be done.
  end() {
    this.hold(false);
    this.over = true;
    this.connected = false;
    for (const s of this.streams.values()) s.pipe.endSend();
    this.endAsked();
    this.server?.connections.delete(this);
  }

  // endAsked: no figures will come any more.
  endAsked() {
    for (const f of this.#asked.values()) f(undefined);
    this.#asked.clear();
  }

  closed(e) {
    this.endStreams();
    const lost = !this.closing && !(e.kind === 'application' && e.code === 0n) && e.kind !== 'ok';
    this.end();
    if (lost) this.fail(errorOf(e));
    this.tellClose();
  }

  endStreams() {
    for (const s of [...this.streams.values()]) s.ended();
  }

  tellClose() {
    if (!this.conf.byStream) tell(this.conf.on, 'close', this.facade);
  }
}

class Client extends Connection {
  #tries = 0; #timer = null; #host; #port; #open = false;

  constructor(conf) {
    super(conf, 0, undefined);
    if (conf.port !== undefined) this.connect(conf.hostname, conf.port);
  }

  connect(hostname, port) {
    if (this.handle !== 0 || this.over) throw new GodwitError('the socket has been connected already', { kind: 'command' });
    this.#host = hostname;
    this.#port = port;
    this.facade.serverName = hostname;
    this.#dial();
    this.hold(true);
  }

  #dial() {
    const e = engine(), handle = e.handle();
    e.sendFields(CONNECT, 0, 0, handle, 0, ['address', hostPort(this.#host, this.#port), ...this.conf.engine]);
    this.handle = handle;
    own(handle, this);
    for (const s of this.streams.values()) s.begin();
  }

  event(type, flags, aux, id, bytes) {
    if (type === EV.CONNECTED && !this.over) {
      this.begin(bytes);
      this.#tries = 0;
      this.#open = true;
      for (const s of this.streams.values()) s.flush();
      const on = this.conf.on;
      tell(on, this.conf.byStream ? 'socketOpen' : 'open', this.facade);
      return;
    }
    super.event(type, flags, aux, id, bytes);
  }

  closed(e) {
    const r = this.conf.reconnect;
    if (r === null || this.closing || e.kind === 'option' || this.#tries >= r.retries) {
      super.closed(e);
      return;
    }
    this.endAsked();
    if (this.#open) this.endStreams(); // those of one that never was there wait for the next
    this.connected = false;
    this.#open = false;
    this.handle = 0;
    const delay = Math.min(r.maxDelay, r.minDelay * 2 ** this.#tries++) * (0.5 + Math.random() / 2);
    tell(this.conf.on, 'reconnecting', this.facade, errorOf(e), delay);
    if (!this.over) this.#timer = setTimeout(() => this.#dial(), delay);
  }

  close(code, reason) {
    clearTimeout(this.#timer);
    super.close(code, reason);
  }
}

class Stream {
  over = false;
  own = false;
  ending = false;
  begun = false;
  #kept = []; // bytes that wait, for the connection or, behind end, for room
  #readable = null; #writable = null; #controller = null; #roomWanted = null;
  #handed = 0; // bytes that the web stream has, or had and are not allowed anew

  constructor(connection, handle, id, data, directions) {
    this.connection = connection;
    this.handle = handle;
    this.directions = directions;
    this.facade = new QuicStream(this, id, data);
    if (connection.handle !== 0) this.#makePipe();
    else this.pipe = { sent: 0, received: 0, sendOver: false, endSend() {}, endReceive() {} };
  }

  #makePipe() {
    this.pipe = new Pipe(engine(), this.connection.handle, this.handle, { ...this.directions, window: this.connection.conf.window });
    this.pipe.ondrain = () => this.drained();
  }

  // begin opens a stream of our own.
  begin() {
    this.#makePipe();
    engine().send(OPEN, this.directions.receives === false ? UNI : 0, 0, this.connection.handle, this.handle, 8, (u8, view, at) => {
      view.setBigUint64(at, 0n, true);
    });
    this.begun = true;
    this.flush();
    if (this.own && this.connection.conf.byStream) queueMicrotask(() => tell(this.connection.conf.on, 'open', this.facade));
  }

  write(bytes) {
    if (this.over || this.ending || this.pipe.sendOver) throw new GodwitError('the stream is closed', { kind: 'stream' });
    if (!this.connection.connected && !this.connection.over) {
      this.#keep(bytes);
      this.flush();
      return bytes.byteLength;
    }
    if (this.#kept.length > 0) return 0;
    return this.pipe.write(bytes);
  }

  #keep(bytes) {
    if (bytes.byteLength > 0) this.#kept.push(new Uint8Array(bytes));
  }

  end(bytes) {
    if (this.over || this.ending || this.pipe.sendOver) return;
    if (bytes !== undefined) this.#keep(bytes);
    this.ending = true;
    this.flush();
  }

  // flush sends what is kept, as far as there is room.
  flush() {
    if (this.connection.handle === 0) return;
    while (this.#kept.length > 0) {
      const first = this.#kept[0];
      const n = this.pipe.write(first, this.ending && this.#kept.length === 1);
      if (n < first.byteLength) {
        this.#kept[0] = first.subarray(n);
        return;
      }
      this.#kept.shift();
    }
    if (this.ending && !this.pipe.sendOver) this.pipe.write(new Uint8Array(0), true);
  }

  drained() {
    this.flush();
    if (this.#kept.length > 0 || this.pipe.sendOver) return;
    this.#roomWanted?.();
    this.#roomWanted = null;
    if (this.connection.conf.byStream) tell(this.connection.conf.on, 'drain', this.facade);
    else tell(this.connection.conf.on, 'drain', this.connection.facade);
  }

  event(type, flags, bytes) {
    switch (type) {
      case EV.DATA:
        this.received(bytes, (flags & FIN) !== 0);
        break;
      case EV.CREDIT:
        this.pipe.addCredit(bytes);
        break;
      case EV.RESET:
        this.pipe.endReceive();
        this.#controller?.error(errorOf(decodeError(bytes, flags)));
        this.#controller = null;
        break;
      case EV.STOPPED:
        this.pipe.endSend();
        this.#kept.length = 0;
        this.#roomWanted?.();
        break;
      case EV.ENDED:
        this.ended(decodeError(bytes, flags));
    }
  }

  received(bytes, fin) {
    if (this.over) return; // given up meanwhile
    const n = bytes.byteLength;
    this.pipe.received += n;
    if (fin) this.pipe.endReceive();
    if (this.#readable !== null) {
      if (n > 0 && this.#controller !== null) {
        this.#handed += n;
        this.#controller.enqueue(new Uint8Array(bytes)); // which may pull at once
      }
      if (fin) {
        this.#controller?.close();
        this.#controller = null;
      }
      return;
    }
    const { byStream, on } = this.connection.conf;
    if (n > 0) {
      const b = Buffer.from(bytes);
      if (byStream) tell(on, 'data', this.facade, b);
      else tell(on, 'message', this.connection.facade, b);
      this.pipe.allow(n);
    }
    if (fin && byStream && !this.over) tell(on, 'end', this.facade);
  }

  close(code) {
    if (this.over) return;
    this.pipe.stop?.(code);
    this.pipe.reset?.(code);
    this.ending = true;
    this.#kept.length = 0;
    if (this.begun || !this.own) this.over = true;
    else this.ended();
  }

  ended(e) {
    if (!this.connection.streams.has(this.handle)) return;
    this.over = true;
    this.pipe.endSend();
    this.pipe.endReceive();
    this.connection.forget(this);
    this.#controller?.error(new GodwitError('the connection has ended', { kind: 'cancelled' }));
    this.#controller = null;
    this.#roomWanted?.();
    const { byStream, on } = this.connection.conf;
    if (!byStream) return;
    if (e !== undefined && e.kind !== 'ok' && e.kind !== 'application' && !this.connection.closing && !this.ending) tell(on, 'error', this.facade, errorOf(e));
    tell(on, 'close', this.facade);
  }

  readable() {
    this.#readable ??= new ReadableStream({
      start: (c) => {
        this.#controller = c;
        if (this.pipe.receiveOver) {
          c.close();
          this.#controller = null;
        }
      },
      pull: () => this.#allow(),
      cancel: () => {
        this.#controller = null; // bytes may be on their way here
        this.pipe.stop(0);
      },
    }, { highWaterMark: READ_AHEAD, size: (b) => b.byteLength });
    return this.#readable;
  }

  // allow gives credit back for what the reader of the web stream has taken.
  #allow() {
    if (this.#controller === null) return;
    const taken = this.#handed - (READ_AHEAD - this.#controller.desiredSize);
    if (taken <= 0) return;
    this.#handed -= taken;
    this.pipe.allow(taken);
  }

  writable() {
    this.#writable ??= new WritableStream({
      write: async (chunk) => {
        for (let b = toBytes(chunk); ;) {
          const n = this.write(b);
          if (n === b.byteLength) return;
          b = b.subarray(n);
          await new Promise((resolve) => { this.#roomWanted = resolve; });
        }
      },
      close: () => this.end(),
      abort: () => this.pipe.reset(0),
    });
    return this.#writable;
  }
}

const figures = ['minRTT', 'smoothedRTT', 'latestRTT', 'rttVariation', 'congestionWindow', 'bytesInFlight', 'bytesSent', 'bytesReceived',
  'packetsSent', 'packetsReceived', 'packetsLost', 'bytesLost', 'datagramsDroppedSending', 'datagramsDroppedReceiving', 'maxDatagramSize', 'version'];

function readStats(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const s = {};
  figures.forEach((name, i) => {
    const n = Number(view.getBigUint64(8 * i, true));
    s[name] = i < 4 ? n / 1e6 : n; // milliseconds
  });
  return s;
}
