// Streams of a session of WebTransport, as web streams.

import { codeOf, sessionError, streamError } from './webtransport-error.js';
import { decodeError, EV, FIN } from './port.js';
import { Pipe } from './stream.js';

// How many bytes wait for the application before credit is kept back: the rest of the
// window may be on its way.
const READ_AHEAD = 64 << 10;

/** bufferSource returns bytes as a Uint8Array, and throws a TypeError for all else. */
export function bufferSource(x) {
  if (x instanceof Uint8Array) return x;
  if (ArrayBuffer.isView(x)) return new Uint8Array(x.buffer, x.byteOffset, x.byteLength);
  if (x instanceof ArrayBuffer) return new Uint8Array(x);
  throw new TypeError('only an ArrayBuffer or a view of one can be written');
}

// Sending and Receiving are what the streams are made of.
class Sending {
  controller = null;
  #stream; #pending = null; #over = false; #reason;

  constructor(stream) {
    this.#stream = stream;
  }

  sink() {
    return {
      start: (c) => {
        this.controller = c;
        c.signal?.addEventListener('abort', () => this.abort(c.signal.reason));
      },
      write: (chunk) => this.#write(chunk),
      close: () => this.#close(),
      abort: (reason) => this.abort(reason),
    };
  }

  async #write(chunk) {
    const { pipe } = this.#stream;
    let bytes;
    try {
      bytes = bufferSource(chunk);
    } catch (e) {
      this.#over = true;
      pipe.reset(0);
      throw e;
    }
    let n = bytes.byteLength === 0 ? 0 : pipe.write(bytes);
    if (n === bytes.byteLength) return;
    bytes = new Uint8Array(bytes.subarray(n)); // the caller's may change
    do {
      await this.#wait();
      if (this.#over) throw this.#reason; // since there was room
      n = pipe.write(bytes);
      bytes = bytes.subarray(n);
    } while (bytes.byteLength > 0);
  }

  // close resolves when all has been acknowledged, where that can be known.
  #close() {
    const { pipe } = this.#stream;
    if (this.#over || pipe.sendOver) return undefined;
    pipe.write(new Uint8Array(0), true);
    return this.#stream.receives ? undefined : this.#wait();
  }

  #wait() {
    return new Promise((resolve, reject) => { this.#pending = { resolve, reject }; });
  }

  resume() {
    const p = this.#pending;
    this.#pending = null;
    p?.resolve();
  }

  abort(reason) {
    if (this.#over) return;
    this.#over = true;
    this.#stream.pipe.reset(codeOf(reason));
    this.#reject(reason);
  }

  fail(err) {
    if (this.#over) return;
    this.#over = true;
    this.#stream.pipe.endSend();
    this.#reject(err);
    try {
      this.controller.error(err);
    } catch { /* closed */ }
  }

  #reject(err) {
    this.#reason = err;
    const p = this.#pending;
    this.#pending = null;
    p?.reject(err);
  }

  finish() {
    this.resume();
    this.#over = true;
  }
}

class Receiving {
  controller = null;
  received = 0;
  #stream; #allowed = 0; #over = false;

  constructor(stream) {
    this.#stream = stream;
  }

  source() {
    return {
      type: 'bytes',
      start: (c) => { this.controller = c; },
      pull: () => this.#allow(),
      cancel: (reason) => {
        this.#over = true;
        this.#stream.pipe.stop(codeOf(reason));
      },
    };
  }

  // allow gives credit back for what the application has taken.
  #allow() {
    const waiting = READ_AHEAD - this.controller.desiredSize;
    const taken = this.received - waiting - this.#allowed;

    if (taken <= 0) return;
    this.#allowed += taken;
    this.#stream.pipe.allow(taken);
  }

  data(bytes, fin) {
    const { pipe } = this.#stream;
    pipe.received += bytes.byteLength;
    this.received += bytes.byteLength;
    if (fin) pipe.endReceive();
    if (this.#over) return;
    if (bytes.byteLength > 0) this.controller.enqueue(new Uint8Array(bytes));
    if (!fin) return;
    this.#over = true;
    this.controller.close();
    this.controller.byobRequest?.respond(0);
  }

  fail(err) {
    this.#stream.pipe.endReceive();
    if (this.#over) return;
    this.#over = true;
    this.controller.error(err);
  }
}

// ended is what the peer has ended a direction with: a code of the application's, or else with the session.
function ended(message, e) {
  return e.kind === 'stream' ? streamError(message, e.code) : sessionError('the session has ended');
}

/** WebTransportSendStream is what is sent on a stream. */
export class WebTransportSendStream extends WritableStream {
  #half; #stream;

  constructor(stream, half) {
    super(half.sink());
    this.#half = half;
    this.#stream = stream;
  }

  // Bun 1.3 has no signal that ends a write which waits.
  getWriter() {
    const writer = super.getWriter();
    if (!this.#half.controller.signal) {
      writer.abort = (reason) => {
        const aborted = Object.getPrototypeOf(writer).abort.call(writer, reason);
        this.#half.abort(reason);
        return aborted;
      };
    }
    return writer;
  }

  /** In which order the session's streams are sent: higher numbers first. */
  get sendOrder() {
    return this.#stream.sendOrder;
  }

  set sendOrder(v) {
    this.#stream.core.order(this.#stream, v);
  }

  get sendGroup() {
    return this.#stream.sendGroup;
  }

  set sendGroup(v) {
    this.#stream.core.group(this.#stream, v);
  }

  async getStats() {
    const { sent } = this.#stream.pipe;
    return { bytesWritten: sent, bytesSent: sent };
  }
}

/** WebTransportReceiveStream is what is received on a stream; it can be read into one's own buffers. */
export class WebTransportReceiveStream extends ReadableStream {
  #half;

  constructor(half) {
    super(half.source(), { highWaterMark: READ_AHEAD });
    this.#half = half;
  }

  async getStats() {
    const { received, controller } = this.#half;
    const waiting = controller.desiredSize ? READ_AHEAD - controller.desiredSize : 0; // null or 0: it is over
    return { bytesReceived: received, bytesRead: received - waiting };
  }
}

/** WebTransportBidirectionalStream is a stream in both directions. */
export class WebTransportBidirectionalStream {
  #readable; #writable;

  constructor(readable, writable) {
    this.#readable = readable;
    this.#writable = writable;
  }

  get readable() {
    return this.#readable;
  }

  get writable() {
    return this.#writable;
  }
}

/** SessionStream is what is behind them. */
export class SessionStream {
  sendOrder = 0;
  sendGroup = null;
  ordered = false;
  urgency = 3;
  /** Called when the peer allows a stream that this end opens, or it has ended. */
  onopened = null;
  #out = null; #in = null;

  constructor(core, port, conn, id, { sends, receives, sendOrder, sendGroup }) {
    this.core = core;
    this.id = id;
    this.receives = receives;
    this.pipe = new Pipe(port, conn, id, { sends, receives });
    if (sendGroup) this.sendGroup = sendGroup;
    if (sends) {
      this.#out = new Sending(this);
      this.pipe.ondrain = () => this.#out.resume();
      this.writable = new WebTransportSendStream(this, this.#out);
    }
    if (receives) {
      this.#in = new Receiving(this);
      this.readable = new WebTransportReceiveStream(this.#in);
    }
    if (sendOrder !== undefined) core.order(this, sendOrder);
    this.facade = sends && receives ? new WebTransportBidirectionalStream(this.readable, this.writable) : sends ? this.writable : this.readable;
  }

  event(type, flags, aux, id, bytes) {
    switch (type) {
      case EV.OPENED:
        this.onopened?.();
        break;
      case EV.DATA:
        this.#in?.data(bytes, (flags & FIN) !== 0);
        break;
      case EV.CREDIT:
        this.pipe.addCredit(bytes);
        break;
      case EV.RESET:
        this.#in?.fail(ended('the peer has reset the stream', decodeError(bytes, flags)));
        break;
      case EV.STOPPED:
        this.#out?.fail(ended('the peer reads no more of the stream', decodeError(bytes, flags)));
        break;
      case EV.ENDED:
        this.#ended(decodeError(bytes, flags));
    }
  }

  #ended(e) {
    this.core.forget(this);
    if (e.kind === 'ok' || e.kind === 'stream') this.#out?.finish();
    this.fail(sessionError('the session has ended'));
  }

  /** fail ends what has not ended yet, with the session. */
  fail(err) {
    this.#out?.fail(err);
    this.#in?.fail(err);
    this.onopened?.();
  }
}
