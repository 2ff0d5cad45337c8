// Streams of a session of WebTransport, as web streams.

import { codeOf, invalidState, sessionError, streamError } from './webtransport-error.js';
import { COMMIT, decodeError, EV, FIN } from './port.js';
import { engine } from './engine.js';
import { closeBytes, Pipe, toBytes } from './stream.js';
import { interfaces } from './webtransport-idl.js';

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

// Atomic is a chunk that is to be taken whole and at once, or not at all.
class Atomic {
  refused = false;

  constructor(chunk, writer) {
    this.chunk = chunk;
    this.writer = writer;
  }
}

/** WebTransportWriter is the writer of a stream of a session. */
export class WebTransportWriter extends WritableStreamDefaultWriter {
  #half;

  constructor(stream) {
    super(stream);
    this.#half = WebTransportSendStream.halfOf(stream);
  }

  /** Writes what there is room for at once; otherwise nothing is sent, and it is rejected with an AbortError. */
  async atomicWrite(chunk) {
    const atomic = new Atomic(chunk, this);
    this.#half.atomics.add(atomic);
    try {
      await this.write(atomic);
    } finally {
      this.#half.atomics.delete(atomic);
    }
    if (atomic.refused) throw noRoom();
  }

  /** Has all that was written so far arrive, even if the stream is aborted afterwards. */
  commit() {
    void this.desiredSize; // a TypeError, if the lock was released
    this.#half.commit();
  }
}

const noRoom = () => new DOMException('there is no room for all of it now', 'AbortError');

// Sending and Receiving are what the streams are made of.
class Sending {
  controller = null;
  /** Atomic writes that have not been carried out. */
  atomics = new Set();
  #stream; #pending = null; #over = false; #reason;

  constructor(stream) {
    this.#stream = stream;
  }

  get over() {
    return this.#over;
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
    const { pipe } = this.#stream, atomic = chunk instanceof Atomic ? chunk : null;
    let bytes;
    try {
      bytes = bufferSource(atomic === null ? chunk : atomic.chunk);
    } catch (e) {
      this.#over = true;
      pipe.reset(0);
      throw e;
    }
    if (atomic?.refused) return;
    if (atomic !== null && pipe.room < bytes.byteLength) {
      await null; // what is written in the same breath is refused as well
      if (this.#over) throw this.#reason;
      this.#refuse(atomic.writer);
      return;
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

  // refuse has all atomic writes that are waiting fail; if there are others among them, so
  // does the stream (W3C, "abort all atomic write requests").
  #refuse(writer) {
    let waiting; // and the one that is being carried out
    try {
      waiting = 1 - writer.desiredSize;
    } catch {
      waiting = this.atomics.size; // the lock was released
    }
    for (const a of this.atomics) a.refused = true;
    if (waiting <= this.atomics.size) return;
    this.#over = true;
    this.#reason = noRoom();
    this.#stream.pipe.reset(0);
    this.controller.error(this.#reason);
  }

  commit() {
    const { core, id, pipe } = this.#stream;
    if (!this.#over && !pipe.sendOver) engine().send(COMMIT, 0, 0, core.connection.handle, id, 0);
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
    this.#stream.pipe.endSend();
    this.refuse(err);
  }

  /** refuse has all that is written fail, whatever becomes of what was before. */
  refuse(err) {
    this.#over = true;
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
  #stream; #allowed = 0; #over = false; #failed; // with what, once the bytes before it have been read

  constructor(stream) {
    this.#stream = stream;
  }

  get over() {
    return this.#over;
  }

  source() {
    return {
      type: 'bytes',
      start: (c) => { this.controller = c; },
      pull: () => {
        this.#allow();
        if (this.#failed !== undefined && this.#waiting === 0) this.controller.error(this.#failed);
      },
      cancel: (reason) => {
        this.#over = true;
        this.#stream.pipe.stop(codeOf(reason));
      },
    };
  }

  // How many bytes wait for the application.
  get #waiting() {
    return this.controller.desiredSize === null ? 0 : READ_AHEAD - this.controller.desiredSize;
  }

  // allow gives credit back for what the application has taken.
  #allow() {
    const taken = this.received - this.#waiting - this.#allowed;
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
    closeBytes(this.controller);
  }

  fail(err) {
    this.#stream.pipe.endReceive();
    if (this.#over) return;
    this.#over = true;
    if (err.source !== 'stream' || this.#waiting === 0) this.controller.error(err);
    else this.#failed = err; // what came before may be what the peer had committed
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

  static halfOf(stream) {
    if (!(stream instanceof WebTransportSendStream)) throw new TypeError('a WebTransportWriter is of a WebTransportSendStream');
    return stream.#half;
  }

  // Bun 1.3 has no signal that ends a write which waits.
  getWriter() {
    const writer = new WebTransportWriter(this);
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
  #stream;

  constructor(stream) {
    this.#stream = stream;
  }

  get readable() {
    return this.#stream.readable;
  }

  get writable() {
    return this.#stream.writable;
  }
}

/**
 * WebTransportServerStream is what the callbacks of a server get for a stream that the
 * client has opened. Who asks for readable and writable has web streams; without, what
 * comes is told to the callback data, and is sent by write and end. Nothing of web streams
 * is made then.
 */
export class WebTransportServerStream extends WebTransportBidirectionalStream {
  #stream;
  /** The user's. */
  data = undefined;

  constructor(stream) {
    super(stream);
    this.#stream = stream;
  }

  /**
   * Writes a string or bytes, which are the caller's again at once, and returns how many
   * bytes were taken: less than all means to go on at the callback drain, none that nothing
   * can be written any more.
   */
  write(x) {
    return this.#stream.write(toBytes(x));
  }

  /** Ends what is sent, after x if there is any. What has to wait for room is kept. */
  end(x) {
    this.#stream.end(x === undefined ? none : toBytes(x));
  }

  /** Gives up what is sent, with a code of the application's. */
  reset(code = 0) {
    this.#stream.reset(code);
  }

  /** Asks the client to send no more, likewise. */
  stop(code = 0) {
    this.#stream.stop(code);
  }
}

const none = new Uint8Array(0);

/**
 * SessionStream is what is behind them. Web streams are made when they are asked for, and
 * for bytes that nobody else takes: of streams that are direct hooks of the session do,
 * data(stream, bytes, last), drain(stream), abort(stream, error).
 */
export class SessionStream {
  sendOrder = 0;
  sendGroup = null;
  ordered = false;
  urgency = 3;
  /** Called when the peer allows a stream that this end opens, or it has ended; with true if the peer does not. */
  onopened = null;
  #out = null; #in = null; #readable; #writable; #facade = null; #served = null;
  #sendError = null; #receiveError = null; // of directions without a web stream
  #kept = null; // what follows at the end, when there is room

  constructor(core, port, conn, id, { sends, receives, direct = false, sendOrder, sendGroup }) {
    this.core = core;
    this.id = id;
    this.direct = direct;
    this.sends = sends;
    this.receives = receives;
    this.pipe = new Pipe(port, conn, id, { sends, receives, window: core.connection.window });
    if (sendGroup) this.sendGroup = sendGroup;
    if (sendOrder !== undefined) core.order(this, sendOrder);
  }

  /** The object of the W3C's text. */
  get facade() {
    return this.#facade ??= this.sends && this.receives ? new WebTransportBidirectionalStream(this) : this.sends ? this.writable : this.readable;
  }

  /** What callbacks of a server get. */
  get served() {
    return this.#served ??= new WebTransportServerStream(this);
  }

  get writable() {
    if (this.#out === null && this.sends) {
      this.#out = new Sending(this);
      this.#writable = new WebTransportSendStream(this, this.#out);
      if (this.#kept !== null || this.pipe.sendOver) this.#out.refuse(this.#sendError ?? invalidState('the stream has been ended'));
      else this.pipe.ondrain = () => this.#out.resume();
    }
    return this.#writable;
  }

  get readable() {
    if (this.#in === null && this.receives) {
      this.#in = new Receiving(this);
      this.#readable = new WebTransportReceiveStream(this.#in);
      if (this.#receiveError !== null) this.#in.fail(this.#receiveError);
      else if (this.pipe.receiveOver) this.#in.data(none, true);
    }
    return this.#readable;
  }

  /** Whether the peer has given the stream up, and nothing can come of it any more. */
  get forsaken() {
    return this.#receiveError?.source === 'stream' && (!this.sends || this.pipe.sendOver);
  }

  write(bytes) {
    if (this.#out !== null) throw invalidState('the stream is written to by stream.writable');
    const n = this.#kept === null ? this.pipe.write(bytes) : 0;
    if (n < bytes.byteLength) this.pipe.ondrain = () => this.core.hooks.drain?.(this);
    return n;
  }

  end(bytes) {
    if (this.#out !== null) throw invalidState('the stream is written to by stream.writable');
    if (this.#kept !== null || this.pipe.sendOver) return;
    const n = this.pipe.write(bytes, true);
    if (n === bytes.byteLength) return;
    this.#kept = new Uint8Array(bytes.subarray(n)); // the caller's may change
    this.pipe.ondrain = () => { this.#kept = this.#kept.subarray(this.pipe.write(this.#kept, true)); };
  }

  /** reset and stop give a direction up; a web stream that there is of it fails. */
  reset(code) {
    if (this.pipe.sendOver) return;
    this.pipe.reset(code);
    this.#out?.fail(streamError('the stream was reset', code));
  }

  stop(code) {
    if (this.pipe.receiveOver) return;
    this.pipe.stop(code);
    this.#in?.fail(streamError('the stream was stopped', code));
  }

  event(type, flags, aux, id, bytes) {
    switch (type) {
      case EV.OPENED:
        this.onopened?.();
        break;
      case EV.DATA:
        this.#data(bytes, (flags & FIN) !== 0);
        break;
      case EV.CREDIT:
        this.pipe.addCredit(bytes);
        break;
      case EV.RESET:
        this.#failReceiving(ended('the peer has reset the stream', decodeError(bytes, flags)));
        break;
      case EV.STOPPED:
        this.#failSending(ended('the peer reads no more of the stream', decodeError(bytes, flags)));
        break;
      case EV.ENDED:
        this.#ended(decodeError(bytes, flags));
    }
  }

  #data(bytes, last) {
    const { core, pipe } = this;
    if (this.#in === null && this.direct) {
      pipe.received += bytes.byteLength;
      if (last) pipe.endReceive();
      core.hooks.data(this, new Uint8Array(bytes), last);
      pipe.allow(bytes.byteLength);
    } else if (this.readable !== undefined) {
      this.#in.data(bytes, last);
    }
  }

  #failReceiving(err) {
    if (this.#in !== null) {
      this.#in.fail(err);
    } else if (!this.pipe.receiveOver) {
      this.pipe.endReceive();
      this.#receiveError = err;
      if (this.direct) this.core.hooks.abort(this, err);
    }
  }

  #failSending(err) {
    if (this.#out !== null) {
      this.#out.fail(err);
    } else if (!this.pipe.sendOver) {
      this.pipe.endSend();
      this.#sendError = err;
      if (this.direct) this.core.hooks.abort(this, err);
    }
  }

  #ended(e) {
    const { core } = this, open = !this.pipe.sendOver || !this.pipe.receiveOver;
    if (open && !core.over && e.kind !== 'ok' && e.kind !== 'stream' && e.kind !== 'limit') {
      // The end of the session, or of the connection, follows, and is what this one fails with.
      setImmediate(() => this.#finish(e));
    } else {
      this.#finish(e);
    }
  }

  #finish(e) {
    this.core.forget(this);
    if (e.kind === 'limit') this.onopened?.(true);
    if (e.kind === 'ok' || e.kind === 'stream') this.#out?.finish();
    if (this.#in?.over === false || this.#out?.over === false || !this.pipe.sendOver || !this.pipe.receiveOver) {
      this.fail(sessionError('the session has ended'));
    } else {
      this.onopened?.();
    }
  }

  /** fail ends what has not ended yet, with the session. */
  fail(err) {
    this.#failSending(err);
    this.#failReceiving(err);
    this.onopened?.();
  }
}

interfaces(WebTransportWriter, WebTransportSendStream, WebTransportReceiveStream, WebTransportBidirectionalStream);
