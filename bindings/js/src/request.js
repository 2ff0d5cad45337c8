// A request of a client's over HTTP/3, and its response.

import { engine } from './engine.js';
import { errorOf, GodwitError } from './errors.js';
import { decodeError, decodeFields, EV, FIN, REQUEST, TRAILERS } from './port.js';
import { Pipe } from './stream.js';

// Codes of HTTP/3 (RFC 9114, Section 8.1).
const REQUEST_REJECTED = 0x10bn;
export const REQUEST_CANCELLED = 0x10c;

const none = new Uint8Array(0);

/**
 * ClientRequest is the target of a request's events. handler is an object with
 *
 *   inform(fields): an interim response
 *   response(fields): the response has begun
 *   data(bytes): content, valid during the call; allow is to give credit for it
 *   end(trailers): the response is whole; fields, or null without trailers
 *   fail(error): there will be no (further) response; error.unprocessed says that the
 *     server has not processed the request (RFC 9114, Section 4.1.1)
 *   drain(): there is room again, or nothing more is wanted
 *
 * of which either end or fail is called once, and is the last but for drain.
 */
export class ClientRequest {
  /** Called when nothing more happens on the stream. */
  onover = null;
  #connection; #id; #handler; #pipe; #port = engine(); #over = false; #error = null; #trailers = null;

  /** fields begin with :method, :scheme, :authority and :path. With whole there is no content. */
  constructor(connection, fields, whole, handler) {
    this.#connection = connection;
    this.#id = this.#port.handle();
    this.#handler = handler;
    this.#pipe = new Pipe(this.#port, connection.handle, this.#id, { sends: !whole, window: connection.window });
    this.#pipe.ondrain = () => handler.drain();
    connection.add(this.#id, this);
    if (this.#port.sendSection(REQUEST, whole ? FIN : 0, connection.handle, this.#id, fields)) return;
    connection.remove(this.#id);
    queueMicrotask(() => {
      this.#fail(new GodwitError('the header of a request is too large', { kind: 'size' }));
      this.onover?.();
    });
  }

  get connection() {
    return this.#connection;
  }

  /** Whether content is not wanted any more. */
  get sendOver() {
    return this.#pipe.sendOver;
  }

  /** write takes as much content as there is room for, and returns how much; drain follows if that was not all. */
  write(bytes, fin = false) {
    return this.#pipe.write(bytes, fin);
  }

  /** end ends the content, with trailers if there are any. */
  end(trailers = null) {
    if (this.#pipe.sendOver) return;
    if (trailers === null) {
      this.#pipe.write(none, true);
    } else {
      this.#port.sendSection(TRAILERS, FIN, this.#connection.handle, this.#id, trailers);
      this.#pipe.endSend();
    }
  }

  /** allow gives credit for content that has been dealt with. */
  allow(n) {
    this.#pipe.allow(n);
  }

  /** cancel gives the request up; the handler is told nothing more. */
  cancel(code = REQUEST_CANCELLED) {
    this.#over = true;
    this.#pipe.reset(code);
    this.#pipe.stop(code);
  }

  event(type, flags, aux, id, bytes) {
    const fin = (flags & FIN) !== 0;
    switch (type) {
      case EV.INFORM:
        if (!this.#over) this.#handler.inform(decodeFields(bytes).fields);
        break;
      case EV.RESPONSE:
        if (!this.#over) this.#handler.response(decodeFields(bytes).fields);
        if (fin) this.#end();
        break;
      case EV.DATA:
        if (this.#over) this.#pipe.allow(bytes.byteLength);
        else if (bytes.byteLength > 0) this.#handler.data(bytes);
        if (fin) this.#end();
        break;
      case EV.TRAILERS:
        this.#trailers = decodeFields(bytes).fields;
        this.#end();
        break;
      case EV.CREDIT:
        this.#pipe.addCredit(bytes);
        break;
      case EV.RESET:
        this.#error = decodeError(bytes, flags);
        this.#fail(responseError(this.#error));
        break;
      case EV.STOPPED:
        this.#pipe.endSend();
        this.#handler.drain();
        break;
      case EV.ENDED:
        this.#pipe.endSend();
        this.#fail(responseError(this.#error ?? decodeError(bytes, flags)));
        this.#handler.drain();
        this.onover?.();
    }
  }

  #end() {
    this.#pipe.endReceive();
    if (this.#over) return;
    this.#over = true;
    this.#handler.end(this.#trailers);
  }

  #fail(error) {
    this.#pipe.endReceive();
    if (this.#over) return;
    this.#over = true;
    this.#pipe.reset(REQUEST_CANCELLED);
    this.#handler.fail(error);
  }
}

function responseError(e) {
  if (e.kind === 'ok') return new GodwitError('the response is not whole', { kind: 'http' });
  const error = errorOf(e);
  error.unprocessed = e.kind === 'goaway' || e.kind === 'stream' && e.code === REQUEST_REJECTED;
  return error;
}
