/** QUIC, HTTP/3 and WebTransport for Node, Bun and Deno. */
export * from './types/index.cjs';
