// Datagrams of a session of WebTransport.

import { closeBytes } from './stream.js';
import { interfaces, toLongLong, toUnsignedLong } from './webtransport-idl.js';
import { bufferSource } from './webtransport-stream.js';

const KEPT = 512; // datagrams that wait for the session
const BUFFERED = 512; // datagrams that wait for the application, or for this turn's end

/**
 * WebTransportDatagramsWritable is what datagrams are written to. They leave in the order
 * in which they are written, whatever sendGroup and sendOrder say.
 */
export class WebTransportDatagramsWritable extends WritableStream {
  #core; #sendGroup; #sendOrder; #writer = null;

  constructor(core, sink, { sendGroup = null, sendOrder = 0 }) {
    super(sink);
    this.#core = core;
    this.#sendGroup = sendGroup;
    this.#sendOrder = toLongLong(sendOrder);
    sink.end = () => this.#end();
  }

  get sendGroup() {
    return this.#sendGroup;
  }

  set sendGroup(v) {
    this.#sendGroup = this.#core.toGroup(v);
  }

  get sendOrder() {
    return this.#sendOrder;
  }

  set sendOrder(v) {
    this.#sendOrder = toLongLong(v);
  }

  getWriter() {
    this.#writer = super.getWriter();
    return this.#writer;
  }

  // end closes it, whoever has it, but for what pipes into it.
  #end() {
    (this.locked ? this.#writer : this)?.close().catch(() => {});
  }
}

/** WebTransportDatagramDuplexStream is the datagrams of a session. */
export class WebTransportDatagramDuplexStream {
  #core; #readable; #controller; #writable = null; #sinks = new Set(); #over = false;
  #queue = []; #wanted = false; #maxBuffered = BUFFERED; #outBuffered = BUFFERED; #maxAge = null; #outMaxAge = null;
  #kept = []; #thisTurn = 0; #turn = null;
  /** How many were dropped, because there were too many or they had waited for too long. */
  dropped = 0;
  expired = 0;
  /** How many were not sent, as they are too large or there were too many; the engine counts its own. */
  droppedOutgoing = 0;
  /** How many that were to be sent have waited for the session for too long. */
  expiredOutgoing = 0;
  #bytes;

  /** readableType is "bytes" for a stream that can be read into one's own buffers, in which empty datagrams are lost. */
  constructor(core, readableType) {
    this.#core = core;
    this.#bytes = readableType === 'bytes';
    this.#readable = new ReadableStream({
      ...this.#bytes && { type: 'bytes' },
      start: (c) => { this.#controller = c; },
      pull: () => {
        this.#wanted = true;
        this.#hand();
      },
      cancel: () => { this.#end(); },
    }, { highWaterMark: 0 });
  }

  get readable() {
    return this.#readable;
  }

  createWritable(options = {}) {
    this.#core.checkGroup(options.sendGroup);
    if (this.#core.over) throw this.#core.invalid();
    const sink = { start: (c) => { sink.controller = c; }, write: (x) => this.#write(x), close: () => this.#sinks.delete(sink), abort: () => this.#sinks.delete(sink) };
    this.#sinks.add(sink);
    return new WebTransportDatagramsWritable(this.#core, sink, options);
  }

  /** What is sent, for programs of before createWritable. */
  get writable() {
    this.#writable ??= this.createWritable();
    return this.#writable;
  }

  /** The size of the largest that can be sent, in bytes; it may change. */
  get maxDatagramSize() {
    return this.#core.maxDatagram();
  }

  /** For how many milliseconds one waits for the application; null: without a limit. */
  get incomingMaxAge() {
    return this.#maxAge;
  }

  set incomingMaxAge(v) {
    this.#maxAge = age(v);
  }

  get outgoingMaxAge() {
    return this.#outMaxAge;
  }

  set outgoingMaxAge(v) {
    this.#outMaxAge = age(v);
  }

  /** How many wait for the application; then the oldest is dropped. */
  get incomingMaxBufferedDatagrams() {
    return this.#maxBuffered;
  }

  set incomingMaxBufferedDatagrams(v) {
    this.#maxBuffered = Math.max(1, toUnsignedLong(v));
  }

  get outgoingMaxBufferedDatagrams() {
    return this.#outBuffered;
  }

  set outgoingMaxBufferedDatagrams(v) {
    this.#outBuffered = Math.max(1, toUnsignedLong(v));
  }

  get incomingHighWaterMark() {
    return this.#maxBuffered;
  }

  set incomingHighWaterMark(v) {
    this.#maxBuffered = count(v);
  }

  get outgoingHighWaterMark() {
    return this.#outBuffered;
  }

  set outgoingHighWaterMark(v) {
    this.#outBuffered = count(v);
  }

  /** take takes one that has come. */
  take(bytes) {
    if (this.#over) return;
    this.#queue.push({ bytes: new Uint8Array(bytes), at: performance.now() });
    this.#hand();
    while (this.#queue.length > this.#maxBuffered) {
      this.#queue.shift();
      this.dropped++;
    }
  }

  #hand() {
    if (!this.#wanted) return;
    const now = this.#maxAge === null ? 0 : performance.now();
    while (this.#maxAge !== null && this.#queue.length > 0 && now - this.#queue[0].at > this.#maxAge) {
      this.#queue.shift();
      this.expired++;
    }
    if (this.#queue.length === 0) return;
    const { bytes } = this.#queue.shift();
    if (this.#bytes) {
      this.#handBytes(bytes);
    } else {
      this.#wanted = false;
      this.#controller.enqueue(bytes);
    }
  }

  // handBytes is hand for a stream of bytes: a datagram is not divided.
  #handBytes(bytes) {
    const request = this.#controller.byobRequest;
    if (bytes.byteLength === 0) {
      this.#hand();
    } else if (request !== null && request !== undefined && request.view.byteLength < bytes.byteLength) {
      this.#end();
      this.#controller.error(new RangeError(`a datagram of ${bytes.byteLength} bytes, and room for ${request.view.byteLength}`));
    } else {
      this.#wanted = false;
      if (request) {
        request.view.set(bytes);
        request.respond(bytes.byteLength);
      } else {
        this.#controller.enqueue(bytes);
      }
    }
  }

  /** keep has a datagram wait for the session; of many the oldest are given up. */
  keep(bytes) {
    this.#kept.push({ bytes: new Uint8Array(bytes), at: performance.now() });
    if (this.#kept.length > KEPT) this.#kept.shift();
  }

  /** begin sends those that have waited for the session. */
  begin() {
    const now = performance.now();
    for (const { bytes, at } of this.#kept.splice(0)) {
      if (this.#outMaxAge !== null && now - at > this.#outMaxAge) this.expiredOutgoing++;
      else this.#core.sendDatagram(bytes);
    }
  }

  // write waits for the next turn of the event loop after many, so that the engine comes to send them.
  #write(x) {
    this.#core.sendDatagram(bufferSource(x));
    if (++this.#thisTurn < this.#outBuffered) {
      this.#nextTurn();
      return undefined;
    }
    return this.#nextTurn();
  }

  #nextTurn() {
    this.#turn ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#thisTurn = 0;
        this.#turn = null;
        resolve();
      });
    });
    return this.#turn;
  }

  #end() {
    this.#over = true;
    this.#queue = [];
  }

  /** end closes what is received and sent, or, with an error, fails it. */
  end(err) {
    const sinks = [...this.#sinks];
    this.#sinks.clear();
    this.#kept.length = 0;
    for (const s of sinks) {
      if (err === undefined) s.end();
      else s.controller.error(err);
    }
    if (this.#over) return;
    this.#end();
    if (err !== undefined) {
      this.#controller.error(err);
      return;
    }
    closeBytes(this.#controller);
  }
}

function age(v) {
  if (v === null || v === undefined) return null;
  const n = Number(v);
  if (Number.isNaN(n) || n < 0) throw new RangeError(`an age of ${v} milliseconds`);
  return n === 0 ? null : n;
}

function count(v) {
  const n = Number(v);
  if (Number.isNaN(n) || n < 0) throw new RangeError(`${v} datagrams`);
  return n < 1 ? 1 : n;
}

interfaces(WebTransportDatagramsWritable, WebTransportDatagramDuplexStream);
