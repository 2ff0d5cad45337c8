// A stream's bytes both ways, on any kind of connection.

import { Buffer } from 'node:buffer';
import { CREDIT, FIN, readNumber, RESET, STOP, WRITE } from './port.js';

/** How many bytes there are of a stream between JavaScript and the engine, unless an option says otherwise: GW_WINDOW. */
export const WINDOW = 256 << 10;

/** toBytes returns what write takes as bytes. */
export function toBytes(x) {
  if (typeof x === 'string') return Buffer.from(x);
  if (x instanceof Uint8Array) return x;
  if (ArrayBuffer.isView(x)) return new Uint8Array(x.buffer, x.byteOffset, x.byteLength);
  if (x instanceof ArrayBuffer || typeof SharedArrayBuffer !== 'undefined' && x instanceof SharedArrayBuffer) return new Uint8Array(x);
  throw new TypeError('only strings, buffers and typed arrays can be written');
}

/**
 * closeBytes closes a stream of bytes. One whose reader has a part of an element, as two
 * bytes of a Uint32Array, fails instead, and close throws (Streams standard, 4.10.11).
 */
export function closeBytes(controller) {
  try {
    controller.close();
  } catch {
    return; // of which the reader is told
  }
  controller.byobRequest?.respond(0);
}

/** Pipe is the two directions of a stream: credit for what is sent, and for what is received. */
export class Pipe {
  #port; #conn; #id;
  #credit; #short = false; #sendOver = false; #receiveOver = false; #allowed = 0; #enough;
  sent = 0;
  received = 0;
  /** Called when there is room, after a write that took less. */
  ondrain = null;

  constructor(port, conn, id, { sends = true, receives = true, window = WINDOW } = {}) {
    this.#port = port;
    this.#credit = window;
    this.#enough = Math.min(window, WINDOW) / 8;
    this.#conn = conn;
    this.#id = id;
    this.#sendOver = !sends;
    this.#receiveOver = !receives;
  }

  get room() {
    return this.#sendOver ? 0 : this.#credit;
  }

  get sendOver() {
    return this.#sendOver;
  }

  get receiveOver() {
    return this.#receiveOver;
  }

  /** write takes as many bytes as there is room for, and returns how many. With fin, and if it took all, nothing follows. */
  write(bytes, fin = false) {
    if (this.#sendOver) return 0;
    const n = Math.min(bytes.byteLength, this.#credit);
    const all = n === bytes.byteLength;
    const largest = this.#port.largest;
    let at = 0;
    do {
      const part = bytes.subarray(at, Math.min(n, at + largest));
      at += part.byteLength;
      this.#port.sendBytes(WRITE, fin && all && at === n ? FIN : 0, 0, this.#conn, this.#id, part);
    } while (at < n);
    this.#credit -= n;
    this.sent += n;
    if (fin && all) this.#sendOver = true;
    if (!all) this.#short = true;
    return n;
  }

  /** addCredit takes what the engine gave back. */
  addCredit(bytes) {
    this.#credit += readNumber(bytes);
    if (this.#short && this.#credit > 0) {
      this.#short = false;
      this.ondrain?.();
    }
  }

  /** allow says that n received bytes have been dealt with. */
  allow(n) {
    this.#allowed += n;
    if (this.#receiveOver || this.#allowed < this.#enough) return;
    this.#port.sendNumber(CREDIT, 0, 0, this.#conn, this.#id, this.#allowed);
    this.#allowed = 0;
  }

  reset(code = 0) {
    if (this.#sendOver) return;
    this.#port.sendNumber(RESET, 0, 0, this.#conn, this.#id, code);
    this.#sendOver = true;
  }

  stop(code = 0) {
    if (this.#receiveOver) return;
    this.#port.sendNumber(STOP, 0, 0, this.#conn, this.#id, code);
    this.#receiveOver = true;
  }

  /** endSend and endReceive note that the peer, or the connection, has ended a direction. */
  endSend() {
    this.#sendOver = true;
    this.#short = false;
  }

  endReceive() {
    this.#receiveOver = true;
  }
}
