// A session of WebTransport at either end: what its events do, and what it is asked for.

import { engine } from './engine.js';
import { errorOf, GodwitError } from './errors.js';
import { ACCEPT, CLOSE, DATAGRAM, decodeError, DRAIN, EV, EXPORT, NOW, OPEN, PRIORITY, RESPOND, STATS, UNI } from './port.js';
import { WebTransportDatagramDuplexStream } from './webtransport-datagrams.js';
import { invalidState, sessionError } from './webtransport-error.js';
import { quotaExceeded, toLongLong, toUnsignedLong, toWellFormed } from './webtransport-idl.js';
import { Incoming } from './webtransport-incoming.js';
import { SessionStream } from './webtransport-stream.js';

const EXPORTED = 8160; // bytes, 255 times the shortest hash of TLS 1.3's (RFC 5869, Section 2.3)
const CLOSE_REASON = 1024; // bytes, draft-ietf-webtrans-http3, Section 6

/** settled returns a promise with what settles it, of which nobody has to take notice. */
function settled() {
  const d = {};
  d.promise = new Promise((resolve, reject) => Object.assign(d, { resolve, reject }));
  d.promise.catch(() => {});
  return d;
}

/**
 * SessionCore is the target of a session's events. hooks may have stream(stream),
 * datagram(bytes), those of SessionStream, draining() and closed({closeCode, reason}, error), in place of what the
 * W3C's text has for it, and, at a server, decide(), called before it is used, which accepts
 * it, and unsaid(error): what accepts or refuses it cannot be sent.
 */
export class SessionCore {
  state = 'connecting';
  ready = settled();
  closed = settled();
  draining = settled();
  fields = null; // of the response
  protocol = '';
  draft = 0;
  #streams = new Set(); #incoming = [new Incoming(), new Incoming()]; #asked = []; #exports = []; #maxDatagram = 1024; #stats = null;

  /** options may have datagramsReadableType, and pooled: others may have sessions on the connection. */
  constructor(connection, id, hooks = {}, { datagramsReadableType, pooled = false } = {}) {
    this.connection = connection;
    this.id = id;
    this.hooks = hooks;
    this.pooled = pooled;
    this.datagrams = new WebTransportDatagramDuplexStream(this, datagramsReadableType);
  }

  get incomingBidirectional() {
    return this.#incoming[0].readable;
  }

  get incomingUnidirectional() {
    return this.#incoming[1].readable;
  }

  get over() {
    return this.state === 'closed' || this.state === 'failed';
  }

  invalid() {
    return invalidState(this.state === 'failed' ? 'the session has failed' : undefined);
  }

  event(type, flags, aux, id, bytes) {
    switch (type) {
      case EV.SESSION_OPEN:
        this.#opened(aux, bytes);
        break;
      case EV.STREAM:
        this.#accept(flags, id);
        break;
      case EV.DATAGRAM:
        if (this.over) break;
        if (this.hooks.datagram) this.hooks.datagram(new Uint8Array(bytes));
        else this.datagrams.take(bytes);
        break;
      case EV.DRAINING:
        this.drained();
        break;
      case EV.STATS:
        this.#told(bytes);
        break;
      case EV.EXPORTED:
        this.#exports.shift()?.resolve(new Uint8Array(bytes));
        break;
      case EV.ERROR:
        if (aux === DATAGRAM) this.datagrams.droppedOutgoing++; // too large
        if (aux === ACCEPT || aux === RESPOND) this.hooks.unsaid?.(errorOf(decodeError(bytes, flags)));
        if (aux === EXPORT) this.#exports.shift()?.reject(new DOMException(decodeError(bytes).text, 'OperationError'));
        break;
      case EV.CLOSED:
      case EV.ENDED:
        this.#ended(decodeError(bytes, flags));
    }
  }

  #opened(draft, bytes) {
    if (this.over) return;
    this.draft = draft;
    this.state = 'connected';
    this.hooks.opened?.(bytes);
    this.getStats().catch(() => {});
    this.datagrams.begin();
    this.ready.resolve();
  }

  #accept(flags, id) {
    const uni = (flags & UNI) !== 0;
    const s = new SessionStream(this, engine(), this.connection.handle, id, { sends: !uni, receives: true, direct: this.hooks.data !== undefined });
    this.connection.add(id, s);
    if (this.over) { // and so is the stream, for the engine, or it soon will be
      s.fail(this.invalid());
      return;
    }
    this.#streams.add(s);
    if (this.hooks.stream) {
      this.hooks.stream(s);
      return;
    }
    this.#incoming[uni ? 1 : 0].add(s);
  }

  drained() {
    if (this.over) return;
    if (this.state === 'connected') this.state = 'draining';
    this.draining.resolve();
    this.hooks.draining?.();
  }

  #ended(e) {
    if (e.kind === 'session' || e.kind === 'ok' && this.state !== 'connecting') {
      this.cleanup(sessionError(e.text || 'the session was closed', errorOf(e)), { closeCode: Number(e.code), reason: e.text });
    } else {
      const refused = this.refused;
      this.cleanup(sessionError(refused ? `the server has refused the session with status ${refused}` : e.text || `the session has failed: ${e.kind}`,
        refused ? new GodwitError(`status ${refused}`, { kind: 'refused', number: BigInt(refused), remote: true, code: 'ERR_GODWIT_STATUS' }) : errorOf(e)));
    }
    this.hooks.last?.();
  }

  /** cleanup ends the session's object, as the W3C's text has it; without closeInfo it has failed. */
  cleanup(err, closeInfo) {
    if (this.over) return;
    const ready = this.state !== 'connecting';
    this.state = closeInfo === undefined ? 'failed' : 'closed';
    const streams = [...this.#streams];
    this.#streams.clear();
    for (const s of streams) s.fail(err);
    for (const f of this.#asked.splice(0)) f();
    for (const e of this.#exports.splice(0)) e.reject(this.invalid());
    for (const i of this.#incoming) i.end(closeInfo === undefined ? err : undefined);
    this.datagrams.end(closeInfo === undefined ? err : undefined);
    if (!ready) this.ready.reject(err);
    if (closeInfo === undefined) this.closed.reject(err);
    else this.closed.resolve(closeInfo);
    this.hooks.closed?.(closeInfo ?? { closeCode: 0, reason: '' }, closeInfo === undefined ? err : undefined);
  }

  close({ closeCode = 0, reason = '' } = {}) {
    const code = toUnsignedLong(closeCode), whole = toWellFormed(reason), text = prefix(whole);
    if (this.over) return;
    if (this.state === 'connecting' && this.hooks.abandon()) {
      this.cleanup(sessionError('the session was closed before it was there'));
      return;
    }
    engine().sendNumber(CLOSE, 0, 0, this.connection.handle, this.id, code, text);
    this.cleanup(new DOMException('the session was closed', 'AbortError'), { closeCode: code, reason: whole });
  }

  /** drain asks the peer to end the session soon. */
  drain() {
    if (!this.over) engine().send(DRAIN, 0, 0, this.connection.handle, this.id, 0);
  }

  async open(uni, { sendGroup = null, sendOrder, waitUntilAvailable = false } = {}) {
    this.checkGroup(sendGroup);
    const order = sendOrder === undefined ? undefined : toLongLong(sendOrder);
    this.hooks.decide?.();
    if (this.state === 'connecting') await this.ready.promise.catch(() => {});
    if (this.over) throw this.invalid();
    const e = engine(), id = e.handle();
    const s = new SessionStream(this, e, this.connection.handle, id, { sends: true, receives: !uni, sendOrder: order, sendGroup });
    this.#streams.add(s);
    this.connection.add(id, s);
    const session = this.id;
    e.send(OPEN, (uni ? UNI : 0) | (waitUntilAvailable ? 0 : NOW), 0, this.connection.handle, id, 8, (u8, view, at) => {
      view.setUint32(at, session, true);
      view.setUint32(at + 4, 0, true);
    });
    if (s.ordered) this.#rank();
    const refused = await new Promise((resolve) => { s.onopened = resolve; });
    if (this.over) throw this.invalid();
    if (refused) throw quotaExceeded('there is no credit for a further stream');
    return s.facade;
  }

  forget(s) {
    if (this.#streams.delete(s) && s.sendGroup !== null) s.sendGroup.past += s.pipe.sent;
  }

  /** sentIn returns how many bytes have been sent on the streams of a group. */
  sentIn(group) {
    let n = group.past;
    for (const s of this.#streams) if (s.sendGroup === group) n += s.pipe.sent;
    return n;
  }

  owns(group) {
    return group.core === this;
  }

  /** checkGroup throws a TypeError unless an option sendGroup is null, or one of the session's. */
  checkGroup(group) {
    if (group !== null && group !== undefined && !this.owns(group)) throw new TypeError('the sendGroup is none, or another session\'s');
  }

  /** toGroup returns the new value of an attribute sendGroup. */
  toGroup(group) {
    if (group === null || group === undefined) return null;
    if (typeof group !== 'object' || !('core' in group)) throw new TypeError('a sendGroup must be a WebTransportSendGroup, or null');
    if (!this.owns(group)) throw invalidState('the sendGroup is another session\'s');
    return group;
  }

  group(s, group) {
    s.sendGroup = this.toGroup(group);
    this.#rank();
  }

  order(s, order) {
    s.sendOrder = toLongLong(order);
    s.ordered = true;
    if (this.#streams.has(s)) this.#rank();
  }

  // rank tells the engine in which order streams go. It knows eight levels (RFC 9218,
  // Section 4.1): the highest orders of a group have one each, and the rest shares the last.
  #rank() {
    const byGroup = new Map();
    for (const s of this.#streams) {
      if (!s.ordered || s.pipe.sendOver) continue;
      if (!byGroup.has(s.sendGroup)) byGroup.set(s.sendGroup, []);
      byGroup.get(s.sendGroup).push(s);
    }
    for (const list of byGroup.values()) {
      const orders = [...new Set(list.map((s) => s.sendOrder))].sort((a, b) => b - a);
      for (const s of list) {
        const urgency = Math.min(orders.indexOf(s.sendOrder), 7);
        if (urgency === s.urgency) continue;
        s.urgency = urgency;
        engine().send(PRIORITY, 0, 256 | urgency, this.connection.handle, s.id, 0);
      }
    }
  }

  /** sendDatagram sends one, unreliably. It reports whether it may be on its way, or dropped already. */
  sendDatagram(bytes) {
    this.hooks.decide?.();
    return this.offer(bytes);
  }

  /** offer is sendDatagram for what others publish: that is no use of the session, which accepts it. */
  offer(bytes) {
    if (this.over) return false;
    if (this.state === 'connecting') {
      this.datagrams.keep(bytes);
      return true;
    }
    const fits = this.#stats === null || bytes.byteLength <= this.#maxDatagram || bytes.byteLength <= this.maxDatagram();
    if (fits && !engine().full && this.#send(bytes)) return true;
    this.datagrams.droppedOutgoing++;
    return false;
  }

  #send(bytes) {
    return engine().sendBytes(DATAGRAM, 0, 0, this.connection.handle, this.id, bytes);
  }

  maxDatagram() {
    if (this.#asked.length === 0 && !this.over && this.state !== 'connecting') this.getStats().catch(() => {});
    return this.#maxDatagram;
  }

  async getStats() {
    if (this.state === 'connecting') await this.ready.promise.catch(() => {});
    if (this.state === 'failed') throw this.invalid();
    if (this.state === 'closed') return this.#stats ?? this.#figures({});
    return new Promise((resolve, reject) => {
      this.#asked.push((stats) => {
        if (stats !== undefined) resolve(stats);
        else if (this.state === 'failed') reject(this.invalid());
        else resolve(this.#stats ?? this.#figures({}));
      });
      if (this.#asked.length === 1) engine().send(STATS, 0, 0, this.connection.handle, this.id, 0);
    });
  }

  #figures(stats) {
    const d = this.datagrams;
    const { bytesSent, bytesReceived, packetsSent, packetsReceived, packetsLost, bytesLost, droppedOutgoing, ...ofAll } = stats;
    const own = this.pooled ? {} : { bytesSent, bytesReceived, packetsSent, packetsReceived, packetsLost, bytesLost };
    return { ...own, ...ofAll, datagrams: this.pooled ? {} : { droppedIncoming: d.dropped, expiredIncoming: d.expired, expiredOutgoing: d.expiredOutgoing, droppedOutgoing: d.droppedOutgoing + (droppedOutgoing ?? 0) } };
  }

  /** exportKeyingMaterial asks TLS for what both ends of the session get, and nobody else. */
  async exportKeyingMaterial(label, context, length) {
    for (const [name, b] of [['label', label], ['context', context]]) {
      if (b.byteLength > 255) throw new RangeError(`the ${name} has ${b.byteLength} bytes, more than 255`);
    }
    if (length === 0 || length > EXPORTED) throw new RangeError(`${length} bytes of keying material are not from 1 to ${EXPORTED}`);
    if (this.over) throw this.invalid();
    const payload = new Uint8Array(8 + label.byteLength + context.byteLength), view = new DataView(payload.buffer);
    view.setUint32(0, length, true);
    view.setUint32(4, label.byteLength, true);
    payload.set(label, 8);
    payload.set(context, 8 + label.byteLength);
    if (this.state === 'connecting') await this.ready.promise.catch(() => {});
    if (this.over) throw this.invalid();
    return new Promise((resolve, reject) => {
      this.#exports.push({ resolve, reject });
      engine().sendBytes(EXPORT, 0, 0, this.connection.handle, this.id, payload);
    });
  }

  // told takes a gw_conn_stats.
  #told(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const at = (i) => Number(view.getBigUint64(8 * i, true));
    const largest = at(14);
    this.#maxDatagram = largest > 8 ? largest - 4 : 0; // less the session's number (RFC 9297, Section 2.1)
    this.#stats = this.#figures({
      minRtt: at(0) / 1e6, smoothedRtt: at(1) / 1e6, rttVariation: at(3) / 1e6,
      bytesSent: at(6), bytesReceived: at(7), packetsSent: at(8), packetsReceived: at(9), packetsLost: at(10), bytesLost: at(11),
      estimatedSendRate: at(1) > 0 ? Math.round(at(4) * 8e9 / at(1)) : null,
      atSendCapacity: at(5) >= at(4), droppedOutgoing: at(12),
    });
    for (const f of this.#asked.splice(0)) f(this.#stats);
  }
}

// prefix returns as much of a text as the reason for closing may have.
function prefix(text) {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= CLOSE_REASON) return new TextDecoder().decode(bytes);
  let end = CLOSE_REASON;
  while ((bytes[end] & 0xc0) === 0x80) end--;
  return new TextDecoder().decode(bytes.subarray(0, end));
}
