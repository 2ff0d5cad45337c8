/** QUIC, HTTP/3 and WebTransport for Node, Bun and Deno. */
export * from './common.cjs';
export * from './quic.cjs';
export * from './fetch.cjs';
export * from './serve.cjs';
export * from './webtransport.cjs';
