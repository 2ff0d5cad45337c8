// A dispatcher of undici's, which Node's fetch is made of, over HTTP/3.

import { Buffer } from 'node:buffer';
import { EventEmitter } from 'node:events';
import { Agent } from './agent.js';
import { ofConnections } from './exchange.js';
import { toBytes } from './stream.js';

/**
 * Dispatcher is for undici's functions and for Node's fetch, as their option dispatcher, or
 * for undici's setGlobalDispatcher. Its options are those of Agent; agent, to share the
 * connections of one; and fallback, another dispatcher for what cannot be had by HTTP/3.
 */
export class Dispatcher extends EventEmitter {
  #agent; #fallback; #own;

  constructor({ agent, fallback, ...options } = {}) {
    super();
    if (fallback !== undefined && typeof fallback?.dispatch !== 'function') throw new TypeError('Dispatcher: fallback must be a dispatcher');
    this.#own = agent === undefined;
    this.#agent = agent ?? new Agent(options);
    this.#fallback = fallback;
  }

  /** dispatch sends a request and tells the handler of its response, as undici's Dispatcher does. */
  dispatch(options, handler) {
    if (typeof handler !== 'object' || handler === null) throw new TypeError('Dispatcher: the handler must be an object');
    this.#dispatch(options, handler);
    return true; // always more
  }

  async #dispatch(options, handler) {
    const exchange = new Dispatched(handlerOf(handler));
    let connection = null;
    try {
      if (options.upgrade || options.method === 'CONNECT') throw new TypeError('HTTP/3 has no upgrades here');
      const url = new URL(options.origin);
      if (url.protocol === 'https:') connection = await this.#agent.reach(url, this.#fallback === undefined);
      else if (this.#fallback === undefined) throw new TypeError(`HTTP/3 is for https, not ${url.protocol}`);
      if (connection === null) this.#fallback.dispatch(options, handler);
      else await exchange.begin(connection, url, options);
    } catch (e) {
      exchange.abort(e);
    } finally {
      connection?.release(); // the request, if there is one, has it now
    }
  }

  close(callback) {
    return told(this.#own ? this.#agent.close() : Promise.resolve(), callback);
  }

  destroy(error, callback) {
    if (typeof error === 'function') callback = error;
    return told(this.#own ? this.#agent.destroy() : Promise.resolve(), callback);
  }

  get closed() {
    return this.#agent.closed;
  }

  get destroyed() {
    return this.#agent.closed;
  }
}

function told(promise, callback) {
  if (callback === undefined) return promise;
  promise.then(() => callback(null, null));
  return undefined;
}

// handlerOf returns a handler of undici's, of version 7 and later or of before, with one set of functions.
function handlerOf(h) {
  if (typeof h.onRequestStart === 'function') {
    return {
      begin: (control) => h.onRequestStart(control, {}),
      response: (control, status, raw) => h.onResponseStart?.(control, status, objectOf(raw), ''),
      data: (control, chunk) => h.onResponseData?.(control, chunk),
      end: (control, raw) => h.onResponseEnd?.(control, objectOf(raw)),
      fail: (control, error) => h.onResponseError?.(control, error),
      sent: () => h.onRequestSent?.(),
    };
  }
  return {
    begin: (control) => h.onConnect?.((reason) => control.abort(reason), null),
    response(control, status, raw) {
      if (h.onHeaders?.(status, raw, () => control.resume(), '') === false) control.pause();
    },
    data(control, chunk) {
      if (h.onData?.(chunk) === false) control.pause();
    },
    end: (control, raw) => h.onComplete?.(raw),
    fail: (control, error) => h.onError?.(error),
    sent: () => h.onRequestSent?.(),
  };
}

const raw = (fields, from) => fields.slice(from).map((f) => Buffer.from(f, 'latin1'));

function objectOf(list) {
  const o = {};
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i].toString('latin1'), value = list[i + 1].toString('latin1');
    if (name in o) o[name] = [].concat(o[name], value);
    else o[name] = value;
  }
  return o;
}

/** fieldsOf returns a header in one of the forms that undici takes as names and values in turn. */
function fieldsOf(headers) {
  const list = [];
  const add = (name, value) => {
    for (const v of Array.isArray(value) ? value : [value]) {
      if (v !== undefined && v !== null) list.push(String(name).toLowerCase(), typeof v === 'string' ? v : Buffer.isBuffer(v) ? v.toString('latin1') : String(v));
    }
  };
  if (Array.isArray(headers)) {
    for (let i = 0; i < headers.length; i += Array.isArray(headers[i]) ? 1 : 2) {
      if (Array.isArray(headers[i])) add(...headers[i]);
      else add(headers[i], headers[i + 1]);
    }
  } else if (typeof headers?.[Symbol.iterator] === 'function') {
    for (const [name, value] of headers) add(name, value);
  } else {
    for (const [name, value] of Object.entries(headers ?? {})) add(name, value);
  }
  return list;
}

// pathOf returns a path with what is asked for.
function pathOf({ path, query }) {
  return query ? `${path}${path.includes('?') ? '&' : '?'}${new URLSearchParams(query)}` : path;
}

// contentOf returns null, bytes, or something to iterate over, and the fields that go with it.
function contentOf(body, fields) {
  if (body === null || body === undefined) return null;
  if (typeof body === 'string' || body instanceof ArrayBuffer || ArrayBuffer.isView(body)) {
    const bytes = toBytes(body);
    if (!fields.includes('content-length')) fields.push('content-length', String(bytes.byteLength));
    return bytes;
  }
  if (typeof body[Symbol.asyncIterator] === 'function') return body;
  const response = new Response(body); // a form, a blob
  const type = response.headers.get('content-type');
  if (type !== null && !fields.includes('content-type')) fields.push('content-type', type);
  return response.body;
}

// Dispatched is a request, the handler of its events, and what undici calls its controller.
class Dispatched {
  paused = false;
  aborted = false;
  reason = null;
  rawHeaders = null;
  rawTrailers = null;
  #handler; #request = null; #over = false; #room = null; #kept = []; #end = null;

  constructor(handler) {
    this.#handler = handler;
  }

  async begin(connection, url, options) {
    this.#handler.begin(this);
    if (this.#over) return;
    const fields = fieldsOf(options.headers), content = contentOf(options.body, fields);
    const host = fields.indexOf('host');
    const head = [':method', options.method, ':scheme', 'https', ':authority', host >= 0 ? fields[host + 1] : url.host, ':path', pathOf(options)];
    for (let i = 0; i < fields.length; i += 2) {
      if (fields[i] !== 'host' && fields[i] !== 'expect' && !ofConnections.has(fields[i])) head.push(fields[i], fields[i + 1]);
    }
    const whole = content === null || content.byteLength === 0;
    this.#request = connection.request(head, whole, this);
    if (!whole) await this.#send(content);
    if (!this.#over) this.#handler.sent();
  }

  async #send(content) {
    if (content.byteLength !== undefined) {
      await this.#write(content);
    } else {
      for await (const chunk of content) {
        if (this.#over || this.#request.sendOver) return;
        await this.#write(toBytes(chunk));
      }
    }
    if (!this.#over) this.#request.end();
  }

  async #write(bytes) {
    for (;;) {
      bytes = bytes.subarray(this.#request.write(bytes));
      if (bytes.byteLength === 0 || this.#over || this.#request.sendOver) return;
      await new Promise((resolve) => { this.#room = resolve; });
    }
  }

  // ---- the controller ----

  pause() {
    this.paused = true;
  }

  resume() {
    this.paused = false;
    this.#give();
  }

  abort(reason) {
    if (this.#over) return;
    this.aborted = true;
    this.reason = reason ?? Object.assign(new Error('Request aborted'), { name: 'AbortError', code: 'UND_ERR_ABORTED' });
    this.#request?.cancel();
    this.fail(this.reason);
  }

  // ---- what the request tells ----

  inform() {}

  drain() {
    this.#room?.();
    this.#room = null;
  }

  response(fields) {
    this.rawHeaders = raw(fields, 2);
    this.#call(() => this.#handler.response(this, Number(fields[1]), this.rawHeaders));
  }

  data(bytes) {
    this.#kept.push(Buffer.from(bytes));
    this.#give();
  }

  end(trailers) {
    this.#end = raw(trailers ?? [], 0);
    this.#give();
  }

  fail(error) {
    if (this.#over) return;
    this.#over = true;
    this.drain();
    this.#handler.fail(this, error);
  }

  // give hands on what has come, unless the handler wants nothing now.
  #give() {
    while (!this.paused && !this.#over && this.#kept.length > 0) {
      const b = this.#kept.shift();
      this.#request.allow(b.byteLength);
      this.#call(() => this.#handler.data(this, b));
    }
    if (this.paused || this.#over || this.#end === null) return;
    this.rawTrailers = this.#end;
    this.#over = true;
    this.#handler.end(this, this.#end);
  }

  // call calls the handler, whose exceptions end the request.
  #call(f) {
    try {
      f();
    } catch (e) {
      this.abort(e);
    }
  }
}
