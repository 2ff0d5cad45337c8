// Datagrams of a session of WebTransport.

import { invalidState } from './webtransport-error.js';
import { bufferSource } from './webtransport-stream.js';

const BUFFERED = 512; // datagrams that wait for the application, or for this turn's end

class DatagramsWritable extends WritableStream {
  /** Datagrams leave in the order in which they are written, whatever these say. */
  sendGroup;
  sendOrder;

  constructor(sink, { sendGroup = null, sendOrder = 0 }) {
    super(sink);
    this.sendGroup = sendGroup;
    this.sendOrder = sendOrder;
  }
}

export { DatagramsWritable as WebTransportDatagramsWritable };

/** WebTransportDatagramDuplexStream is the datagrams of a session. */
export class WebTransportDatagramDuplexStream {
  #core; #readable; #controller; #writable = null; #sinks = new Set(); #over = false;
  #queue = []; #wanted = false; #maxBuffered = BUFFERED; #outBuffered = BUFFERED; #maxAge = null; #outMaxAge = null;
  #thisTurn = 0; #turn = null;
  /** How many were dropped, because there were too many or they had waited for too long. */
  dropped = 0;
  expired = 0;

  constructor(core) {
    this.#core = core;
    this.#readable = new ReadableStream({
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
    const group = options.sendGroup;
    if (group && !this.#core.owns(group)) throw invalidState('the sendGroup is another session\'s');
    if (this.#core.over) throw this.#core.invalid();
    const sink = { start: (c) => { sink.controller = c; }, write: (x) => this.#write(x), close: () => this.#sinks.delete(sink), abort: () => this.#sinks.delete(sink) };
    this.#sinks.add(sink);
    return new DatagramsWritable(sink, options);
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
    this.#maxBuffered = count(v);
  }

  get outgoingMaxBufferedDatagrams() {
    return this.#outBuffered;
  }

  set outgoingMaxBufferedDatagrams(v) {
    this.#outBuffered = count(v);
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
    this.#queue.push({ bytes: new Uint8Array(bytes), at: this.#maxAge === null ? 0 : performance.now() });
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
    this.#wanted = false;
    this.#controller.enqueue(this.#queue.shift().bytes);
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
    for (const s of sinks) s.controller.error(err ?? this.#core.invalid());
    if (this.#over) return;
    this.#end();
    if (err === undefined) this.#controller.close();
    else this.#controller.error(err);
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
