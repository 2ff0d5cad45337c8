// What Web IDL says of values, and of members of classes.

/** toLongLong is of the type long long (Web IDL, 3.2.4.7). */
export function toLongLong(v) {
  const n = Math.trunc(+v);
  if (Number.isSafeInteger(n)) return n + 0; // without the sign of a zero
  return Number.isFinite(n) ? Number(BigInt.asIntN(64, BigInt(n))) : 0;
}

/** toUnsignedLong is of the type unsigned long (3.2.4.6). */
export function toUnsignedLong(v) {
  return +v >>> 0;
}

/** toWellFormed is of the type USVString (3.2.12): there are no halves of characters. */
export function toWellFormed(v) {
  const text = `${v}`;
  return text.toWellFormed ? text.toWellFormed() : text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd');
}

/** toEnum is of an enumeration (3.2.18). */
export function toEnum(what, v, ...values) {
  if (!values.includes(`${v}`)) throw new TypeError(`WebTransport: ${what} must be one of ${values.join(', ')}, not ${v}`);
  return `${v}`;
}

/** interfaces has the members of classes be enumerable, and their objects have the classes' names (3.7). */
export function interfaces(...classes) {
  for (const c of classes) {
    const members = Object.getOwnPropertyDescriptors(c.prototype);
    for (const name of Object.keys(members)) {
      if (name !== 'constructor') Object.defineProperty(c.prototype, name, { ...members[name], enumerable: true });
    }
    Object.defineProperty(c.prototype, Symbol.toStringTag, { value: c.name, configurable: true });
  }
}

/** quotaExceeded is what comes of a stream for which there is no credit; an error of a class of its own where there is one. */
export function quotaExceeded(message) {
  return typeof globalThis.QuotaExceededError === 'function' ? new globalThis.QuotaExceededError(message) : new DOMException(message, 'QuotaExceededError');
}
