// Routes: which handler a path and a method have.

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** isResponse reports whether something is a Response, of this realm or another. */
export function isResponse(x) {
  return x instanceof Response || typeof x === 'object' && x !== null && typeof x.status === 'number' && typeof x.headers?.forEach === 'function';
}

/** Static is a Response that is always the same; its content is read once. */
export class Static {
  bytes = null; // once they have been read
  error = null;

  constructor(response) {
    this.status = response.status;
    this.headers = response.headers;
    this.hasBody = response.body !== null;
    this.read = response.arrayBuffer().then((b) => { this.bytes = new Uint8Array(b); }, (e) => { this.error = e; });
  }

  /** response returns one for a request, or a promise of one. */
  response() {
    if (this.bytes === null && this.error === null) return this.read.then(() => this.response());
    if (this.error !== null) throw this.error;
    return new Response(this.hasBody ? this.bytes : null, { status: this.status, headers: this.headers });
  }
}

/**
 * Router finds what is at a path. Routes are an object of paths, in which a segment :name
 * stands for any, and * at the end for the rest; literal segments go before others. What
 * is there is a Response, a function, or an object of those by method.
 */
export class Router {
  #exact = new Map();
  #patterns = [];

  constructor(what, routes = {}) {
    if (typeof routes !== 'object' || routes === null) throw new TypeError(`${what}: routes must be an object`);
    for (const [path, value] of Object.entries(routes)) {
      if (value === false || value === undefined) continue;
      if (!path.startsWith('/')) throw new TypeError(`${what}: routes: ${JSON.stringify(path)} does not begin with /`);
      const handlers = handlersOf(`${what}: routes[${JSON.stringify(path)}]`, value);
      const segments = path.split('/').slice(1);
      if (segments.some((s) => s.startsWith(':')) || segments.at(-1) === '*') this.#patterns.push({ segments, handlers });
      else this.#exact.set(path, { handlers, params: null });
    }
    this.#patterns.sort((a, b) => compare(a.segments, b.segments));
  }

  /** statics yields the paths and Statics of GET requests that need no handler. */
  * statics() {
    for (const [path, { handlers }] of this.#exact) {
      const h = handlers.get('GET') ?? handlers.get('*');
      const head = handlers.get('HEAD') ?? h;
      if (h instanceof Static && head === h) yield [path, h];
    }
  }

  /** find returns {handlers, params}, or null; params are null for a path without. */
  find(path) {
    const found = this.#exact.get(path);
    if (found !== undefined) return found;
    if (this.#patterns.length === 0) return null;
    const segments = path.split('/').slice(1);
    for (const p of this.#patterns) {
      const params = match(p.segments, segments);
      if (params !== null) return { handlers: p.handlers, params };
    }
    return null;
  }
}

/** handlerFor returns what is to answer a method, undefined for nothing. */
export function handlerFor(handlers, method) {
  return handlers.get(method) ?? (method === 'HEAD' ? handlers.get('GET') : undefined) ?? handlers.get('*');
}

function handlersOf(what, value) {
  const made = new Map();
  if (typeof value === 'function' || isResponse(value)) {
    made.set('*', handlerOf(what, value));
    return made;
  }
  if (typeof value !== 'object' || value === null) throw new TypeError(`${what} must be a Response, a function, or an object of those by method`);
  for (const [method, v] of Object.entries(value)) {
    if (!methods.includes(method)) throw new TypeError(`${what}: ${method} is none of ${methods.join(', ')}`);
    made.set(method, handlerOf(`${what}.${method}`, v));
  }
  return made;
}

function handlerOf(what, value) {
  if (typeof value === 'function') return value;
  if (!isResponse(value)) throw new TypeError(`${what} must be a Response or a function`);
  if (value.bodyUsed) throw new TypeError(`${what} is a Response whose body has been used`);
  return new Static(value);
}

function match(pattern, segments) {
  const rest = pattern.at(-1) === '*';
  if (rest ? segments.length < pattern.length : segments.length !== pattern.length) return null;
  const params = {};
  for (let i = 0; i < pattern.length; i++) {
    const p = pattern[i];
    if (rest && i === pattern.length - 1) params['*'] = segments.slice(i).map(decode).join('/');
    else if (p.startsWith(':')) params[p.slice(1)] = decode(segments[i]);
    else if (p !== segments[i]) return null;
  }
  return params;
}

function decode(segment) {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment; // not what is encoded so
  }
}

// compare puts the pattern first that says more.
function compare(a, b) {
  const rank = (s) => s === undefined || s === '*' ? 2 : s.startsWith(':') ? 1 : 0;
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const d = rank(a[i]) - rank(b[i]);
    if (d !== 0) return d;
  }
  return b.length - a.length;
}
