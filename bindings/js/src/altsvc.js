// Alternative services (RFC 7838): where else an origin can be had, by HTTP/3.

const DAY = 24 * 3600; // seconds, RFC 7838, Section 3.1
const ORIGINS = 1000; // that are remembered; then the one that was heard of first is forgotten
const BROKEN = 5 * 60_000, LONGEST = 48 * 3600_000; // for how long what did not work is not tried, in milliseconds

/** AltSvc is what is known of origins. now returns milliseconds. */
export class AltSvc {
  #known = new Map(); // origin to {host, port, until}
  #broken = new Map(); // origin to {until, times}
  #now;

  constructor(now = Date.now) {
    this.#now = now;
  }

  /** learn takes the value of a field Alt-Svc of an origin's. host is the origin's. */
  learn(origin, host, value) {
    const list = parseAltSvc(value);
    if (list === null) return;
    this.#known.delete(origin);
    const h3 = list.find((s) => s.protocol === 'h3');
    if (h3 === undefined || h3.maxAge === 0) return;
    if (this.#known.size >= ORIGINS) this.#known.delete(this.#known.keys().next().value);
    this.#known.set(origin, { host: h3.host || host, port: h3.port, until: this.#now() + 1000 * h3.maxAge });
  }

  /** find returns {host, port} for an origin, or undefined. */
  find(origin) {
    const s = this.#known.get(origin);
    if (s === undefined || s.until > this.#now()) return s;
    this.#known.delete(origin);
    return undefined;
  }

  /** failed notes that an origin cannot be had by HTTP/3, which counts for longer each time; worked, that it can. */
  failed(origin) {
    const times = (this.#broken.get(origin)?.times ?? 0) + 1;
    this.#broken.delete(origin);
    if (this.#broken.size >= ORIGINS) this.#broken.delete(this.#broken.keys().next().value);
    this.#broken.set(origin, { until: this.#now() + Math.min(LONGEST, BROKEN * 2 ** (times - 1)), times });
  }

  worked(origin) {
    this.#broken.delete(origin);
  }

  /** broken reports whether an origin is not to be tried now. */
  broken(origin) {
    return (this.#broken.get(origin)?.until ?? 0) > this.#now();
  }
}

/**
 * parseAltSvc returns an array of {protocol, host, port, maxAge}, which is empty for
 * "clear", and null for what is no Alt-Svc. An alternative that is malformed is left out.
 */
export function parseAltSvc(value) {
  if (value.trim() === 'clear') return [];
  const list = [];
  for (const part of value.match(/(?:[^",]|"[^"]*(?:"|$))+/g) ?? []) { // between commas that are not in quotes, in linear time
    const m = /^\s*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)="([^"]*)"\s*(.*)$/.exec(part);
    if (m === null) continue;
    const colon = m[2].lastIndexOf(':'), port = Number(m[2].slice(colon + 1));
    if (colon < 0 || !Number.isInteger(port) || port < 1 || port > 65535) continue;
    const age = /;\s*ma\s*=\s*"?(\d+)/i.exec(m[3]);
    list.push({ protocol: decodeURIComponentOr(m[1]), host: m[2].slice(0, colon), port, maxAge: age === null ? DAY : Number(age[1]) });
  }
  return list.length > 0 ? list : null;
}

function decodeURIComponentOr(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
