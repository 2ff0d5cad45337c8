// The content of a request to a server over HTTP/3, and its trailers.

import { Buffer } from 'node:buffer';
import { GodwitError } from './errors.js';
import { closeBytes } from './stream.js';

/** RequestBody takes what comes, until somebody wants it. */
export class RequestBody {
  over = false;
  #pipe; #queue = []; #wanted = false; #pulls = false; #controller = null; #error = null;
  #trailers = null; #whenTrailers = [];

  constructor(pipe) {
    this.#pipe = pipe;
  }

  /** content returns bytes if they are there, otherwise a stream. */
  content() {
    this.#wanted = true;
    if (this.over && this.#error === null) {
      const all = this.#queue.length === 1 ? this.#queue[0] : Buffer.concat(this.#queue);
      this.#queue.length = 0;
      return all;
    }
    return new ReadableStream({
      type: 'bytes',
      start: (c) => {
        if (this.#error !== null) c.error(this.#error);
        else this.#controller = c;
      },
      pull: () => {
        this.#pulls = true;
        this.#give();
      },
      cancel: () => this.discard(),
    }, { highWaterMark: 0 });
  }

  /** trailers returns a promise of the trailers, null if there are none. */
  trailers() {
    if (this.over) return Promise.resolve(this.#trailers);
    return new Promise((resolve) => this.#whenTrailers.push(resolve));
  }

  // give hands the stream what it wants.
  #give() {
    if (this.#controller === null) return;
    if (this.#pulls && this.#queue.length > 0) {
      const b = this.#queue.shift();
      this.#pulls = false;
      this.#pipe.allow(b.byteLength);
      this.#controller.enqueue(b); // which may pull at once, and so come here again
    }
    if (this.over && this.#controller !== null && this.#queue.length === 0) {
      const c = this.#controller;
      this.#controller = null;
      closeBytes(c);
    }
  }

  receive(bytes, last) {
    if (this.#queue === null || this.#wanted && this.#controller === null) {
      this.#pipe.allow(bytes.byteLength); // nobody reads it
    } else if (bytes.byteLength > 0) {
      this.#queue.push(new Uint8Array(bytes));
    }
    if (last) this.end(null);
    else this.#give();
  }

  end(trailers) {
    this.over = true;
    this.#trailers = trailers;
    this.#pipe.endReceive();
    for (const f of this.#whenTrailers.splice(0)) f(trailers);
    this.#give();
  }

  /** fail ends it with an error, unless it is over. */
  fail(error) {
    if (this.over) return;
    this.over = true;
    this.#error = error;
    this.#pipe.endReceive();
    for (const f of this.#whenTrailers.splice(0)) f(null);
    this.#controller?.error(error);
    this.#controller = null;
  }

  /** discard: nobody wants what is still to come. */
  discard() {
    this.#wanted = true;
    this.#controller?.error(new GodwitError('the request has been answered', { kind: 'cancelled' }));
    this.#controller = null;
    this.#queue = null;
    if (!this.over) this.#pipe.stop(0x100); // H3_NO_ERROR, RFC 9114, Section 4.1
  }
}
