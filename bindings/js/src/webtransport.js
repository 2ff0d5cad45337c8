// WebTransport, the class of the W3C's text, as a client.

import { Buffer } from 'node:buffer';
import { field, HTTPConnection } from './http.js';
import { engine } from './engine.js';
import { GodwitError } from './errors.js';
import { toHeaders } from './exchange.js';
import { checkNames, commonOptions, hostPort, ofClientTLS, tlsOptions, unverified } from './options.js';
import { CLOSE, decodeFields, EV, GRACEFUL, SESSION } from './port.js';
import { SessionCore } from './webtransport-core.js';
import { interfaces, toEnum, toUnsignedLong } from './webtransport-idl.js';
import { bufferSource } from './webtransport-stream.js';

const STREAMS = 100; // that the server may have at a time, unless more are anticipated

const congestions = ['default', 'throughput', 'low-latency'];

// made is what WebTransportSession's constructor hands over in place of a URL.
const made = Symbol('made');

/** WebTransportSendGroup is streams that are ordered among themselves. */
export class WebTransportSendGroup {
  constructor(core) {
    Object.defineProperty(this, 'core', { value: core });
    Object.defineProperty(this, 'past', { value: 0, writable: true }); // bytes sent on streams that have ended
  }

  async getStats() {
    const sent = this.core.sentIn(this);
    return { bytesWritten: sent, bytesSent: sent };
  }
}

// Fields are the headers of a response, which nobody changes.
class Fields extends Headers {
  #ready = false;

  constructor(fields) {
    super();
    for (let i = 0; i < fields.length; i += 2) {
      if (!fields[i].startsWith(':') && fields[i] !== 'wt-protocol') super.append(fields[i], fields[i + 1]);
    }
    this.#ready = true;
  }

  append(...args) {
    this.#refuse();
    super.append(...args);
  }

  delete(...args) {
    this.#refuse();
    super.delete(...args);
  }

  set(...args) {
    this.#refuse();
    super.set(...args);
  }

  // Some runtimes use the others in their constructor.
  #refuse() {
    if (this.#ready) throw new TypeError('the headers of a response cannot be changed');
  }
}

Object.defineProperty(Fields, 'name', { value: 'Headers' });

/** WebTransport is a session with a server. */
export class WebTransport {
  #core; #headers = null; #anticipated = [null, null];

  constructor(url, options = {}) {
    if (url === made) {
      this.#core = options;
      return;
    }
    if (options !== null && typeof options !== 'object' && typeof options !== 'function') throw new TypeError('WebTransport: options must be an object');
    const conf = check(url, options ?? {});
    this.#anticipated = conf.anticipated;
    this.#core = dial(conf);
  }

  static get supportsReliableOnly() {
    return false;
  }

  get ready() {
    return this.#used().ready.promise;
  }

  /** Resolves with {closeCode, reason} when either end has closed the session, and is rejected when it has failed. */
  get closed() {
    return this.#core.closed.promise;
  }

  /** Resolves when the server asks for an end soon. */
  get draining() {
    return this.#core.draining.promise;
  }

  get protocol() {
    return this.#core.protocol;
  }

  get reliability() {
    return this.#core.draft === 0 ? 'pending' : 'supports-unreliable';
  }

  get congestionControl() {
    return 'default'; // a wish for another is not granted
  }

  /** What the application expects, which changes nothing: as many streams may come as the session's credit allows. */
  get anticipatedConcurrentIncomingUnidirectionalStreams() {
    return this.#anticipated[0];
  }

  set anticipatedConcurrentIncomingUnidirectionalStreams(v) {
    this.#anticipated[0] = anticipated(v);
  }

  get anticipatedConcurrentIncomingBidirectionalStreams() {
    return this.#anticipated[1];
  }

  set anticipatedConcurrentIncomingBidirectionalStreams(v) {
    this.#anticipated[1] = anticipated(v);
  }

  get responseHeaders() {
    if (this.#core.fields !== null) this.#headers ??= new Fields(this.#core.fields);
    return this.#headers;
  }

  get incomingBidirectionalStreams() {
    return this.#used().incomingBidirectional;
  }

  get incomingUnidirectionalStreams() {
    return this.#used().incomingUnidirectional;
  }

  get datagrams() {
    return this.#used().datagrams;
  }

  createBidirectionalStream(options) {
    return this.#core.open(false, options ?? {});
  }

  createUnidirectionalStream(options) {
    return this.#core.open(true, options ?? {});
  }

  createSendGroup() {
    if (this.#core.over) throw this.#core.invalid();
    return new WebTransportSendGroup(this.#core);
  }

  getStats() {
    return this.#core.getStats();
  }

  /** Exports keying material of TLS that both ends of the session get for the same label and context, bytes, up to 255 each. */
  async exportKeyingMaterial(label, context, outputLength) {
    return this.#used().exportKeyingMaterial(bufferSource(label), bufferSource(context), toUnsignedLong(outputLength));
  }

  close(closeInfo) {
    this.#core.close(closeInfo ?? {});
  }

  /** Sends a datagram without a stream of them. It returns false if it is too large, or the session over, or so many wait that it is dropped. */
  sendDatagram(data) {
    return this.#core.sendDatagram(typeof data === 'string' ? new TextEncoder().encode(data) : bufferSource(data));
  }

  #used() {
    this.#core.hooks.decide?.();
    return this.#core;
  }
}

/** WebTransportSession is a session with a client, at a server. */
export class WebTransportSession extends WebTransport {
  #core; #sessions;

  constructor(core, request, sessions) {
    super(made, core);
    this.#core = core;
    this.#sessions = sessions;
    /** What the client asked for. */
    this.request = request;
    /** The user's. */
    this.data = undefined;
  }

  /** Refuses the session with a status, in open. */
  reject(status = 403, headers = {}) {
    return this.#core.hooks.reject(status, headers);
  }

  /** Accepts the session, in open, with one of the protocols that the client offers, and headers. */
  accept(options = {}) {
    checkNames('session.accept', options, ['protocol', 'headers']);
    const { protocol, headers } = options;
    this.#core.hooks.accept(protocol, headers);
  }

  /** Asks the client to end the session soon. */
  drain() {
    this.#core.drain();
  }

  /**
   * Has the datagrams that are published under a topic. Of one that cannot be taken at once
   * nothing is kept: it is dropped, or with whenFull "close" the session is closed.
   */
  subscribe(topic, options = {}) {
    checkNames('session.subscribe', options, ['whenFull']);
    const { whenFull = 'drop' } = options;
    if (whenFull !== 'drop' && whenFull !== 'close') throw new TypeError(`session.subscribe: whenFull must be "drop" or "close", not ${whenFull}`);
    if (!this.#core.over) this.#sessions.topics.subscribe(this, this.#core, topic, whenFull);
  }

  /** Ends a subscription, or without a topic all. */
  unsubscribe(topic) {
    this.#sessions.topics.unsubscribe(this, topic);
  }

  isSubscribed(topic) {
    return this.#sessions.topics.has(this, topic);
  }

  /** Publishes to all others that have subscribed to a topic, as server.publish does. */
  publish(topic, data) {
    return this.#sessions.topics.publish(topic, data, this);
  }
}

interfaces(WebTransport, WebTransportSendGroup);

/** headersOf makes Headers of fields. */
export function headersOf(fields) {
  const list = [];
  for (let i = 0; i < fields.length; i += 2) {
    if (!fields[i].startsWith(':')) list.push(fields[i], fields[i + 1]);
  }
  return toHeaders(list);
}

// anticipated is what WebIDL has for [EnforceRange] unsigned short?.
function anticipated(v) {
  if (v === undefined || v === null) return null;
  const n = Math.trunc(Number(v));
  if (!(n >= 0 && n <= 65535)) throw new TypeError(`WebTransport: a number of streams must be from 0 to 65535, not ${v}`);
  return n;
}

function syntax(text) {
  return new DOMException(`WebTransport: ${text}`, 'SyntaxError');
}

function check(text, options) {
  const what = 'WebTransport';
  let url;
  try {
    url = new URL(text);
  } catch {
    throw syntax(`${text} is no URL`);
  }
  if (url.protocol !== 'https:') throw syntax(`the scheme of ${text} must be https`);
  if (url.hash !== '' || url.href.endsWith('#')) throw syntax(`${text} must not have a fragment`);
  const hashes = [...options.serverCertificateHashes ?? []];
  if (options.allowPooling && hashes.length > 0) {
    throw new DOMException('WebTransport: serverCertificateHashes do not go with allowPooling', 'NotSupportedError');
  }
  const { datagramsReadableType } = options;
  if (datagramsReadableType !== undefined) toEnum('datagramsReadableType', datagramsReadableType, 'bytes');
  if (options.congestionControl !== undefined) toEnum('congestionControl', options.congestionControl, ...congestions);
  const protocols = [...options.protocols ?? []].map(String);
  for (const p of protocols) {
    if (p.length === 0 || p.length > 512 || !/^[\x20-\x7e]*$/.test(p)) throw syntax(`${JSON.stringify(p)} is no name of a protocol`);
  }
  if (new Set(protocols).size !== protocols.length) throw syntax('a protocol occurs more than once');
  const host = url.hostname, list = ['address', hostPort(host.replace(/^\[(.*)\]$/, '$1'), url.port || 443), 'webtransport', '1'];
  const tls = { ...options.tls };
  if (options.ca !== undefined) tls.ca = options.ca;
  tlsOptions(what, list, tls, ofClientTLS);
  commonOptions(what, list, options);
  const numbers = ['anticipatedConcurrentIncomingUnidirectionalStreams', 'anticipatedConcurrentIncomingBidirectionalStreams'].map((name) => anticipated(options[name]));
  for (const [i, [option, name]] of [['maxUniStreams', 'max_uni_streams'], ['maxStreams', 'max_streams']].entries()) {
    if (numbers[i] > STREAMS && options[option] === undefined) list.push(name, String(numbers[i]));
  }
  const digits = hashes.filter((h) => hashAlgorithm(h) === 'sha-256').map((h) => Buffer.from(bufferSource(h.value)).toString('hex'));
  if (hashes.length > 0) {
    if (digits.some((d) => d.length !== 64)) throw new TypeError('WebTransport: serverCertificateHashes must have values of 32 bytes');
    list.push('certificate_hashes', digits.length > 0 ? digits.join(',') : '00'.repeat(32)); // none that is known
  } else if (unverified(tls)) {
    list.push('insecure', '1');
  }
  const fields = [':authority', url.host, ':path', `${url.pathname}${url.search}`];
  for (const p of protocols) fields.push(':subprotocol', p);
  for (const [name, value] of new Headers(options.headers ?? {})) {
    if (name === 'wt-available-protocols') throw new TypeError(`WebTransport: ${name} is not for headers: there is the option protocols`);
    fields.push(name, value);
  }
  return { list, fields, anticipated: numbers, more: { datagramsReadableType, pooled: Boolean(options.allowPooling) } };
}

function hashAlgorithm(h) {
  if (typeof h?.algorithm !== 'string') throw new TypeError('WebTransport: serverCertificateHashes must have an algorithm and a value');
  return h.algorithm.toLowerCase();
}

// dial begins a connection with one session.
function dial({ list, fields, more }) {
  let core;
  const connection = HTTPConnection.dial(list, { draining: () => core.drained() });
  const e = engine(), id = e.handle();
  core = new ClientCore(connection, id, {
    opened: (bytes) => {
      const f = decodeFields(bytes).fields;
      core.protocol = field(f, ':subprotocol') ?? '';
      core.fields = f;
    },
    abandon: () => {
      connection.close();
      return true;
    },
    // The connection is the session's own: it ends when all has been said.
    last: () => { if (!connection.over) e.sendNumber(CLOSE, 0, GRACEFUL, connection.handle, 0, 0x100); }, // H3_NO_ERROR
  }, more);
  try {
    if (!e.sendSection(SESSION, 0, connection.handle, id, fields)) throw new GodwitError('the header of a session is too large', { kind: 'size' });
  } catch (error) {
    connection.close();
    throw error;
  }
  connection.hold(true);
  connection.add(id, core);
  return core;
}

class ClientCore extends SessionCore {
  event(type, flags, aux, id, bytes) {
    if (type === EV.REJECTED) this.refused = Number(field(decodeFields(bytes).fields, ':status'));
    else super.event(type, flags, aux, id, bytes);
  }
}

