// Listeners of Node's kind, (req, res), as handlers of requests. Frameworks give req and res
// prototypes of their own, above those of node:http; so what is different here is the
// objects' own.

import { Buffer } from 'node:buffer';
import { EventEmitter } from 'node:events';
import http from 'node:http';
import { Readable, Writable } from 'node:stream';
import { parseAddress } from './options.js';
import { Response } from './response.js';

const HIGH = 64 << 10; // bytes that wait, of a request and of a response
const WHOLE = 16 << 10; // bytes of a response that wait for its end, up to the end of the turn

/**
 * fromNode returns a handler, for serve's fetch or routes, that has requests answered by a
 * listener of Node's kind, such as express makes.
 */
export function fromNode(listener) {
  if (typeof listener !== 'function') throw new TypeError('fromNode: the listener must be a function');
  return (request, server) => new Promise((resolve, reject) => {
    const { req, res } = messages(request, server, resolve);
    Promise.resolve(listener.call(server, req, res)).catch(reject);
  });
}

// messages makes both. answer is called with the Response, once.
function messages(request, server, answer) {
  const socket = socketOf(request, server);
  const req = requestOf(request, server, socket), res = responseOf(request, server, socket, req, answer);
  const gone = () => {
    if (!res.writableFinished) res.destroy();
    if (!req.complete) {
      req.aborted = true;
      req.emit('aborted');
      req.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }));
    }
  };
  request.signal.addEventListener('abort', gone, { once: true });
  res.once('close', () => {
    request.signal.removeEventListener('abort', gone);
    if (!req.readableEnded && !req.destroyed) req.destroy(); // nobody will read it
  });
  socket.destroy = (error) => {
    req.destroy(error);
    res.destroy(error);
    return socket;
  };
  return { req, res };
}

// socketOf makes what stands for a connection.
function socketOf(request, server) {
  const remote = server.requestIP(request), local = server.address ?? parseAddress('');
  return Object.assign(new EventEmitter(), {
    encrypted: true, authorized: false, readable: true, writable: true, destroyed: false, alpnProtocol: server.protocol(request),
    remoteAddress: remote?.address, remotePort: remote?.port, remoteFamily: remote?.family,
    localAddress: local?.address, localPort: local?.port, localFamily: local?.family,
    address: () => local,
    getPeerCertificate: () => ({}),
    ...Object.fromEntries(['setTimeout', 'setKeepAlive', 'setNoDelay', 'ref', 'unref', 'cork', 'uncork', 'pause', 'resume'].map((name) => [name, function () { return this; }])),
  });
}

function requestOf(request, server, socket) {
  let reader = null;
  const req = new Readable({
    highWaterMark: HIGH,
    read() {
      reader ??= request.body?.getReader() ?? null;
      if (reader === null) return end();
      reader.read().then(({ done, value }) => done ? end() : req.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength)), (e) => req.destroy(e));
      return undefined;
    },
    destroy(error, callback) {
      (reader ?? request.body)?.cancel(error ?? undefined).catch(() => {});
      callback(req.listenerCount('error') > 0 ? error : null); // as Node's
    },
  });
  const end = () => {
    req.complete = true;
    server.trailers(request).then((trailers) => {
      for (const [name, value] of trailers ?? []) {
        req.trailers[name] = value;
        req.rawTrailers.push(name, value);
      }
      req.push(null);
    });
  };
  const headers = {}, rawHeaders = [], headersDistinct = {};
  for (const [name, value] of request.headers) {
    headers[name] = value;
    headersDistinct[name] = [value];
    rawHeaders.push(name, value);
  }
  const { pathname, search } = new URL(request.url);
  const { _read, _destroy } = req;
  own(req, {
    _read, _destroy, socket, connection: socket, headers, headersDistinct, rawHeaders, trailers: {}, trailersDistinct: {}, rawTrailers: [],
    method: request.method, url: `${pathname}${search}`, ...versions[server.protocol(request)] ?? versions.h3,
    complete: request.body === null, aborted: false, upgrade: false, statusCode: null, statusMessage: null, server,
    setTimeout(ms, callback) {
      if (callback) req.once('timeout', callback);
      return req;
    },
  });
  Object.setPrototypeOf(req, http.IncomingMessage.prototype);
  return req;
}

const versions = {
  h3: { httpVersion: '3.0', httpVersionMajor: 3, httpVersionMinor: 0 },
  h2: { httpVersion: '2.0', httpVersionMajor: 2, httpVersionMinor: 0 },
  'http/1.1': { httpVersion: '1.1', httpVersionMajor: 1, httpVersionMinor: 1 },
};

// own makes properties an object's own, whatever its prototypes have.
function own(object, properties) {
  for (const name of Object.keys(properties)) {
    Object.defineProperty(object, name, { value: properties[name], writable: true, configurable: true, enumerable: !name.startsWith('_') });
  }
}

// What Writable has that node:http has otherwise.
const writable = Object.fromEntries(Object.entries(Object.getOwnPropertyDescriptors(Writable.prototype)).filter(([name]) => name !== 'constructor' && name !== 'pipe'));

function responseOf(request, server, socket, req, answer) {
  const headers = new Map(); // by lower case, [name, value]
  let sent = false, controller = null, whole = [], size = 0, wanted = null, trailers = null, over = false;

  // goOn has the next bytes written, which may come at once.
  const goOn = (error) => {
    const callback = wanted;
    wanted = null;
    callback?.(error);
  };
  // respond hands over the Response; body is null, bytes, or a stream.
  const respond = (body) => {
    const list = new Headers();
    for (const [name, value] of headers.values()) {
      for (const v of Array.isArray(value) ? value : [value]) list.append(name, String(v));
    }
    if (trailers !== null) server.sendTrailers(request, () => trailers);
    const bodiless = request.method === 'HEAD' || [204, 205, 304].includes(res.statusCode);
    answer(new Response(bodiless ? null : body, { status: res.statusCode, statusText: '', headers: list }));
    return !bodiless;
  };
  // stream has the response go on as a stream.
  const stream = () => {
    const kept = whole;
    whole = null;
    const taken = respond(new ReadableStream({
      start(c) {
        controller = c;
        for (const b of kept) c.enqueue(b);
      },
      pull: () => goOn(),
      cancel: () => { res.destroy(); },
    }, { highWaterMark: HIGH, size: (b) => b.byteLength }));
    if (!taken) controller = null;
  };
  const res = new Writable({
    highWaterMark: HIGH, decodeStrings: true,
    write(chunk, encoding, callback) {
      if (whole !== null && size + chunk.byteLength <= WHOLE) {
        size += chunk.byteLength;
        whole.push(new Uint8Array(chunk));
        if (whole.length === 1) setImmediate(() => { if (whole !== null && !over) guarded(stream); });
        return callback();
      }
      if (whole !== null) guarded(stream);
      controller?.enqueue(new Uint8Array(chunk));
      if (controller === null || controller.desiredSize > 0) return callback();
      wanted = callback;
      return undefined;
    },
    final(callback) {
      over = true;
      if (whole !== null) guarded(() => respond(whole.length === 0 ? null : Buffer.concat(whole)));
      else controller?.close();
      callback();
    },
    destroy(error, callback) {
      const early = whole !== null && !over;
      over = true;
      if (early) answer(new Response(null, { status: 500 })); // which nobody gets who is gone
      else if (!res.writableFinished) try { controller?.error(error ?? new Error('the response was given up')); } catch { /* cancelled */ }
      goOn(error);
      callback(res.listenerCount('error') > 0 ? error : null); // as Node's
    },
  });
  const guarded = (f) => {
    try {
      f();
    } catch (e) { // a status or a header that a Response does not have
      res.destroy(e);
    }
  };
  const { _write, _final, _destroy, _writableState } = res;
  Object.defineProperties(res, writable);
  const begin = () => {
    if (!sent) res.writeHead(res.statusCode);
  };
  const refuseSent = (what) => {
    if (sent) throw Object.assign(new Error(`Cannot ${what} headers after they are sent to the client`), { code: 'ERR_HTTP_HEADERS_SENT' });
  };
  own(res, {
    _write, _final, _destroy, _writableState, req, socket, connection: socket, statusCode: 200, statusMessage: undefined,
    sendDate: true, shouldKeepAlive: true, useChunkedEncodingByDefault: true, chunkedEncoding: false, strictContentLength: false,
    _implicitHeader: () => res.writeHead(res.statusCode),
    setHeader(name, value) {
      refuseSent('set');
      http.validateHeaderName?.(name);
      if (!Array.isArray(value)) http.validateHeaderValue?.(name, value);
      headers.set(String(name).toLowerCase(), [name, value]);
      return this;
    },
    appendHeader(name, value) {
      const old = res.getHeader(name);
      return res.setHeader(name, old === undefined ? value : [].concat(old, value));
    },
    setHeaders(list) {
      for (const [name, value] of list) {
        if (name === 'set-cookie') res.appendHeader(name, value);
        else res.setHeader(name, value);
      }
      return this;
    },
    getHeader: (name) => headers.get(String(name).toLowerCase())?.[1],
    getHeaders: () => Object.assign(Object.create(null), Object.fromEntries([...headers].map(([name, [, value]]) => [name, value]))),
    getHeaderNames: () => [...headers.keys()],
    getRawHeaderNames: () => [...headers.values()].map(([name]) => name),
    hasHeader: (name) => headers.has(String(name).toLowerCase()),
    removeHeader(name) {
      refuseSent('remove');
      headers.delete(String(name).toLowerCase());
    },
    writeHead(status, reason, more) {
      refuseSent('write');
      if (!Number.isInteger(status) || status < 100 || status > 999) throw Object.assign(new RangeError(`Invalid status code: ${status}`), { code: 'ERR_HTTP_INVALID_STATUS_CODE' });
      if (typeof reason === 'string') res.statusMessage = reason;
      else more = reason;
      res.statusCode = status;
      if (Array.isArray(more)) {
        const list = more.flat();
        for (let i = 0; i < list.length; i += 2) res.appendHeader(list[i], list[i + 1]);
      } else {
        for (const [name, value] of Object.entries(more ?? {})) if (value !== undefined) res.setHeader(name, value);
      }
      sent = true;
      return this;
    },
    flushHeaders() {
      begin();
      if (whole !== null && !over) guarded(stream);
    },
    write(chunk, encoding, callback) {
      begin();
      return Writable.prototype.write.call(res, chunk, encoding, callback);
    },
    end(chunk, encoding, callback) {
      if (!res.writableEnded) begin();
      return Writable.prototype.end.call(res, chunk, encoding, callback);
    },
    addTrailers: (list) => { trailers = Array.isArray(list) ? list : { ...list }; },
    writeContinue: () => {},
    writeProcessing: () => { server.hint(request, {}, 102); },
    writeEarlyHints(hints, callback) {
      server.hint(request, Object.entries(hints).flatMap(([name, value]) => [].concat(value).map((v) => [name, v])));
      callback?.();
    },
    setTimeout(ms, callback) {
      if (callback) res.once('timeout', callback);
      return res;
    },
    assignSocket: () => {},
    detachSocket: () => {},
  });
  Object.defineProperties(res, {
    headersSent: { get: () => sent, configurable: true },
    _header: { get: () => sent ? `HTTP/3 ${res.statusCode}\r\n` : null, configurable: true },
    finished: { get: () => res.writableEnded, configurable: true },
  });
  Object.setPrototypeOf(res, http.ServerResponse.prototype);
  return res;
}
