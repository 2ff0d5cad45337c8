// fetch over HTTP/3.

import { codings, decoded } from './coding.js';
import { GodwitError } from './errors.js';
import { sectionOf, toHeaders } from './exchange.js';
import { checkNames } from './options.js';
import { closeBytes, toBytes } from './stream.js';

const REDIRECTS = 20; // of the Fetch standard

const redirects = new Set([301, 302, 303, 307, 308]);
const bodiless = new Set([204, 205, 304]);
const repeatable = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']); // RFC 9110, Section 9.2.2

// What init may have: the Fetch standard's, and agent and protocol.
const known = ['agent', 'protocol', 'method', 'headers', 'body', 'referrer', 'referrerPolicy', 'mode', 'credentials', 'cache', 'redirect', 'integrity',
  'keepalive', 'signal', 'duplex', 'priority', 'window'];

const own = globalThis.fetch;

/** fetchBy is fetch over an agent's connections. */
export async function fetchBy(agent, input, init) {
  if (!(init instanceof Request)) checkNames('fetch', init, known); // of which a Request has all, and more
  if (init.protocol !== undefined && init.protocol !== 'http3' && init.protocol !== 'auto') {
    throw new TypeError(`fetch: protocol must be "http3" or "auto", not ${init.protocol}`);
  }
  const only = init.protocol === 'http3';
  const request = new Request(input, init);
  const signal = init.signal ?? (input instanceof Request ? input.signal : undefined);
  signal?.throwIfAborted();
  const job = {
    agent, only, signal, request,
    url: new URL(request.url), method: request.method, headers: headersOf(request, init),
    body: await bodyOf(request, input, init), redirect: request.redirect ?? 'follow', redirected: false,
  };
  if (job.url.protocol !== 'https:') {
    if (only) throw new TypeError(`fetch: HTTP/3 is for https, not ${job.url.protocol}`);
    return own(request);
  }
  for (let n = 0; ; n++) {
    const response = await once(job);
    if (response === null) return fallBack(job);
    if (!redirects.has(response.status) || job.redirect === 'manual') return finish(response, job);
    const location = response.headers.get('location');
    if (location === null) return finish(response, job);
    response.body?.cancel().catch(() => {});
    if (job.redirect === 'error') throw failed(new GodwitError(`a redirect to ${location}`, { kind: 'http' }));
    if (n === REDIRECTS) throw failed(new GodwitError('too many redirects', { kind: 'http' }));
    follow(job, response.status, location);
    if (job.url.protocol !== 'https:') return fallBack(job);
  }
}

function failed(cause) {
  return new TypeError('fetch failed', { cause });
}

// ---- the request ----

// headersOf returns those of a request, with what a client says by itself. Bun's Request has
// no cookie of init's, and some have no host.
function headersOf(request, init) {
  const headers = new Headers(request.headers);
  if (init.headers) for (const [name, value] of new Headers(init.headers)) if (!headers.has(name)) headers.set(name, value);
  for (const [name, value] of [['accept', '*/*'], ['accept-encoding', headers.has('range') ? 'identity' : codings], ['user-agent', 'godwit']]) {
    if (!headers.has(name)) headers.set(name, value);
  }
  return headers;
}

// bodyOf returns null or {stream(), size, again}: size is undefined if it is not known, and
// again says whether stream may be called more than once.
async function bodyOf(request, input, init) {
  if (request.method === 'GET' || request.method === 'HEAD') return null;
  const given = init.body ?? (input instanceof Request ? input.body : null);
  if (given === null || given === undefined) return null;
  if (given instanceof Blob) return { stream: () => given.stream(), size: given.size, again: true };
  if (given instanceof ReadableStream || typeof given === 'object' && Symbol.asyncIterator in given) {
    return { stream: () => request.body, size: undefined, again: false };
  }
  const bytes = new Uint8Array(await request.arrayBuffer()); // a string, bytes, a form
  return { bytes, stream: () => new Blob([bytes]).stream(), size: bytes.byteLength, again: true };
}

// follow makes a request of what a redirect says (Fetch standard, HTTP-redirect fetch).
function follow(job, status, location) {
  let url;
  try {
    url = new URL(location, job.url);
  } catch (e) {
    throw failed(e);
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw failed(new GodwitError(`a redirect to ${location}`, { kind: 'http' }));
  if (job.only && url.protocol !== 'https:') throw failed(new GodwitError(`a redirect away from HTTP/3, to ${location}`, { kind: 'http' }));
  if (url.hash === '') url.hash = job.url.hash;
  if (status !== 303 && job.body !== null && !job.body.again) throw failed(new GodwitError('a redirect of a body that is a stream', { kind: 'http' }));
  if ((status === 301 || status === 302) && job.method === 'POST' || status === 303 && job.method !== 'GET' && job.method !== 'HEAD') {
    job.method = 'GET';
    job.body = null;
    for (const name of ['content-encoding', 'content-language', 'content-location', 'content-type', 'content-length']) job.headers.delete(name);
  }
  if (url.origin !== job.url.origin) {
    for (const name of ['authorization', 'proxy-authorization', 'cookie', 'host']) job.headers.delete(name);
  }
  job.url = url;
  job.redirected = true;
}

// fallBack asks the runtime, and learns of HTTP/3 from its answer.
async function fallBack(job) {
  const { body, url, method, headers, signal } = job;
  if (job.agent.tls?.serverCertificateHashes) throw failed(new GodwitError('the runtime does not know certificates by their hashes', { kind: 'unsupported' }));
  const init = { method, headers, signal, redirect: job.redirect };
  if (body !== null) Object.assign(init, body.bytes !== undefined ? { body: body.bytes } : { body: body.stream(), duplex: 'half' });
  if (process.versions.bun && job.agent.tls) init.tls = job.agent.tls; // no other runtime takes them there
  const response = await own(url, init);
  learn(job.agent, new URL(response.url || url), response.headers);
  if (job.redirected && !response.redirected) Object.defineProperty(response, 'redirected', { value: true });
  return response;
}

function learn(agent, url, headers) {
  const value = headers.get('alt-svc');
  if (value !== null) agent.altSvc.learn(url.origin, url.hostname.replace(/^\[(.*)\]$/, '$1'), value);
}

// ---- one exchange ----

// Kinds of errors with which a connection ends that was kept, perhaps before the request came there.
const ends = new Set(['application', 'transport', 'idle', 'stateless_reset']);

// once returns the response to a request, of HTTP/3, or null where that cannot be had.
async function once(job) {
  for (let tries = 0; ; tries++) {
    const connection = await job.agent.reach(job.url, job.only, job.signal).catch((e) => { throw e === job.signal?.reason ? e : failed(e); });
    if (connection === null) return null;
    const kept = connection.served > 0;
    const fetching = new Fetching(job, connection);
    connection.release(); // the request has it now
    try {
      const response = await fetching.answer;
      learn(job.agent, job.url, response.headers);
      return response;
    } catch (e) {
      if (e === job.signal?.reason) throw e;
      const may = e.unprocessed || kept && ends.has(e.kind) && repeatable.has(job.method);
      if (!may || tries === 2 || job.body !== null && !job.body.again) throw failed(e);
    }
  }
}

// finish makes the Response.
function finish({ status, headers, body }, job) {
  try {
    const response = new Response(decoded(body, headers.get('content-encoding')), { status, headers });
    for (const [name, value] of [['url', withoutHash(job.url)], ['redirected', job.redirected]]) {
      Object.defineProperty(response, name, { value, configurable: true });
    }
    return response;
  } catch (e) { // a status that Response does not have, too many codings
    body?.cancel(e).catch(() => {});
    throw failed(e);
  }
}

function withoutHash(url) {
  const copy = new URL(url);
  copy.hash = '';
  return copy.href;
}

// Fetching is the handler of a request of fetch. answer is a promise of {status, headers, body}.
class Fetching {
  answer;
  #job; #request; #reader = null; #room = null;
  #resolve; #reject; #headed = false; #bodiless = false; #over = false; #abort;
  #controller = null; #queue = []; #wanting = false; #ended = false;

  constructor(job, connection) {
    this.#job = job;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const { body } = job, whole = body === null || body.size === 0;
    this.#request = connection.request(fieldsOf(job, connection.alternative), whole, this);
    this.#abort = () => this.#cancel(job.signal.reason);
    job.signal?.addEventListener('abort', this.#abort, { once: true });
    if (!whole) this.#send(body).catch((e) => this.#cancel(e));
  }

  // send passes the content on, at the pace of who takes it.
  async #send(body) {
    if (body.bytes !== undefined) {
      await this.#write(body.bytes);
    } else {
      this.#reader = body.stream().getReader();
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (done || this.#request.sendOver) break;
        await this.#write(toBytes(value));
      }
    }
    if (this.#request.sendOver) this.#reader?.cancel().catch(() => {});
    else this.#request.end();
  }

  async #write(bytes) {
    for (;;) {
      bytes = bytes.subarray(this.#request.write(bytes));
      if (bytes.byteLength === 0 || this.#request.sendOver) return;
      await new Promise((resolve) => { this.#room = resolve; });
    }
  }

  // cancel gives both directions up.
  #cancel(reason) {
    if (this.#over) return;
    this.#request.cancel();
    this.fail(reason);
  }

  // give hands the response's reader what it wants.
  #give() {
    if (this.#controller === null) return;
    if (this.#wanting && this.#queue.length > 0) {
      const b = this.#queue.shift();
      this.#wanting = false;
      this.#request.allow(b.byteLength);
      this.#controller.enqueue(b); // which may pull at once, and so come here again
    }
    if (!this.#ended || this.#controller === null || this.#queue.length > 0) return;
    const c = this.#controller;
    this.#finish();
    closeBytes(c);
  }

  // finish: nothing can be given up any more.
  #finish() {
    this.#over = true;
    this.#controller = null;
    this.#job.signal?.removeEventListener('abort', this.#abort);
  }

  // ---- what the request tells ----

  inform() {}

  drain() {
    this.#room?.();
    this.#room = null;
  }

  response(fields) {
    const status = Number(fields[1]);
    this.#headed = true;
    this.#bodiless = this.#job.method === 'HEAD' || bodiless.has(status);
    const body = this.#bodiless ? null : new ReadableStream({
      type: 'bytes',
      start: (c) => { this.#controller = c; },
      pull: () => {
        this.#wanting = true;
        this.#give();
      },
      cancel: (reason) => {
        this.#controller = null;
        this.#cancel(reason);
      },
    }, { highWaterMark: 0 });
    this.#resolve({ status, headers: toHeaders(fields, 2), body });
  }

  data(bytes) {
    if (this.#bodiless) {
      this.#request.allow(bytes.byteLength);
      return;
    }
    this.#queue.push(new Uint8Array(bytes));
    this.#give();
  }

  end() {
    this.#ended = true;
    if (this.#bodiless) this.#finish();
    else this.#give();
  }

  fail(error) {
    const c = this.#controller;
    this.#finish();
    this.#reader?.cancel(error).catch(() => {});
    this.drain();
    if (!this.#headed) this.#reject(error);
    c?.error(this.#job.signal?.aborted ? error : failed(error));
  }
}

// fieldsOf returns the header of a request.
function fieldsOf({ method, url, body, headers: given }, alternative) {
  const headers = new Headers(given);
  const authority = headers.get('host') ?? url.host;
  headers.delete('host');
  headers.delete('content-length');
  if (body !== null && body.size !== undefined) headers.set('content-length', String(body.size));
  else if (body === null && (method === 'POST' || method === 'PUT')) headers.set('content-length', '0');
  const fields = [':method', method, ':scheme', 'https', ':authority', authority, ':path', `${url.pathname}${url.search}`];
  if (alternative !== undefined) fields.push('alt-used', `${alternative.host}:${alternative.port}`); // RFC 7838, Section 5
  return sectionOf(fields, headers);
}
