/** QUIC, HTTP/3 and WebTransport for Node, Bun and Deno. */
export { quic, QuicSocket, QuicStream } from './quic.js';
export { serve, Server } from './serve.js';
export { GodwitError } from './errors.js';
