/** QUIC, HTTP/3 and WebTransport for Node, Bun and Deno. */
export { quic, QuicSocket, QuicStream } from './quic.js';
export { forEngineIO, WebTransportForEngineIO } from './engineio.js';
export { fromNode } from './node.js';
export { Response } from './response.js';
export { serve, Server } from './serve.js';
export { Agent, fetch } from './agent.js';
export { Dispatcher } from './dispatcher.js';
export { GodwitError } from './errors.js';
export { WebTransport, WebTransportSendGroup, WebTransportSession } from './webtransport.js';
export { WebTransportError } from './webtransport-error.js';
export { WebTransportBidirectionalStream, WebTransportReceiveStream, WebTransportSendStream, WebTransportWriter, WebTransportServerStream } from './webtransport-stream.js';
export { WebTransportDatagramDuplexStream, WebTransportDatagramsWritable } from './webtransport-datagrams.js';
export { serveWebTransport, WebTransportServer } from './webtransport-server.js';
