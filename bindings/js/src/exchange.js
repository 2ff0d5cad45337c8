// A request to a server over HTTP/3, and its response.

import { Buffer } from 'node:buffer';
import { engine } from './engine.js';
import { errorOf, GodwitError } from './errors.js';
import { field } from './http.js';
import { decodeError, decodeFields, EV, FIN, INFORM, RESET, RESPOND, TRAILERS } from './port.js';
import { RequestBody } from './request-body.js';
import { contentOf } from './response.js';
import { Pipe, toBytes } from './stream.js';

// Codes of HTTP/3 (RFC 9114, Section 8.1).
const INTERNAL_ERROR = 0x102, REQUEST_CANCELLED = 0x10c;

// How many bytes of a response go with its header at most.
const WHOLE = 16 << 10;

/** What HTTP/3 does not have (RFC 9114, Section 4.2). */
export const ofConnections = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']);

const none = new Uint8Array(0);

/** sectionOf returns the fields of headers, behind those given. */
export function sectionOf(fields, headers) {
  let cookies = false;
  headers.forEach((value, name) => {
    if (name === 'set-cookie') cookies = true;
    else if (!ofConnections.has(name)) fields.push(name, value);
  });
  if (cookies) {
    for (const value of headers.getSetCookie()) fields.push('set-cookie', value);
  }
  return fields;
}

/** toHeaders returns the fields of a message from a place on as Headers. */
export function toHeaders(fields, from = 0) {
  const headers = new Headers();
  let cookie;
  for (let i = from; i < fields.length; i += 2) {
    if (fields[i] === 'cookie') cookie = cookie === undefined ? fields[i + 1] : `${cookie}; ${fields[i + 1]}`; // RFC 9114, Section 4.2.1
    else headers.append(fields[i], fields[i + 1]);
  }
  if (cookie !== undefined) headers.set('cookie', cookie);
  return headers;
}

/** What makeRequest throws for a method that the platform does not have. */
export const noMethod = new Error('no such method');

/**
 * ServedRequest is a Request that a server got. What few handlers ask for is made then.
 */
class ServedRequest extends Request {
  #exchange; #params = null;

  constructor(url, init, exchange) {
    super(url, init);
    this.#exchange = exchange;
  }

  static exchangeOf(request) {
    return typeof request === 'object' && request !== null && #exchange in request ? request.#exchange : undefined;
  }

  /** What the path has in place of the route's parameters. */
  get params() {
    return this.#params ??= {};
  }

  static setParams(request, params) {
    request.#params = params;
  }

  /** Aborted when the client goes away, or wants no response. */
  get signal() {
    return this.#exchange.signal;
  }

  clone() {
    return new Request(super.clone(), { signal: this.signal });
  }
}

Object.defineProperty(ServedRequest, 'name', { value: 'Request' });

/** exchangeOf returns the exchange of a request that makeRequest has made, else undefined. */
export const { exchangeOf, setParams } = ServedRequest;

/**
 * makeRequest makes the Request of an exchange, which has signal. It throws noMethod, or
 * something else for what is no URL.
 */
export function makeRequest(url, init, exchange) {
  const { method } = init;
  if (method === 'CONNECT' || method === 'TRACE' || method === 'TRACK') throw noMethod; // forbidden by the Fetch standard
  const request = new ServedRequest(url, init, exchange);
  if (request.method !== method && request.method !== method.toUpperCase()) throw noMethod; // of Bun's
  return request;
}

/** An Exchange is the target of a request's events. site answers it. */
export class Exchange {
  request = null;
  #site; #connection; #id; #method; #pipe; #port = engine();
  #abort = null; #gone; // why the client is, if anybody asks
  #body = null; // null for a request that was whole at once
  #begun = false; #over = false; #responded = false; #trailersToSend = null;

  constructor(site, connection, id, flags, fields) {
    this.#site = site;
    this.#connection = connection;
    this.#id = id;
    this.#pipe = new Pipe(this.#port, connection.handle, id, { window: connection.window });
    this.#method = field(fields, ':method');
    if ((flags & FIN) === 0) this.#body = new RequestBody(this.#pipe);
    if (this.#body === null || this.#method === 'GET' || this.#method === 'HEAD') this.#begin(fields, null);
    else queueMicrotask(() => this.#begin(fields, this.#body)); // as a rule a small one comes with it
  }

  /** What the client has as address, {address, port, family}. */
  get remote() {
    return this.#connection.remote;
  }

  get protocol() {
    return 'h3';
  }

  get signal() {
    if (this.#abort === null) {
      this.#abort = new AbortController();
      if (this.#gone !== undefined) this.#abort.abort(this.#gone);
    }
    return this.#abort.signal;
  }

  #tellGone(error) {
    if (this.#gone !== undefined) return;
    this.#gone = error;
    this.#abort?.abort(error);
  }

  /** hint sends an interim response. */
  hint(headers, status) {
    if (!Number.isInteger(status) || status < 100 || status > 199 || status === 101) throw new RangeError(`an interim response has a status from 100 to 199 but 101, not ${status}`);
    if (this.#begun || this.#over) return false;
    return this.#port.sendSection(INFORM, 0, this.#connection.handle, this.#id, sectionOf([':status', String(status)], new Headers(headers)));
  }

  /** trailers returns a promise of those of the request, null if it has none. */
  trailers() {
    return this.#body?.trailers() ?? Promise.resolve(null);
  }

  /** sendTrailers has headers, or what a function returns then, follow the response's content. */
  sendTrailers(headers) {
    if (this.#over) return false;
    this.#trailersToSend = typeof headers === 'function' ? headers : () => headers;
    return true;
  }

  event(type, flags, aux, id, bytes) {
    switch (type) {
    case EV.DATA:
      this.#body.receive(bytes, (flags & FIN) !== 0);
      break;
    case EV.TRAILERS:
      this.#body.end(toHeaders(decodeFields(bytes).fields));
      break;
    case EV.CREDIT:
      this.#pipe.addCredit(bytes);
      break;
    case EV.RESET: // a client that gives the request up, or only cuts the content
      this.#failBody(errorOf(decodeError(bytes, flags)));
      break;
    case EV.STOPPED:
      this.#cancel(errorOf(decodeError(bytes, flags)));
      break;
    case EV.ERROR:
      if (aux === INFORM) this.#site.report(errorOf(decodeError(bytes, flags)));
      else this.#fail(errorOf(decodeError(bytes, flags)));
      break;
    case EV.ENDED:
      this.#end(bytes, flags);
      break;
    }
  }

  // ---- the request ----

  #begin(fields, body) {
    if (this.#over) return;
    const init = { method: this.#method };
    let path = '/', authority, at = 0;
    for (; at < fields.length && fields[at].startsWith(':'); at += 2) {
      if (fields[at] === ':path') path = fields[at + 1];
      else if (fields[at] === ':authority') authority = fields[at + 1];
    }
    try {
      const headers = toHeaders(fields, at);
      const host = authority ?? headers.get('host') ?? this.#site.authority;
      if (!headers.has('host')) headers.set('host', host);
      init.headers = headers;
      if (body !== null) {
        init.body = body.content();
        init.duplex = 'half';
      }
      this.request = makeRequest(`https://${host}${path}`, init, this);
    } catch (e) {
      this.#refuse(e === noMethod ? 501 : 400);
      return;
    }
    this.#site.begins(this);
    const answer = this.#site.answer(this.request, pathOf(path));
    if (answer instanceof Promise) answer.then((response) => this.#tryRespond(response));
    else this.#tryRespond(answer);
  }

  #refuse(status) {
    this.#begun = this.#responded = true;
    this.#connection.refuse(this.#id, status);
    this.#body?.discard();
  }

  #failBody(error) {
    if (this.#body === null || this.#body.over) return;
    this.#body.fail(error);
    if (!this.#responded) this.#tellGone(error);
  }

  // ---- the response ----

  #tryRespond(response) {
    try {
      this.#respond(response);
    } catch (e) {
      this.#fail(e);
    }
  }

  #respond(response) {
    const known = contentOf(response), whole = known === null ? null : toBytes(known);
    if (whole !== null && whole.byteLength <= WHOLE) {
      this.#respondWith(response, whole);
      return;
    }
    const { body, headers } = response;
    if (this.#over || this.#pipe.sendOver) {
      body?.cancel().catch(() => {});
      return;
    }
    const fields = this.#header(response), bodiless = this.#bodiless(response);
    if (body === null || bodiless) {
      if (!bodiless && !headers.has('content-length')) fields.push('content-length', '0');
      body?.cancel().catch(() => {});
      this.#head(fields, none, true);
    } else {
      this.#send(body, fields, !headers.has('content-length'));
    }
  }

  #header({ status, headers }) {
    const fields = sectionOf([':status', String(status)], headers);
    if (!headers.has('date')) fields.push('date', now()); // RFC 9110, Section 6.6.1
    return fields;
  }

  #bodiless({ status }) {
    return this.#method === 'HEAD' || status === 204 || status === 304;
  }

  // respondWith is respond for a response of which no body needs to be read.
  #respondWith(response, bytes) {
    if (this.#over || this.#pipe.sendOver) return;
    const fields = this.#header(response), bodiless = this.#bodiless(response);
    this.#sendWhole(bodiless ? [] : [bytes], bytes.byteLength, fields, !bodiless && !response.headers.has('content-length'));
  }

  // head sends the header, with content behind it.
  #head(fields, content, fin) {
    this.#begun = true;
    const last = fin && this.#trailersToSend === null;
    if (!this.#port.sendSection(RESPOND, last ? FIN : 0, this.#connection.handle, this.#id, fields, content)) {
      this.#site.report(new GodwitError('the header of a response is too large', { kind: 'size' }));
      this.#connection.refuse(this.#id, 500);
      fin = true;
      this.#trailersToSend = null;
    }
    if (fin && !last) this.#finish();
    else if (fin) this.#done();
  }

  // send passes a body on. A small one that is there at once goes with the header.
  #send(body, fields, tellsLength) {
    const reader = body.getReader(), parts = [];
    let size = 0, read = readNow(reader);
    for (; !(read instanceof Promise) && !read.done && size <= WHOLE; read = readNow(reader)) {
      const bytes = toBytes(read.value);
      parts.push(bytes);
      size += bytes.byteLength;
    }
    if (!(read instanceof Promise) && read.done) this.#sendWhole(parts, size, fields, tellsLength);
    else this.#sendLater(reader, read, parts, size, fields, tellsLength).catch((e) => this.#fail(e));
  }

  #sendWhole(parts, size, fields, tellsLength) {
    if (tellsLength) fields.push('content-length', String(size));
    this.#head(fields, joined(parts), true);
  }

  // sendLater goes on when not all was there at once; parts are what was.
  async #sendLater(reader, read, parts, size, fields, tellsLength) {
    let begun = false, over = false;
    const head = () => {
      if (begun || over) return;
      begun = true;
      if (!this.#over && !this.#pipe.sendOver) this.#head(fields, size <= WHOLE ? joined(parts.splice(0)) : none, false);
    };
    const flush = async () => {
      head();
      while (parts.length > 0) await this.#write(parts.shift());
    };
    soon(head);
    try {
      for (;;) {
        if (size > WHOLE) await flush();
        const { done, value } = await read;
        if (this.#over || this.#pipe.sendOver) throw gone;
        if (done) break;
        const bytes = toBytes(value);
        parts.push(bytes);
        size += bytes.byteLength;
        if (begun) await flush();
        read = reader.read();
      }
      if (begun) await flush();
    } catch (e) {
      over = true;
      reader.cancel(e).catch(() => {});
      if (e === gone || this.#over || this.#pipe.sendOver) return; // whatever it failed with then
      throw e;
    }
    over = true;
    if (begun) this.#finish();
    else this.#sendWhole(parts, size, fields, tellsLength);
  }

  async #write(bytes) {
    for (;;) {
      bytes = bytes.subarray(this.#pipe.write(bytes));
      if (bytes.byteLength === 0) return;
      await new Promise((resolve) => { this.#pipe.ondrain = resolve; });
      if (this.#over || this.#pipe.sendOver) throw gone;
    }
  }

  // finish ends the response, behind its content.
  #finish() {
    const trailers = this.#trailersToSend;
    if (trailers === null) {
      this.#pipe.write(none, true);
    } else {
      const fields = sectionOf([], new Headers(trailers()));
      this.#port.sendSection(TRAILERS, FIN, this.#connection.handle, this.#id, fields);
    }
    this.#done();
  }

  #done() {
    this.#responded = true;
    this.#pipe.endSend();
    if (this.#body?.over === false && !this.request.body?.locked) this.#body.discard();
  }

  // fail gives up a response whose content has failed.
  #fail(error) {
    this.#site.report(error);
    if (this.#over || this.#pipe.sendOver) return;
    if (!this.#begun) {
      this.#responded = true;
      this.#connection.refuse(this.#id, 500);
      return;
    }
    this.#port.sendNumber(RESET, 0, 0, this.#connection.handle, this.#id, INTERNAL_ERROR);
    this.#pipe.endSend();
    this.#responded = true;
  }

  // cancel: the client wants no response.
  #cancel(error) {
    this.#pipe.endSend();
    this.#pipe.ondrain?.();
    if (this.#responded) return;
    this.#tellGone(error);
    this.#port.sendNumber(RESET, 0, 0, this.#connection.handle, this.#id, REQUEST_CANCELLED);
  }

  #end(bytes, flags) {
    this.#over = true;
    if (this.#body?.over === false || !this.#responded) {
      const error = errorOf(decodeError(bytes, flags));
      this.#failBody(error);
      if (!this.#responded) this.#tellGone(error);
    }
    this.#pipe.endSend();
    this.#pipe.ondrain?.();
    if (this.request !== null) this.#site.ends(this);
  }
}

// readNow returns {value, done} if the runtime knows it already, or else a promise.
function readNow(reader) {
  const read = reader.read();
  return peek !== undefined && peek.status(read) === 'fulfilled' ? peek(read) : read;
}

const peek = globalThis.Bun?.peek;

// soon has functions called in the next turn of the event loop.
function soon(f) {
  if (later.push(f) > 1) return;
  setImmediate(() => {
    for (const g of later.splice(0)) g();
  });
}

const later = [];

function joined(parts) {
  return parts.length === 0 ? none : parts.length === 1 ? parts[0] : Buffer.concat(parts);
}

const gone = new Error('the client is gone');

let dateAt = 0, date = '';

// now returns the present second as HTTP writes it.
function now() {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dateAt) {
    dateAt = second;
    date = new Date(second * 1000).toUTCString();
  }
  return date;
}

/** pathOf returns a path without its query. */
export function pathOf(path) {
  const q = path.indexOf('?');
  return q < 0 ? path : path.slice(0, q);
}
