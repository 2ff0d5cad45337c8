// engine.io, on which socket.io is built, at a server of this package: sessions of
// WebTransport, and polling by every version of HTTP.

import { checkNames } from './options.js';
import { fromNode } from './node.js';
import { WebTransport } from './webtransport.js';

/**
 * forEngineIO returns the options fetch and webtransport of serve that have a server of
 * engine.io (6.5 or later), which socket.io is bound to with io.bind(engine), answer at a
 * path. What else is asked for has status 404. It needs no server of node:http; sockets of
 * WebSocket are not among the transports.
 */
export function forEngineIO(engine, options = {}) {
  if (typeof engine?.onWebTransportSession !== 'function' || typeof engine.handleRequest !== 'function') {
    throw new TypeError('forEngineIO: the engine must be a Server of engine.io, of version 6.5 or later');
  }
  checkNames('forEngineIO', options, ['path', 'origins']);
  const { path = '/socket.io/', origins } = options;
  const poll = fromNode((req, res) => engine.handleRequest(req, res));
  return {
    fetch(request, server) {
      return new URL(request.url).pathname === path ? poll(request, server) : new Response('Not Found', { status: 404 });
    },
    webtransport: {
      ...origins !== undefined && { origins },
      open(session, request) {
        if (request.path !== path) return new Response(null, { status: 404 });
        engine.onWebTransportSession(new EngineSession(session)).catch(() => session.close());
      },
    },
  };
}

/** EngineSession is what engine.io uses of a session. It does not look after promises that are rejected. */
class EngineSession {
  #session;

  constructor(session) {
    this.#session = session;
    /** Fulfilled also when the session has failed: all that engine.io wants to know is that it has ended. */
    this.closed = session.closed.catch(() => {});
    this.incomingBidirectionalStreams = session.incomingBidirectionalStreams;
  }

  close(info) {
    this.#session.close(info);
  }
}

/**
 * WebTransportForEngineIO is WebTransport for the client of engine.io, which takes it as
 * globalThis.WebTransport: that does not look after what it pipes into a stream, so that
 * every end of a session would be a rejection that nobody handles.
 */
export class WebTransportForEngineIO extends WebTransport {
  async createBidirectionalStream(options) {
    const { readable, writable } = await super.createBidirectionalStream(options);
    const writer = writable.getWriter();
    writer.closed.catch(() => {});
    return {
      readable,
      writable: new WritableStream({
        write: (chunk) => writer.write(chunk).catch(() => {}),
        close: () => writer.close().catch(() => {}),
        abort: (reason) => writer.abort(reason).catch(() => {}),
      }),
    };
  }
}
