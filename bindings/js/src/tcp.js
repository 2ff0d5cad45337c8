// HTTP/1.1 and HTTP/2 beside HTTP/3, at the same port: the runtime's own.

import http2 from 'node:http2';
import { Readable } from 'node:stream';
import { makeRequest, noMethod, pathOf } from './exchange.js';
import { toBytes } from './stream.js';

/** TCPServer answers what comes over TLS and TCP, for a site. */
export class TCPServer {
  #site; #server; #sockets = new Map(); // to how many requests are under way there
  #sessions = new Set(); #stopping = false; #altSvc;

  constructor(site, { cert, key }, altSvc) {
    this.#site = site;
    this.#altSvc = altSvc;
    this.#server = http2.createSecureServer({ allowHTTP1: true, cert, key }, (req, res) => this.#request(req, res));
    this.#server.on('secureConnection', (socket) => {
      this.#sockets.set(socket, 0);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {}); // the client is gone
    });
    this.#server.on('session', (session) => {
      this.#sessions.add(session);
      session.on('close', () => this.#sessions.delete(session));
      session.on('error', () => {});
    });
    for (const name of ['sessionError', 'tlsClientError', 'clientError']) this.#server.on(name, () => {}); // of one client
  }

  /** listen returns a promise that fails if the port cannot be had. */
  listen(host, port) {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (e) => this.#site.report(e));
        resolve();
      });
    });
  }

  ref() {
    this.#server.ref?.();
  }

  unref() {
    this.#server.unref?.();
  }

  /** stop closes it: when requests have been answered, or at once. */
  stop(graceful) {
    this.#stopping = true;
    const closed = new Promise((resolve) => this.#server.close(() => resolve()));
    for (const session of [...this.#sessions]) {
      if (graceful) session.close();
      else session.destroy();
    }
    for (const [socket, requests] of [...this.#sockets]) {
      if (!graceful || requests === 0 && socket.alpnProtocol !== 'h2') socket.destroy();
    }
    return closed;
  }

  #request(req, res) {
    const socket = req.stream?.session === undefined ? req.socket : undefined; // of HTTP/1.1
    if (socket !== undefined) {
      this.#sockets.set(socket, (this.#sockets.get(socket) ?? 0) + 1);
      res.once('close', () => {
        const left = (this.#sockets.get(socket) ?? 1) - 1;
        this.#sockets.set(socket, left);
        if (this.#stopping && left === 0) socket.end();
      });
      if (this.#stopping) res.setHeader('connection', 'close');
    }
    new TCPExchange(this.#site, req, res).answer(this.#altSvc).catch((e) => {
      this.#site.report(e);
      res.destroy?.(e);
    });
  }
}

class TCPExchange {
  request = null;
  #site; #req; #res; #remote; #trailersToSend = null; #abort = new AbortController();

  constructor(site, req, res) {
    this.#site = site;
    this.#req = req;
    this.#res = res;
    const { remoteAddress: address, remotePort: port, remoteFamily } = req.socket;
    this.#remote = address === undefined ? undefined : { address, port, family: remoteFamily ?? (address.includes(':') ? 'IPv6' : 'IPv4') };
  }

  get remote() {
    return this.#remote;
  }

  get signal() {
    return this.#abort.signal;
  }

  get protocol() {
    return this.#req.httpVersionMajor === 2 ? 'h2' : 'http/1.1';
  }

  hint(headers, status) {
    const res = this.#res, all = Object.fromEntries(new Headers(headers));
    if (res.headersSent) return false;
    if (res.stream?.additionalHeaders) res.stream.additionalHeaders({ ':status': status, ...all });
    else if (status === 103 && all.link !== undefined) res.writeEarlyHints?.(all);
    else return false;
    return true;
  }

  async trailers() {
    if (!this.#req.readableEnded && !this.#req.destroyed) await new Promise((resolve) => this.#req.once('end', resolve).once('close', resolve));
    const all = Object.entries(this.#req.trailers ?? {});
    return all.length > 0 ? new Headers(all) : null;
  }

  sendTrailers(headers) {
    this.#trailersToSend = typeof headers === 'function' ? headers : () => headers;
    return true;
  }

  async answer(altSvc) {
    const req = this.#req, res = this.#res;
    res.on('error', () => {}); // the client is gone, which close tells
    req.on('error', () => {});
    try {
      this.request = this.#makeRequest();
    } catch (e) {
      res.writeHead(e === noMethod ? 501 : 400).end();
      return;
    }
    res.once('close', () => {
      if (!res.writableFinished) this.#abort.abort(new DOMException('the client is gone', 'AbortError'));
      this.#site.ends(this);
    });
    this.#site.begins(this);
    const response = await this.#site.answer(this.request, pathOf(req.url));
    await this.#respond(response, altSvc);
  }

  #makeRequest() {
    const req = this.#req, headers = new Headers();
    const raw = req.rawHeaders;
    if (raw?.length > 0) {
      for (let i = 0; i < raw.length; i += 2) this.#addHeader(headers, raw[i].toLowerCase(), raw[i + 1]);
    } else {
      for (const [name, value] of Object.entries(req.headers)) {
        for (const v of Array.isArray(value) ? value : [value]) this.#addHeader(headers, name, v);
      }
    }
    const host = req.authority || req.headers[':authority'] || req.headers.host || this.#site.authority;
    if (!headers.has('host')) headers.set('host', host);
    const init = { method: req.method, headers };
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      init.body = Readable.toWeb(req);
      init.duplex = 'half';
    }
    return makeRequest(`https://${host}${req.url}`, init, this);
  }

  #addHeader(headers, name, value) {
    if (name.startsWith(':')) return;
    if (name === 'cookie' && headers.has(name)) headers.set(name, `${headers.get(name)}; ${value}`);
    else headers.append(name, value);
  }

  async #respond(response, altSvc) {
    const res = this.#res, two = this.#req.httpVersionMajor === 2;
    if (res.destroyed || res.stream?.destroyed) {
      response.body?.cancel().catch(() => {});
      return;
    }
    response.headers.forEach((value, name) => {
      if (name === 'set-cookie' || two && unwanted.has(name)) return;
      res.setHeader(name, value);
    });
    const cookies = response.headers.getSetCookie();
    if (cookies.length > 0) res.setHeader('set-cookie', cookies);
    if (!response.headers.has('alt-svc')) res.setHeader('alt-svc', altSvc);
    res.statusCode = response.status;
    if (this.#trailersToSend !== null && !two) res.setHeader('transfer-encoding', 'chunked');
    if (response.body === null || this.#req.method === 'HEAD') {
      response.body?.cancel().catch(() => {});
      res.end();
      return;
    }
    await this.#send(response.body);
  }

  async #send(body) {
    const res = this.#res, reader = body.getReader();
    let room = null; // called when there is, or the client is gone
    res.on('drain', () => room?.());
    res.once('close', () => {
      reader.cancel().catch(() => {}); // which ends a read that waits
      room?.();
    });
    for (;;) {
      const { done, value } = await reader.read();
      if (done || res.destroyed) break;
      if (!res.write(toBytes(value)) && !res.destroyed) await new Promise((resolve) => { room = resolve; });
    }
    if (res.destroyed || res.closed) return;
    if (this.#trailersToSend !== null) res.addTrailers(Object.fromEntries(new Headers(this.#trailersToSend())));
    res.end();
  }
}

const unwanted = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'host']);
