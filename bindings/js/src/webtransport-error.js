// What goes wrong with WebTransport, as the W3C's text has it.

import { interfaces } from './webtransport-idl.js';

const sources = ['stream', 'session'];

/** WebTransportError says whether a stream or the whole session is concerned, and with which code of the application's. */
export class WebTransportError extends DOMException {
  #source; #streamErrorCode;

  constructor(message = '', { source = 'stream', streamErrorCode = null, cause } = {}) {
    super(message, 'WebTransportError');
    if (!sources.includes(source)) throw new TypeError(`WebTransportError: source must be "stream" or "session", not ${source}`);
    this.#source = source;
    this.#streamErrorCode = streamErrorCode === null || streamErrorCode === undefined ? null : clamp(streamErrorCode);
    if (cause !== undefined) Object.defineProperty(this, 'cause', { value: cause, configurable: true, writable: true });
  }

  get source() {
    return this.#source;
  }

  get streamErrorCode() {
    return this.#streamErrorCode;
  }
}

interfaces(WebTransportError);

function clamp(code) {
  const n = Math.round(Number(code));
  return n > 0xffffffff ? 0xffffffff : n > 0 ? n : 0;
}

/** codeOf returns the code that a reason for giving up a stream has. */
export function codeOf(reason) {
  return reason instanceof WebTransportError ? reason.streamErrorCode ?? 0 : 0;
}

/** sessionError makes one of what has ended a session, a GodwitError if it was not this end. */
export function sessionError(message, cause) {
  return new WebTransportError(message, { source: 'session', cause });
}

/** streamError makes one of the code that the peer has ended a stream with. */
export function streamError(message, code) {
  return new WebTransportError(message, { source: 'stream', streamErrorCode: Number(code) });
}

/** invalidState is what comes of using a session that has ended. */
export function invalidState(message = 'the session is closed') {
  return new DOMException(message, 'InvalidStateError');
}
