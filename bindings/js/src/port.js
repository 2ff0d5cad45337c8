// The engine's port: a ring of commands and one of events, in memory that JavaScript shares
// with threads of the engine. godwit.h tells of the records.

import { Buffer } from 'node:buffer';
import { nextTick } from 'node:process';
import { GodwitError } from './errors.js';
import { native } from './native.js';

// Commands.
export const LISTEN = 1, CONNECT = 2, CLOSE = 3, OPEN = 4, WRITE = 5, RESET = 6, STOP = 7, CREDIT = 8, PRIORITY = 9, DATAGRAM = 10,
  REQUEST = 11, RESPOND = 12, INFORM = 13, TRAILERS = 14, SESSION = 15, ACCEPT = 16, DRAIN = 17, ROUTE = 18, STATS = 19, COMMIT = 20, EXPORT = 21;

// Events have the same numbers as in godwit.h.
export const EV = Object.freeze({
  LISTENING: 1, ACCEPTED: 2, CONNECTED: 3, CLOSED: 4, STREAM: 5, OPENED: 6, DATA: 7, CREDIT: 8, RESET: 9, STOPPED: 10, ENDED: 11,
  DATAGRAM: 12, REQUEST: 13, INFORM: 14, RESPONSE: 15, TRAILERS: 16, SESSION: 17, SESSION_OPEN: 18, REJECTED: 19, DRAINING: 20,
  STATS: 21, ERROR: 22, PATH: 23, EXPORTED: 24,
});

// Flags.
export const FIN = 1, UNI = 2, REMOTE = 4, CALL = 8, SECURE = 16, NOW = 32;

// How a listener is closed.
export const STOP_LISTENING = 0, GRACEFUL = 1, ABORT = 2;

const HEADER = 16, SKIP = 255;

// Where what is shared lies, in 32-bit words.
const STATE = 24 / 4, COMMANDS = 8 / 4, COMMAND_SIZE = 12 / 4, EVENTS = 16 / 4, EVENT_SIZE = 20 / 4, COMMAND_TAIL = 128 / 4,
  REPLY_KIND = 452 / 4, REPLY_CODE = 456 / 4, REPLY_LENGTH = 464 / 4, REPLY_CONN = 468 / 4, REPLY_TEXT = 472;

const OPENED = 1;

// How many events are handed on before timers and others have their turn: Node calls what
// an addon wants called up to a thousand times in one.
const TURN = 1024;

// How many bytes of datagrams wait for room; then further ones are dropped, as on their way.
const LATE = 1 << 20;

// The most bytes of a text behind a number, such as a reason for closing.
const TEXT = 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const none = new Uint8Array(0), zeros = Buffer.alloc(16);

let handles = 0; // that were given, by any port: what is meant for one that has failed means nothing to the next

/**
 * Port has the engine for one environment, the main thread or a worker. Commands are
 * written as they come and made known once for each turn of the event loop, behind its
 * microtasks.
 */
export class Port {
  #port; #u8; #u32; #view; #text;
  #commands; #commandSize; #head = 0;
  #events; #eventSize; #tail = 0;
  #scheduled = false; #waiting = []; #late = 0;
  #held = 0; #onEvent; #onFail; #busy = false; #taken = 0; #resting = false;
  #flush = () => this.flush(); #later = null;

  /**
   * onEvent(type, flags, aux, conn, id, bytes) is called for each event; bytes are valid
   * during the call. onFail(bytes) is called once, with a gw_error, if the engine fails.
   */
  constructor(options, onEvent, onFail) {
    const { port, memory } = native.open(options ?? {}, () => this.#deliver());
    this.#port = port;
    this.#onEvent = onEvent;
    this.#onFail = onFail;
    this.#u8 = new Uint8Array(memory);
    this.#u32 = new Uint32Array(memory, 0, memory.byteLength >>> 2);
    this.#view = new DataView(memory);
    this.#text = Buffer.from(memory);
    this.#commands = this.#u32[COMMANDS];
    this.#commandSize = this.#u32[COMMAND_SIZE];
    this.#events = this.#u32[EVENTS];
    this.#eventSize = this.#u32[EVENT_SIZE];
  }

  /** handle returns one that is not in use, for what this side begins. */
  handle() {
    handles = handles === 0x7fffffff ? 1 : handles + 1;
    return handles;
  }

  /** hold and release count what keeps the process alive. */
  hold() {
    if (this.#held++ === 0) native.hold(this.#port, 1);
  }

  release() {
    if (--this.#held === 0) native.hold(this.#port, 0);
  }

  get open() {
    return this.#port !== null && this.#u32[STATE] === OPENED;
  }

  /** The most bytes of content that one command takes. */
  get largest() {
    return this.#commandSize >>> 2;
  }

  /**
   * send writes a command. fill(u8, view, at) writes its payload of length bytes; it may be
   * called later, when the ring is full: it must not depend on what changes.
   */
  send(type, flags, aux, conn, id, length, fill) {
    if (this.#port === null) return;
    if (this.#waiting.length > 0 || !this.#put(type, flags, aux, conn, id, length, fill)) {
      this.#waiting.push([type, flags, aux, conn, id, length, fill]);
    }
    this.#schedule();
  }

  /** Whether so many datagrams wait for room in the ring that further ones are dropped. */
  get full() {
    return this.#late > LATE - this.largest;
  }

  /** sendBytes is send for bytes that are copied at once. It reports whether they fit into a command. */
  sendBytes(type, flags, aux, conn, id, bytes) {
    if (this.#port === null) return true;
    const n = bytes.byteLength;
    if (n > this.largest) return false;
    if (this.#waiting.length > 0 || !this.#put(type, flags, aux, conn, id, n, (u8, view, at) => u8.set(bytes, at))) {
      if (type === DATAGRAM) {
        if (this.#late + n > LATE) return true;
        this.#late += n;
      }
      const copy = new Uint8Array(bytes); // the caller's may change
      this.#waiting.push([type, flags, aux, conn, id, n, (u8, view, at) => u8.set(copy, at)]);
    }
    this.#schedule();
    return true;
  }

  /**
   * sendNumber is send for a number, a code or a count, and the beginning of a text. It
   * throws a TypeError for what is no such number.
   */
  sendNumber(type, flags, aux, conn, id, n, text = '') {
    if (typeof n === 'bigint' ? n < 0n || n > MOST : !Number.isSafeInteger(n) || n < 0) {
      throw new TypeError(`a code must be an integer from 0 to 2^62 - 1, not ${String(n)}`);
    }
    const low = typeof n === 'bigint' ? Number(n & 0xffffffffn) : n >>> 0;
    const high = typeof n === 'bigint' ? Number(n >> 32n) : Math.floor(n / 2 ** 32);
    const bytes = text === '' ? none : beginning(text);
    this.send(type, flags, aux, conn, id, 8 + bytes.length, (u8, view, at) => {
      view.setUint32(at, low, true);
      view.setUint32(at + 4, high, true);
      u8.set(bytes, at + 8);
    });
  }

  /**
   * sendFields is send for fields, an array of names and values in turn, and content after
   * them. It throws if they are larger than half of the ring, which may never take them.
   */
  sendFields(type, flags, aux, conn, id, fields, content) {
    const [length, fill] = encodeFields(fields, content);
    const most = (this.#commandSize >>> 1) - HEADER;
    if (length > most) throw new GodwitError(`${length} bytes of options or fields are more than ${most}`, { kind: 'size' });
    this.send(type, flags, aux, conn, id, length, fill);
  }

  /**
   * sendSection is send for fields of HTTP, whose characters are bytes, and content after
   * them; both are copied at once. It reports whether they fit into a command.
   */
  sendSection(type, flags, conn, id, fields, content = none) {
    if (this.#port === null) return true;
    const text = fields.join(''), start = 8 + 4 * fields.length, from = start + text.length;
    const length = from + content.byteLength;
    if (length > this.largest) return false;
    const fill = (u8, view, at) => {
      const u32 = this.#u32;
      let word = at >>> 2;
      u32[word++] = fields.length >>> 1;
      u32[word++] = text.length;
      for (let i = 0; i < fields.length; i++) u32[word++] = fields[i].length;
      if (text.length > 0) this.#text.latin1Write(text, at + start, text.length);
      u8.set(content, at + from);
    };
    if (this.#waiting.length > 0 || !this.#put(type, flags, 0, conn, id, length, fill)) {
      content = new Uint8Array(content);
      this.#waiting.push([type, flags, 0, conn, id, length, fill]);
    }
    this.#schedule();
    return true;
  }

  /**
   * call sends a command of fields and waits for its reply: an object with kind, code and
   * text. It blocks, for some hundred microseconds as a rule, and longer while the ring is
   * full.
   */
  call(type, conn, fields, ms = 5000) {
    try {
      this.sendFields(type, CALL, 0, conn, 0, fields);
    } catch (e) {
      return { kind: kinds.indexOf('option'), code: 0n, text: e.message };
    }
    this.#flushWaiting();
    for (const end = performance.now() + ms; this.#waiting.length > 0;) {
      if (!this.open || performance.now() > end) {
        this.#waiting.pop(); // the call itself
        return unanswered;
      }
      native.commit(this.#port, this.#head);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1); // a millisecond, in which the engine reads on
      this.#flushWaiting();
    }
    do {
      if (kindOf(native.call(this.#port, this.#head, ms)) === 'port') {
        this.sendNumber(CLOSE, 0, ABORT, conn, 0, 0); // what it would have begun
        return unanswered;
      }
    } while (Atomics.load(this.#u32, REPLY_CONN) !== conn); // an earlier one's, which came too late
    return { kind: this.#u32[REPLY_KIND], code: this.#view.getBigUint64(REPLY_CODE * 4, true), text: decoder.decode(this.#reply()) };
  }

  /** flush makes the commands so far known to the engine. */
  flush() {
    this.#scheduled = false;
    if (this.#port === null) return;
    this.#flushWaiting();
    native.commit(this.#port, this.#head);
    if (this.#waiting.length > 0 && this.#later === null) {
      this.#later = setTimeout(() => { // the engine does not tell of room, and events may come before
        this.#later = null;
        this.flush();
      }, 1);
    }
  }

  /** fail closes the port, whose engine has failed, and tells of that, once. */
  fail() {
    if (this.#port === null) return;
    native.close(this.#port);
    this.#port = null;
    this.#waiting.length = this.#late = 0;
    const text = this.#reply(), bytes = Buffer.alloc(16 + text.length);
    bytes.writeUInt32LE(kinds.indexOf('port'));
    bytes.set(text, 16);
    this.#onFail(bytes);
  }

  // reply returns a copy of the text of the last reply, or of the failure.
  #reply() {
    return this.#u8.slice(REPLY_TEXT, REPLY_TEXT + this.#u32[REPLY_LENGTH]);
  }

  #schedule() {
    if (this.#scheduled || this.#busy) return;
    this.#scheduled = true;
    nextTick(this.#flush);
  }

  #flushWaiting() {
    let n = 0;
    for (; n < this.#waiting.length && this.#put(...this.#waiting[n]); n++) {
      if (this.#waiting[n][0] === DATAGRAM) this.#late -= this.#waiting[n][5];
    }
    if (n > 0) this.#waiting.splice(0, n);
  }

  // put writes a record, and reports whether there was room.
  #put(type, flags, aux, conn, id, length, fill) {
    const size = HEADER + ((length + 15) & ~15);
    const mask = this.#commandSize - 1;
    const place = this.#head & mask;
    const rest = this.#commandSize - place;
    const skip = rest < size ? rest : 0;
    const used = (this.#head - this.#u32[COMMAND_TAIL]) >>> 0;
    if (used + skip + size > this.#commandSize) return false;
    if (skip > 0) {
      const at = this.#commands + place;
      this.#u32[at >>> 2] = skip - HEADER;
      this.#u8[at + 4] = SKIP;
      this.#head = (this.#head + skip) >>> 0;
    }
    const at = this.#commands + (this.#head & mask);
    const word = at >>> 2;
    this.#u32[word] = length;
    this.#u32[word + 1] = type | flags << 8 | aux << 16;
    this.#u32[word + 2] = conn;
    this.#u32[word + 3] = id;
    if (length > 0) fill(this.#u8, this.#view, at + HEADER);
    this.#head = (this.#head + size) >>> 0;
    return true;
  }

  // deliver hands on the events that are there, as many as a turn may have.
  #deliver() {
    if (this.#port === null || this.#resting) return;
    this.#busy = true;
    const mask = this.#eventSize - 1;
    let head = native.look(this.#port);
    try {
      for (; this.#tail !== head && this.#taken < TURN; this.#taken++) {
        const at = this.#events + (this.#tail & mask), word = at >>> 2;
        const length = this.#u32[word], kinds = this.#u32[word + 1];
        const size = HEADER + ((length + 15) & ~15);
        this.#tail = (this.#tail + size) >>> 0;
        if ((kinds & 255) === SKIP) continue;
        const payload = length === 16 && (this.#u32[word + 4] | this.#u32[word + 5] | this.#u32[word + 6] | this.#u32[word + 7]) === 0 ?
          zeros : this.#text.subarray(at + HEADER, at + HEADER + length); // as is the end of most things
        this.#onEvent(kinds & 255, kinds >>> 8 & 255, kinds >>> 16, this.#u32[word + 2], this.#u32[word + 3], payload);
        if (this.#port === null) return; // closed by the callback
        if ((this.#taken & 63) === 63) native.consumed(this.#port, this.#tail);
        if (this.#tail === head) head = native.look(this.#port);
      }
    } finally {
      this.#busy = false;
      if (this.#port !== null) {
        native.consumed(this.#port, this.#tail);
        this.flush();
        if (this.#taken >= TURN || native.look(this.#port) !== this.#tail) this.#rest(); // there are more, or was an exception
        else if (!this.open) setImmediate(() => this.fail()); // not in what the engine has called
      }
    }
  }

  // rest goes on in the next turn of the event loop, without being woken for it.
  #rest() {
    this.#resting = true;
    setImmediate(() => {
      this.#resting = false;
      this.#taken = 0;
      this.#deliver();
    });
  }
}

/** encodeFields returns the length of fields with content after them, and what writes them. */
function encodeFields(fields, content) {
  const parts = [];
  let text = 0;
  for (const f of fields) {
    const bytes = typeof f === 'string' ? encoder.encode(f) : f;
    parts.push(bytes);
    text += bytes.length;
  }
  const count = parts.length >>> 1, start = 8 + 8 * count;
  const body = content && new Uint8Array(content);
  return [start + text + (body?.length ?? 0), (u8, view, at) => {
    view.setUint32(at, count, true);
    view.setUint32(at + 4, text, true);
    let to = at + start;
    parts.forEach((bytes, i) => {
      view.setUint32(at + 8 + 4 * i, bytes.length, true);
      u8.set(bytes, to);
      to += bytes.length;
    });
    if (body !== undefined) u8.set(body, to);
  }];
}

/**
 * decodeFields returns the fields of an event as names and values in turn, and where they
 * end. Their characters are bytes, as the platform's Headers have them.
 */
export function decodeFields(bytes) {
  if (words.buffer !== bytes.buffer) words = new Uint32Array(bytes.buffer, 0, bytes.buffer.byteLength >>> 2);
  const word = bytes.byteOffset >>> 2, count = 2 * words[word], start = 8 + 4 * count, end = start + words[word + 1];
  const text = bytes.latin1Slice(start, end), fields = new Array(count);
  for (let i = 0, from = 0; i < count; i++) {
    const to = from + words[word + 2 + i];
    fields[i] = text.substring(from, to);
    from = to;
  }
  return { fields, end };
}

/** readNumber returns a 64-bit number of an event, the nearest that JavaScript has. */
export function readNumber(bytes, at = 0) {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
}

// beginning returns as much of a text, in whole characters, as goes with a number.
function beginning(text) {
  const bytes = new Uint8Array(Math.min(3 * text.length, TEXT));
  return bytes.subarray(0, encoder.encodeInto(text, bytes).written);
}

const MOST = 2n ** 62n - 1n; // RFC 9000, Section 20.2

let words = new Uint32Array(0); // of the memory that was looked at last

const kinds = ['ok', 'application', 'transport', 'tls', 'certificate', 'idle', 'handshake_timeout', 'refused', 'resolve', 'stateless_reset',
  'version', 'cancelled', 'option', 'address', 'stream', 'session', 'http', 'unsupported', 'limit', 'goaway', 'size', 'command', 'port'];

// unanswered is what a call returns that the engine has not answered.
const unanswered = { kind: kinds.indexOf('port'), code: 0n, text: 'the engine does not answer' };

/** kindOf returns the name of an error's kind. */
export function kindOf(kind) {
  return kinds[kind] ?? `kind ${kind}`;
}

const ended = Object.freeze({ kind: 'ok', frame: 0, code: 0n, text: '', remote: false });

/** decodeError returns the error of an event. */
export function decodeError(bytes, flags = 0) {
  if (bytes === zeros && flags === 0) return ended; // as a rule
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    kind: kindOf(view.getUint32(0, true)),
    frame: view.getUint32(4, true),
    code: view.getBigUint64(8, true),
    text: decoder.decode(bytes.subarray(16)),
    remote: (flags & REMOTE) !== 0,
  };
}
